// Rate limits: on by default, by member and by address, announced in headers, 429 beyond.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { ids, must, problem, randomName } from './client.mjs';
import { findBinary, startServer } from './harness.mjs';
import { ownServer } from './own.mjs';
import { connectGrpc } from './protos.mjs';

const READ = 30;
const WRITE = 10;
const AUTH = 12;
const it = ownServer({ env: { SONET_RATE_LIMITS: 'on', RATE_READ: String(READ), RATE_WRITE: String(WRITE), RATE_AUTH: String(AUTH) } });

// Sends requests until one is rejected, at most `most`; returns {served, refusal}.
async function exhaust(ask, most) {
        for (let served = 0; served <= most; served++) {
                const answer = await ask(served);
                if (answer.status === 429) {
                        return { served, refusal: answer };
                }
                assert.ok(answer.status < 500, answer.text);
        }
        throw new Error(`not refused after ${most} requests`);
}

function refusedPolitely(refusal) {
        problem(refusal, 429);
        const wait = Number(refusal.headers['retry-after']);
        assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `Retry-After: ${refusal.headers['retry-after']}`);
}

test('reads and writes have separate limits per member', async () => {
        const [alice, bob] = [await it.register(), await it.register()];
        const first = await alice.get('/v1/users/me');
        must(first);
        assert.ok(first.headers['ratelimit-policy'], 'RateLimit-Policy');
        assert.ok(first.headers.ratelimit, 'RateLimit');
        const reads = await exhaust(() => alice.get('/v1/timelines/home'), READ * 3);
        refusedPolitely(reads.refusal);
        assert.ok(reads.served >= READ - 1, `${reads.served} reads were served`);
        const note = must(await alice.post('/v1/notes', { text: 'writing still works' }), 201);
        const writes = await exhaust((i) => alice.post('/v1/notes', { text: `note ${i}` }), WRITE * 3);
        refusedPolitely(writes.refusal);
        assert.ok(writes.served >= WRITE - 2, `${writes.served} writes were served`);
        must(await bob.get(`/v1/notes/${note.id}`));
        must(await bob.post('/v1/notes', { text: 'not my limit' }), 201);
        assert.equal(ids(must(await bob.get(`/v1/timelines/users/${alice.id}?limit=100`)).items).length, writes.served + 1, 'refused posts wrote nothing');
});

// Calls with the result of request() until rejected; returns {served, refusal: the error, trailers}.
async function exhaustGrpc(name, request, most, member) {
        wire ??= connectGrpc(it.server.grpcAddresses());
        for (let served = 0; served <= most; served++) {
                const { error, trailers } = await wire.call(name, request(), { token: member?.token });
                if (error?.code === grpc.status.RESOURCE_EXHAUSTED) {
                        return { served, refusal: error, trailers };
                }
                assert.ok(trailers['ratelimit-policy'], `${name} says nothing of limits: ${JSON.stringify({ error, trailers })}`);
        }
        throw new Error(`${name} was not refused after ${most} calls`);
}
let wire;
after(() => wire?.close());

test('gRPC from outside is limited like REST', async () => {
        const [alice, bob] = [await it.register(), await it.register()];
        const reads = await exhaustGrpc('GetMe', () => ({}), READ * 3, alice);
        assert.ok(reads.served >= READ - 1, `${reads.served} reads were served`);
        assert.equal(reads.refusal.problem.code, 'rate_limited');
        assert.ok(reads.refusal.problem.retry_after_s >= 1 && reads.refusal.problem.retry_after_s <= 60);
        assert.equal(reads.trailers['ratelimit-policy'], `"read";q=${READ};w=60`);
        assert.match(reads.trailers.ratelimit, /^"read";r=0;t=\d+$/);
        await exhaustGrpc('CreateNote', () => ({ text: 'over the wire' }), WRITE * 3, alice);

        // A process counts both ports together; requests that the gateway forwards to another process are not counted there again. GetMe is a method
        // of user.
        for (let i = 0; i < READ - 5; i++) {
                must(await bob.get('/v1/users/me'));
        }
        const { served } = await exhaustGrpc('GetMe', () => ({}), READ * 3, bob);
        assert.ok(it.server.mode === 'split' /* user runs apart from the gateway */ ? served >= READ - 1 : served < READ - 5, `${served} more were served by gRPC (${it.server.mode})`);
});

// `sonet import` of two friends; resolves to what it printed.
async function importFriends(dir, notes) {
        const [graph, texts] = [path.join(dir, 'graph'), path.join(dir, 'texts')];
        fs.writeFileSync(graph, '17 18\n');
        fs.writeFileSync(texts, Array.from({ length: 40 }, (_, i) => `Saying ${i}`).join('\n%\n'));
        const args = ['import', '--graph', graph, '--texts', texts, '--notes', String(notes), '--to', it.server.url];
        return (await promisify(execFile)(findBinary(), args)).stdout;
}

async function notesRefused() {
        const [, n] = (await it.api('GET', '/metrics')).text.match(/sonet_http_requests_total\{method="CreateNote",status="4xx"\} (\d+)/) ?? [null, 0];
        return Number(n);
}

test('an import that exceeds the limits waits for Retry-After, and creates no duplicates', async () => {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-limits.'));
        try {
                const before = await notesRefused();
                await importFriends(dir, WRITE); // and one follow each: the last note of each member is rejected once
                const refused = await notesRefused() - before;
                assert.ok(refused >= 1 && refused <= 2, `${refused} notes were refused`);
                assert.match(await importFriends(dir, WRITE), new RegExp(`${2 * WRITE} notes .*${2 * WRITE} already present`));
                for (const name of ['member17', 'member18']) {
                        const { id } = must(await it.api('GET', `/v1/users/${name}`));
                        const texts = must(await it.api('GET', `/v1/timelines/users/${id}?limit=100`)).items.map((n) => n.text);
                        assert.equal(texts.length, WRITE);
                        assert.equal(new Set(texts).size, WRITE);
                }
        } finally {
                fs.rmSync(dir, { recursive: true });
        }
});

test('log-ins and registrations are limited per address, even if they fail', async () => {
        const login = () => it.api('POST', '/v1/auth/login', { body: { login: randomName('nobody'), password: 'a wrong password' } });
        const { refusal } = await exhaust(login, AUTH * 3);
        refusedPolitely(refusal);
        // Registrations count together with them, and a header does not change the address. A slow machine may regain some of the limit meanwhile,
        // but less than a whole one.
        const username = () => randomName('late');
        const others = [() => ({ path: '/v1/auth/register', body: { username: username(), email: `${username()}@example.org`, password: 'long enough' } }),
                        ...['x-forwarded-for', 'x-real-ip', 'forwarded'].map((name) => () => (
                                { path: '/v1/auth/login', headers: { [name]: '198.51.100.7' }, body: { login: username(), password: 'a wrong password' } }))];
        for (const other of others) {
                const { served } = await exhaust(() => {
                        const { path, ...rest } = other();
                        return it.api('POST', path, rest);
                }, AUTH);
                assert.ok(served < AUTH, `${served} more were served`);
        }
});

test('gRPC log-ins are limited per address, even if they fail', async () => {
        const { refusal } = await exhaustGrpc('LogIn', () => ({ login: randomName('nobody'), password: 'a wrong password' }), AUTH * 3);
        assert.equal(refusal.problem.code, 'rate_limited');
        const { served } = await exhaustGrpc('Register', () => ({ username: randomName('late'), email: `${randomName('late')}@example.org`, password: 'long enough' }), AUTH);
        assert.ok(served < AUTH, `${served} registrations were served after it`);
});

test('health, readiness and metrics are not limited', async () => {
        for (let i = 0; i < READ * 2; i++) {
                assert.equal((await it.api('GET', '/healthz')).status, 200);
        }
        assert.equal((await it.api('GET', '/readyz')).status, 200);
        assert.equal((await it.api('GET', '/metrics')).status, 200);
});

test('limits cannot be turned off beyond loopback', async () => {
        await assert.rejects(startServer({ env: { SONET_RATE_LIMITS: 'off', HTTP_ADDRESS: '0.0.0.0' } }), /SONET_RATE_LIMITS|rate limits/i);
});
