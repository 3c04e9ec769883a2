// Clients that send too many requests, read nothing or stay forever: they are limited, and delay no other client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { eventually, inBatches, must } from './client.mjs';
import { signal, sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { open } from './socket.mjs';

const IDLE_MS = 8000; // longer than this process, busy with 64 requests, may take to send the request on a new connection

let alice;
const it = ownServer({ env: { HTTP_IDLE_MS: String(IDLE_MS) } }, async () => {
        alice = await it.register();
});

const GET = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const sessions = () => it.server.pids('postgres').length;

// Repeatedly sends 64 concurrent requests while work() runs; returns its result.
async function whileManyAsk(work) {
        let asking = true;
        const askers = Array.from({ length: 64 }, async () => {
                while (asking) {
                        must(await it.api('GET', '/readyz'));
                }
        });
        try {
                return await work();
        } finally {
                asking = false;
                await Promise.all(askers);
        }
}

test('many concurrent readiness checks open no PostgreSQL sessions and delay no request', async () => {
        await alice.note('opens what posting needs');
        const before = sessions();
        const most = await whileManyAsk(async () => {
                let seen = 0;
                for (let i = 0; i < 20; i++) {
                        await alice.note(`posted meanwhile ${i}`);
                        seen = Math.max(seen, sessions());
                }
                return seen;
        });
        assert.ok(most <= before + 8, `${before} sessions became ${most}`); // the pools may grow a little; each request used to take four
});

test('readiness is reported at once while PostgreSQL accepts no new sessions', async () => {
        const [postmaster] = it.server.pids('postmaster');
        signal(postmaster, 'SIGSTOP');
        try {
                const answers = await inBatches(Array.from({ length: 40 }), 10, () => it.api('GET', '/readyz', { timeoutMs: 2000 }));
                answers.forEach((answer) => must(answer)); // existing sessions still work
        } finally {
                signal(postmaster, 'SIGCONT');
        }
        await alice.note('and all is well again');
});

test('an idle connection is closed after its timeout, and not before', async () => {
        const connection = open(it.url);
        const began = Date.now();
        connection.send(GET('/healthz'));
        await eventually('a response', () => connection.received().includes('\r\n\r\nok'));
        await connection.closed;
        assert.ok(Date.now() - began >= IDLE_MS, `${Date.now() - began} ms`);
});

// Bytes in the kernel for connections of the server's port, sent by the server and not read.
function unread() {
        const port = new URL(it.url).port;
        const rows = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/));
        return rows.filter(([, local]) => parseInt(local.split(':')[1], 16) === Number(port)).map(([, , , , queues]) => parseInt(queues.split(':')[0], 16));
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

test('responses that clients do not read are buffered only in small parts', async () => {
        const { hostname, port } = new URL(it.url);
        const clients = Array.from({ length: 50 }, () => {
                const socket = net.connect({ host: hostname, port: Number(port) });
                socket.on('error', () => {});
                socket.pause();
                socket.write(GET('/openapi.json').repeat(300));
                return socket;
        });
        await eventually('each has unread data', () => unread().filter((bytes) => bytes > 0).length >= clients.length);
        for (let before = -1; before !== sum(unread()); await sleep(100)) { // until the server has sent as much as it does
                before = sum(unread());
                await alice.note('others go on');
        }
        const held = unread();
        clients.forEach((socket) => socket.destroy());
        assert.ok(Math.max(...held) < 256 << 10, `${Math.max(...held)} bytes for one`);
});
