// Listing and ending your own sessions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, Member, api, assertTokenIsRefused, eventually, ids, logIn, must, problem, readAll, register } from './shared.mjs';

test('sessions are listed newest first, and the current one is marked', async () => {
        const first = await register();
        const second = await logIn(first.username);
        const login = must(await api('POST', '/v1/auth/login', { body: { login: first.username, password: PASSWORD },
                                                                 headers: { 'user-agent': 'a phone/1.0' } }));
        const third = new Member(api, login, PASSWORD);
        const { items } = must(await second.get('/v1/sessions', { headers: { 'user-agent': 'a desk/1.0' } }));
        assert.equal(items[1].user_agent, 'a desk/1.0', 'what asks now is what the session is used with');
        assert.deepEqual(ids(items), [third.session, second.session, first.session]);
        assert.deepEqual(items.map((s) => s.current), [false, true, false]);
        assert.equal(items[0].user_agent, 'a phone/1.0');
        for (const s of items) {
                assert.match(s.created_at, /^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
                assert.match(s.last_used_at, /^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
                assert.ok(!JSON.stringify(s).includes(first.refreshToken));
        }
});

test('a session shows the time and the client of its last use, even without a refresh since', async () => {
        const mine = await register();
        const other = await logIn(mine.username);
        const at = async () => must(await mine.get('/v1/sessions')).items.find((s) => s.id === other.session);
        const before = await at();
        await eventually('a new second', () => Date.now() > Date.parse(before.last_used_at) + 1000);
        must(await api('GET', '/v1/users/me', { token: other.token, headers: { 'user-agent': 'another app/2.0' } }));
        await eventually('its use is recorded', async () => (await at()).user_agent === 'another app/2.0', 60_000);
        const after = await at();
        assert.ok(after.last_used_at > before.last_used_at && Date.parse(after.last_used_at) <= Date.now() + 1000, after.last_used_at);
        assert.equal(after.created_at, before.created_at);
        assert.equal(after.address, before.address);
});

test('ending another session invalidates its tokens, but not the current ones', async () => {
        const mine = await register();
        const lost = await logIn(mine.username);
        must(await mine.del(`/v1/sessions/${lost.session}`), 204);
        await assertTokenIsRefused(lost.token);
        problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: lost.refreshToken } }), 401);
        assert.deepEqual(ids(must(await mine.get('/v1/sessions')).items), [mine.session]);
        must(await mine.get('/v1/users/me'));
});

test('all other sessions end at once, and the current one continues', async () => {
        const mine = await register();
        const others = [await logIn(mine.username), await logIn(mine.username)];
        const stranger = await register();
        must(await mine.del('/v1/sessions'), 204);
        for (const other of others) {
                await assertTokenIsRefused(other.token);
                problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: other.refreshToken } }), 401, { code: 'session_ended' });
        }
        assert.deepEqual(ids(must(await mine.get('/v1/sessions')).items), [mine.session]);
        must(await stranger.get('/v1/users/me'));
        must(await mine.del('/v1/sessions'), 204); // none is left: still succeeds
});

test('ending the current session logs out', async () => {
        const member = await register();
        must(await member.del(`/v1/sessions/${member.session}`), 204);
        await assertTokenIsRefused(member.token);
});

test('another member\'s session is not found, and continues', async () => {
        const [alice, mallory] = [await register(), await register()];
        const unknown = problem(await mallory.del('/v1/sessions/01890000-0000-7000-8000-000000000000'), 404);
        const foreign = problem(await mallory.del(`/v1/sessions/${alice.session}`), 404);
        assert.deepEqual([foreign.code, foreign.title], [unknown.code, unknown.title]);
        must(await alice.get('/v1/users/me'));
        assert.deepEqual(ids(must(await mallory.get('/v1/sessions')).items), [mallory.session]);
});

test('ending a session is idempotent', async () => {
        const member = await register();
        const other = await logIn(member.username);
        must(await member.del(`/v1/sessions/${other.session}`), 204);
        problem(await member.del(`/v1/sessions/${other.session}`), 404);
        must(await member.get('/v1/users/me'));
});

test('sessions require a token and a UUID', async () => {
        const member = await register();
        problem(await api('GET', '/v1/sessions'), 401);
        problem(await api('DELETE', `/v1/sessions/${member.session}`), 401);
        problem(await member.del('/v1/sessions/not-a-uuid'), 422, { field: 'id' });
        must(await member.get('/v1/users/me'));
});

test('many sessions are listed page by page, without gaps', async () => {
        const member = await register();
        const started = [member.session];
        for (let i = 0; i < 4; i++) {
                started.unshift((await logIn(member.username)).session);
        }
        assert.deepEqual(ids(await readAll((path) => member.get(path), '/v1/sessions', { limit: 2 })), started);
        assert.deepEqual(ids(must(await member.get('/v1/sessions?limit=5')).items), started);
        assert.equal(must(await member.get('/v1/sessions?limit=5')).next_cursor, undefined);
});
