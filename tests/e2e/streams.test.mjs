// Bodies and files as gRPC streams, tested with @grpc/grpc-js: uploads, downloads, slow readers, cancellation, deadlines. The service is the one of
// rpc/'s tests, which reports what it received.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { eventually } from './client.mjs';
import { findBinary, root } from './harness.mjs';

const { status: Status } = grpc;
const MIB = 1 << 20;
const CHUNK = 64 << 10;
let server;
let client;
let metadata;

before(async () => {
        server = spawn(path.resolve(path.dirname(findBinary()), '../rpc/echo_server'), { stdio: ['pipe', 'pipe', 'inherit'] });
        const [line] = await new Promise((resolve, reject) => {
                readline.createInterface(server.stdout).once('line', (text) => resolve([text]));
                server.once('error', reject);
        });
        const { port, token } = JSON.parse(line);
        const definition = loader.loadSync('rpc/testdata/echo.proto', { keepCase: true, longs: Number, enums: String, defaults: true,
                                                                        includeDirs: [root, path.join(root, 'proto')] });
        const { EchoService } = grpc.loadPackageDefinition(definition).sonet.echo.v1;
        client = new EchoService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
        metadata = new grpc.Metadata();
        metadata.set('authorization', `Bearer ${token}`);
});
after(async () => {
        client.close();
        const ended = new Promise((resolve) => server.once('close', resolve));
        server.stdin.end();
        assert.equal(await ended, 0);
});

// The server's memory, without its files, which are in memory, too.
const memory = () => Number(/^RssAnon:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;

// Writes the pieces as fast as they are accepted; resolves to {answer} or {error}.
function upload(method, pieces, { fields = {}, head = metadata, end = true } = {}) {
        let call;
        const outcome = new Promise((resolve) => {
                call = client[method](head, (error, answer) => resolve({ error, answer }));
        });
        call.on('error', () => {});
        const written = (async () => {
                for (const [i, data] of pieces.entries()) {
                        if (!call.write({ ...(i === 0 ? fields : {}), data })) {
                                await Promise.race([new Promise((resolve) => call.once('drain', resolve)), outcome]);
                        }
                }
                if (end) {
                        call.end();
                }
        })();
        return { call, outcome, written };
}

test('a body is uploaded in chunks, with its fields and its name', async () => {
        const body = crypto.randomBytes(5 * MIB + 17);
        const pieces = Array.from({ length: Math.ceil(body.length / CHUNK) }, (_, i) => body.subarray(i * CHUNK, (i + 1) * CHUNK));
        const head = metadata.clone();
        head.set('sonet-file-name-bin', Buffer.from('Größe.png'));
        head.set('sonet-mime-type-bin', Buffer.from('image/png'));
        const { error, answer } = await upload('Put', pieces, { fields: { text: 'hello' }, head }).outcome;
        assert.ifError(error);
        assert.deepEqual([answer.text, answer.body_bytes, answer.body_complete, answer.body_name, answer.body_type],
                         ['hello', body.length, true, 'Größe.png', 'image/png']);
        assert.deepEqual(answer.body_hash, crypto.createHash('sha256').update(body).digest());
});

test('chunks of any size form one body: none, empty ones, a byte each, many small ones', async () => {
        for (const pieces of [[Buffer.alloc(0)], [Buffer.from('a'), Buffer.alloc(0), Buffer.from('b')], Array.from({ length: 1000 }, () => Buffer.from('x')),
                             Array.from({ length: 8000 }, () => Buffer.alloc(300))]) {
                const { error, answer } = await upload('Put', pieces).outcome;
                assert.ifError(error);
                assert.equal(answer.body_bytes, Buffer.concat(pieces).length);
        }
});

test('oversized, invalid and unauthenticated uploads are rejected with a problem', async () => {
        const cases = [
                [Array.from({ length: 33 * 16 + 1 }, () => Buffer.alloc(CHUNK)), {}, Status.RESOURCE_EXHAUSTED],
                [[Buffer.alloc(CHUNK + 1)], {}, Status.RESOURCE_EXHAUSTED],
                [[], {}, Status.INVALID_ARGUMENT],
                [[Buffer.from('x')], { head: new grpc.Metadata() }, Status.UNAUTHENTICATED],
                [[Buffer.from('x')], { fields: { text: 'x'.repeat(101) } }, Status.INVALID_ARGUMENT],
        ];
        for (const [pieces, options, code] of cases) {
                const { error } = await upload('Put', pieces, options).outcome;
                assert.equal(error?.code, code, `${error}`);
                assert.equal(error.metadata.get('sonet-problem-bin').length, 1);
        }
});

test('a stalled body is aborted after the time in the contract', async () => {
        const { outcome } = upload('Put', [Buffer.from('x')], { end: false });
        const { error } = await outcome;
        assert.equal(error?.code, Status.DEADLINE_EXCEEDED, `${error}`);
});

test('an interrupted body reaches a method with partial', async () => {
        const runs = async () => (await new Promise((resolve, reject) => {
                client.Echo({}, (error, answer) => (error ? reject(error) : resolve(answer)));
        })).runs;
        await eventually('the handler of the part', async () => { // a cancelled client does not send the rest
                const before = await runs();
                const { call, written } = upload('PutPart', [Buffer.from('part')], { end: false });
                await written;
                await runs();
                call.cancel();
                await runs();
                assert.equal((await runs()) - before, 4);
        });
});

// All bytes of a download, checked against their positions.
async function download(request, { from = 0 } = {}) {
        const call = client.GetFile(request);
        let first;
        let bytes = 0;
        for await (const chunk of call) {
                first ??= chunk;
                assert.ok(chunk.data.length <= CHUNK);
                for (let i = 0; i < chunk.data.length; i += 997) {
                        assert.equal(chunk.data[i], (from + bytes + i) % 251);
                }
                bytes += chunk.data.length;
        }
        return { first, bytes };
}

test('a file is downloaded in chunks after a message that describes it', async () => {
        const { first, bytes } = await download({ size: 20 * MIB + 3 });
        assert.deepEqual([first.mime_type, first.etag, first.size, first.length, first.outcome, first.data.length],
                         ['text/x-echo', 'tag', 20 * MIB + 3, 20 * MIB + 3, 'OUTCOME_WHOLE', 0]);
        assert.equal(bytes, 20 * MIB + 3);
        const part = await download({ size: 1000, conditions: { range: 'bytes=300-599' } }, { from: 300 });
        assert.deepEqual([part.first.outcome, part.first.offset, part.first.length, part.bytes], ['OUTCOME_PART', 300, 300, 300]);
        assert.equal((await download({ size: 1000, conditions: { if_none_match: '"tag"' } })).first.outcome, 'OUTCOME_NOT_MODIFIED');
        await assert.rejects(download({ size: -1 }), { code: Status.INVALID_ARGUMENT });
});

test('clients that do not read use no memory, and delay no other', async () => {
        await download({ size: MIB });
        const before = memory();
        const calls = Array.from({ length: 12 }, () => client.GetFile({ size: 16 * MIB }));
        await Promise.all(calls.map((call) => new Promise((resolve, reject) => {
                call.once('error', reject);
                call.once('data', () => {
                        call.pause();
                        resolve();
                });
        })));
        assert.equal((await download({ size: 5 * MIB })).bytes, 5 * MIB);
        assert.ok(memory() < before + 32 * MIB, `${memory()} after ${before}`);
        calls.forEach((call) => {
                call.on('error', () => {});
                call.cancel();
        });
        assert.equal((await download({ size: MIB })).bytes, MIB);
});

test('a deadline ends a download that is not read, and cancelling frees its stream', async () => {
        const call = client.GetFile({ size: 16 * MIB }, new grpc.Metadata(), { deadline: Date.now() + 500 });
        call.once('data', () => call.pause());
        const error = await new Promise((resolve) => call.once('error', resolve));
        assert.equal(error.code, Status.DEADLINE_EXCEEDED);
        for (let i = 0; i < 300; i++) { // more than a connection has streams
                const one = client.GetFile({ size: MIB });
                one.on('error', () => {});
                await new Promise((resolve) => one.once('data', resolve));
                one.cancel();
        }
        assert.equal((await download({ size: MIB })).bytes, MIB);
});
