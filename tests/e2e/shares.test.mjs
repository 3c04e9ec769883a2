// Limits per client address of a process: connections, and memory for request bodies. Others are not affected.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { test } from 'node:test';
import { eventually } from './client.mjs';
import { ownServer } from './own.mjs';
import { parseAnswers } from './socket.mjs';

const CONNECTIONS = 60;
const BODY_BYTES = 1 << 20;
const it = ownServer({ env: { CONNECTIONS_PER_ADDRESS: String(CONNECTIONS), BODY_BYTES: String(BODY_BYTES), TRUSTED_PROXIES: '127.0.0.9' } });

const bodyBytes = async () => Number((await it.api('GET', '/metrics')).text.match(/^sonet_request_body_bytes (\d+)$/m)[1]);

const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

// A connection from one of the loopback addresses; returns {socket, answers()}.
function from(localAddress, bytes) {
        const { port } = new URL(it.url);
        const socket = net.connect({ host: '127.0.0.1', port: Number(port), localAddress });
        let received = '';
        socket.on('error', () => {}).on('data', (chunk) => (received += chunk));
        socket.write(bytes);
        return { socket, answers: () => parseAnswers(received) };
}

const answered = (client, status) => eventually(`an answer ${status}`, () => assert.equal(client.answers()[0]?.status, status));
const endAll = (clients) => clients.forEach((client) => client.socket.destroy());

function assertProblem(answer, code) {
        assert.equal(answer.headers['content-type'], 'application/problem+json');
        assert.equal(answer.headers['retry-after'], '1');
        assert.deepEqual([JSON.parse(answer.text).code, JSON.parse(answer.text).status], [code, answer.status]);
}

test('an address at its connection limit gets an error; others, and proxies, are served', async () => {
        const clients = Array.from({ length: CONNECTIONS }, () => from('127.0.0.2', GET));
        await Promise.all(clients.map((client) => answered(client, 200)));
        const refused = from('127.0.0.2', GET);
        await answered(refused, 429);
        assertProblem(refused.answers()[0], 'rate_limited');
        const others = [from('127.0.0.3', GET), ...Array.from({ length: CONNECTIONS + 10 }, () => from('127.0.0.9', GET))];
        await Promise.all(others.map((client) => answered(client, 200)));
        endAll([...clients, ...others, refused]);
        await eventually('there is room again', async () => {
                const again = from('127.0.0.2', GET);
                await eventually('a response', () => again.answers().length > 0);
                endAll([again]);
                return again.answers()[0].status === 200;
        });
});

// A body of 60,000 bytes without its end.
const PART = `POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(59_000)}`;

test('incoming bodies can fill the share of one address, and no more', async () => {
        const clients = Array.from({ length: 20 }, () => from('127.0.0.2', PART));
        await eventually('some are rejected', () => clients.some((client) => client.answers().length > 0));
        assertProblem(clients.find((client) => client.answers().length > 0).answers()[0], 'unavailable');
        assert.ok(await bodyBytes() <= BODY_BYTES / 4);
        const other = from('127.0.0.3', `${PART}${'x'.repeat(1000)}`);
        await answered(other, 400); // it was read to its end, and is not JSON
        endAll([...clients, other]);
        await eventually('all of it is released', async () => await bodyBytes() === 0);
});

test('over HTTP/2 the bodies of all streams count', async () => {
        const session = http2.connect(it.url, { localAddress: '127.0.0.2' });
        session.on('error', () => {});
        const statuses = [];
        const streams = Array.from({ length: 40 }, () => {
                const stream = session.request({ ':method': 'POST', ':path': '/v1/auth/login', 'content-type': 'application/json' });
                stream.on('error', () => {}).on('response', (headers) => statuses.push(headers[':status']));
                stream.write('x'.repeat(15_000));
                return stream;
        });
        await eventually('some are rejected', () => statuses.length > 0);
        assert.deepEqual([...new Set(statuses)], [503]);
        assert.ok(await bodyBytes() <= BODY_BYTES / 4);
        streams.forEach((stream) => stream.close());
        session.destroy();
        await eventually('all of it is released', async () => await bodyBytes() === 0);
});
