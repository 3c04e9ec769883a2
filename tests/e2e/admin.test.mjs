// Moderators and administrators: roles and their scopes, accounts, suspension, and entries in the audit log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overtaking, sharedDir } from './database.mjs';
import { admin, registerWithRole } from './operator.mjs';
import { PASSWORD, api, eventually, ids, logIn, must, problem, readAll, register } from './shared.mjs';

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

test('sonet admin makes the first account an administrator, and its tokens get the scopes of that role', async () => {
        const boss = await registerWithRole('administrator');
        assert.equal(claims(boss.token).scope, 'read write moderate administer analytics');
        const member = await register();
        assert.equal(claims(member.token).scope, 'read write');
        problem(await member.get('/v1/admin/users'), 403, { code: 'scope_missing' });
        problem(await api('GET', '/v1/admin/users'), 401, { code: 'token_missing' });
        const account = must(await boss.get(`/v1/admin/users/${member.username}`));
        assert.deepEqual([account.id, account.role, account.suspended_at, account.sessions], [member.id, 'member', null, 1]);
        assert.deepEqual(must(await boss.get(`/v1/admin/users/${account.email}`)), account);
        problem(await boss.get('/v1/admin/users/nobody_at_all'), 404, { field: 'id' });
});

test('accounts are listed page by page, newest first, by role and by suspension', async () => {
        const boss = await registerWithRole('administrator');
        const some = [await register(), await register(), await register()];
        must(await boss.put(`/v1/admin/users/${some[1].id}/suspension`, { body: { reason: 'spam' } }));
        const listed = await readAll((path) => boss.get(path), '/v1/admin/users', { limit: 3 });
        const mine = ids(listed).filter((id) => some.some((m) => m.id === id));
        assert.deepEqual(mine, some.map((m) => m.id).reverse());
        const suspended = await readAll((path) => boss.get(path), '/v1/admin/users?suspended=true', { limit: 2 });
        assert.ok(suspended.every((a) => a.suspended_at !== null) && ids(suspended).includes(some[1].id));
        const bosses = await readAll((path) => boss.get(path), '/v1/admin/users?role=administrator', { limit: 2 });
        assert.ok(bosses.every((a) => a.role === 'administrator') && ids(bosses).includes(boss.id));
        problem(await boss.get('/v1/admin/users?role=king'), 422, { field: 'role' });
});

test('removing a role invalidates existing tokens with its scope', async () => {
        const boss = await registerWithRole('administrator');
        const helper = await registerWithRole('moderator');
        must(await helper.get('/v1/admin/users?limit=1'));
        problem(await helper.put(`/v1/admin/users/${boss.id}/role`, { body: { role: 'member' } }), 403, { code: 'scope_missing' });
        assert.equal(must(await boss.put(`/v1/admin/users/${helper.id}/role`, { body: { role: 'member' } })).role, 'member');
        await eventually('the token is refused', async () => (await helper.get('/v1/admin/users?limit=1')).status === 401, 3000);
        helper.take(must(await api('POST', '/v1/auth/refresh', { body: { refresh_token: helper.refreshToken } })));
        problem(await helper.get('/v1/admin/users?limit=1'), 403, { code: 'scope_missing' });
        problem(await boss.put(`/v1/admin/users/${boss.id}/role`, { body: { role: 'member' } }), 409, { code: 'account_is_yours' });
});

test('a step-up during a demotion gets the remaining scopes', async () => {
        const helper = await registerWithRole('moderator');
        await overtaking(sharedDir(), 'user', `update users set role = 'member', epoch = epoch + 1, epoch_raised_at = clock_timestamp() where id = '${helper.id}'`);
        const { access_token: token } = must(await helper.post('/v1/auth/step-up', { password: PASSWORD }));
        assert.equal(claims(token).scope, 'read write');
        problem(await api('GET', '/v1/admin/users?limit=1', { token }), 403, { code: 'scope_missing' });
});

test('if two administrators concurrently remove each other\'s role, one remains', async () => {
        for (let round = 0; round < 5; round++) {
                const two = [await registerWithRole('administrator'), await registerWithRole('administrator')];
                const answers = await Promise.all(two.map((boss, i) => boss.put(`/v1/admin/users/${two[1 - i].id}/role`, { body: { role: 'member' } })));
                const [won, lost] = answers[0].status === 200 ? [0, 1] : [1, 0];
                must(answers[won]);
                problem(answers[lost], 401, { code: 'token_outdated' });
                must(await two[won].get('/v1/admin/users?limit=1'));
        }
});

test('if three administrators concurrently remove each other\'s roles in a circle, one remains', async () => {
        for (let round = 0; round < 5; round++) {
                const three = [await registerWithRole('administrator'), await registerWithRole('administrator'), await registerWithRole('administrator')];
                const answers = await Promise.all(three.map((boss, i) => boss.put(`/v1/admin/users/${three[(i + 1) % 3].id}/role`, { body: { role: 'member' } })));
                const demoted = answers.filter((answer) => answer.status === 200).length;
                assert.ok(demoted === 1 || demoted === 2, answers.map((answer) => answer.status).join());
                answers.filter((answer) => answer.status !== 200).forEach((answer) => problem(answer, 401, { code: 'token_outdated' }));
        }
});

test('a suspended member is hidden and can do nothing until the suspension is lifted', async () => {
        const helper = await registerWithRole('moderator');
        const [spammer, reader] = [await register(), await register()];
        const note = await spammer.note('Buy now #suspended');
        await reader.follow(spammer);
        await eventually('the note arrives', async () => (await reader.homeIds()).includes(note.id));
        const path = `/v1/admin/users/${spammer.id}/suspension`;
        problem(await helper.put(path, { body: { reason: 'sells \u001b[31mthings' } }), 422, { field: 'reason' });
        const account = must(await helper.put(path, { body: { reason: 'sells things' } }));
        assert.equal(account.suspension_reason, 'sells things');
        assert.equal(account.sessions, 0);
        await eventually('the token is refused', async () => (await spammer.get('/v1/users/me')).status === 401, 3000);
        problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: spammer.refreshToken } }), 401, { code: 'session_ended' });
        const refused = await api('POST', '/v1/auth/login', { body: { login: spammer.username, password: PASSWORD } });
        assert.match(problem(refused, 401, { code: 'account_suspended' }).detail, /sells things/);
        problem(await api('POST', '/v1/auth/login', { body: { login: spammer.username, password: 'wrong password' } }), 401, { code: 'credentials_wrong' });
        for (const hidden of [`/v1/users/${spammer.id}`, `/v1/users/${spammer.username}`, `/v1/notes/${note.id}`, `/v1/timelines/users/${spammer.id}`]) {
                problem(await reader.get(hidden), 404);
                problem(await api('GET', hidden), 404);
        }
        assert.ok(!(await reader.homeIds()).includes(note.id));
        assert.deepEqual(must(await reader.get(`/v1/users?query=${spammer.username}`)).items, []);
        assert.deepEqual(must(await reader.get(`/v1/users/${reader.id}/following`)).items, []);
        must(await helper.del(path));
        must(await reader.get(`/v1/users/${spammer.username}`));
        must(await reader.get(`/v1/notes/${note.id}`));
        await logIn(spammer.username);
});

test('changes by sonet admin take effect in running processes within a second', async () => {
        const [spammer, reader] = [await register(), await register()];
        const note = await spammer.note('Soon gone');
        must(await reader.get(`/v1/notes/${note.id}`)); // its author is cached now
        const suspended = await admin('user', 'suspend', spammer.username, 'by hand');
        assert.equal(suspended.code, 0, suspended.stderr);
        assert.match(suspended.stdout, /suspended +\S+: by hand/);
        await eventually('the token is refused', async () => (await spammer.get('/v1/users/me')).status === 401, 5000);
        await eventually('the note is hidden', async () => (await reader.get(`/v1/notes/${note.id}`)).status === 404, 5000);
        assert.match((await admin('user', 'list', '--suspended', '--limit', '1000')).stdout, new RegExp(`${spammer.id}.*suspended`));
        assert.equal((await admin('user', 'unsuspend', spammer.id)).code, 0);
        await eventually('the note is there again', async () => (await reader.get(`/v1/notes/${note.id}`)).status === 200, 5000);
});

test('invalid arguments to sonet admin user change nothing, and the error says what is expected', async () => {
        const boss = await registerWithRole('administrator');
        for (const [words, said] of [[['user'], /expected one of 'user/], [['user', 'role', boss.username], /expected 'user role MEMBER/],
                                     [['user', 'role', boss.username, 'king'], /unknown role 'king'/],
                                     [['user', 'show', 'nobody_at_all'], /there is no account/],
                                     [['user', 'suspend', boss.username, 'mutiny'], /belongs to an administrator/],
                                     [['user', 'suspend', boss.username, 'by \u001b[31mhand'], /must not contain control characters/],
                                     [['useless'], /expected one of audit/]]) {
                const answer = await admin(...words);
                assert.notEqual(answer.code, 0, words.join(' '));
                assert.match(answer.stderr, said);
        }
        must(await boss.get('/v1/users/me'));
        assert.match((await admin('user', 'show', boss.username)).stdout, /role +administrator/);
});

test('the audit log records what was done, by whom, about whom and from where, and its chain is intact', async () => {
        const helper = await registerWithRole('moderator');
        const member = await register();
        const path = `/v1/admin/users/${member.id}/suspension`;
        must(await helper.put(path, { body: { reason: 'noise' }, headers: { 'user-agent': 'a console/2' } }));
        must(await helper.put(path, { body: { reason: 'noise' } })); // already the case: no entry
        const verified = await admin('audit', 'verify');
        assert.equal(verified.code, 0, verified.stderr);
        const head = verified.stdout.match(/head (\d+:[0-9a-f]{64})\n$/)[1];
        const entries = (await admin('audit', 'export')).stdout.trim().split('\n').map((line) => JSON.parse(line));
        const [entry, ...more] = entries.filter((e) => e.subject_id === member.id);
        assert.equal(more.length, 0);
        assert.deepEqual([entry.action, entry.actor_id, entry.session_id, entry.address, entry.client, entry.after],
                         ['user.suspended', helper.id, helper.session, '127.0.0.1', 'a console/2', { reason: 'noise' }]);
        const promoted = entries.find((e) => e.subject_id === helper.id);
        assert.deepEqual([promoted.action, promoted.actor_id, promoted.before, promoted.after], ['user.role_changed', undefined, { role: 'member' }, { role: 'moderator' }]);
        assert.match(promoted.client, /^sonet admin \(/);
        assert.match((await admin('audit', 'list', '--limit', '1000')).stdout, new RegExp(`user.suspended {2}by ${helper.id} {2}about ${member.id} {2}from 127.0.0.1`));
        must(await helper.del(path)); // the log grows, and still contains the saved head
        assert.equal((await admin('audit', 'verify', '--head', head)).code, 0);
        const forged = await admin('audit', 'verify', '--head', head.replace(/.$/, (c) => (c === '0' ? '1' : '0')));
        assert.equal(forged.code, 1);
        assert.match(forged.stderr, /does not have the hash/);
        assert.match((await admin('audit', 'verify', '--head', `9${head}`)).stderr, /was truncated/);
});

test('the operator can export all data about a member, without secrets or other members\' data', async () => {
        const [ada, bob] = [await register(), await register()];
        const note = await ada.note('Mine "alone"', 'only_me');
        const theirs = await bob.note('Of somebody else');
        const comment = await ada.comment(theirs.id, 'An answer');
        await ada.react(theirs.id, 'like');
        await ada.react(theirs.id, 'bookmark');
        await ada.follow(bob);
        must(await ada.put('/v1/users/me/profile', { body: { birthday: '1815-12-10' } }));
        must(await ada.patch('/v1/users/me/settings', { privacy: { discoverable: false } }));
        const exported = await admin('user', 'export', ada.username);
        assert.equal(exported.code, 0, exported.stderr);
        const lines = JSON.parse(exported.stdout).items;
        const of = (kind) => lines.filter((l) => l.kind === kind).map((l) => l.item);
        assert.deepEqual(of('notes').map((n) => [n.id, n.text, n.visibility, n.parent_id]),
                         [[note.id, 'Mine "alone"', 'only_me', null], [comment.id, 'An answer', 'public', theirs.id]]);
        assert.deepEqual([of('likes'), of('bookmarks')].map((l) => l.map((i) => i.note_id)), [[theirs.id], [theirs.id]]);
        assert.deepEqual(of('following').map((f) => f.user_id), [bob.id]);
        assert.deepEqual([of('account')[0].email, of('profile')[0].birthday], [`${ada.username}@example.org`, '1815-12-10']);
        assert.deepEqual(of('settings'), [{ 'privacy.discoverable': 'false' }]);
        assert.deepEqual(of('sessions').map((s) => s.id), [ada.session]);
        assert.equal(of('log_ins').length, 1);
        assert.ok(!/argon2|Of somebody else|refresh|salt|hash/.test(exported.stdout), exported.stdout);
        assert.match((await admin('user', 'export', 'nobody_at_all')).stderr, /there is no account/);
});
