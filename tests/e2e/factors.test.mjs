// Authentication of members in addition to the password.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, api, assertTokenIsRefused, eventually, logIn, must, problem, register } from './shared.mjs';
import { admin } from './operator.mjs';
import { totp } from './totp.mjs';

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const stepUp = (token, body) => api('POST', '/v1/auth/step-up', { token, body });
const refresh = (refresh_token) => api('POST', '/v1/auth/refresh', { body: { refresh_token } });

test('logging in counts as recent authentication, refreshing keeps it, a step-up renews it, and it ends with the session', async () => {
        const member = await register();
        const { login } = await logIn(member.username);
        const first = claims(login.access_token).auth_time;
        assert.ok(Math.abs(first - claims(login.access_token).iat) <= 1);
        await eventually('time passes', async () => claims((await logIn(member.username)).token).iat > first + 1);
        const refreshed = must(await refresh(login.refresh_token));
        assert.ok(Math.abs(claims(refreshed.access_token).auth_time - first) <= 1, 'refreshing proves nothing');
        const proved = must(await stepUp(refreshed.access_token, { password: PASSWORD }));
        assert.equal(proved.expires_in, 900);
        const { auth_time, sid, sub, scope } = claims(proved.access_token);
        assert.ok(auth_time > first + 1);
        assert.deepEqual([sid, sub, scope], [login.session_id, member.id, claims(login.access_token).scope]);
        const later = claims(must(await refresh(refreshed.refresh_token)).access_token).auth_time;
        assert.ok(Math.abs(later - auth_time) <= 1, 'the session keeps it');
        must(await api('DELETE', `/v1/sessions/${login.session_id}`, { token: member.token }), 204);
        await assertTokenIsRefused(proved.access_token);
        problem(await stepUp(proved.access_token, { password: PASSWORD }), 401, { code: 'token_revoked' });
});

test('a failed step-up has no effect, and the error says why', async () => {
        const member = await register();
        problem(await stepUp(member.token, { password: `${PASSWORD}x` }), 401, { code: 'credentials_wrong', field: 'password' });
        problem(await stepUp(member.token, {}), 422, { field: 'password' });
        problem(await stepUp(member.token, { password: '' }), 422, { field: 'password' });
        problem(await stepUp(undefined, { password: PASSWORD }), 401, { code: 'token_missing' });
});

test('guessing passwords in a stolen session is delayed, and others are not', async () => {
        const member = await register();
        const elsewhere = await logIn(member.username);
        for (let i = 0; i < 10; i++) {
                problem(await stepUp(member.token, { password: `guess ${i}` }), 401, { code: 'credentials_wrong' });
        }
        const waits = problem(await stepUp(member.token, { password: PASSWORD }), 429, { code: 'too_many_failures' });
        assert.ok(waits);
        must(await stepUp(elsewhere.token, { password: PASSWORD }));
        await logIn(member.username);
});

// ---- Authenticator apps ----

// The code of the next half minute is already valid: so no code has been used up by an earlier test.
const later = (secret) => totp(secret, Date.now() + 30_000);
const wrong = (secret) => String((Number(totp(secret)) + 500_000) % 1e6).padStart(6, '0');
const password = (member, body = {}) => api('POST', '/v1/auth/login', { body: { login: member.username, password: PASSWORD, ...body } });
const verifyLogIn = (login_token, code) => api('POST', '/v1/auth/login/verify', { body: { login_token, code } });

async function withTotp() {
        const member = await register();
        const { secret } = must(await api('POST', '/v1/2fa/totp', { token: member.token }));
        const code = totp(secret);
        const { recovery_codes } = must(await api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code } }));
        return { member, secret, usedCode: code, codes: recovery_codes };
}

async function loginToken(member, body) {
        const refused = problem(await password(member, body), 401, { code: 'second_factor_required' });
        assert.match(refused.login_token, /^[\w-]{100,}$/);
        return refused.login_token;
}

test('an authenticator app: its secret is shown once and confirmed by a code; then logging in requires a code', async () => {
        const member = await register();
        assert.deepEqual(must(await api('GET', '/v1/2fa', { token: member.token })), { enabled: false, totp_confirmed_at: null, recovery_codes_left: 0, passkeys: 0 });
        problem(await api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code: '123456' } }), 409, { code: 'totp_not_begun' });
        const begun = must(await api('POST', '/v1/2fa/totp', { token: member.token }));
        assert.match(begun.secret, /^[A-Z2-7]{32}$/);
        const uri = new URL(begun.uri);
        assert.deepEqual([uri.protocol, uri.searchParams.get('secret'), uri.pathname.endsWith(`:${member.username}`)], ['otpauth:', begun.secret, true]);
        assert.match(begun.qr_svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^<>]*><path [^<>]*><path [^<>]*><\/svg>$/);
        await logIn(member.username); // it is not active before it is confirmed
        problem(await api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code: wrong(begun.secret) } }), 422, { code: 'code_wrong', field: 'code' });
        const { recovery_codes: codes } = must(await api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code: totp(begun.secret) } }));
        assert.equal(new Set(codes).size, 10);
        const state = must(await api('GET', '/v1/2fa', { token: member.token }));
        assert.deepEqual([state.enabled, state.recovery_codes_left], [true, 10]);
        problem(await api('POST', '/v1/2fa/totp', { token: member.token }), 409, { code: 'totp_enabled' });

        const refused = problem(await password(member), 401, { code: 'second_factor_required' });
        assert.deepEqual(refused.methods, ['totp', 'recovery_code']);
        const login = must(await verifyLogIn(refused.login_token, later(begun.secret)));
        assert.equal(login.user.id, member.id);
        must(await api('GET', '/v1/users/me', { token: login.access_token }));
        problem(await verifyLogIn(refused.login_token, codes[0]), 401, { code: 'login_token_invalid', field: 'login_token' });
        must(await verifyLogIn(await loginToken(member), codes[0])); // the rejected token was not used up
});

test('adding a first factor ends sessions that began without one, which could have removed it', async () => {
        const member = await register();
        const thief = await logIn(member.username);
        const { secret } = must(await api('POST', '/v1/2fa/totp', { token: member.token }));
        const { recovery_codes: codes } = must(await api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code: totp(secret) } }));
        await assertTokenIsRefused(thief.token);
        problem(await api('POST', '/v1/2fa/recovery-codes', { token: thief.token, body: {} }), 401, { code: 'token_revoked' });
        problem(await api('DELETE', '/v1/2fa/totp', { token: thief.token }), 401, { code: 'token_revoked' });
        problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: thief.refreshToken } }), 401);
        must(await api('GET', '/v1/users/me', { token: member.token }));
        must(await verifyLogIn(await loginToken(member), codes[0]));
});

test('a concurrent password log-in while a first factor is added is ended or refused', async () => {
        for (let round = 0; round < 6; round++) {
                const member = await register();
                const { secret } = must(await api('POST', '/v1/2fa/totp', { token: member.token }));
                const logIns = Array.from({ length: 3 }, () => password(member));
                const confirmed = api('POST', '/v1/2fa/totp/confirm', { token: member.token, body: { code: totp(secret) } });
                must(await confirmed);
                for (const answer of await Promise.all(logIns)) {
                        if (answer.status === 200) {
                                problem(await refresh(answer.body.refresh_token), 401, { code: 'session_ended' });
                        } else {
                                problem(answer, 401, { code: 'second_factor_required' });
                        }
                }
        }
});

test('a code works only for its member, and once', async () => {
        const { member, secret, codes, usedCode } = await withTotp();
        const other = await withTotp();
        problem(await verifyLogIn(await loginToken(member), usedCode), 401, { code: 'code_wrong' }); // it confirmed the app
        problem(await verifyLogIn(await loginToken(member), other.codes[0]), 401, { code: 'code_wrong', field: 'code' });
        const tokens = [await loginToken(member), await loginToken(member), await loginToken(member), await loginToken(member)];
        const code = later(secret);
        const answers = await Promise.all(tokens.map((t) => verifyLogIn(t, code)));
        assert.deepEqual(answers.map((a) => a.status).sort(), [200, 401, 401, 401]);
        const again = await Promise.all(tokens.map((t) => verifyLogIn(t, codes[3].toUpperCase().replaceAll('-', ' '))));
        assert.equal(again.filter((a) => a.status === 200).length, 1);
        assert.equal(must(await api('GET', '/v1/2fa', { token: member.token })).recovery_codes_left, 9);
        must(await verifyLogIn(await loginToken(other.member), other.codes[0]));
});

test('a log-in token starts one session, however many concurrent codes are sent with it', async () => {
        const { member, codes } = await withTotp();
        const token = await loginToken(member);
        const answers = await Promise.all(codes.slice(0, 4).map((code) => verifyLogIn(token, code)));
        assert.equal(answers.filter((a) => a.status === 200).length, 1);
        assert.equal(must(await api('GET', '/v1/2fa', { token: member.token })).recovery_codes_left, 9, 'those that were refused are there still');
});

test('foreign log-in tokens, and those for another purpose, are rejected', async () => {
        const { member, codes } = await withTotp();
        const token = await loginToken(member);
        const altered = `${token.slice(0, 30)}${token[30] === 'A' ? 'B' : 'A'}${token.slice(31)}`;
        for (const bad of [altered, 'x', member.login.refresh_token, member.login.device_token, token.slice(0, -1)]) {
                problem(await verifyLogIn(bad, codes[0]), 401, { code: 'login_token_invalid', field: 'login_token' });
        }
        problem(await verifyLogIn('x'.repeat(300), codes[0]), 422, { field: 'login_token' });
        problem(await verifyLogIn(token, undefined), 401, { code: 'second_factor_required', field: 'code' });
        problem(await verifyLogIn(token, 'x'.repeat(65)), 422, { field: 'code' });
        problem(await api('GET', '/v1/users/me', { token }), 401);
});

test('guessing codes is delayed, and the owner can log in from a known device', async () => {
        const { member, secret, codes } = await withTotp();
        const token = await loginToken(member);
        for (let i = 0; i < 10; i++) {
                problem(await verifyLogIn(token, wrong(secret)), 401, { code: 'code_wrong' });
        }
        const guesses = await Promise.all(Array.from({ length: 20 }, () => verifyLogIn(token, codes[0])));
        assert.deepEqual(guesses.map((g) => g.body.code), Array(20).fill('too_many_failures'));
        assert.ok(Number(guesses[0].headers['retry-after']) > 5);
        must(await verifyLogIn(await loginToken(member, { device_token: member.login.device_token }), codes[0]));
});

test('concurrent wrong codes are all counted', async () => {
        const { member, secret } = await withTotp();
        const token = await loginToken(member);
        const answers = await Promise.all(Array.from({ length: 40 }, () => verifyLogIn(token, wrong(secret))));
        assert.equal(answers.filter((a) => a.status === 401).length, 10);
        assert.equal(answers.filter((a) => a.status === 429).length, 30);
});

test('a step-up requires the second factor of members who have one', async () => {
        const { member, secret, codes } = await withTotp();
        problem(await stepUp(member.token, { password: PASSWORD }), 401, { code: 'second_factor_required', field: 'password' });
        problem(await stepUp(member.token, { code: wrong(secret) }), 401, { code: 'code_wrong', field: 'code' });
        must(await stepUp(member.token, { code: later(secret) }));
        must(await stepUp(member.token, { code: codes[5] }));
        const plain = await register();
        problem(await stepUp(plain.token, { code: '123456' }), 401, { code: 'no_second_factor', field: 'code' });
});

test('new recovery codes invalidate the old ones, and removing the app removes them', async () => {
        const { member, codes } = await withTotp();
        const fresh = must(await api('POST', '/v1/2fa/recovery-codes', { token: member.token })).recovery_codes;
        assert.equal(fresh.length, 10);
        problem(await verifyLogIn(await loginToken(member), codes[0]), 401, { code: 'code_wrong' });
        must(await verifyLogIn(await loginToken(member), fresh[0]));
        must(await api('DELETE', '/v1/2fa/totp', { token: member.token }), 204);
        assert.deepEqual(must(await api('GET', '/v1/2fa', { token: member.token })), { enabled: false, totp_confirmed_at: null, recovery_codes_left: 0, passkeys: 0 });
        await logIn(member.username);
        must(await api('DELETE', '/v1/2fa/totp', { token: member.token }), 204);
        problem(await api('POST', '/v1/2fa/recovery-codes', { token: member.token }), 409, { code: 'no_second_factor' });
});

test('the operator can restore access for a member who lost all factors', async () => {
        const { member, codes } = await withTotp();
        const token = await loginToken(member);
        const reset = await admin('user', 'reset-2fa', member.username);
        assert.equal(reset.code, 0, reset.stderr);
        assert.equal(must(await api('GET', '/v1/2fa', { token: member.token })).enabled, false);
        await logIn(member.username);
        must(await verifyLogIn(token, codes[0])); // the password was right, and nothing else is required any more
        assert.equal((await admin('user', 'reset-2fa', member.username)).code, 0);
        assert.notEqual((await admin('user', 'reset-2fa', 'nobody_at_all')).code, 0);
});
