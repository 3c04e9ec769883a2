// What members prove who they are with, beside the password they log in with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, api, assertTokenIsRefused, eventually, logIn, must, problem, register } from './shared.mjs';

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const stepUp = (token, body) => api('POST', '/v1/auth/step-up', { token, body });
const refresh = async (refresh_token) => must(await api('POST', '/v1/auth/refresh', { body: { refresh_token } }));

test('a log-in is a proof, refreshing keeps it, stepping up is a newer one, and it ends with the session', async () => {
        const member = await register();
        const { login } = await logIn(member.username);
        const first = claims(login.access_token).auth_time;
        assert.ok(Math.abs(first - claims(login.access_token).iat) <= 1);
        await eventually('time passes', async () => claims((await logIn(member.username)).token).iat > first + 1);
        const refreshed = await refresh(login.refresh_token);
        assert.ok(Math.abs(claims(refreshed.access_token).auth_time - first) <= 1, 'refreshing proves nothing');
        const proved = must(await stepUp(refreshed.access_token, { password: PASSWORD }));
        assert.equal(proved.expires_in, 900);
        const { auth_time, sid, sub, scope } = claims(proved.access_token);
        assert.ok(auth_time > first + 1);
        assert.deepEqual([sid, sub, scope], [login.session_id, member.id, claims(login.access_token).scope]);
        const later = claims((await refresh(refreshed.refresh_token)).access_token).auth_time;
        assert.ok(Math.abs(later - auth_time) <= 1, 'the session keeps it');
        must(await api('DELETE', `/v1/sessions/${login.session_id}`, { token: member.token }), 204);
        await assertTokenIsRefused(proved.access_token);
        problem(await stepUp(proved.access_token, { password: PASSWORD }), 401, { code: 'token_revoked' });
});

test('a wrong proof is none, and says which', async () => {
        const member = await register();
        problem(await stepUp(member.token, { password: `${PASSWORD}x` }), 401, { code: 'credentials_wrong', field: 'password' });
        problem(await stepUp(member.token, {}), 422, { field: 'password' });
        problem(await stepUp(member.token, { password: '' }), 422, { field: 'password' });
        problem(await stepUp(undefined, { password: PASSWORD }), 401, { code: 'token_missing' });
});

test('who guesses passwords in a stolen session is made to wait, and nobody else is', async () => {
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
