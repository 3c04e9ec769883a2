// notification_service: as it was made, it counts notes and keeps files. With SONET_E2E_LARGE=1 the file has 1 GiB instead of 64 MiB.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { api, eventually, must, problem, register } from './shared.mjs';
import { connectGrpc } from './protos.mjs';

const wire = connectGrpc(JSON.parse(process.env.SONET_GRPC));
let author;

before(async () => {
        author = await register();
});
after(() => wire.close());

test('each note of a member is counted once, and a deleted one no more', async () => {
        const counted = async (notes) => eventually(`${notes} notes`, async () => must(await api('GET', `/v1/notification/${author.id}`)).notes === notes);
        await counted(0);
        const note = await author.note('one');
        await author.note('two');
        await counted(2);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await counted(1);
        problem(await api('GET', '/v1/notification/nobody'), 422, { field: 'user_id' });
});

test('gRPC answers the same', async () => {
        const { answer, error } = await wire.call('/sonet.notification.v1.NotificationService/GetCount', { user_id: author.id });
        assert.ok(!error, JSON.stringify(error));
        assert.equal(answer.user_id, author.id);
        assert.equal(answer.notes, 1);
});

// --- files ---

const MIB = 1 << 20;
const LARGE = (process.env.SONET_E2E_LARGE ? 1024 : 64) * MIB;
const address = new URL(process.env.SONET_URL);
const block = Buffer.from(Array.from({ length: MIB }, (_, i) => (i * 2654435761 >>> 13) & 255));

// Bytes that differ from one MiB to the next, from one position on.
function* bytesFrom(offset, end) {
        for (let at = offset; at < end;) {
                const piece = Buffer.from(block.subarray(at % MIB, Math.min(MIB, at % MIB + end - at)));
                if (at % MIB < 4) {
                        piece.fill(Math.floor(at / MIB) & 255, 0, 4 - at % MIB);
                }
                yield piece;
                at += piece.length;
        }
}

function digest(offset, end) {
        const hash = createHash('sha256');
        for (const piece of bytesFrom(offset, end)) {
                hash.update(piece);
        }
        return hash.digest('hex');
}

// Sends as the server takes it; after `until` bytes it stops for good, and the connection breaks off.
function send(method, path, headers, pieces, { until = Infinity } = {}) {
        return new Promise((resolve, reject) => {
                const request = http.request({ host: address.hostname, port: address.port, method, path, agent: false,
                                               headers: { authorization: `Bearer ${author.token}`, ...headers } });
                let sent = 0;
                request.on('error', (error) => (until < Infinity ? resolve({ broken: true }) : reject(error)));
                request.on('response', (response) => {
                        const hash = createHash('sha256');
                        const kept = [];
                        let length = 0;
                        response.on('data', (piece) => {
                                hash.update(piece);
                                length += piece.length;
                                if (length <= 4096) {
                                        kept.push(piece);
                                }
                        });
                        response.on('error', reject);
                        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, length, hash: hash.digest('hex'),
                                                           text: Buffer.concat(kept).toString('utf8') }));
                });
                const next = () => {
                        for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
                                if (sent >= until) {
                                        request.destroy();
                                        resolve({ broken: true });
                                        return;
                                }
                                sent += piece.value.length;
                                if (!request.write(piece.value)) {
                                        request.once('drain', next);
                                        return;
                                }
                        }
                        request.end();
                };
                next();
        });
}

const put = (name, from, end, headers = {}, options) => send('PUT', `/v1/notification/files/${name}`, { 'content-length': end - from, 'content-type': 'application/octet-stream', ...headers },
                                                             bytesFrom(from, end), options);
const get = (name, headers = {}, method = 'GET') => send(method, `/v1/notification/files/${name}`, headers, [][Symbol.iterator]());

// The processes of this server run a binary of their own, and none else does.
function processes() {
        const binary = fs.realpathSync(process.env.SONET_BIN);
        return fs.readdirSync('/proc').filter((pid) => {
                try {
                        return /^\d+$/.test(pid) && fs.readlinkSync(`/proc/${pid}/exe`) === binary;
                } catch {
                        return false;
                }
        });
}

const residentBytes = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

// The most that any process has grown by while work runs.
async function growth(what, work) {
        const before = new Map(processes().map((pid) => [pid, residentBytes(pid)]));
        let most = 0;
        const look = () => before.forEach((bytes, pid) => {
                most = Math.max(most, residentBytes(pid) - bytes);
        });
        const timer = setInterval(look, 50);
        const begun = performance.now();
        const result = await work();
        clearInterval(timer);
        look();
        const seconds = (performance.now() - begun) / 1000;
        console.log(`${what}: ${LARGE / MIB} MiB in ${seconds.toFixed(1)} s, ${before.size} processes grew by ${(most / MIB).toFixed(2)} MiB at most`);
        assert.ok(before.size > 0 && most <= 4 * MIB, `${what}: a process grew by ${most} bytes`);
        return result;
}

test('a large file goes up and down, and no process grows by it', async () => {
        for (let i = 0; i < 3; i++) { // what the first ones need stays
                assert.equal((await put('warm', 0, 4 * MIB)).status, 200);
                assert.equal((await get('warm')).hash, digest(0, 4 * MIB));
        }
        const up = await growth('up', () => put('large', 0, LARGE));
        assert.equal(up.status, 200, up.text);
        assert.deepEqual(JSON.parse(up.text), { name: 'large', size: LARGE, file_name: '' });
        const down = await growth('down', () => get('large'));
        assert.equal(down.status, 200);
        assert.equal(down.length, LARGE);
        assert.equal(down.hash, digest(0, LARGE));
        const rest = await get('large', { range: `bytes=${LARGE / 2 + 5}-`, 'if-range': down.headers.etag });
        assert.equal(rest.status, 206);
        assert.equal(rest.headers['content-range'], `bytes ${LARGE / 2 + 5}-${LARGE - 1}/${LARGE}`);
        assert.equal(rest.hash, digest(LARGE / 2 + 5, LARGE));
});

test('ranges, conditions and HEAD answer as RFC 9110 says', async () => {
        assert.equal((await put('ranges', 0, 100_000)).status, 200);
        const whole = await get('ranges');
        assert.equal(whole.headers['accept-ranges'], 'bytes');
        assert.equal(whole.headers['content-disposition'], `attachment; filename="ranges"; filename*=UTF-8''ranges`);
        assert.match(whole.headers.etag, /^"[^"]+"$/);
        const cases = [
                [{ range: 'bytes=10-19' }, 206, digest(10, 20)],
                [{ range: 'bytes=-10' }, 206, digest(99_990, 100_000)],
                [{ range: 'bytes=10-19', 'if-range': '"other"' }, 200, whole.hash],
                [{ range: 'bytes=0-1,5-6' }, 200, whole.hash],
                [{ 'if-none-match': whole.headers.etag }, 304, digest(0, 0)],
                [{ 'if-none-match': '"other"' }, 200, whole.hash],
        ];
        for (const [headers, status, hash] of cases) {
                const answer = await get('ranges', headers);
                assert.equal(answer.status, status, JSON.stringify(headers));
                assert.equal(answer.hash, hash, JSON.stringify(headers));
        }
        const beyond = await get('ranges', { range: 'bytes=100000-' });
        assert.equal(beyond.status, 416);
        assert.equal(beyond.headers['content-range'], 'bytes */100000');
        assert.equal(JSON.parse(beyond.text).code, 'range_not_satisfiable');
        const head = await get('ranges', { range: 'bytes=10-19' }, 'HEAD');
        assert.deepEqual([head.status, head.headers['content-length'], head.length], [200, '100000', 0]);
        assert.equal((await get('nothing')).status, 404);
});

test('an upload that breaks off is kept as far as it came, and goes on from there', async () => {
        assert.deepEqual(await put('broken', 0, 16 * MIB, {}, { until: 8 * MIB }), { broken: true });
        let kept = 0;
        await eventually('the part is kept', async () => {
                const head = await get('broken', {}, 'HEAD');
                kept = Number(head.headers['content-length']);
                return head.status === 200;
        });
        assert.ok(kept > 0 && kept < 16 * MIB, `${kept} bytes`);
        const wrong = await put('broken', kept + 1, 16 * MIB, { 'upload-offset': kept + 1 });
        assert.equal(wrong.status, 409, wrong.text);
        const rest = await put('broken', kept, 16 * MIB, { 'upload-offset': kept });
        assert.equal(rest.status, 200, rest.text);
        assert.equal((await get('broken')).hash, digest(0, 16 * MIB));
});

test('what is kept is told in headers, which pages may read', async () => {
        assert.equal((await put('told', 0, 1234)).status, 200);
        const stat = (name, headers) => send('HEAD', `/v1/notification/uploads/${name}`, { origin: 'https://page.example', ...headers }, [][Symbol.iterator]());
        const told = await stat('told');
        assert.deepEqual([told.status, told.headers['upload-offset'], told.headers['upload-protocol']], [204, '1234', '1']);
        assert.match(told.headers['last-modified'], / GMT$/);
        for (const name of ['Upload-Offset', 'Last-Modified', 'Upload-Protocol', 'ETag']) {
                assert.ok(told.headers['access-control-expose-headers'].split(', ').includes(name), name);
        }
        assert.equal((await stat('told', { 'expected-size': '1234' })).status, 204);
        assert.equal((await stat('told', { 'expected-size': '0' })).status, 409);
        assert.equal((await stat('told', { 'expected-size': '-1' })).status, 422);
        assert.equal((await stat('told', { 'expected-size': ['1234', '1234'] })).status, 400);
        const none = await stat('nothing');
        assert.deepEqual([none.status, none.headers['upload-protocol'], none.headers['upload-offset']], [404, '1', undefined]);
        const options = await send('OPTIONS', '/v1/notification/uploads/told', {}, [][Symbol.iterator]());
        assert.deepEqual([options.status, options.headers.allow, options.headers['upload-protocol'], options.headers['upload-max-size']],
                         [204, 'HEAD, OPTIONS', '1', '1073741824']);
        const { answer } = await wire.call('/sonet.notification.v1.NotificationService/StatFile', { name: 'told' }, { token: author.token });
        assert.equal(Number(answer.offset), 1234);
});

// Says a head and a few bytes, and then nothing: the answer comes while the body is not whole.
function sayAndWait(head, bytes) {
        return new Promise((resolve, reject) => {
                const socket = net.connect(Number(address.port), address.hostname, () => socket.write(`${head}\r\n\r\n${bytes}`));
                let text = '';
                socket.setEncoding('utf8').on('data', (piece) => {
                        text += piece;
                        if (text.includes('\r\n\r\n') && !text.startsWith('HTTP/1.1 100')) {
                                socket.destroy();
                                resolve(text);
                        }
                });
                socket.on('error', reject).on('close', () => resolve(text));
        });
}

const headOf = (name, rest, type = 'application/octet-stream') =>
        `PUT /v1/notification/files/${name} HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\n${rest}`;

test('what must not come is refused before it comes: no token, too large, of another type; and what stalls is given up', async () => {
        const token = `Authorization: Bearer ${author.token}`;
        assert.match(await sayAndWait(headOf('x', 'Content-Length: 1000\r\nExpect: 100-continue'), ''), /^HTTP\/1.1 401 /);
        assert.match(await sayAndWait(headOf('x', `${token}\r\nContent-Length: 1073741825\r\nExpect: 100-continue`), ''), /^HTTP\/1.1 413 /);
        assert.match(await sayAndWait(headOf('x', `${token}\r\nContent-Length: 1000\r\nExpect: 100-continue`, 'image/png'), ''),
                     /^HTTP\/1.1 415 [\s\S]*application\/octet-stream/);
        assert.match(await sayAndWait(headOf('slow', `${token}\r\nContent-Length: 1000`), 'ten bytes.'), /^HTTP\/1.1 408 [\s\S]*"code":"body_incomplete"/);
        const kept = await get('slow');
        assert.deepEqual([kept.status, kept.text], [200, 'ten bytes.']);
});

test('a form brings one file and its fields', async () => {
        const post = (form, expected) => api('POST', '/v1/notification/files', { token: author.token, raw: form.body, headers: { 'content-type': form.type } })
                .then((answer) => (expected < 300 ? must(answer, expected) : answer));
        const form = (...parts) => ({ type: 'multipart/form-data; boundary=B',
                                      body: Buffer.from(`${parts.map((p) => `--B\r\nContent-Disposition: form-data; ${p[0]}\r\n\r\n${p[1]}\r\n`).join('')}--B--\r\n`) });
        const file = ['name="file"; filename="C:\\\\a\\\\grüße.txt"', 'of a form'];
        assert.deepEqual(await post(form(['name="name"', 'form'], file), 201), { name: 'form', size: 9, file_name: 'grüße.txt' });
        assert.equal((await get('form')).text, 'of a form');
        problem(await post(form(['name="name"', 'form'])), 422, { field: 'file' });
        problem(await post(form(file)), 422, { field: 'name' });
        problem(await post(form(['name="name"', 'form'], file, file)), 422, { field: 'file' });
        problem(await post(form(['name="name"', 'NO'], file)), 422, { field: 'name' });
        problem(await post(form(['name="else"', '1'], file)), 422, { field: 'else' });
        problem(await post({ type: 'multipart/form-data; boundary=C', body: form(file).body }), 400);
        problem(await post({ type: 'application/json', body: Buffer.from('{}') }), 415);
});
