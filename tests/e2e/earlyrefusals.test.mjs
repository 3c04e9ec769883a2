// Rejecting files before they are sent: by size, from the request head; by type, after 4 KiB.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { eventually, must, register } from './shared.mjs';
import { open, parseAnswers } from './socket.mjs';
import { connectGrpc, methods } from './protos.mjs';
import { png, processed } from './pictures.mjs';

const base = process.env.SONET_URL;
const MIB = 1 << 20;
const PAGE = Buffer.from('<!DOCTYPE html><html>'.padEnd(4096));
const FORM = 'multipart/form-data; boundary=sep';
const PIECE = 'application/offset+octet-stream';
const formHead = '--sep\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n';
let member; // whose quota has 1 MiB left
let roomy;
let wire;

before(async () => {
        [member, roomy] = [await register(), await register()];
        wire = connectGrpc(JSON.parse(process.env.SONET_GRPC));
        const { quota_bytes: quota } = must(await member.get('/v1/media/usage'));
        for (let left = quota - MIB; left > 0; left -= 1024 * MIB) {
                await begin(member, { 'upload-length': Math.min(left, 1024 * MIB) });
        }
});
after(() => wire.close());

async function begin(who, headers) {
        const answer = await fetch(`${base}/v1/uploads`, { method: 'POST', headers: { authorization: `Bearer ${who.token}`, 'tus-resumable': '1.0.0', ...headers } });
        assert.equal(answer.status, 201, await answer.text());
        return answer.headers.get('location');
}

const show = (fields) => Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join('');
const headOf = (method, path, who, fields) => `${method} ${path} HTTP/1.1\r\n${show({ host: 'localhost', authorization: `Bearer ${who.token}`, 'tus-resumable': '1.0.0', ...fields })}\r\n`;

// Sends a head and only these bytes of the body. Returns the first response.
async function answerTo(method, path, who, fields, bytes = '') {
        const connection = open(base);
        connection.send(headOf(method, path, who, fields));
        connection.send(bytes);
        await eventually(`${method} ${path} is answered`, () => parseAnswers(connection.received()).length > 0);
        const [answer] = parseAnswers(connection.received());
        connection.destroy();
        return { status: answer.status, ...(answer.text === '' ? {} : JSON.parse(answer.text)) };
}

test('a file that exceeds the quota is rejected before any of it is sent, with how much is left', async () => {
        const form = { 'content-type': FORM, 'content-length': 200 * MIB };
        const deferred = await begin(member, { 'upload-defer-length': '1' });
        for (const [method, path, fields] of [
                ['POST', '/v1/media', form],
                ['POST', '/v1/media', { ...form, expect: '100-continue' }], // instead of 100
                ['POST', '/v1/uploads', { 'upload-length': 200 * MIB, 'content-type': PIECE, 'content-length': 100 * MIB }],
                ['POST', '/v1/uploads', { 'upload-defer-length': 1, 'content-type': PIECE, 'content-length': 100 * MIB, expect: '100-continue' }],
                ['PATCH', deferred, { 'upload-offset': 0, 'content-type': PIECE, 'content-length': 100 * MIB }],
        ]) {
                const answer = await answerTo(method, path, member, fields);
                assert.deepEqual([answer.status, answer.code], [507, 'quota_exceeded'], `${method} ${path}`);
                assert.match(answer.detail, new RegExp(` ${MIB} are left;`));
        }
        assert.equal((await answerTo('POST', '/v1/media', roomy, { ...form, expect: '100-continue' })).status, 100);
});

test('so are pieces beyond the upload’s length, at the wrong offset, or of another member’s upload', async () => {
        const address = await begin(roomy, { 'upload-length': 100_000 });
        const piece = { 'upload-offset': 0, 'content-type': PIECE, 'content-length': 100_000 };
        const tooLarge = await answerTo('PATCH', address, roomy, { ...piece, 'content-length': 100_001 });
        assert.deepEqual([tooLarge.status, tooLarge.code], [413, 'file_too_large']);
        assert.equal((await answerTo('POST', '/v1/uploads', roomy, { 'upload-length': 50_000, 'content-type': PIECE, 'content-length': 50_001 })).status, 413);
        assert.equal((await answerTo('PATCH', address, roomy, { ...piece, 'upload-offset': 1 })).status, 409);
        assert.equal((await answerTo('PATCH', address, member, piece)).status, 404);
        assert.equal((await answerTo('POST', '/v1/uploads', roomy, { 'upload-length': 0, 'content-type': PIECE, 'content-length': 50_000 })).status, 422);
        assert.equal((await answerTo('PATCH', address, roomy, { ...piece, expect: '100-continue' })).status, 100);
});

test('a type that is not accepted is rejected after 4 KiB, before the rest is sent', async () => {
        const address = await begin(roomy, { 'upload-length': 64 * MIB });
        for (const [method, path, fields, bytes] of [
                ['POST', '/v1/media', { 'content-type': FORM, 'content-length': 64 * MIB }, Buffer.concat([Buffer.from(formHead), PAGE])],
                ['POST', '/v1/uploads', { 'upload-length': 64 * MIB, 'content-type': PIECE, 'content-length': 64 * MIB }, PAGE],
                ['PATCH', address, { 'upload-offset': 0, 'content-type': PIECE, 'content-length': 64 * MIB }, PAGE],
        ]) {
                const answer = await answerTo(method, path, roomy, fields, bytes);
                assert.deepEqual([answer.status, answer.code], [415, 'unsupported_media_type'], `${method} ${path}`);
        }
});

test('also over HTTP/2', async () => {
        const session = http2.connect(base);
        const ask = async (who, fields, bytes) => {
                const stream = session.request({ ':method': 'POST', ':path': '/v1/media', authorization: `Bearer ${who.token}`, 'content-type': FORM, ...fields });
                const statuses = [];
                stream.on('error', () => {}).on('response', (headers) => statuses.push(headers[':status'])).on('continue', () => statuses.push(100));
                if (bytes) {
                        stream.write(bytes);
                }
                await eventually('there is an answer', () => statuses.length > 0);
                stream.close();
                return statuses[0];
        };
        const length = { 'content-length': 200 * MIB };
        assert.equal(await ask(member, { ...length, expect: '100-continue' }), 507);
        assert.equal(await ask(member, length), 507);
        assert.equal(await ask(roomy, { ...length, expect: '100-continue' }), 100);
        assert.equal(await ask(roomy, length, Buffer.concat([Buffer.from(formHead), PAGE])), 415);
        session.close();
});

// The problem of a call whose stream of requests is still open.
function problemOf(name, who, requests) {
        const m = methods.find((x) => x.name === name);
        const head = new grpc.Metadata();
        head.set('authorization', `Bearer ${who.token}`);
        return new Promise((resolve) => {
                const stream = wire.clients[m.service].makeClientStreamRequest(m.path, m.contract.requestSerialize, m.contract.responseDeserialize, head,
                        { deadline: Date.now() + 20_000 }, (error) => resolve(error.code));
                requests.forEach((request) => stream.write(request));
        });
}

test('over gRPC it is rejected while the request stream is open, and can be checked in advance', async () => {
        const { status: Status } = grpc;
        const upload = { version: '1.0.0', length: 64 * MIB };
        assert.equal(await problemOf('CreateUpload', member, [{ ...upload, data: randomBytes(10) }]), Status.RESOURCE_EXHAUSTED);
        assert.equal(await problemOf('CreateUpload', roomy, [{ ...upload, data: PAGE }]), Status.INVALID_ARGUMENT);
        assert.equal(await problemOf('CreateMedia', roomy, [{ file: PAGE.subarray(0, 4000) }, { file: PAGE.subarray(4000) }]), Status.INVALID_ARGUMENT);
        const admit = (who, fields) => wire.call('AdmitBody', { method: 'CreateMedia', ...fields }, { token: who.token });
        assert.equal((await admit(member, { size: 2 * MIB })).error.problem.code, 'quota_exceeded');
        assert.equal((await admit(member, { size: MIB })).error, undefined);
        assert.equal((await admit(roomy, { head: PAGE })).error.problem.code, 'unsupported_media_type');
        assert.equal((await admit(roomy, { method: 'GetMedia' })).error.code, Status.INVALID_ARGUMENT);
        assert.equal((await admit(roomy, { method: 'AppendUpload', request: Buffer.from('nonsense') })).error.code, Status.INVALID_ARGUMENT);
});

test('a file that fits exactly is accepted, and one whose type is hidden by an ID3 tag is checked when it is complete', async () => {
        const picture = png(500, 300, () => randomBytes(3), []);
        const address = await begin(roomy, { 'upload-length': picture.length });
        const piece = { method: 'PATCH', headers: { authorization: `Bearer ${roomy.token}`, 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': PIECE } };
        assert.equal((await fetch(new URL(address, base), { ...piece, body: picture })).status, 204);
        assert.equal((await processed(roomy, must(await roomy.get(address)).media_id)).status, 'ready');
        const tagged = Buffer.concat([Buffer.from('ID3\x03\x00\x00\x00\x00\x60\x00', 'latin1'), PAGE, randomBytes(40_000)]);
        const form = new FormData();
        form.append('file', new Blob([tagged]), 'a.mp3');
        assert.equal((await fetch(`${base}/v1/media`, { method: 'POST', headers: { authorization: `Bearer ${roomy.token}` }, body: form })).status, 415);
});
