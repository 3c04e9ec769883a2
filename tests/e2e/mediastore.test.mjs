// Media in an S3 bucket (s3rver from npm): uploading, serving, removing, checking, and moving to a folder and back.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Transform } from 'node:stream';
import { after, test } from 'node:test';
import aws4 from 'aws4';
import S3rver from 's3rver';
import { findBinary } from './harness.mjs';
import { adminOf, ownServer } from './own.mjs';
import { form, jpeg, png } from './pictures.mjs';
import { eventually, must, problem } from './client.mjs';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-mediastore.'));
const folder = path.join(dir, 'folder');
fs.chmodSync(dir, 0o777); // the server may be another user
fs.mkdirSync(folder);
const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: path.join(dir, 's3'), configureBuckets: [{ name: 'media' }, { name: 'other' }] });
// s3rver does not check version 4 signatures itself, so they are compared with those of aws4.
s3.middleware.unshift(async (ctx, next) => {
        const headers = Object.fromEntries(['host', 'x-amz-date', 'x-amz-content-sha256'].map((name) => [name, ctx.get(name)]));
        const { headers: { Authorization: expected } } = aws4.sign({ method: ctx.method, path: ctx.req.url, service: 's3', region: 'us-east-1', headers }, { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' });
        if (ctx.get('authorization').replaceAll(' ', '') === expected.replaceAll(' ', '')) {
                return next();
        }
        ctx.status = 403;
        ctx.body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>of S3RVER</Message></Error>';
});
// The requests for objects, and a test's gate: gate(passed, socket) is awaited before each piece is sent.
const asked = [];
let gate = null;
s3.middleware.unshift(async (ctx, next) => {
        if (ctx.query['list-type'] === undefined) { // a job lists the bucket now and then
                asked.push(`${ctx.method} ${ctx.get('range')}`.trim());
        }
        await next();
        if (gate !== null && ctx.method === 'GET' && typeof ctx.body?.pipe === 'function') {
                let passed = 0;
                const [held, pass] = [gate, (piece) => { passed += piece.length; return piece; }];
                ctx.body = ctx.body.pipe(new Transform({ transform: (piece, _, done) => { Promise.resolve(held(passed, ctx.req.socket)).then(() => done(null, pass(piece)), done); } }));
        }
});
const { port } = await s3.run();
const store = (bucket) => ({ MEDIA_STORE: `s3://${bucket}`, MEDIA_S3_ENDPOINT: `http://127.0.0.1:${port}`, MEDIA_S3_KEYS: 'S3RVER:S3RVER' });
const it = ownServer({ env: store('media') });
after(async () => {
        if (s3.httpServer.listening) {
                await s3.close();
        }
        fs.rmSync(dir, { recursive: true, force: true });
});

const objects = (bucket) => fs.readdirSync(path.join(dir, 's3', bucket), { recursive: true }).filter((name) => name.endsWith('_object')).map((name) => name.replace(/\._S3rver_object$/, ''));
// On a busy machine the bucket, which runs in this process, may time out, so that the server returns 503 and clients
// retry.
const inTime = (what, check) => eventually(what, check, 300_000);
const bring = (member, file) => inTime('it is taken', async () => must(await member.post('/v1/media', undefined, form(file)), 202).id);
const ready = (member, id) => inTime('it is ready', async () => must(await member.get(`/v1/media/${id}`)).status === 'ready');
async function ask(member, id, headers = {}) {
        const answer = await fetch(`${it.server.url}/media/${id}/original`, { headers: { authorization: `Bearer ${member.token}`, ...headers } });
        return { status: answer.status, etag: answer.headers.get('etag'), bytes: Buffer.from(await answer.arrayBuffer()) };
}
const download = (...args) => inTime('it is given out', async () => {
        const answer = await ask(...args);
        return answer.status !== 503 && answer;
});
const admin = (env, ...words) => adminOf(it.server, env, 'media', ...words);
const well = (env, ...words) => inTime(`media ${words.join(' ')}`, async () => {
        const { code, stdout, stderr } = await admin(env, ...words);
        assert.equal(code, 0, stdout + stderr);
        return stdout;
});

test('uploads are stored in the bucket, served from there, and deleted with their media', async () => {
        const member = await it.register();
        const picture = png(60, 40, undefined, []);
        const id = await bring(member, picture);
        await ready(member, id);
        const whole = await download(member, id);
        assert.deepEqual([whole.status, whole.bytes], [200, picture]);
        assert.deepEqual((await download(member, id, { range: 'bytes=1-3' })).bytes, picture.subarray(1, 4));
        assert.equal((await download(member, id, { 'if-none-match': whole.etag })).status, 304);
        const sha256 = whole.etag.replaceAll('"', '');
        assert.ok(objects('media').includes(`blobs/${sha256.slice(0, 2)}/${sha256}`));
        must(await member.del(`/v1/media/${id}`), 204);
        await eventually('its objects are gone', () => !objects('media').some((name) => name.startsWith('blobs/')), 300_000);
});

test('only the requested part of an object is fetched, and it is streamed as it arrives', async () => {
        const member = await it.register();
        const noise = randomBytes(3 * 900 * 900), picture = png(900, 900, (x, y) => noise.subarray(3 * (y * 900 + x), 3 * (y * 900 + x) + 3), []);
        const id = await bring(member, picture);
        await ready(member, id);
        const { etag } = await download(member, id);
        const askedFor = async (headers) => {
                asked.length = 0;
                const answer = await download(member, id, headers);
                return { ...answer, asked: asked.filter((what) => what.startsWith('GET')) };
        };
        const some = await askedFor({ range: 'bytes=1000000-1000099' });
        assert.deepEqual([some.status, some.bytes, some.asked], [206, picture.subarray(1_000_000, 1_000_100), ['GET bytes=1000000-1000099']]);
        assert.deepEqual((await askedFor({ range: 'bytes=-5' })).asked, [`GET bytes=${picture.length - 5}-${picture.length - 1}`]);
        const same = await askedFor({ 'if-none-match': etag });
        assert.deepEqual([same.status, same.asked], [304, []]);
        const behind = await askedFor({ range: 'bytes=99999999-' });
        assert.deepEqual([behind.status, behind.asked], [416, []]);

        let goOn;
        const wait = new Promise((resolve) => { goOn = resolve; });
        gate = (passed) => (passed > 500_000 ? wait : undefined);
        try {
                const answer = await fetch(`${it.server.url}/media/${id}/original`, { headers: { authorization: `Bearer ${member.token}` } });
                const parts = [], reader = answer.body.getReader();
                for (let n = 0; n < 300_000;) { // while the bucket withholds the rest
                        const { value } = await reader.read();
                        parts.push(value);
                        n += value.length;
                }
                goOn();
                for (let part = await reader.read(); !part.done; part = await reader.read()) {
                        parts.push(part.value);
                }
                assert.ok(Buffer.concat(parts).equals(picture));
                gate = (passed, socket) => { if (passed > 500_000) { socket.destroy(); } };
                await assert.rejects(ask(member, id), 'what breaks off is not taken for the whole');
        } finally {
                gate = null;
                goOn();
        }
        assert.ok((await download(member, id)).bytes.equals(picture));
});

test('pieces of uploads are objects, too, and large ones are uploaded in parts', async () => {
        const member = await it.register();
        const bytes = Buffer.concat([jpeg, randomBytes(17 << 20), Buffer.from('end')]); // what follows the picture is removed
        const headers = { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
        const send = (method, url, status, more, body) => inTime('the piece is taken', async () => {
                const answer = await fetch(new URL(url, it.server.url), { method, headers: { ...headers, ...more }, body });
                assert.equal(answer.status, status);
                return answer.headers.get('location');
        });
        const where = new URL(await send('POST', '/v1/uploads', 201, { 'upload-length': String(bytes.length) }, bytes.subarray(0, bytes.length - 3)), it.server.url);
        assert.ok(objects('media').some((name) => name.startsWith('chunks/')));
        await send('PATCH', where, 204, { 'upload-offset': String(bytes.length - 3) }, bytes.subarray(bytes.length - 3));
        const { media_id } = must(await member.get(where.pathname));
        await ready(member, media_id);
        assert.deepEqual((await download(member, media_id)).bytes, jpeg);
});

test('the check finds missing files; moving to a folder and to another bucket completes despite interruptions', async () => {
        const member = await it.register();
        const ids = [];
        for (let i = 0; i < 6; i++) {
                ids.push(await bring(member, png(50 + i, 50, undefined, [])));
        }
        for (const id of ids) {
                await ready(member, id);
        }
        assert.match(await well(store('media'), 'check'), /blobs and \d+ chunks present/);
        const here = { ...store('media'), MEDIA_DIR: folder };
        const interrupted = spawn(findBinary(), ['admin', '--data', it.server.data, 'media', 'move', 'folder'], { env: { ...process.env, SONET_KEY_FILE: path.join(it.server.dir, 'key'), ...here }, stdio: 'ignore' });
        const ended = new Promise((resolve) => interrupted.once('exit', resolve));
        await inTime('it has begun', () => fs.readdirSync(folder, { recursive: true }).some((name) => /[0-9a-f]{64}$/.test(name)));
        interrupted.kill('SIGKILL');
        await ended;
        assert.match(await well(here, 'move', 'folder'), /^\d+ files copied, [1-9]\d* already present/);
        assert.match(await well(here, 'move', 'folder'), /^0 files copied/);
        assert.match(await well({ MEDIA_DIR: folder }, 'check'), /blobs and \d+ chunks present/);
        const there = { ...store('other'), MEDIA_DIR: folder };
        assert.match(await well(there, 'move', 'bucket'), /^\d+ files copied/);
        const { etag } = await download(member, ids[0]);
        const lost = etag.replaceAll('"', '');
        await new Promise((resolve) => execFile('find', [path.join(dir, 's3', 'other'), '-name', `${lost}*`, '-delete'], resolve));
        await inTime('the check names it, and nothing else', async () => {
                const found = await admin(store('other'), 'check');
                assert.deepEqual([found.code, found.stdout], [1, `missing blob ${lost}\n`]);
        });
});

test('invalid settings are rejected with a clear error, and an unreachable bucket fails requests but not the server', async () => {
        const refused = async (env, words, pattern, expected = 1) => {
                const { code, stdout, stderr } = await admin(env, ...words);
                assert.deepEqual([code, stdout], [expected, '']);
                assert.match(stderr, pattern);
                assert.doesNotMatch(stderr, /S3RVER|hunter2/, 'a key is in the log');
        };
        await refused({ ...store('media'), MEDIA_S3_KEYS: 'hunter2' }, ['check'], /MEDIA_S3_KEYS.*must be ACCESS_KEY:SECRET_KEY/);
        await refused({ ...store('media'), MEDIA_S3_ENDPOINT: 'ftp://127.0.0.1' }, ['check'], /MEDIA_S3_ENDPOINT.*must be https/);
        await refused({ ...store('Not/A/Bucket') }, ['check'], /MEDIA_STORE.*must be s3:/);
        await refused({}, ['move', 'folder'], /both MEDIA_DIR and MEDIA_STORE/, 2);
        await refused({ ...store('media'), MEDIA_S3_KEYS: 'S3RVER:hunter2' }, ['check'], /SignatureDoesNotMatch[^]*storage of media is unavailable/);
        await refused(store('nowhere'), ['check'], /NoSuchBucket[^]*storage of media is unavailable/);
        const member = await it.register();
        const id = await bring(member, png(9, 9));
        await ready(member, id);
        await s3.close();
        problem(await member.post('/v1/media', undefined, { ...form(png(9, 9)), timeoutMs: 60_000 }), 503);
        assert.equal((await ask(member, id)).status, 503);
        assert.equal((await member.get('/v1/media')).status, 200);
});
