// Refreshing when responses are lost, in two concurrent tabs, and by an attacker: a refresh token works once, and again, with the same response, for
// the holder of the session's key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mailsTo } from './operator.mjs';
import { assertTokenIsRefused, api, eventually, logIn, must, problem, register } from './shared.mjs';

const refresh = (refresh_token, client_key) => api('POST', '/v1/auth/refresh', { body: { refresh_token, client_key } });
const pair = (login) => [login.access_token, login.refresh_token, login.session_id];

test('the key is returned only at log-in, and each session has its own', async () => {
        const member = await register();
        const other = await logIn(member.username);
        assert.match(member.login.client_key, /^[A-Za-z0-9_-]{43}$/);
        assert.notEqual(member.login.client_key, other.login.client_key);
        const again = must(await refresh(member.refreshToken, member.login.client_key));
        assert.equal(again.client_key, undefined);
        assert.notEqual(again.refresh_token, member.refreshToken);
});

test('repeating a refresh token with the key returns the very same tokens, which work', async () => {
        const member = await register();
        const { client_key } = member.login;
        const first = must(await refresh(member.refreshToken, client_key));
        for (let i = 0; i < 3; i++) {
                const again = must(await refresh(member.refreshToken, client_key));
                assert.deepEqual(pair(again), pair(first));
                assert.ok(again.expires_in > 0 && again.expires_in <= 900);
        }
        must(await api('GET', '/v1/users/me', { token: first.access_token }));
        const next = must(await refresh(first.refresh_token, client_key)); // the chain continues
        assert.notEqual(next.refresh_token, first.refresh_token);
        assert.deepEqual(pair(must(await refresh(first.refresh_token, client_key))), pair(next));
        must(await api('GET', '/v1/sessions', { token: next.access_token }));
});

test('the key also returns the very same tokens if the first request did not send it', async () => {
        const member = await register();
        const first = must(await refresh(member.refreshToken));
        assert.deepEqual(pair(must(await refresh(member.refreshToken, member.login.client_key))), pair(first));
});

test('two tabs that refresh concurrently get the same tokens, and the session continues', async () => {
        const member = await register();
        const { client_key } = member.login;
        let token = member.refreshToken;
        for (let round = 0; round < 4; round++) {
                const answers = (await Promise.all(Array.from({ length: 4 }, () => refresh(token, client_key)))).map((a) => must(a));
                for (const answer of answers) {
                        assert.deepEqual(pair(answer), pair(answers[0]));
                }
                token = answers[0].refresh_token;
        }
        must(await refresh(token, client_key));
});

test('a refresh token used two refreshes ago ends the session, even with the key', async () => {
        const member = await register();
        const { client_key } = member.login;
        const second = must(await refresh(member.refreshToken, client_key));
        must(await refresh(second.refresh_token, client_key));
        problem(await refresh(member.refreshToken, client_key), 401, { code: 'refresh_token_reused' });
        problem(await refresh(second.refresh_token, client_key), 401, { code: 'session_ended' });
});

test('reuse without the key ends the session, and its owner is mailed', async () => {
        for (const keyOfThief of [undefined, 'A'.repeat(43), (member) => member.login.client_key]) {
                const member = await register();
                const other = await logIn(member.username);
                const key = typeof keyOfThief === 'function' ? keyOfThief(other) : keyOfThief;
                const mine = must(await refresh(member.refreshToken, member.login.client_key));
                problem(await refresh(member.refreshToken, key), 401, { code: 'refresh_token_reused' });
                await assertTokenIsRefused(mine.access_token);
                problem(await refresh(mine.refresh_token, member.login.client_key), 401, { code: 'session_ended' });
                must(await other.get('/v1/users/me')); // the other session continues
                const address = `${member.username}@example.org`;
                await eventually('the owner is told', () => mailsTo(address).some((mail) => /^Subject: A session/m.test(mail)));
                assert.equal(mailsTo(address).filter((mail) => /^Subject: A session/m.test(mail)).length, 1);
        }
});

test('a wrong key with an unused refresh token is rejected, and changes nothing', async () => {
        const member = await register();
        const other = await logIn(member.username);
        for (const key of ['A'.repeat(43), other.login.client_key, `${member.login.client_key}A`, 'no key']) {
                problem(await refresh(member.refreshToken, key), 401, { code: 'client_key_wrong', field: 'client_key' });
        }
        problem(await refresh(member.refreshToken, 'k'.repeat(65)), 422, { field: 'client_key' });
        must(await member.get('/v1/users/me'));
        must(await refresh(member.refreshToken, member.login.client_key));
});
