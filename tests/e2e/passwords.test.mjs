// Changing and resetting passwords, and rejected passwords: with mails from a real mail server.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PASSWORD, eventually, must, problem, randomName } from './client.mjs';
import { overtaking, query } from './database.mjs';
import { MAIL_FROM, Mailbox, codeIn, tokenIn } from './mailbox.mjs';
import { ownServer } from './own.mjs';
import { totp } from './totp.mjs';

const box = await new Mailbox().open();
const net = ownServer({ env: { SMTP_URL: box.url, MAIL_FROM } });
after(() => box.close());

const NEW = 'another horse battery';
const address = (member) => `${member.username}@example.org`;
const post = (path, body) => net.api('POST', path, { body });
const forgot = (email) => post('/v1/auth/password/forgot', { email });
const reset = (token, new_password, code) => post('/v1/auth/password/reset', { token, new_password, ...(code ? { code } : {}) });
const logIn = (member, password) => post('/v1/auth/login', { login: member.username, password });
const ended = (member, token = member.token) => eventually('the token is refused', async () => (await net.api('GET', '/v1/users/me', { token })).status === 401, 20_000);

async function linkFor(member, n = 1) {
        must(await forgot(address(member)), 202);
        return tokenIn(await box.wait(address(member), 'new password', n));
}

test('the mailed link sets a new password, once, and ends all sessions', async () => {
        const member = await net.register();
        const token = await linkFor(member);
        must(await reset(token, NEW), 204);
        await ended(member);
        problem(await post('/v1/auth/refresh', { refresh_token: member.refreshToken }), 401);
        problem(await logIn(member, PASSWORD), 401, { code: 'credentials_wrong' });
        const again = must(await logIn(member, NEW));
        assert.notEqual(must(await net.api('GET', '/v1/users/me/email', { token: again.access_token })).verified_at, null);
        problem(await reset(token, PASSWORD), 401, { code: 'link_invalid', field: 'token' });
        const told = await box.wait(address(member), 'was changed');
        assert.match(told.text, /From: 127\.0\.0\.1/);
        assert.ok(!told.text.includes(NEW));
});

test('a log-in with the old password during a reset starts no session', async () => {
        const [member, other] = await net.registerMany(2);
        const before = query(net.server.dir, 'user', `select count(*) from user_sessions where user_id = '${member.id}'`);
        await overtaking(net.server.dir, 'user', `update users u set password_hash = o.password_hash || 'x', epoch = u.epoch + 1 from users o where u.id = '${member.id}' and o.id = '${other.id}'`);
        problem(await logIn(member, PASSWORD), 401, { code: 'credentials_wrong' });
        assert.equal(query(net.server.dir, 'user', `select count(*) from user_sessions where user_id = '${member.id}'`), before);
});

test('a pending address requested with the old password is discarded', async () => {
        const member = await net.register();
        const theirs = `${randomName()}@example.org`;
        const own = tokenIn(await box.wait(address(member)));
        must(await member.put('/v1/users/me/email', { body: { email: theirs } }), 202);
        const link = tokenIn(await box.wait(theirs));
        must(await reset(await linkFor(member), NEW), 204);
        for (const token of [link, own]) {
                problem(await post('/v1/auth/email/verify', { token }), 401);
        }
        const login = must(await logIn(member, NEW));
        assert.equal(must(await net.api('GET', '/v1/users/me/email', { token: login.access_token })).email, address(member));
});

test('while an address is unverified all accounts with it get a link, and then only the one that verified it', async () => {
        const owner = await net.register();
        const email = address(owner);
        const late = [];
        for (let i = 0; i < 5; i++) {
                late.push(await net.register({ email }));
        }
        must(await forgot(email), 202);
        await box.wait(email, 'new password', 5);
        const mails = box.to(email).filter((m) => m.subject.includes('new password'));
        const linkOf = (member) => tokenIn(mails.find((m) => m.text.includes(`Hello ${member.username}`)));
        for (const member of [owner, ...late.slice(0, 4)]) {
                assert.ok(linkOf(member));
        }
        must(await reset(linkOf(owner), NEW), 204);
        must(await logIn(owner, NEW));
        problem(await reset(linkOf(late[0]), NEW), 401, { code: 'link_invalid', field: 'token' });
        must(await logIn(late[0], PASSWORD));
        must(await forgot(email), 202);
        const again = await box.wait(email, 'new password', 6);
        assert.ok(again.text.includes(`Hello ${owner.username}`));
        await linkFor(await net.register()); // by then all earlier mails have been sent
        assert.equal(box.to(email).filter((m) => m.subject.includes('new password')).length, 6);
});

test('a rejected password does not use up the link, and only the newest link works', async () => {
        const member = await net.register();
        const [first, second] = [await linkFor(member), await linkFor(member, 2)];
        problem(await reset(first, NEW), 401, { code: 'link_invalid' });
        problem(await reset(second, 'password'), 422, { code: 'password_common', field: 'new_password' });
        problem(await reset(second, 'short'), 422, { field: 'new_password' });
        problem(await reset(second, `${member.username}1`), 422, { code: 'password_guessable', field: 'new_password' });
        must(await logIn(member, PASSWORD));
        const answers = await Promise.all(Array.from({ length: 4 }, () => reset(second, NEW)));
        assert.deepEqual(answers.map((a) => a.status).sort(), [204, 401, 401, 401]);
        must(await logIn(member, NEW));
});

test('members with a second factor must use it here, too', async () => {
        const member = await net.register();
        const { secret } = must(await member.post('/v1/2fa/totp', {}));
        must(await member.post('/v1/2fa/totp/confirm', { code: totp(secret) }));
        const token = await linkFor(member);
        problem(await reset(token, NEW), 401, { code: 'second_factor_required', field: 'code' });
        problem(await reset(token, NEW, '000000'), 401, { code: 'code_wrong' });
        must(await member.get('/v1/users/me'));
        must(await reset(token, NEW, totp(secret, Date.now() + 30_000)), 204);
        await ended(member);
        problem(await logIn(member, NEW), 401, { code: 'second_factor_required' });
});

test('requesting a reset does not reveal accounts, and cannot flood a mailbox', async () => {
        const member = await net.register();
        const nobody = `${randomName()}@example.org`;
        const known = await forgot(address(member));
        const unknown = await forgot(nobody);
        const shape = (a) => [a.status, a.text, Object.keys(a.headers).sort()];
        assert.deepEqual(shape(known), shape(unknown));
        assert.equal(known.status, 202);
        for (let n = 1; n <= 3; n++) {
                await linkFor(member, n);
        }
        must(await forgot(address(member)), 202);
        const other = await net.register();
        await linkFor(other); // by then the fourth request has been processed
        assert.equal(box.to(address(member)).filter((m) => m.subject.includes('new password')).length, 3);
        assert.equal(box.to(nobody).length, 0);
        problem(await forgot('nobody'), 422, { field: 'email' });
        problem(await forgot('a@b.example\r\nBcc: eve@evil.example'), 422, { field: 'email' });
});

// Kolmogorov–Smirnov: the largest distance between two distributions.
function distance(a, b) {
        const all = [...a, ...b].sort((x, y) => x - y);
        const below = (list, x) => list.filter((v) => v <= x).length / list.length;
        return Math.max(...all.map((x) => Math.abs(below(a, x) - below(b, x))));
}

test('requesting a reset takes the same time whether or not the address is in use', async () => {
        const member = await net.register();
        const times = { known: [], unknown: [] };
        for (let i = 0; i < 200; i++) {
                for (const who of i % 2 ? ['known', 'unknown'] : ['unknown', 'known']) {
                        const start = process.hrtime.bigint();
                        must(await forgot(who === 'known' ? address(member) : `nobody_${member.username}@example.org`), 202);
                        times[who].push(Number(process.hrtime.bigint() - start));
                }
        }
        assert.ok(distance(times.known, times.unknown) < 1.95 * Math.sqrt(2 / 200), 'they differ (p < 0.001)');
});

test('changing it requires the current one, ends the other sessions, and returns a valid token', async () => {
        const member = await net.register();
        const other = await net.logIn(member.username);
        problem(await member.post('/v1/auth/password/change', { current_password: NEW, new_password: NEW }), 401,
                { code: 'credentials_wrong', field: 'current_password' });
        problem(await member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: 'trustno1' }), 422, { code: 'password_common' });
        must(await other.get('/v1/users/me'));
        const { access_token } = must(await member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: NEW }));
        await ended(other);
        await ended(member);
        must(await net.api('GET', '/v1/users/me', { token: access_token }));
        must(await post('/v1/auth/refresh', { refresh_token: member.refreshToken }));
        problem(await post('/v1/auth/refresh', { refresh_token: other.refreshToken }), 401);
        problem(await logIn(member, PASSWORD), 401);
        must(await logIn(member, NEW));
        await box.wait(address(member), 'was changed');
});

test('of two concurrent changes one succeeds, and the other fails because its current password has changed', async () => {
        const member = await net.register();
        const wanted = [`${NEW} one`, `${NEW} two`, `${NEW} three`];
        const answers = await Promise.all(wanted.map((new_password) => member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password })));
        assert.deepEqual(answers.map((a) => a.status).sort(), [200, 401, 401]);
        must(await logIn(member, wanted[answers.findIndex((a) => a.status === 200)]));
});

// The member's row is locked until both concurrent requests wait for a lock.
test('concurrent changes of an account do not deadlock', async () => {
        const deadlocks = () => Number(query(net.server.dir, 'user', 'select deadlocks from pg_stat_database where datname = current_database()'));
        const change = (m) => m.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: NEW });
        const drop = (m) => net.api('DELETE', '/v1/users/me', { token: m.token, body: { password: PASSWORD } });
        const refresh = (m) => post('/v1/auth/refresh', { refresh_token: m.refreshToken });
        const address = (m) => m.put('/v1/users/me/email', { body: { email: `${randomName()}@example.org` } });
        const verify = (m) => m.post('/v1/auth/email/verify', { code: '123456' });
        const endOthers = (m) => net.api('DELETE', '/v1/sessions', { token: m.token });
        const renew = (m) => reset(m.link, NEW);
        const before = deadlocks();
        const pairs = [[drop, drop], [drop, change], [drop, refresh], [change, refresh], [change, change], [address, verify], [change, verify],
                       [renew, verify], [change, renew], [endOthers, change], [endOthers, drop], [renew, drop]];
        for (const [one, two, elsewhere] of [...pairs.map((p) => [...p, false]), ...pairs.map((p) => [...p, true])]) {
                const member = await net.register();
                const second = elsewhere ? await net.logIn(member.username) : member;
                member.link = second.link = one === renew || two === renew ? await linkFor(member) : undefined;
                await overtaking(net.server.dir, 'user', `update users set bio = 'held' where id = '${member.id}'`, 2);
                for (const a of await Promise.all([one(member), two(second)])) {
                        assert.ok([200, 202, 204, 401].includes(a.status), `${one.name} ${two.name} ${elsewhere} ${JSON.stringify(a)}`);
                }
        }
        assert.equal(deadlocks(), before);
});

test('a pending address requested in a session is discarded when the session is ended', async () => {
        const ways = {
                'all others end': (m) => net.api('DELETE', '/v1/sessions', { token: m.token }),
                'it ends': (m, thief) => net.api('DELETE', `/v1/sessions/${thief.session}`, { token: m.token }),
                'the account is deleted': (m) => net.api('DELETE', '/v1/users/me', { token: m.token, body: { password: PASSWORD } }),
                'a first factor': async (m) => {
                        const { secret } = must(await m.post('/v1/2fa/totp', {}));
                        return m.post('/v1/2fa/totp/confirm', { code: totp(secret) });
                },
        };
        for (const [name, end] of Object.entries(ways)) {
                const member = await net.register();
                const thief = await net.logIn(member.username);
                const theirs = `${randomName()}@example.org`;
                must(await thief.put('/v1/users/me/email', { body: { email: theirs } }), 202);
                const token = tokenIn(await box.wait(theirs));
                assert.ok((await end(member, thief)).status < 300, name);
                problem(await post('/v1/auth/email/verify', { token }), 401, { code: 'link_invalid' });
        }
});

test('a link that was mailed before the address or the password changed is invalid', async () => {
        const member = await net.register();
        const stale = await linkFor(member);
        const { access_token } = must(await member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: NEW }));
        problem(await reset(stale, PASSWORD), 401, { code: 'link_invalid' });
        const before = await linkFor(member, 2);
        const next = `${randomName()}@example.org`;
        must(await net.api('PUT', '/v1/users/me/email', { token: access_token, body: { email: next } }), 202);
        must(await net.api('POST', '/v1/auth/email/verify', { token: access_token, body: { code: codeIn(await box.wait(next)) } }));
        problem(await reset(before, PASSWORD), 401, { code: 'link_invalid' });
});

test('passwords are not truncated: 256 characters of any kind, all of which count', async () => {
        const password = `${'🔑'.repeat(255)}a`;
        const member = await net.register({ password });
        must(await logIn(member, password));
        problem(await logIn(member, `${'🔑'.repeat(255)}b`), 401);
        problem(await logIn(member, '🔑'.repeat(255)), 401);
        const username = randomName();
        for (const bad of ['Password', 'QWERTYUIOP', `${username}!`, '🔑'.repeat(257), '1234567']) {
                problem(await post('/v1/auth/register', { username, email: `${username}@example.org`, password: bad }), 422, { field: 'password' });
        }
        await net.register({ password: '  of 4 !' }); // no composition rules
});
