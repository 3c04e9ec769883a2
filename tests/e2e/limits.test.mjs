// Rate limits: on by default, by member and by address, announced in headers, 429 beyond.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ids, must, problem, randomName } from './client.mjs';
import { startServer } from './harness.mjs';
import { ownServer } from './own.mjs';

const READ = 30;
const WRITE = 10;
const AUTH = 8;
const it = ownServer({ env: { SONET_RATE_LIMITS: 'on', RATE_READ: String(READ), RATE_WRITE: String(WRITE), RATE_AUTH: String(AUTH) } });

// Asks until refused, at most `most` times; gives {served, refusal}.
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

test('reads and writes of a member are limited apart from each other and from other members', async () => {
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

test('log-ins and registrations of one address are limited, also when they fail', async () => {
        const login = () => it.api('POST', '/v1/auth/login', { body: { login: randomName('nobody'), password: 'a wrong password' } });
        const { refusal } = await exhaust(login, AUTH * 3);
        refusedPolitely(refusal);
        const username = randomName('late');
        problem(await it.api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: 'long enough' } }), 429);
        problem(await it.api('GET', `/v1/users/${username}`), [404, 429]);
        // A header does not make one somebody else.
        for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded']) {
                problem(await it.api('POST', '/v1/auth/login', { headers: { [name]: '198.51.100.7' }, body: { login: 'x', password: 'a wrong password' } }), 429);
        }
});

test('health, readiness and metrics are not limited', async () => {
        for (let i = 0; i < READ * 2; i++) {
                assert.equal((await it.api('GET', '/healthz')).status, 200);
        }
        assert.equal((await it.api('GET', '/readyz')).status, 200);
        assert.equal((await it.api('GET', '/metrics')).status, 200);
});

test('limits cannot be switched off beyond loopback', async () => {
        await assert.rejects(startServer({ env: { SONET_RATE_LIMITS: 'off', HTTP_ADDRESS: '0.0.0.0' } }), /SONET_RATE_LIMITS|rate limits/i);
});
