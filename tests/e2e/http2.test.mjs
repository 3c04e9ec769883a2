// HTTP/2 with prior knowledge on both ports, tested with third-party clients (node's, nghttp and h2load), and under attack.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually, must, problem } from './client.mjs';
import { resetRapidly } from './frames.mjs';
import { ownServer } from './own.mjs';

const run = promisify(execFile);
const sessions = [];
const it = ownServer({ openFiles: 400 }, async (own) => {
        it.ada = await own.register();
});
after(() => sessions.forEach((s) => s.destroy()));

function session() {
        const made = http2.connect(it.server.url);
        made.on('error', () => {});
        sessions.push(made);
        return made;
}

// One request: {status, headers, text, body}.
function ask(client, headers, body) {
        return new Promise((resolve, reject) => {
                const stream = client.request({ ':method': 'GET', ...headers }, { endStream: body === undefined });
                let answer = {};
                let text = '';
                stream.setEncoding('utf8');
                stream.on('response', (h) => { answer = { status: h[':status'], headers: h }; });
                stream.on('data', (piece) => { text += piece; });
                stream.on('end', () => resolve({ ...answer, text, body: text.startsWith('{') ? JSON.parse(text) : null }));
                stream.on('error', reject);
                if (body !== undefined) {
                        stream.end(body);
                }
        });
}

const grpcPort = () => Number(Object.values(it.server.grpcAddresses())[0].split(':')[1]);
const memoryKiB = () => it.server.processes().filter((p) => p.args.includes('serve'))
        .reduce((sum, p) => sum + Number(fs.readFileSync(`/proc/${p.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]), 0);

test('REST over HTTP/2: a note is written, read and listed', async () => {
        const client = session();
        const authorization = `Bearer ${it.ada.token}`;
        const made = await ask(client, { ':method': 'POST', ':path': '/v1/notes', authorization, 'content-type': 'application/json' }, '{"text":"by HTTP/2"}');
        assert.equal(made.status, 201);
        const read = await ask(client, { ':path': `/v1/notes/${made.body.id}` });
        assert.equal(read.body.text, 'by HTTP/2');
        assert.ok(read.headers.etag && read.headers['x-request-id']);
        const all = await Promise.all(Array.from({ length: 100 }, () => ask(client, { ':path': `/v1/notes/${made.body.id}` })));
        assert.ok(all.every((a) => a.status === 200));
        const head = await ask(client, { ':method': 'HEAD', ':path': `/v1/notes/${made.body.id}` });
        assert.deepEqual([head.status, head.text], [200, '']);
        assert.equal(head.headers['content-length'], read.headers['content-length']);
});

test('errors are the same as over HTTP/1.1', async () => {
        const client = session();
        const post = { ':method': 'POST', ':path': '/v1/notes', authorization: `Bearer ${it.ada.token}`, 'content-type': 'application/json' };
        problem(await ask(client, { ':path': '/v1/nothing' }), 404, { code: 'route_not_found' });
        problem(await ask(client, { ...post, 'content-type': 'text/plain' }, 'x'), 415);
        problem(await ask(client, post, `{"text":"${'x'.repeat(70_000)}"}`), 413);
        problem(await ask(client, { ':path': '/v1/users/me', 'x-long': 'x'.repeat(17_000) }), 431);
        problem(await ask(client, { ':path': `/v1/${'x'.repeat(17_000)}` }), 414);
        problem(await ask(client, { ':path': '/v1/users/me' }), 401, { code: 'token_missing' });
});

test('nghttp and h2load find no errors', async () => {
        const seen = await run('nghttp', ['-nv', `${it.server.url}/openapi.json`]);
        assert.match(seen.stdout, /:status: 200/);
        assert.doesNotMatch(seen.stdout, /GOAWAY.*error_code=[^N]|RST_STREAM/);
        const load = await run('h2load', ['-n', '5000', '-c', '10', '-m', '50', `${it.server.url}/healthz`]);
        assert.match(load.stdout, /5000 succeeded, 0 failed, 0 errored/);
});

test('gRPC by h2load: the health service, thousands of times', async () => {
        fs.writeFileSync(`${it.server.dir}/empty.grpc`, Buffer.alloc(5));
        const load = await run('h2load', ['-n', '5000', '-c', '5', '-m', '20', '-d', `${it.server.dir}/empty.grpc`, '-H', 'content-type: application/grpc', '-H', 'te: trailers',
                                          `http://127.0.0.1:${grpcPort()}/grpc.health.v1.Health/Check`]);
        assert.match(load.stdout, /5000 succeeded, 0 failed, 0 errored/);
});

test('rapid resets close their connection, and memory does not grow', async () => {
        const targets = [[Number(new URL(it.server.url).port), '/v1/notes', 'application/json'],
                         [grpcPort(), '/sonet.note.v1.NoteService/CreateNote', 'application/grpc']];
        for (const target of targets) {
                await resetRapidly(...target);
                const before = memoryKiB();
                for (let i = 0; i < 20; i++) {
                        assert.equal(await resetRapidly(...target), http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
                }
                assert.ok(memoryKiB() - before < 16_384, `${before} KiB, then ${memoryKiB()}`);
        }
        must(await it.ada.get('/v1/users/me'));
});

test('after running out of file descriptors, the port accepts connections again', async () => {
        for (const port of [grpcPort(), Number(new URL(it.server.url).port)]) {
                const sockets = Array.from({ length: 500 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
                await eventually('all of them are accepted or rejected', () => sockets.every((s) => !s.connecting));
                sockets.forEach((s) => s.destroy());
                await eventually('it responds again', async () => {
                        const client = http2.connect(`http://127.0.0.1:${port}`);
                        client.on('error', () => {});
                        try {
                                return await new Promise((resolve) => {
                                        client.once('remoteSettings', () => resolve(true));
                                        client.once('close', () => resolve(false));
                                        setTimeout(resolve, 2000, false);
                                });
                        } finally {
                                client.destroy();
                        }
                });
        }
        must(await it.ada.get('/v1/users/me'));
});
