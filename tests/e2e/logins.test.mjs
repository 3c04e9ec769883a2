// The history of log-ins, the details of sessions, and that nothing reveals whether a name has an account, not even time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mailsTo } from './operator.mjs';
import { PASSWORD, api, eventually, ids, logIn, mode, must, problem, randomName, readAll, register, registerMany } from './shared.mjs';

const tryToLogIn = (login, password, more = {}, headers = {}) => api('POST', '/v1/auth/login', { body: { login, password, ...more }, headers });

test('log-in attempts are listed newest first, with outcome, reason, factor, address and device', async () => {
        const member = await register();
        problem(await tryToLogIn(member.username, 'wrong password', {}, { 'user-agent': 'a stranger/1' }), 401);
        must(await tryToLogIn(member.username, PASSWORD, { device_token: member.login.device_token }, { 'user-agent': 'my phone/2' }));
        problem(await member.post('/v1/auth/step-up', { password: 'wrong password' }), 401);
        const { items } = must(await member.get('/v1/users/me/logins'));
        assert.deepEqual(items.map((e) => [e.succeeded, e.factor, e.reason, e.known_device]),
                         [[false, 'step_up', 'wrong_password', true], [true, 'password', '', true], [false, 'password', 'wrong_password', false], [true, 'password', '', false]]);
        assert.deepEqual(items.slice(1, 3).map((e) => [e.user_agent, e.address]), [['my phone/2', '127.0.0.1'], ['a stranger/1', '127.0.0.1']]);
        assert.deepEqual(ids(await readAll((p) => member.get(p), '/v1/users/me/logins', { limit: 1 })), ids(items));
        assert.deepEqual(ids(must(await member.get(`/v1/users/me/logins?after=${items[2].id}`)).items), ids(items.slice(0, 2)).reverse());
        assert.equal(must(await (await register()).get('/v1/users/me/logins')).items.length, 1, 'they are one\'s own');
        problem(await api('GET', '/v1/users/me/logins'), 401);
});

test('a session has the name of its device, and how it was started', async () => {
        const member = await register();
        must(await tryToLogIn(member.username, PASSWORD, { device_name: 'Ada\'s phone' }));
        problem(await tryToLogIn(member.username, PASSWORD, { device_name: 'x'.repeat(101) }), 422, { field: 'device_name' });
        const [phone, first] = must(await member.get('/v1/sessions')).items;
        assert.deepEqual([phone.device_name, phone.factors, first.device_name], ['Ada\'s phone', 'password', '']);
});

test('the owner is mailed about a log-in on a new device, but not on a known one', async () => {
        const member = await register();
        const address = `${member.username}@example.org`;
        const told = () => mailsTo(address).filter((mail) => /^Subject: A new device logged in/m.test(mail)).length;
        must(await tryToLogIn(member.username, PASSWORD, { device_token: member.login.device_token }));
        await logIn(member.username);
        await eventually('the owner is told', () => told() > 0);
        assert.equal(told(), 1);
});

// Kolmogorov–Smirnov: the largest distance between two empirical distributions.
function distance(a, b) {
        const [x, y] = [a, b].map((times) => [...times].sort((p, q) => p - q));
        let [i, j, most] = [0, 0, 0];
        while (i < x.length && j < y.length) {
                const at = Math.min(x[i], y[j]);
                while (x[i] <= at) { i++; }
                while (y[j] <= at) { j++; }
                most = Math.max(most, Math.abs(i / x.length - j / y.length));
        }
        return most;
}

const N = process.env.SONET_E2E_LONG === '1' ? 200 : 100;
const CRITICAL = 1.949 * Math.sqrt(2 / N); // for equal distributions, one in a thousand pairs of samples is farther apart

test('the statistic of the next test detects a difference of ten percent', () => {
        const times = Array.from({ length: N }, (_, i) => 20 + 4 * Math.sin(i * 12.9898) ** 2);
        assert.equal(distance(times, times), 0);
        assert.ok(distance(times, times.map((t) => t * 1.1)) > CRITICAL);
});

// Both kinds alternately, each pair in random order, so that other load affects both equally. Eight attempts per name are below the limit for delays.
// Two results of one in a thousand are required, so that it fails by chance only once in a million runs.
async function sample() {
        const members = (await registerMany(N / 8)).map((m) => m.username);
        const times = { known: [], unknown: [] };
        const strangers = members.map(() => randomName());
        const once = async (kind, login) => {
                const start = process.hrtime.bigint();
                problem(await tryToLogIn(login, 'a wrong password'), 401, { code: 'credentials_wrong' });
                times[kind].push(Number(process.hrtime.bigint() - start));
        };
        for (let i = 0; i < N; i++) {
                const pair = [['known', members[i % members.length]], ['unknown', strangers[i % members.length]]];
                for (const one of Math.random() < 0.5 ? pair : pair.reverse()) {
                        await once(...one);
                }
        }
        return distance(times.known, times.unknown);
}

test('an unknown name and a wrong password take the same time', { skip: mode !== 'single' && 'measured in one process' }, async () => {
        const first = await sample();
        const apart = first > CRITICAL ? Math.min(first, await sample()) : first;
        assert.ok(apart <= CRITICAL, `the distributions are ${apart.toFixed(3)} apart, twice more than ${CRITICAL.toFixed(3)}`);
        const member = await register();
        const [wrong, unknown] = [await tryToLogIn(member.username, 'wrong password'), await tryToLogIn(randomName(), 'wrong password')];
        const told = ({ status, body }) => [status, { ...body, request_id: '', instance: '', trace_id: '' }];
        assert.deepEqual(told(wrong), told(unknown));
});
