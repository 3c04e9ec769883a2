// Behind a trusted proxy each client counts separately: limits, wrong passwords, invalid tokens, sessions. The tests act as the proxy.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { PASSWORD, must, problem, randomName } from './client.mjs';
import { startServer } from './harness.mjs';
import { ownServer } from './own.mjs';
import { connectGrpc } from './protos.mjs';

const AUTH = 15;
const FAILURES = 20;
const it = ownServer({ env: { SONET_RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8', RATE_AUTH: String(AUTH), RATE_FAILURES: String(FAILURES) } });
let wire;
after(() => wire?.close());

let next = 0;
// An address that no other test has used.
const newAddress = () => `203.0.${113 + (next >> 8)}.${next++ & 255}`;
const newNetwork = () => `2001:db8:${(next++).toString(16)}:1`;
const from = (address) => ({ 'x-forwarded-for': address });
const logIn = (address, body) => it.api('POST', '/v1/auth/login', { headers: from(address), body });

async function register(address) {
        const username = randomName('proxied');
        const body = { username, email: `${username}@example.org`, password: PASSWORD };
        return { username, ...must(await it.api('POST', '/v1/auth/register', { headers: from(address), body }), 201) };
}

async function addressOf(headers) {
        const member = await register(newAddress());
        const login = must(await it.api('POST', '/v1/auth/login', { headers, body: { login: member.username, password: PASSWORD } }));
        const { items } = must(await it.api('GET', '/v1/sessions', { token: member.access_token }));
        return items.find((s) => s.id === login.session_id).address;
}

test('a session has the address that the trusted proxy reports', async () => {
        const cases = [
                [{ 'x-forwarded-for': '198.51.100.7' }, '198.51.100.7'],
                [{ 'x-forwarded-for': '192.0.2.1, 198.51.100.7' }, '198.51.100.7'],
                [{ 'x-forwarded-for': '192.0.2.1, 198.51.100.7, 10.1.2.3' }, '198.51.100.7'],
                [{ 'x-forwarded-for': ['192.0.2.1', '198.51.100.8'] }, '198.51.100.8'],
                [{ 'x-forwarded-for': '198.51.100.9:4711' }, '198.51.100.9'],
                [{ 'x-forwarded-for': '2001:DB8:f::1' }, '2001:db8:f::1'],
                [{ forwarded: 'for=198.51.100.10;proto=https' }, '198.51.100.10'],
                [{ forwarded: 'for=192.0.2.1, For="[2001:db8:f::2]:4711";by=_proxy' }, '2001:db8:f::2'],
                [{ forwarded: 'for=_hidden' }, '127.0.0.1'],
                [{ forwarded: 'for="198.51.100.11' }, '127.0.0.1'],
                [{ forwarded: 'for=198.51.100.12', 'x-forwarded-for': '198.51.100.13' }, '127.0.0.1'],
                [{}, '127.0.0.1'],
        ];
        for (const [headers, address] of cases) {
                assert.equal(await addressOf(headers), address, JSON.stringify(headers));
        }
});

test('the OpenAPI document has the scheme that the trusted proxy reports', async () => {
        for (const [proto, scheme] of [['https', 'https'], ['http', 'http'], ['ftp', 'http'], ['https, http', 'http']]) {
                const document = must(await it.api('GET', '/openapi.json', { headers: { host: 'social.example.org', 'x-forwarded-proto': proto } }));
                assert.equal(document.servers[0].url, `${scheme}://social.example.org`);
        }
});

test('a session has the address of its last use', async () => {
        const member = await register('198.51.100.20');
        const other = must(await logIn('198.51.100.22', { login: member.username, password: PASSWORD }));
        const seenBy = async (token, headers) => must(await it.api('GET', '/v1/sessions', { token, headers })).items.find((s) => s.id === member.session_id).address;
        const { access_token: token } = must(await it.api('POST', '/v1/auth/refresh', { headers: from('198.51.100.21'), body: { refresh_token: member.refresh_token } }));
        assert.equal(await seenBy(other.access_token), '198.51.100.21');
        assert.equal(await seenBy(token, from('198.51.100.23')), '198.51.100.23');
});

// Sends requests until one is rejected, at most `most`; returns how many were served, and the error.
async function exhaust(ask, most) {
        for (let served = 0; served <= most; served++) {
                const answer = await ask(served);
                if (answer.status === 429) {
                        return { served, refusal: answer };
                }
        }
        throw new Error(`not refused after ${most} requests`);
}

test('each client behind the proxy has its own limits, an IPv6 /64 a common one', async () => {
        const network = newNetwork();
        const tries = (address) => exhaust((n) => logIn(address(n), { login: randomName('nobody'), password: 'wrong' }), AUTH * 3);
        for (const address of [newAddress(), newAddress()]) {
                assert.ok((await tries(() => address)).served >= AUTH);
        }
        const { served, refusal } = await tries((n) => `${network}::${n + 1}`);
        assert.ok(served >= AUTH && served < AUTH * 2, `${served} were served`); // the limit regains some while the others run
        problem(refusal, 429, { code: 'rate_limited' });
});

test('wrong passwords from one network delay only that network', async () => {
        const member = await register(newAddress());
        const [here, there] = [newNetwork(), newAddress()];
        for (let i = 0; i < 10; i++) {
                problem(await logIn(`${here}::${i}`, { login: member.username, password: `wrong ${i}` }), 401);
        }
        problem(await logIn(`${here}::ffff`, { login: member.username, password: PASSWORD }), 429, { code: 'too_many_failures' });
        must(await logIn(there, { login: member.username, password: PASSWORD }));
});

test('a hundred wrong passwords from many networks delay unknown devices, but not known ones', async () => {
        const member = await register(newAddress());
        for (let network = 0; network < 10; network++) {
                const address = newAddress();
                const answers = await Promise.all(Array.from({ length: 10 }, () => logIn(address, { login: member.username, password: 'wrong' })));
                answers.forEach((a) => problem(a, 401));
        }
        problem(await logIn(newAddress(), { login: member.username, password: PASSWORD }), 429, { code: 'too_many_failures' });
        must(await logIn(newAddress(), { login: member.username, password: PASSWORD, device_token: member.device_token }));
});

// The claims of a genuine token, with other times.
function forged(token, n) {
        const [head, body, signature] = token.split('.');
        const claims = JSON.parse(Buffer.from(body, 'base64url'));
        return [head, Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 1 + n })).toString('base64url'), signature].join('.');
}

test('invalid tokens count against the address; beyond the limit they are not verified, but members are still served', async () => {
        const member = await register(newAddress());
        const [attacker, friend] = [newAddress(), newAddress()];
        must(await it.api('GET', '/v1/users/me', { token: member.access_token, headers: from(friend) }));
        const spend = (n) => it.api('GET', '/v1/users/me', { token: forged(member.access_token, n), headers: from(attacker) });
        const { served, refusal } = await exhaust(spend, FAILURES * 3);
        assert.ok(served >= FAILURES && served < FAILURES * 2, `${served} were looked at`);
        problem(refusal, 429, { code: 'too_many_failures' });
        assert.ok(Number(refusal.headers['retry-after']) >= 1);
        must(await it.api('GET', '/v1/users/me', { token: member.access_token, headers: from(attacker) })); // behind the same address
        problem(await it.api('GET', '/v1/users/me', { token: forged(member.access_token, 1), headers: from(friend) }), 401);
        const fresh = must(await logIn(attacker, { login: member.username, password: PASSWORD, device_token: member.device_token }));
        must(await it.api('GET', '/v1/users/me', { token: fresh.access_token, headers: from(attacker) })); // one that was just issued
        const newer = must(await it.api('POST', '/v1/auth/refresh', { body: { refresh_token: fresh.refresh_token }, headers: from(attacker) }));
        must(await it.api('GET', '/v1/timelines/home', { token: newer.access_token, headers: from(attacker) }));
});

test('over gRPC they count the same, and tokens issued by another process are recognized', async () => {
        wire ??= connectGrpc(it.server.grpcAddresses());
        const member = await register(newAddress());
        const address = newAddress();
        const getHome = async (token, from) => (await wire.call('GetHome', {}, { token, metadata: { 'x-forwarded-for': from } })).error;
        let [n, error] = [0, await getHome(forged(member.access_token, 0), address)];
        while (error.code === grpc.status.UNAUTHENTICATED && n < FAILURES * 3) {
                error = await getHome(forged(member.access_token, ++n), address);
        }
        assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
        assert.equal(error.problem.code, 'too_many_failures');
        assert.ok(n >= FAILURES && n < FAILURES * 2, `${n} were looked at`);
        const fresh = must(await logIn(newAddress(), { login: member.username, password: PASSWORD })); // in split mode by the process of user
        assert.equal(await getHome(fresh.access_token, address), undefined);
        assert.equal((await getHome(forged(fresh.access_token, 0), newAddress())).code, grpc.status.UNAUTHENTICATED);
});

test('an invalid list of proxies is rejected', async () => {
        await assert.rejects(startServer({ env: { TRUSTED_PROXIES: '127.0.0.1, everybody' } }), /TRUSTED_PROXIES.*"everybody" is not one/);
});
