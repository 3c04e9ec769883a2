// Files in MEDIA_DIR without rows: rejected pieces leave none, and those left by a crash are removed after a day. And
// sharing the processing queue fairly between members.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, must, problem } from './shared.mjs';
import { form, png } from './pictures.mjs';
import { adminOf, ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-strays.'));
const blob = randomBytes(32).toString('hex');
const old = [`incoming/${randomUUID()}`, `chunks/${randomUUID()}`, `blobs/${blob.slice(0, 2)}/${blob}`];
const kept = [`incoming/${randomUUID()}`, `chunks/${randomUUID()}`, 'chunks/lost+found'];

for (const name of [...old, ...kept]) {
        fs.mkdirSync(path.join(dir, path.dirname(name)), { recursive: true });
        fs.writeFileSync(path.join(dir, name), 'bytes');
}
const twoDaysAgo = Date.now() / 1000 - 2 * 86400;
for (const name of [...old, 'chunks/lost+found']) {
        fs.utimesSync(path.join(dir, name), twoDaysAgo, twoDaysAgo);
}
for (const folder of ['.', 'incoming', 'chunks', 'blobs', `blobs/${blob.slice(0, 2)}`]) {
        fs.chmodSync(path.join(dir, folder), 0o777); // the server may be another user
}
const FILE_BYTES = 1_000_000_000;
const it = ownServer({ env: { MEDIA_DIR: dir, MEDIA_PENDING: '12', MEDIA_FILE_BYTES: String(FILE_BYTES) } });
after(() => fs.rmSync(dir, { recursive: true, force: true }));
const here = (name) => fs.existsSync(path.join(dir, name));

test('files without rows are removed after a day; younger ones and foreign files stay', async () => {
        await eventually('they are gone', () => !old.some(here), 120_000);
        assert.deepEqual(kept.filter(here), kept);
});

test('a rejected piece leaves no file', async () => {
        const member = await it.register();
        const headers = { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0' };
        const quota = (await (await fetch(`${it.server.url}/v1/media/usage`, { headers })).json()).quota_bytes;
        const before = fs.readdirSync(path.join(dir, 'chunks')).length;
        for (let left = quota; left > 0; left -= FILE_BYTES) {
                const reserved = await fetch(`${it.server.url}/v1/uploads`, { method: 'POST', headers: { ...headers, 'upload-length': String(Math.min(left, FILE_BYTES)) } });
                assert.equal(reserved.status, 201);
        }
        const refused = await fetch(`${it.server.url}/v1/uploads`, { method: 'POST', body: Buffer.alloc(2000, 1),
                headers: { ...headers, 'upload-defer-length': '1', 'content-type': 'application/offset+octet-stream' } });
        assert.equal(refused.status, 507);
        assert.equal(fs.readdirSync(path.join(dir, 'chunks')).length, before);
});

const bring = (member) => member.post('/v1/media', undefined, form(png(20, 20)));
const statusOf = async (member, id) => must(await member.get(`/v1/media/${id}`)).status;

test('a member can have at most a thousand unfinished uploads, whatever their size', async () => {
        const member = await it.register();
        const begin = () => fetch(`${it.server.url}/v1/uploads`, { method: 'POST', headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', 'upload-defer-length': '1' } });
        await psql(it.server, 'media_service', `insert into upload_sessions (id, owner_id, received_bytes, reserved_bytes, is_partial, metadata, concat, expires_at)
                select gen_random_uuid(), '${member.id}', 0, 0, false, '', '', now() + interval '1 hour' from generate_series(1, 999)`);
        assert.deepEqual((await Promise.all([begin(), begin(), begin()])).map((answer) => answer.status).sort(), [201, 429, 429]);
        const refused = await (await begin()).json();
        assert.equal(refused.code, 'too_many_uploads');
});

test('an upload can have at most 10,000 pieces, and so can a concatenation', async () => {
        const member = await it.register();
        const ask = (method, path, headers, body) => fetch(new URL(path, it.server.url), { method, body, headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', ...headers } });
        const append = (path, offset) => ask('PATCH', path, { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }, 'x');
        const begin = async (length) => (await ask('POST', '/v1/uploads', { 'upload-length': String(length), 'upload-concat': 'partial' })).headers.get('location');
        const [long, short] = [await begin(10_000), await begin(1)];
        const id = long.slice(long.lastIndexOf('/') + 1);
        await psql(it.server, 'media_service', `insert into upload_chunks (id, session_id, position, size_bytes) select gen_random_uuid(), '${id}', n, 1 from generate_series(0, 9998) n`);
        await psql(it.server, 'media_service', `update upload_sessions set received_bytes = 9999 where id = '${id}'`);
        assert.equal((await append(short, 0)).status, 204);
        assert.equal((await append(long, 9999)).status, 204);
        const refused = async (answer) => assert.deepEqual([answer.status, (await answer.json()).code], [429, 'too_many_pieces']);
        await refused(await ask('POST', '/v1/uploads', { 'upload-concat': `final;${short} ${long}` }));
        await psql(it.server, 'media_service', `update upload_sessions set length = 20000 where id = '${id}'`);
        const files = fs.readdirSync(path.join(dir, 'chunks')).length;
        await refused(await append(long, 10_000));
        assert.equal(fs.readdirSync(path.join(dir, 'chunks')).length, files);
        assert.equal((await ask('HEAD', long)).headers.get('upload-offset'), '10000');
        for (const upload of [long, short]) {
                assert.equal((await ask('DELETE', upload)).status, 204);
        }
        const usage = must(await member.get('/v1/media/usage'));
        assert.equal(usage.reserved_bytes, 0);
});

test('OPTIONS gives the configured maximum size of a file, which applies', async () => {
        const member = await it.register();
        const ask = (method, path, headers) => fetch(new URL(path, it.server.url), { method, headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', ...headers } });
        const most = Number((await ask('OPTIONS', '/v1/uploads')).headers.get('tus-max-size'));
        assert.equal(most, FILE_BYTES);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': String(most + 1) })).status, 413);
        const created = await ask('POST', '/v1/uploads', { 'upload-length': String(most) });
        assert.equal(created.status, 201);
        assert.equal((await ask('OPTIONS', created.headers.get('location'))).headers.get('tus-max-size'), String(most));
});

test('uploading many pictures does not delay members with one, and is limited', async () => {
        const [many, one] = [await it.register(), await it.register()];
        const brought = [];
        for (let refused = false; !refused;) {
                const answer = await bring(many);
                refused = answer.status === 429;
                refused ? problem(answer, 429, { code: 'too_many_pending' }) : brought.push(must(answer, 202).id);
        }
        const { id } = must(await bring(one), 202);
        await eventually('the one is ready', async () => (await statusOf(one, id)) === 'ready', 60_000);
        assert.equal(await statusOf(many, brought.at(-1)), 'processing');
        await eventually('all are ready', async () => (await statusOf(many, brought.at(-1))) === 'ready', 60_000);
        must(await bring(many), 202);
});

test('an expired upload disappears at once; its quota and pieces are released later', async () => {
        const member = await it.register();
        const ask = (method, path, headers, body) => fetch(`${it.server.url}${path}`, { method, body, headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', ...headers } });
        const address = (await ask('POST', '/v1/uploads', { 'upload-length': '50000' })).headers.get('location');
        const piece = png(60, 60, () => randomBytes(3), []).subarray(0, 5000);
        assert.equal((await ask('PATCH', address, { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }, piece)).status, 204);
        assert.equal(must(await member.get('/v1/media/usage')).reserved_bytes, 50_000);
        const [[chunk]] = await psql(it.server, 'media_service', `select c.id from upload_chunks c join upload_sessions s on s.id = c.session_id where s.owner_id = '${member.id}'`);
        assert.ok(here(`chunks/${chunk}`));
        await psql(it.server, 'media_service', `update upload_sessions set expires_at = now() - interval '1 second' where owner_id = '${member.id}'`);
        assert.equal((await ask('HEAD', address)).status, 404);
        await eventually('the job has run', async () => must(await member.get('/v1/media/usage')).reserved_bytes === 0, 120_000);
        await eventually('its piece is deleted', () => !here(`chunks/${chunk}`));
});

test('the check finds rows without files and files without rows, and nothing if there are none', async () => {
        const member = await it.register();
        const { id } = must(await bring(member), 202);
        await eventually('it is ready', async () => (await statusOf(member, id)) === 'ready', 60_000);
        must(await member.post('/v1/uploads', undefined, { headers: { 'tus-resumable': '1.0.0', 'upload-defer-length': '1', 'content-type': 'application/offset+octet-stream' }, raw: Buffer.alloc(100, 7) }), 201);
        const check = () => adminOf(it.server, { MEDIA_DIR: dir }, 'media', 'check');
        await eventually('all is well', async () => {
                const { code, stdout, stderr } = await check();
                assert.equal(code, 0, stdout + stderr);
                assert.match(stdout, /^[1-9]\d* blobs and [1-9]\d* chunks present/);
        });
        const small = () => fetch(`${it.server.url}/media/${id}/small`, { headers: { authorization: `Bearer ${member.token}` } });
        const etag = (await small()).headers.get('etag').replaceAll('"', '');
        const lost = path.join(dir, 'blobs', etag.slice(0, 2), etag);
        const [chunk] = fs.readdirSync(path.join(dir, 'chunks')).filter((name) => /^[0-9a-f-]{36}$/.test(name) && !kept.includes(`chunks/${name}`));
        const strays = [`chunks/${randomUUID()}`, `blobs/00/00${'ab'.repeat(31)}`, `incoming/${randomUUID()}`];
        fs.renameSync(lost, `${lost}.away`);
        fs.symlinkSync(`${lost}.away`, lost); // ignored and not followed
        assert.equal((await small()).status, 500);
        fs.renameSync(path.join(dir, 'chunks', chunk), path.join(dir, 'chunks', 'away'));
        for (const name of strays) {
                fs.writeFileSync(path.join(dir, name), 'bytes');
                fs.utimesSync(path.join(dir, name), twoDaysAgo, twoDaysAgo);
        }
        const { code, stdout, stderr } = await check();
        assert.equal(code, 1, stderr);
        assert.match(stderr, /5 problems/);
        for (const problem of [`missing blob ${etag}`, `missing chunk ${chunk}`, `stray blob 00${'ab'.repeat(31)}`, `stray chunk ${path.basename(strays[0])}`, `stray staged file ${path.basename(strays[2])}`]) {
                assert.ok(stdout.split('\n').includes(problem), `${problem}: ${stdout}`);
        }
});

test('uploading a damaged file again repairs it', async () => {
        const [one, another] = [await it.register(), await it.register()], picture = form(png(25, 25));
        const bringReady = async (member) => {
                const { id } = must(await member.post('/v1/media', undefined, picture), 202);
                await eventually('it is ready', async () => (await statusOf(member, id)) === 'ready', 60_000);
                return id;
        };
        const id = await bringReady(one), original = () => fetch(`${it.server.url}/media/${id}/original`, { headers: { authorization: `Bearer ${one.token}` } });
        const before = await original(), etag = before.headers.get('etag').replaceAll('"', ''), bytes = await before.text();
        fs.truncateSync(path.join(dir, 'blobs', etag.slice(0, 2), etag), 10);
        assert.equal((await (await original()).text()).length, 10);
        await bringReady(another);
        assert.equal(await (await original()).text(), bytes);
});
