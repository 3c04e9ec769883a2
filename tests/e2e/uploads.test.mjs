// Resumable uploads (tus 1.0): with the published tus-js-client and tuspy, and by hand for what these do not cover.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import * as tus from 'tus-js-client';
import { eventually, must, register, registerMany } from './shared.mjs';
import { form, png, processed } from './pictures.mjs';

const base = process.env.SONET_URL;
const noise = () => png(500, 300, () => randomBytes(3), []); // some 450 KB
let owner;
let other;

before(async () => {
        [owner, other] = await registerMany(2);
});

async function original(id, member = owner) {
        assert.equal((await processed(member, id)).status, 'ready');
        const answer = await fetch(`${base}/media/${id}/original`, { headers: { authorization: `Bearer ${member.token}` } });
        assert.equal(answer.status, 200);
        return Buffer.from(await answer.arrayBuffer());
}

// One request of the protocol: {status, headers, body}.
async function ask(method, address, headers = {}, body, member = owner) {
        const answer = await fetch(new URL(address, base), { method, body, headers: { authorization: `Bearer ${member.token}`, 'tus-resumable': '1.0.0', ...headers,
                ...(body !== undefined ? { 'content-type': 'application/offset+octet-stream' } : {}) } });
        const text = await answer.text();
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: text === '' ? null : JSON.parse(text) };
}
const begin = async (length, headers = {}) => {
        const created = await ask('POST', '/v1/uploads', { 'upload-length': String(length), ...headers });
        assert.equal(created.status, 201, JSON.stringify(created.body));
        return created.headers.location;
};
const offsetOf = async (address) => Number((await ask('HEAD', address)).headers['upload-offset']);
const mediaOf = async (address) => must(await owner.get(new URL(address, base).pathname)).media_id;

function upload(file, options) {
        return new Promise((resolve, reject) => {
                const one = new tus.Upload(file, { endpoint: `${base}/v1/uploads`, headers: { Authorization: `Bearer ${owner.token}` }, retryDelays: null,
                                                   metadata: { filename: 'grüße.png', alt_text: 'noise' }, onError: reject, onSuccess: () => resolve(one), ...options });
                one.start();
        });
}

test('tus-js-client: in chunks, in one request, in parallel parts, and with a deferred length', async () => {
        for (const options of [{ chunkSize: 100_000 }, { uploadDataDuringCreation: true }, { chunkSize: 90_000, parallelUploads: 3 }]) {
                const picture = noise();
                const done = await upload(picture, options);
                const id = await mediaOf(done.url);
                assert.deepEqual(await original(id), picture, JSON.stringify(options));
        }
        const picture = noise();
        const done = await upload(Readable.from([picture]), { chunkSize: 100_000, uploadLengthDeferred: true });
        const id = await mediaOf(done.url);
        assert.deepEqual(await original(id), picture);
        assert.equal(must(await owner.get(`/v1/media/${id}`)).alt_text, 'noise');
        assert.equal(must(await owner.get('/v1/media/usage')).reserved_bytes, 0);
});

test('tuspy from Debian', async () => {
        const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-tus-')), 'a.png');
        const picture = noise();
        fs.writeFileSync(file, picture);
        const script = `
import sys
from tusclient import client
c = client.TusClient(sys.argv[1], headers={'Authorization': 'Bearer ' + sys.argv[2]})
u = c.uploader(sys.argv[3], chunk_size=100000, metadata={'filename': 'a.png'})
u.upload()
print(u.url)`;
        const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', script, `${base}/v1/uploads`, owner.token, file]);
        assert.deepEqual(await original(await mediaOf(stdout.trim())), picture);
        fs.rmSync(path.dirname(file), { recursive: true });
});

test('a connection stalled mid-chunk blocks nobody: the client resumes at once, and the old one adds nothing', async () => {
        const picture = noise();
        const address = await begin(picture.length);
        assert.equal((await ask('PATCH', address, { 'upload-offset': '0' }, picture.subarray(0, 1000))).status, 204);
        const { hostname, port } = new URL(base);
        const stuck = http.request({ hostname, port, method: 'PATCH', path: address, headers: { authorization: `Bearer ${owner.token}`, 'tus-resumable': '1.0.0',
                'upload-offset': '1000', 'content-type': 'application/offset+octet-stream', 'content-length': picture.length - 1000, expect: '100-continue' } });
        stuck.on('error', () => {});
        await new Promise((resolve) => stuck.once('continue', resolve)); // the server reads the piece
        stuck.write(picture.subarray(1000, 200_000));
        const asked = performance.now();
        const offset = await offsetOf(address);
        assert.equal(offset, 1000);
        const next = await ask('PATCH', address, { 'upload-offset': String(offset) }, picture.subarray(offset, 300_000));
        assert.equal(next.status, 204, JSON.stringify(next.body));
        console.log(`resumed after ${(performance.now() - asked).toFixed(0)} ms`);
        stuck.destroy(); // only now does the server see its end
        assert.equal((await ask('PATCH', address, { 'upload-offset': '300000' }, picture.subarray(300_000))).status, 204);
        assert.deepEqual(await original(await mediaOf(address)), picture);
});

test('the received part of an interrupted piece is acknowledged', async () => {
        const picture = noise();
        const address = await begin(picture.length);
        const { hostname, port } = new URL(base);
        const broken = http.request({ hostname, port, method: 'PATCH', path: address, headers: { authorization: `Bearer ${owner.token}`, 'tus-resumable': '1.0.0',
                'upload-offset': '0', 'content-type': 'application/offset+octet-stream', 'content-length': picture.length } });
        broken.on('error', () => {});
        await new Promise((resolve) => broken.write(picture.subarray(0, 200_000), resolve));
        broken.destroy();
        await eventually('it is kept', async () => must(await owner.get(address)).offset > 0);
        const offset = await offsetOf(address);
        assert.ok(offset <= 200_000, `${offset}`);
        assert.equal((await ask('PATCH', address, { 'upload-offset': String(offset) }, picture.subarray(offset))).status, 204);
        assert.deepEqual(await original(await mediaOf(address)), picture);
});

test('wrong checksums, offsets, lengths, versions and types are rejected without effect', async () => {
        const picture = noise();
        const sha = (bytes, name = 'sha256') => `${name} ${createHash(name).update(bytes).digest('base64')}`;
        const address = await begin(picture.length);
        const piece = (offset, bytes, headers = {}) => ask('PATCH', address, { 'upload-offset': String(offset), ...headers }, bytes);
        assert.equal((await piece(0, picture.subarray(0, 5000), { 'upload-checksum': sha('else') })).status, 460);
        assert.equal((await piece(0, picture.subarray(0, 5000), { 'upload-checksum': 'crc32 AAAA' })).status, 400);
        assert.equal(await offsetOf(address), 0);
        assert.equal((await piece(0, picture.subarray(0, 5000), { 'upload-checksum': sha(picture.subarray(0, 5000), 'sha1') })).status, 204);
        assert.equal((await piece(0, picture.subarray(0, 10))).status, 409);
        assert.equal((await piece(5000, Buffer.concat([picture.subarray(5000), Buffer.from('x')]))).status, 413);
        assert.equal((await ask('PATCH', address, {}, picture.subarray(5000))).status, 422);
        const old = await ask('PATCH', address, { 'tus-resumable': '0.2.2', 'upload-offset': '5000' }, picture.subarray(5000));
        assert.deepEqual([old.status, old.headers['tus-resumable'], old.headers['tus-version']], [412, '1.0.0', '1.0.0']);
        assert.equal((await ask('HEAD', address, {}, undefined, other)).status, 404);
        assert.equal((await ask('PATCH', address, { 'upload-offset': '5000' }, picture.subarray(5000), other)).status, 404);
        assert.equal((await piece(5000, picture.subarray(5000))).status, 204);
        assert.equal((await ask('POST', '/v1/uploads')).status, 422);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-defer-length': '2' })).status, 400);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': String(2 ** 30 + 1) })).status, 413);
        const deferred = (await ask('POST', '/v1/uploads', { 'upload-defer-length': '1' })).headers.location;
        assert.equal((await ask('PATCH', deferred, { 'upload-offset': '0', 'upload-length': String(2 ** 30 + 1) }, picture)).status, 413);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': '0' })).status, 422);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': '10', 'upload-metadata': 'filename !!' })).status, 422);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-concat': 'final;/v1/uploads/nothing' })).status, 422);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-concat': `final;${address}` })).status, 409);
        assert.equal((await piece(picture.length, Buffer.alloc(0))).status, 204);
        const page = await begin(5000);
        assert.equal((await ask('PATCH', page, { 'upload-offset': '0' }, Buffer.from('<html>'.padEnd(5000)))).status, 415);
        assert.equal(await offsetOf(page), 0);
});

test('a final upload takes no bytes; a part may be named by any URL and more than once, and is deleted with all others', async () => {
        const picture = noise();
        const part = async (bytes) => (await ask('POST', '/v1/uploads', { 'upload-concat': 'partial', 'upload-length': String(bytes.length) }, bytes)).headers.location;
        const parts = [await part(picture.subarray(0, 100_000)), await part(picture.subarray(100_000))];
        const concat = `final;${parts[0]} ${new URL(parts[1], base)}`;
        const { status, headers: { location: address } } = await ask('POST', '/v1/uploads', { 'upload-concat': concat });
        assert.equal(status, 201);
        const { headers: head } = await ask('HEAD', address);
        assert.deepEqual([head['upload-concat'], head['upload-offset'], head['upload-length']], [concat, String(picture.length), String(picture.length)]);
        for (const [offset, bytes] of [[picture.length, Buffer.alloc(0)], [picture.length, Buffer.from('x')], [0, picture]]) {
                assert.equal((await ask('PATCH', address, { 'upload-offset': String(offset) }, bytes)).status, 403);
        }
        assert.deepEqual(await original(await mediaOf(address)), picture);
        assert.equal((await ask('HEAD', parts[0])).status, 404);
        const reserved = must(await owner.get('/v1/media/usage')).reserved_bytes;
        const start = await part(picture.subarray(0, 100_000)), end = await part(picture.subarray(100_000));
        const twice = await ask('POST', '/v1/uploads', { 'upload-concat': `final;${start} ${end} ${start}` }); // bytes after the end of a PNG are ignored
        assert.equal(twice.status, 201, JSON.stringify(twice.body));
        assert.deepEqual(await original(twice.body.media_id), picture);
        assert.equal(must(await owner.get('/v1/media/usage')).reserved_bytes, reserved);
});

test('of concurrent pieces at one offset and of concurrent concatenations one is accepted, and a concurrent deletion leaves nothing', async () => {
        const member = await register();
        const tell = async (...request) => {
                for (;;) { // the number of concurrent bodies per address is limited
                        const answer = await ask(request[0], request[1], request[2], request[3], member);
                        if (answer.body?.code !== 'spool_full') {
                                return answer;
                        }
                }
        };
        const create = async (length, headers = {}) => (await tell('POST', '/v1/uploads', { 'upload-length': String(length), ...headers })).headers.location;
        const others = (answers, status) => answers.filter((answer) => answer.status !== status).map((answer) => answer.status);
        const pictures = Array.from({ length: 6 }, () => noise());
        const shortest = Math.min(...pictures.map((picture) => picture.length)), half = shortest >> 1;
        const files = pictures.map((picture) => Buffer.concat([picture, Buffer.alloc(shortest + 100_000 - picture.length)]));
        const address = await create(files[0].length);
        for (const [start, end] of [[0, half], [half, files[0].length]]) {
                const answers = await Promise.all(files.map((file) => tell('PATCH', address, { 'upload-offset': String(start) }, file.subarray(start, end))));
                assert.deepEqual(others(answers, 204), Array(5).fill(409));
        }
        const { media_id: id } = must(await member.get(address));
        assert.equal(must(await member.get('/v1/media/usage')).files, 1);
        await processed(member, id); // with the end of another picture: it need not be valid

        const parts = [await create(half, { 'upload-concat': 'partial' }), await create(shortest - half, { 'upload-concat': 'partial' })];
        await tell('PATCH', parts[0], { 'upload-offset': '0' }, pictures[0].subarray(0, half));
        await tell('PATCH', parts[1], { 'upload-offset': '0' }, pictures[0].subarray(half, shortest));
        const orders = [parts, [parts[0], parts[1], parts[1]], parts, [parts[0], parts[0], parts[1]]];
        const finals = await Promise.all(orders.map((order) => tell('POST', '/v1/uploads', { 'upload-concat': `final;${order.join(' ')}` })));
        assert.deepEqual(others(finals, 201), Array(3).fill(404), JSON.stringify(finals.map((answer) => answer.body)));

        const before = must(await member.get('/v1/media/usage'));
        const gone = await create(files[1].length);
        await Promise.all([...files.map((file) => tell('PATCH', gone, { 'upload-offset': '0' }, file.subarray(0, half))), tell('DELETE', gone)]);
        assert.equal((await tell('HEAD', gone)).status, 404);
        assert.deepEqual(must(await member.get('/v1/media/usage')), before);
});

test('an empty piece with the length completes an upload, and one after the end reserves nothing', async () => {
        const picture = noise();
        const created = await ask('POST', '/v1/uploads', { 'upload-defer-length': '1' });
        const address = created.headers.location;
        assert.equal((await ask('PATCH', address, { 'upload-offset': '0' }, picture)).status, 204);
        for (let i = 0; i < 2; i++) {
                const told = await ask('PATCH', address, { 'upload-offset': String(picture.length), 'upload-length': String(picture.length) }, Buffer.alloc(0));
                assert.equal(told.status, 204, JSON.stringify(told.body));
        }
        assert.deepEqual(await original(await mediaOf(address)), picture);
        assert.equal((await ask('PATCH', address, { 'upload-offset': String(picture.length) }, Buffer.alloc(0))).status, 204);
        const reserved = must(await owner.get('/v1/media/usage')).reserved_bytes;
        assert.equal((await ask('DELETE', address)).status, 204);
        assert.equal(must(await owner.get('/v1/media/usage')).reserved_bytes, reserved);
});

test('uploads beyond the quota are rejected before any byte is sent, and ended ones release their reservations', async () => {
        const member = await register();
        const { quota_bytes: quota } = must(await member.get('/v1/media/usage'));
        const most = 1 << 30;
        const made = [];
        for (let left = quota; left > 0; left -= most) {
                const created = await ask('POST', '/v1/uploads', { 'upload-length': String(Math.min(left, most)) }, undefined, member);
                assert.equal(created.status, 201);
                made.push(created.headers.location);
        }
        assert.equal(must(await member.get('/v1/media/usage')).reserved_bytes, quota);
        const refused = await ask('POST', '/v1/uploads', { 'upload-length': '1' }, undefined, member);
        assert.deepEqual([refused.status, refused.body.code], [507, 'quota_exceeded']);
        assert.match(refused.body.detail, / 0 are left;/);
        for (const address of made) {
                assert.equal((await ask('DELETE', address, {}, undefined, member)).status, 204);
        }
        assert.equal(must(await member.get('/v1/media/usage')).reserved_bytes, 0);
        assert.equal((await ask('HEAD', made[0], {}, undefined, member)).status, 404);
});

test('64 concurrent uploads never exceed the quota', async () => {
        const member = await register();
        const { quota_bytes: quota } = must(await member.get('/v1/media/usage'));
        const each = Math.floor(quota / 10);
        const create = async () => {
                for (;;) { // the number of concurrent bodies per address is limited
                        const answer = await ask('POST', '/v1/uploads', { 'upload-length': String(each) }, undefined, member);
                        if (answer.body.code !== 'spool_full') {
                                return answer;
                        }
                }
        };
        const answers = await Promise.all(Array.from({ length: 64 }, create));
        assert.equal(answers.filter((a) => a.status === 201).length, 10);
        assert.equal(answers.filter((a) => a.status === 507).length, 54);
        assert.equal(must(await member.get('/v1/media/usage')).reserved_bytes, 10 * each);
});

test('64 concurrent files of all kinds of uploads fill the quota to the byte', async () => {
        const member = await register(), SIZE = 30_000, FIT = 10, LEFT = 7;
        for (let left = must(await member.get('/v1/media/usage')).quota_bytes - FIT * SIZE - LEFT; left > 0; left -= 1 << 30) {
                assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': String(Math.min(left, 1 << 30)) }, undefined, member)).status, 201);
        }
        const before = must(await member.get('/v1/media/usage'));
        const file = () => Buffer.concat([png(5, 5), randomBytes(SIZE)]).subarray(0, SIZE); // all different
        const ways = [
                (data) => member.post('/v1/media', undefined, form(data)),
                (data) => ask('POST', '/v1/uploads', { 'upload-length': String(SIZE) }, data, member),
                async (data) => {
                        const created = await ask('POST', '/v1/uploads', { 'upload-defer-length': '1' }, undefined, member);
                        return created.status === 201 ? ask('PATCH', created.headers.location, { 'upload-offset': '0', 'upload-length': String(SIZE) }, data, member) : created;
                },
        ];
        const upload = async (_, i) => {
                for (const data = file(); ;) { // the number of concurrent bodies per address is limited
                        const answer = await ways[i % ways.length](data);
                        if (answer.body?.code !== 'spool_full') {
                                return answer.status;
                        }
                }
        };
        const statuses = await Promise.all(Array.from({ length: 64 }, upload));
        assert.equal(statuses.filter((s) => s < 300).length, FIT, `${statuses}`);
        assert.equal(statuses.filter((s) => s === 507).length, 64 - FIT, `${statuses}`);
        const { used_bytes: used, reserved_bytes: reserved, files } = must(await member.get('/v1/media/usage'));
        assert.deepEqual([used, reserved, files], [FIT * SIZE, before.reserved_bytes, FIT]);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': String(LEFT + 1) }, undefined, member)).status, 507);
        assert.equal((await ask('POST', '/v1/uploads', { 'upload-length': String(LEFT) }, undefined, member)).status, 201);
});

// Sends a piece in chunks, with its checksum in a trailer (tus: checksum-trailer).
function sendWithTrailer(address, offset, bytes, checksum, method = 'PATCH') {
        return new Promise((resolve, reject) => {
                const request = http.request(new URL(address, base), { method, headers: {
                        authorization: `Bearer ${owner.token}`, 'tus-resumable': '1.0.0', 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream',
                        trailer: 'Upload-Checksum', ...(method === 'POST' ? { 'x-http-method-override': 'PATCH' } : {}) } }, (answer) => {
                        answer.resume();
                        answer.on('end', () => resolve(answer.statusCode));
                });
                request.on('error', reject);
                request.write(bytes);
                request.addTrailers({ 'Upload-Checksum': checksum });
                request.end();
        });
}

test('a checksum may follow the piece in a trailer, and POST may replace PATCH and DELETE', async () => {
        const picture = noise();
        const sum = (bytes) => `sha256 ${createHash('sha256').update(bytes).digest('base64')}`;
        const address = await begin(picture.length);
        assert.equal(await sendWithTrailer(address, 0, picture.subarray(0, 70_000), sum('else')), 460);
        assert.equal(await offsetOf(address), 0);
        assert.equal(await sendWithTrailer(address, 0, picture.subarray(0, 70_000), sum(picture.subarray(0, 70_000))), 204);
        assert.equal(await sendWithTrailer(address, 70_000, picture.subarray(70_000), sum('else'), 'POST'), 460);
        assert.equal(await offsetOf(address), 70_000);
        assert.equal(await sendWithTrailer(address, 70_000, picture.subarray(70_000), sum(picture.subarray(70_000)), 'POST'), 204);
        assert.deepEqual(await original(await mediaOf(address)), picture);
        const given = await begin(100);
        assert.equal((await ask('POST', given, { 'x-http-method-override': 'DELETE' })).status, 204);
        assert.equal((await ask('HEAD', given)).status, 404);
        const viaClient = noise();
        const done = await upload(viaClient, { overridePatchMethod: true, chunkSize: 200_000 });
        assert.deepEqual(await original(await mediaOf(done.url)), viaClient);
});

test('OPTIONS lists the extensions, and pages of other origins may use all of them', async () => {
        const options = await fetch(`${base}/v1/uploads`, { method: 'OPTIONS' });
        assert.equal(options.headers.get('tus-version'), '1.0.0');
        for (const extension of ['creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'checksum', 'checksum-trailer', 'termination', 'concatenation']) {
                assert.ok(options.headers.get('tus-extension').split(',').includes(extension), extension);
        }
        const address = await begin(100);
        const preflight = await fetch(new URL(address, base), { method: 'OPTIONS', headers: { origin: 'https://page.example', 'access-control-request-method': 'PATCH',
                'access-control-request-headers': 'authorization,content-type,tus-resumable,upload-checksum,upload-offset' } });
        assert.match(preflight.headers.get('access-control-allow-methods'), /PATCH/);
        const allowed = preflight.headers.get('access-control-allow-headers').toLowerCase();
        for (const name of ['tus-resumable', 'upload-offset', 'upload-checksum']) {
                assert.ok(allowed.includes(name), `${name} in ${allowed}`);
        }
        const head = await ask('HEAD', address, { origin: 'https://page.example' });
        for (const name of ['upload-offset', 'upload-length', 'tus-resumable', 'upload-expires']) {
                assert.ok(head.headers['access-control-expose-headers'].toLowerCase().includes(name), name);
        }
        assert.match(head.headers['cache-control'], /no-store/);
        assert.ok(Date.parse(head.headers['upload-expires']) > Date.now());
});
