// Registering, logging in, and the life of a member's tokens.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { verifyEmail } from './operator.mjs';
import { PASSWORD, api, assertTokenIsRefused, logIn, mode, must, problem, randomName, register } from './shared.mjs';

const part = (token, i) => JSON.parse(Buffer.from(token.split('.')[i], 'base64url'));
const refresh = (refresh_token) => api('POST', '/v1/auth/refresh', { body: { refresh_token } });

test('registering returns the member, two tokens and the session', async () => {
        const username = randomName('Reg');
        const answer = await api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: PASSWORD,
                                                                        display_name: 'Zoë 北京 👩‍👩‍👧' } });
        const login = must(answer, 201);
        assert.equal(login.user.username, username);
        assert.equal(login.user.display_name, 'Zoë 北京 👩‍👩‍👧');
        assert.match(login.user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.match(login.user.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.equal(login.user.avatar_url, null);
        assert.equal(login.expires_in, 900);
        assert.match(login.session_id, /^[0-9a-f-]{36}$/);
        assert.ok(login.refresh_token.length >= 32);
        assert.equal(must(await api('GET', '/v1/users/me', { token: login.access_token })).id, login.user.id);
        assert.ok(!answer.text.includes(PASSWORD));
});

test('the display name defaults to the username', async () => {
        const username = randomName();
        const login = must(await api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: PASSWORD } }), 201);
        assert.equal(login.user.display_name, username);
});

test('usernames are unique regardless of case', async () => {
        const member = await register({ username: randomName('Case') });
        const again = (fields) => api('POST', '/v1/auth/register', { body: { username: randomName(), email: `${randomName()}@example.org`,
                                                                             password: PASSWORD, ...fields } });
        problem(await again({ username: member.username.toUpperCase() }), 409, { field: 'username' });
});

test('if many register the same name concurrently, one gets it', async () => {
        const username = randomName('race');
        const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => api('POST', '/v1/auth/register', {
                body: { username: i % 2 ? username : username.toUpperCase(), email: `${username}${i}@example.org`, password: PASSWORD } })));
        assert.deepEqual(answers.map((a) => a.status).sort(), [201, 409, 409, 409, 409, 409]);
});

test('names used in paths, and names that suggest an official role, are reserved', async () => {
        for (const username of ['me', 'mod', 'Moderators', 'official', 'ABUSE', 'postmaster', 'webmaster']) {
                problem(await api('POST', '/v1/auth/register', { body: { username, email: `${randomName()}@example.org`, password: PASSWORD } }),
                        422, { code: 'username_reserved', field: 'username' });
        }
});

test('errors name each invalid field of a registration, and no account is created', async () => {
        const good = () => ({ username: randomName('bad'), email: `${randomName()}@example.org`, password: PASSWORD, display_name: 'x' });
        const cases = [
                ['username', 'a'], ['username', 'a'.repeat(31)], ['username', 'with space'], ['username', 'dash-ed'], ['username', ''],
                ['username', 'ümlaut'], ['email', 'nobody'], ['email', 'a@'], ['email', '@example.org'], ['email', `${'a'.repeat(250)}@example.org`],
                ['email', 'a b@example.org'], ['password', 'short'], ['password', 'x'.repeat(257)], ['password', 'iLoveYou'], ['display_name', 'x'.repeat(101)],
        ];
        for (const [field, value] of cases) {
                const body = { ...good(), [field]: value };
                problem(await api('POST', '/v1/auth/register', { body }), 422, { field });
                if (field !== 'username') {
                        problem(await api('GET', `/v1/users/${body.username}`), 404);
                }
        }
        for (const field of ['username', 'email', 'password']) {
                const body = good();
                delete body[field];
                problem(await api('POST', '/v1/auth/register', { body }), 422, { field });
        }
});

test('the username is case-insensitive when logging in', async () => {
        const member = await register({ username: randomName('Log') });
        for (const login of [member.username, member.username.toLowerCase()]) {
                const again = await logIn(login);
                assert.equal(again.id, member.id);
                assert.notEqual(again.session, member.session);
        }
});

test('a wrong password and an unknown member get the same response', async () => {
        const member = await register();
        const wrong = await api('POST', '/v1/auth/login', { body: { login: member.username, password: 'not the password' } });
        const unknown = await api('POST', '/v1/auth/login', { body: { login: randomName('nobody'), password: 'not the password' } });
        const a = problem(wrong, 401);
        const b = problem(unknown, 401);
        assert.deepEqual([a.code, a.detail, a.field], [b.code, b.detail, b.field]);
});

const tryToLogIn = (login, password, more) => api('POST', '/v1/auth/login', { body: { login, password, ...more } });

// The parts that are equal in two errors of the same kind.
function shape(answer) {
        const { code, detail, field, title } = answer.body;
        return { status: answer.status, code, detail: detail.replace(/\d+/g, 'N'), field, title, headers: Object.keys(answer.headers).sort() };
}

test('after ten wrong passwords even the right one is delayed on an unknown device', async () => {
        const member = await register();
        for (let i = 0; i < 10; i++) {
                problem(await tryToLogIn(member.username, `wrong ${i}`), 401);
        }
        const refused = await tryToLogIn(member.username, PASSWORD);
        problem(refused, 429, { code: 'too_many_failures' });
        const wait = Number(refused.headers['retry-after']);
        assert.ok(wait >= 1 && wait <= 15, `${wait} s`);
        must(await member.get('/v1/users/me')); // the existing session is not affected
});

test('on a known device the right password is accepted, whatever others have tried', async () => {
        const member = await register();
        const device_token = member.login.device_token;
        assert.match(device_token, /^[A-Za-z0-9_-]{40,}$/);
        for (let i = 0; i < 12; i++) {
                await tryToLogIn(member.username, `wrong ${i}`);
        }
        problem(await tryToLogIn(member.username, PASSWORD), 429);
        const again = must(await tryToLogIn(member.username, PASSWORD, { device_token }));
        assert.equal(again.user.id, member.id);
        assert.equal(again.device_token, device_token, 'the device stays the same');
        assert.equal(must(await refresh(again.refresh_token)).device_token, device_token);
        must(await member.post('/v1/auth/logout'), 204); // it is valid beyond its session
        must(await tryToLogIn(member.username, PASSWORD, { device_token }));
        // Its own wrong passwords count for it only.
        for (let i = 0; i < 10; i++) {
                problem(await tryToLogIn(member.username, `wrong ${i}`, { device_token }), 401);
        }
        problem(await tryToLogIn(member.username, PASSWORD, { device_token }), 429, { code: 'too_many_failures' });
});

test("another member's device token has no effect", async () => {
        const [member, other] = [await register(), await register()];
        const [mine, theirs] = [member.login.device_token, other.login.device_token];
        assert.notEqual(mine, theirs);
        assert.notEqual((await logIn(member.username)).login.device_token, mine, 'each device has its own');
        for (let i = 0; i < 10; i++) {
                problem(await tryToLogIn(member.username, `wrong ${i}`, { device_token: theirs }), 401);
        }
        for (const device_token of [theirs, `${mine.slice(0, -2)}AA`, `${mine}A`, mine.slice(1), 'x', '']) {
                while ((await tryToLogIn(member.username, 'wrong', { device_token: theirs })).status !== 429) {
                        // on a slow machine the delay has passed meanwhile
                }
                problem(await tryToLogIn(member.username, PASSWORD, { device_token }), 429);
        }
        problem(await tryToLogIn(member.username, PASSWORD, { device_token: 'x'.repeat(129) }), 422, { field: 'device_token' });
});

test('wrong passwords for an unknown name are delayed exactly like those for an existing one', async () => {
        const member = await register();
        const answers = { known: [], unknown: [] };
        const unknown = randomName('nobody');
        for (let i = 0; i < 13; i++) {
                answers.known.push(shape(await tryToLogIn(member.username, `wrong ${i}`)));
                answers.unknown.push(shape(await tryToLogIn(unknown, `wrong ${i}`)));
        }
        assert.deepEqual(answers.known, answers.unknown);
        assert.deepEqual(answers.known.map((a) => a.status), [...Array(10).fill(401), 429, 429, 429]);
        // All spellings of a name count as the same name.
        for (const login of [` @${unknown.toUpperCase()} `, unknown]) {
                problem(await tryToLogIn(login, 'wrong again'), 429);
        }
});

test('white space around a login and a leading @ are ignored', async () => {
        const member = await register({ username: randomName('Trim') });
        await verifyEmail(member, `${member.username}@example.org`);
        for (const login of [` ${member.username}`, `${member.username}\n`, `@${member.username}`, `\u00a0@${member.username}\u3000`,
                             ` ${member.username}@EXAMPLE.org\t`]) {
                assert.equal((await logIn(login)).id, member.id);
        }
        problem(await tryToLogIn(`@@${member.username}`, PASSWORD), 401);
        problem(await tryToLogIn(`${member.username.slice(0, 3)} ${member.username.slice(3)}`, PASSWORD), 401);
});

test('a mail domain with non-ASCII letters is stored as punycode, and found in either form', async () => {
        const name = randomName();
        const member = await register({ username: name, email: `${name}@Bücher.example` });
        const email = `${name}@xn--bcher-kva.example`;
        assert.equal(must(await member.get('/v1/users/me')).email, email);
        problem(await tryToLogIn(email, PASSWORD), 401, { code: 'credentials_wrong' }); // it takes effect once it is verified
        await verifyEmail(member, email);
        for (const login of [`${name}@bücher.example`, `${name}@BÜCHER.example`, email, email.toUpperCase(), `${name}@bu\u0308cher.example`]) {
                assert.equal((await logIn(login)).id, member.id);
        }
        for (const bad of ['ada@xn--a.example', 'ada@ü..example', 'ada@bücher', 'ada@bü_cher.example', 'ädä@example.org', `ada@${'ü'.repeat(64)}.example`]) {
                problem(await api('POST', '/v1/auth/register', { body: { username: randomName(), email: bad, password: PASSWORD } }), 422, { field: 'email' });
        }
});

// Header values as bytes: node sends each character of a string as one, if the body is bytes as well.
const bytes = (text) => Buffer.from(text, 'utf8').toString('latin1');
const postAs = (agent, path, body) => api('POST', path, { headers: { 'user-agent': agent }, raw: Buffer.from(JSON.stringify(body)) });

test('clients with any user agent can register and log in, and wrong passwords count', async () => {
        const agents = [['Zo\xeb', 'Zo\ufffd'], [bytes('Zoë'), 'Zoë'], [bytes('é'.repeat(200)), 'é'.repeat(128)], [bytes(`x${'é'.repeat(200)}`), `x${'é'.repeat(127)}`],
                        ['\xff'.repeat(300), '\ufffd'.repeat(85)], [bytes('a\u202eb'), 'a\ufffdb']];
        for (const [agent, shown] of agents) {
                const username = randomName('agent');
                const login = must(await postAs(agent, '/v1/auth/register', { username, email: `${username}@example.org`, password: PASSWORD }), 201);
                assert.equal(must(await api('GET', '/v1/sessions', { token: login.access_token, headers: { 'user-agent': agent } })).items[0].user_agent, shown);
                must(await postAs(agent, '/v1/auth/login', { login: username, password: PASSWORD }));
        }
        const member = await register();
        for (let i = 0; i < 11; i++) {
                problem(await postAs('\xff', '/v1/auth/login', { login: member.username, password: 'wrong' }), i < 10 ? 401 : 429);
        }
});

test('an access token is a JWT that can be verified with the published key', async () => {
        const member = await register();
        const header = part(member.token, 0);
        const claims = part(member.token, 1);
        assert.equal(header.alg, 'ES256');
        assert.equal(header.typ.toLowerCase(), 'at+jwt');
        assert.equal(claims.iss, 'sonet');
        assert.deepEqual([claims.aud].flat(), ['sonet']);
        assert.equal(claims.sub, member.id);
        assert.equal(claims.sid, member.session);
        assert.equal(typeof claims.epoch, 'number');
        assert.ok(claims.exp - claims.iat >= 895 && claims.exp - claims.iat <= 900, `${claims.exp - claims.iat} s`);
        const jwks = must(await api('GET', '/.well-known/jwks.json'));
        const jwk = jwks.keys.find((k) => k.kid === header.kid);
        assert.ok(jwk, 'the kid is among the published keys');
        assert.equal(jwk.d, undefined, 'no private part');
        const [head, body, signature] = member.token.split('.');
        const key = createPublicKey({ key: jwk, format: 'jwk' });
        const signed = (text) => verify('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
        assert.ok(signed(`${head}.${body}`));
        assert.ok(!signed(`${head}.${body}x`));
});

test('refreshing returns new tokens for the same session', async () => {
        const member = await register();
        const next = must(await refresh(member.refreshToken));
        assert.equal(next.session_id, member.session);
        assert.equal(next.user.id, member.id);
        assert.equal(next.expires_in, 900);
        assert.notEqual(next.refresh_token, member.refreshToken);
        must(await api('GET', '/v1/users/me', { token: next.access_token }));
        assert.equal(must(await refresh(next.refresh_token)).session_id, member.session);
});

test('registering, logging in and refreshing ignore any token sent with the credentials', async () => {
        const [member, gone] = [await register(), await register()];
        must(await gone.post('/v1/auth/logout'), 204);
        await assertTokenIsRefused(gone.token);
        let refreshToken = member.refreshToken;
        for (const authorization of [`Bearer ${gone.token}`, `Bearer ${member.token}x`, 'Bearer x.y.z', 'Basic eDp5', 'rubbish', `Bearer ${member.token}`]) {
                const headers = { authorization };
                refreshToken = must(await api('POST', '/v1/auth/refresh', { body: { refresh_token: refreshToken }, headers })).refresh_token;
                must(await api('POST', '/v1/auth/login', { body: { login: member.username, password: PASSWORD }, headers }));
                const username = randomName();
                must(await api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: PASSWORD }, headers }), 201);
                problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: 'x' }, headers }), 401, { code: 'refresh_token_unknown' });
        }
});

test('using a refresh token twice ends its session, and no other', async () => {
        const member = await register();
        const other = await logIn(member.username);
        const next = must(await refresh(member.refreshToken));
        problem(await refresh(member.refreshToken), 401);
        problem(await refresh(next.refresh_token), 401);
        await assertTokenIsRefused(next.access_token);
        await assertTokenIsRefused(member.token);
        must(await other.get('/v1/users/me'));
        must(await refresh(other.refreshToken));
});

test('at most one of several concurrent uses of a refresh token succeeds', async () => {
        const member = await register();
        const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(member.refreshToken)));
        const good = answers.filter((a) => a.status === 200);
        assert.ok(good.length <= 1, `${good.length} succeeded`);
        answers.filter((a) => a.status !== 200).forEach((a) => problem(a, 401));
        if (good.length === 1) {
                problem(await refresh(good[0].body.refresh_token), 401);
        }
});

test('garbage is not accepted as a refresh token', async () => {
        for (const token of ['x', 'A'.repeat(43), 'A'.repeat(128), '../../etc/passwd', "' or 1=1 --"]) {
                problem(await refresh(token), 401);
        }
        problem(await refresh('A'.repeat(129)), 422, { field: 'refresh_token' });
        problem(await refresh(''), 422, { field: 'refresh_token' });
});

test('logging out ends the session and invalidates its access and refresh tokens', async () => {
        const member = await register();
        const other = await logIn(member.username);
        const answer = await member.post('/v1/auth/logout');
        must(answer, 204);
        assert.equal(answer.text, '');
        await assertTokenIsRefused(member.token);
        problem(await refresh(member.refreshToken), 401);
        must(await other.get('/v1/users/me'));
});

test('requests after logging out on the same connection are handled in order', async () => {
        const member = await register();
        must(await member.get('/v1/users/me')); // the verified token is now cached
        must(await member.post('/v1/auth/logout'), 204);
        if (mode === 'single') {
                const answers = await Promise.all(Array.from({ length: 20 }, () => member.get('/v1/timelines/home')));
                answers.forEach((a) => problem(a, 401));
        }
});
