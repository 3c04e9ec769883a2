// Malicious and unlucky uploads to the service that `./dev new-service poll` creates (tests/test_new_service.sh copies this file to tests/e2e).
import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { before, test } from 'node:test';
import { api, eventually, must, register, sleep } from './shared.mjs';
import { ownServer } from './own.mjs';
import { serversKey, signedBy } from './signing.mjs';

const shared = new URL(process.env.SONET_URL);
const MIB = 1 << 20;
const QUARTER = 4 * MIB;
let author;
let owner; // a member of the server with a small spool and few response files
const small = ownServer({ env: { SPOOL_BYTES: 4 * QUARTER, ANSWER_FILES: 8 } }, async (it) => {
        owner = await it.register();
});

before(async () => {
        author = await register();
});

// An upload that is sent piece by piece; answer() waits for the server's response, which may arrive before the end.
function upload(name, { token = author.token, size = 1000, from, headers = '', address = shared } = {}) {
        const socket = net.connect({ host: address.hostname, port: Number(address.port), localAddress: from });
        let text = '';
        const over = new Promise((resolve) => {
                socket.setEncoding('latin1').on('data', (piece) => {
                        text += piece;
                        const head = /^(?:HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 (\d+)[\s\S]*?\r\nContent-Length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(text);
                        if (head !== null && head[3].length >= Number(head[2])) {
                                socket.destroy();
                                resolve({ status: Number(head[1]), head: text, json: JSON.parse(head[3]) });
                        }
                });
                socket.on('error', () => {}).on('close', () => resolve({ status: 0, head: text }));
        });
        socket.write(`PUT /v1/poll/files/${name} HTTP/1.1\r\nHost: h\r\nContent-Type: application/octet-stream\r\nAuthorization: Bearer ${token}\r\n${size === null ? '' : `Content-Length: ${size}\r\n`}${headers}\r\n`);
        const admitted = () => new Promise((resolve) => { // or rejected
                const look = () => text.startsWith('HTTP/1.1') && resolve();
                socket.on('data', look).on('close', resolve);
                look();
        });
        let answered = false;
        over.then(() => {
                answered = true;
        });
        return { send: (bytes) => socket.write(bytes), answer: () => over, admitted, answered: () => answered, close: () => socket.destroy() };
}

test('an upload ends with its session', async () => {
        const member = await register();
        const one = upload('ended', { token: member.token, size: 1 << 24 });
        one.send('some');
        must(await api('POST', '/v1/auth/logout', { token: member.token }), 204);
        await eventually('the next piece is rejected', async () => {
                one.send('.'.repeat(4096));
                await sleep(20);
                return one.answered();
        });
        const { status, json } = await one.answer();
        assert.deepEqual([status, json.code], [401, 'token_revoked']);
});

test('an upload may outlast its access token while its session is open', async () => {
        const [header, claims] = author.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
        const jwk = must(await api('GET', '/.well-known/jwks.json')).keys.find((k) => k.kid === header.kid);
        const short = signedBy(serversKey(jwk), header, { ...claims, exp: Math.floor(Date.now() / 1000) + 5 });
        const size = MIB;
        const one = upload('outlived', { token: short, size });
        let left = size;
        await eventually('the token has expired', async () => {
                one.send('.'.repeat(4096));
                left -= 4096;
                return (await api('GET', '/v1/users/me', { token: short })).status === 401;
        });
        one.send('.'.repeat(left));
        const { status, json } = await one.answer();
        assert.deepEqual([status, json.size], [200, size], JSON.stringify(json));
});

test('a field may be a trailer, and a POST may override its method', async () => {
        const headers = { 'Content-Type': 'application/octet-stream', Authorization: `Bearer ${author.token}` };
        const put = (method, more, body, trailers) => new Promise((resolve, reject) => {
                const request = http.request(`${shared.origin}/v1/poll/files/behind`, { method, headers: { ...headers, ...more } }, (response) => {
                        let text = '';
                        response.on('data', (piece) => { text += piece; }).on('end', () => resolve({ status: response.statusCode, json: JSON.parse(text) }));
                }).on('error', reject);
                request.flushHeaders();
                request.write(body);
                request.addTrailers(trailers);
                request.end();
        });
        const is = async (status, what, method, more, body, trailers) => {
                const answer = await put(method, more, body, trailers);
                assert.deepEqual([answer.status, status === 200 ? answer.json.size : answer.json.code], [status, what], JSON.stringify(answer.json));
        };
        const trailer = { Trailer: 'Upload-Offset' };
        await is(200, 3, 'PUT', {}, 'abc', {});
        await is(200, 5, 'PUT', trailer, 'de', { 'Upload-Offset': '3' });
        await is(200, 6, 'POST', { ...trailer, 'X-HTTP-Method-Override': 'PUT' }, 'f', { 'Upload-Offset': '5' });
        await is(400, 'malformed_request', 'PUT', { ...trailer, 'Upload-Offset': '6' }, 'g', { 'Upload-Offset': '6' }); // twice
        await is(422, 'validation_failed', 'PUT', trailer, 'g', { 'Upload-Offset': 'x' });
        await is(405, 'method_not_allowed', 'POST', { 'X-HTTP-Method-Override': 'GET' }, 'g', {}); // which does not allow overriding
        await is(405, 'method_not_allowed', 'POST', {}, 'g', {});
        const session = http2.connect(shared.origin);
        const stream = session.request({ ':method': 'PUT', ':path': '/v1/poll/files/behind', ...headers, trailer: 'upload-offset' }, { waitForTrailers: true, endStream: false });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'upload-offset': '6' }));
        stream.end('gh');
        let text = '';
        for await (const piece of stream.setEncoding('utf8')) {
                text += piece;
        }
        assert.equal(JSON.parse(text).size, 8, text);
        session.close();
});

test('with and without Content-Length, bytes beyond the limit of the spool, or a quarter of it from one address, get 503', async () => {
        const address = new URL(small.server.url);
        const send = (options) => upload('bytes', { address, token: owner.token, ...options });
        const expectFull = async (one, detail) => {
                const { status, head, json } = await one.answer();
                assert.deepEqual([status, json.code], [503, 'spool_full'], head);
                assert.match(head, /\r\nRetry-After: \d+\r\n/);
                assert.match(json.detail, detail);
        };
        await expectFull(send({ size: QUARTER + 1 }), /address/);
        const chunked = send({ headers: 'Transfer-Encoding: chunked\r\n', size: null });
        chunked.send(`${(QUARTER + 1).toString(16)}\r\n${'.'.repeat(QUARTER + 1)}`);
        await expectFull(chunked, /address/);
        const open = [];
        for (let i = 2; i <= 5; i++) { // four addresses, with all but 400 bytes
                const one = send({ size: QUARTER, from: `127.0.0.${i}` });
                one.send('.'.repeat(QUARTER - 100));
                open.push(one);
        }
        await eventually('all of it is held', async () => {
                const one = send({ size: 401, from: '127.0.0.6', headers: 'Expect: 100-continue\r\n' });
                await one.admitted();
                const full = one.answered();
                one.close();
                return full;
        });
        await expectFull(send({ size: 401, from: '127.0.0.6' }), /^(?!.*address)/);
        for (const one of open) {
                one.send('.'.repeat(100));
                assert.equal((await one.answer()).status, 200);
        }
        const after = send({ size: 401, from: '127.0.0.6' });
        after.send('.'.repeat(401));
        assert.equal((await after.answer()).status, 200);
});

test('an address may have a quarter of the incoming bodies, all together all; beyond that 503 with Retry-After', async () => {
        const FILES = 128; // SPOOL_FILES
        const open = [];
        const begin = async (from) => {
                const one = upload(`spool-${open.length}`, { from, size: MIB, headers: 'Expect: 100-continue\r\n' });
                open.push(one);
                await one.admitted();
                return one;
        };
        const refused = async (from) => {
                const one = await begin(from);
                const { status, head, json } = await one.answer();
                assert.deepEqual([status, json.code], [503, 'spool_full'], head);
                assert.match(head, /\r\nRetry-After: \d+\r\n/);
                return json.detail;
        };
        try {
                for (let address = 2; address <= 5; address++) {
                        for (let i = 0; i < FILES / 4; i++) {
                                assert.ok(!(await begin(`127.0.0.${address}`)).answered(), `upload ${i} of address ${address}`);
                        }
                        assert.match(await refused(`127.0.0.${address}`), /address/);
                }
                assert.doesNotMatch(await refused('127.0.0.6'), /address/);
        } finally {
                open.forEach((one) => one.close());
        }
        await eventually('there is room again', async () => {
                const one = await begin('127.0.0.6');
                one.close();
                return !one.answered();
        });
});

// A download that stops after its head; returns its status.
function download(name, from) {
        const address = new URL(small.server.url);
        const socket = net.connect({ host: address.hostname, port: Number(address.port), localAddress: from });
        const status = new Promise((resolve, reject) => {
                socket.once('data', (piece) => {
                        socket.pause();
                        resolve(Number(/^HTTP\/1.1 (\d+)/.exec(piece.toString('latin1'))[1]));
                });
                socket.on('error', reject);
        });
        socket.write(`GET /v1/poll/files/${name} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${owner.token}\r\n\r\n`);
        return { status: () => status, close: () => socket.destroy() };
}

test('an address may have a quarter of the files being sent, all together all', async () => {
        const put = upload('download', { address: new URL(small.server.url), token: owner.token, size: QUARTER });
        put.send('.'.repeat(QUARTER));
        assert.equal((await put.answer()).status, 200);
        const open = [];
        const statusFrom = async (from) => {
                open.push(download('download', from));
                return open.at(-1).status();
        };
        for (let i = 2; i <= 5; i++) {
                assert.deepEqual([await statusFrom(`127.0.0.${i}`), await statusFrom(`127.0.0.${i}`)], [200, 200]);
                assert.equal(await statusFrom(`127.0.0.${i}`), 503);
        }
        assert.equal(await statusFrom('127.0.0.6'), 503);
        open.forEach((one) => one.close());
        await eventually('there is room again', async () => (await statusFrom('127.0.0.6')) === 200);
        open.forEach((one) => one.close());
});
