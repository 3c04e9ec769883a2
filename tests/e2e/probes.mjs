// What exhausted earlier releases, with more load: meanwhile others post and read, and memory stays limited. `./dev test --long`.
//   SONET_E2E_MODE=split node --test probes.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import http2 from 'node:http2';
import { test } from 'node:test';
import { eventually, ids, inBatches, must, problem } from './client.mjs';
import { resetRapidly } from './frames.mjs';
import { sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { redisCommand } from './redisclient.mjs';

const ATTACK_MS = 5000;
const FOLLOWERS = 1000;
const NOTES = 300;
const TAGGED = 5000;
const MEMORY_KIB = 96 << 10; // maximum growth of all processes in any test
const FAILURES = 600;

const UNBOUNDED = '10000000';
const it = ownServer({ env: { SONET_RATE_LIMITS: 'on', RATE_FAILURES: String(FAILURES), RATE_READ: UNBOUNDED, RATE_WRITE: UNBOUNDED, RATE_AUTH: UNBOUNDED } }, async (net_) => {
        [it.witness, it.attacker] = await net_.registerMany(2);
        it.note = await it.witness.note('a note to read');
});

const memoryKiB = () => it.server.processes().filter((p) => p.args.includes('serve'))
        .reduce((sum, p) => sum + Number(fs.readFileSync(`/proc/${p.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]), 0);
const httpPort = () => Number(new URL(it.url).port);
const grpcPort = () => Number(Object.values(it.server.grpcAddresses())[0].split(':')[1]);
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

// A client posts and reads as usual; every response must be right. Returns the median in milliseconds.
async function serveWitness(times = 1) {
        const took = [];
        for (let i = 0; i < times; i++) {
                const began = performance.now();
                await it.witness.note(`witness ${i}`);
                must(await it.witness.get(`/v1/notes/${it.note.id}`));
                must(await it.witness.get('/v1/timelines/home'));
                took.push(performance.now() - began);
        }
        return median(took);
}

// `width` concurrent attack(isOver) run until isOver(); the witness is served all the time.
async function besiege(t, width, attack) {
        const calm = await serveWitness(30);
        const before = memoryKiB();
        let over = false;
        let most = before;
        const attackers = Array.from({ length: width }, (_, i) => attack(() => over, i));
        const took = [];
        try {
                for (const end = Date.now() + ATTACK_MS; Date.now() < end || took.length < 10;) {
                        took.push(await serveWitness());
                        most = Math.max(most, memoryKiB());
                }
        } finally {
                over = true; // even if the witness was not served: the next test has its own attackers
                await Promise.allSettled(attackers);
        }
        await Promise.all(attackers);
        t.diagnostic(`the witness: ${calm.toFixed(1)} ms calm, ${median(took).toFixed(1)} ms besieged (${took.length} times); memory ${before} KiB, at most ${most}`);
        assert.ok(most - before < MEMORY_KIB, `${most - before} KiB more`);
        await eventually('nothing is left of it', async () => await serveWitness(10) < 5 * calm + 50);
}

test('64 ask for readiness without a pause', (t) => besiege(t, 64, async (isOver) => {
        while (!isOver()) {
                must(await it.api('GET', '/readyz'));
        }
}));

test('connections reset their requests as fast as they can, on both ports', async (t) => {
        const targets = [[httpPort(), '/v1/notes', 'application/json'], [grpcPort(), '/sonet.note.v1.NoteService/CreateNote', 'application/grpc']];
        await besiege(t, 4, async (isOver, i) => {
                while (!isOver()) {
                        assert.equal(await resetRapidly(...targets[i % 2]), http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
                        await sleep(20);
                }
        });
});

test('thousands of connections come, say nothing, and go', (t) => besiege(t, 1, async (isOver) => {
        while (!isOver()) {
                const sockets = Array.from({ length: 1500 }, (_, i) => net.connect({ port: i % 2 ? httpPort() : grpcPort(), host: '127.0.0.1', localAddress: '127.0.0.7' }).on('error', () => {}));
                await eventually('they are taken, refused or turned away', () => sockets.every((s) => !s.connecting));
                await sleep(200);
                sockets.forEach((s) => s.destroy());
        }
}));

test('hundreds ask for the same large answer and read nothing', (t) => besiege(t, 200, async (isOver, i) => {
        const socket = net.connect({ port: httpPort(), host: '127.0.0.1', localAddress: `127.0.0.${10 + (i % 40)}` }).on('error', () => {});
        socket.pause();
        socket.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(300));
        while (!isOver()) {
                await sleep(100);
        }
        socket.destroy();
}));

test('hundreds send bodies that never end', (t) => besiege(t, 400, async (isOver, i) => {
        const localAddress = `127.0.0.${10 + (i % 100)}`;
        while (!isOver()) {
                const socket = net.connect({ port: httpPort(), host: '127.0.0.1', localAddress }).on('error', () => {});
                socket.resume();
                socket.write(`POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 65000\r\n\r\n${'x'.repeat(64_000)}`);
                await sleep(1000);
                socket.destroy();
        }
}));

test('forged tokens are looked at as often as the address has failures, and no more', async (t) => {
        const [head, payload] = it.attacker.token.split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url'));
        const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 })).toString('base64url');
        const counts = {};
        await besiege(t, 16, async (isOver, i) => {
                for (let n = 0; !isOver(); n++) {
                        const signature = Buffer.alloc(64, `${i} ${n} `).toString('base64url');
                        const answer = await it.api('GET', '/v1/users/me', { token: `${head}.${forged}.${signature}` });
                        counts[answer.status] = (counts[answer.status] ?? 0) + 1;
                }
        });
        t.diagnostic(JSON.stringify(counts));
        assert.deepEqual(Object.keys(counts).sort(), ['401', '429']);
        assert.ok(counts[401] <= 2.5 * FAILURES, `${counts[401]} were looked at`);
});

test('a value of 64 MiB stands under a timeline\'s key, again and again', (t) => besiege(t, 4, async (isOver) => {
        while (!isOver()) {
                const key = `tl:home:${it.attacker.id}`;
                assert.match(await redisCommand(it.server, 'EVAL', "redis.call('SET', KEYS[1], 's'); return redis.call('SETRANGE', KEYS[1], 43 + 32 * 2097152, 'x')", '1', key), /^:|OOM/);
                must(await it.attacker.get('/v1/timelines/home'));
        }
}));

test('thousands of notes to oneself with a tag cost its readers nothing', async (t) => {
        const tag = 'besieged';
        const shown = await it.witness.note(`in public #${tag}`);
        const read = async () => {
                const took = [];
                for (let i = 0; i < 50; i++) {
                        const began = performance.now();
                        assert.deepEqual(ids(must(await it.api('GET', `/v1/timelines/hashtags/${tag}`)).items), [shown.id]);
                        took.push(performance.now() - began);
                }
                return median(took);
        };
        const before = await read();
        await inBatches(Array.from({ length: TAGGED }), 16, (_, i) => it.attacker.note(`${i} #${tag}`, 'only_me'));
        await eventually('it is as quick as before', async () => await read() < 2 * before + 2);
        t.diagnostic(`${before.toFixed(2)} ms before, ${(await read()).toFixed(2)} ms after ${TAGGED}`);
});

test(`${NOTES} notes to ${FOLLOWERS} followers are delivered, and hold up nobody`, async (t) => {
        const author = await it.register();
        const fans = await it.registerMany(FOLLOWERS);
        await inBatches(fans, 8, async (fan) => {
                await fan.follow(author);
                assert.deepEqual(await fan.home(), []); // from now on it is materialised, and delivered to
        });
        const before = memoryKiB();
        const began = Date.now();
        const posted = (await inBatches(Array.from({ length: NOTES }), 8, (_, i) => author.note(`to all ${i}`))).map((note) => note.id).sort().reverse();
        let most = before;
        for (const fan of [fans[0], fans[FOLLOWERS >> 1], fans.at(-1)]) {
                await eventually('it has all of them', async () => {
                        await serveWitness();
                        most = Math.max(most, memoryKiB());
                        assert.deepEqual(ids(must(await fan.get('/v1/timelines/home?limit=100')).items), posted.slice(0, 100));
                }, 120_000);
        }
        t.diagnostic(`delivered after ${Date.now() - began} ms; memory ${before} KiB, at most ${most}`);
        assert.ok(most - before < MEMORY_KIB, `${most - before} KiB more`);
        problem(await it.api('GET', '/v1/timelines/home'), 401);
});
