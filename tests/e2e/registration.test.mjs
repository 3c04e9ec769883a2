// Registration: approval and waiting accounts, invites, a closed network; and accounts that the operator creates and deletes.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PASSWORD, connect, eventually, ids, must, problem, randomName } from './client.mjs';
import { startServer } from './harness.mjs';
import { MAIL_FROM, Mailbox, tokenIn } from './mailbox.mjs';
import { adminOf, ownServer } from './own.mjs';

const box = await new Mailbox().open();
const env = { SMTP_URL: box.url, MAIL_FROM };
const net = ownServer({ env: { ...env, REGISTRATION: 'approval', MEMBER_INVITES: '2' } });
after(() => box.close());

const admin = (...words) => adminOf(net.server, { ...env }, ...words);
const logIn = (member, password = PASSWORD) => net.api('POST', '/v1/auth/login', { body: { login: member.username, password } });
const body = (fields = {}) => {
        const username = randomName();
        return { username, email: `${username}@example.org`, password: PASSWORD, ...fields };
};
const register = (fields) => net.api('POST', '/v1/auth/register', { body: body(fields) });

async function must0(...words) {
        const ran = await admin(...words);
        assert.equal(ran.code, 0, ran.stderr);
        return ran.stdout;
}

// A member of this network, created by the operator.
async function made(...options) {
        const username = randomName();
        await must0('user', 'create', username, `${username}@example.org`, ...options);
        const token = tokenIn(await box.wait(`${username}@example.org`, 'Your account'));
        must(await net.api('POST', '/v1/auth/password/reset', { body: { token, new_password: PASSWORD } }), 204);
        return net.logIn(username);
}

test('the operator creates an account, whose owner chooses the password through a mailed link', async () => {
        const boss = await made('--role', 'administrator');
        const account = must(await boss.get(`/v1/admin/users/${boss.username}@example.org`));
        assert.deepEqual([account.id, account.role, account.waiting_since], [boss.id, 'administrator', null]);
        assert.notEqual(account.email_verified_at, null, 'the link was mailed there');
        for (const [username, email] of [[boss.username, 'a@b.example'], ['a', 'a@b.example'], ['né', 'a@b.example'], [randomName(), 'nobody'], ['admin', 'a@b.example']]) {
                const ran = await admin('user', 'create', username, email);
                assert.notEqual(ran.code, 0, `${username} ${email}`);
                assert.match(ran.stderr, /username|email/);
        }
});

test('a new account waits, is hidden from everyone, and can log in once it is approved', async () => {
        const helper = await made('--role', 'moderator');
        const answer = must(await register({ reason: 'I know Ada' }), 201);
        const { user } = answer;
        assert.equal(answer.awaits_approval, true);
        assert.deepEqual([answer.access_token, answer.refresh_token, answer.device_token, answer.session_id], ['', '', '', undefined]);
        problem(await logIn(user), 401, { code: 'account_waiting' });
        problem(await logIn(user, 'wrong password'), 401, { code: 'credentials_wrong' });
        for (const path of [`/v1/users/${user.id}`, `/v1/users/${user.username}`, `/v1/timelines/users/${user.id}`]) {
                problem(await helper.get(path), 404);
        }
        assert.deepEqual(must(await helper.get(`/v1/users?query=${user.username}`)).items, []);
        problem(await helper.put(`/v1/users/${user.id}/follow`), 404);
        const waiting = must(await helper.get('/v1/admin/users?waiting=true&limit=100')).items;
        assert.equal(waiting.find((a) => a.id === user.id).join_reason, 'I know Ada');
        must(await net.api('POST', '/v1/auth/email/verify', { body: { token: tokenIn(await box.wait(user.email, 'your code')) } })); // without logging in
        must(await helper.put(`/v1/admin/users/${user.id}/approval`));
        must(await helper.put(`/v1/admin/users/${user.id}/approval`)); // already the case
        await box.wait(user.email, 'Welcome');
        const member = await net.logIn(user.username);
        assert.equal(must(await helper.get(`/v1/users?query=${user.username}`)).items.length, 1);
        assert.ok(!ids(must(await helper.get('/v1/admin/users?waiting=true&limit=100')).items).includes(user.id));
        problem(await helper.del(`/v1/admin/users/${user.id}/approval`), 409, { code: 'account_not_waiting' });
        problem(await member.put(`/v1/admin/users/${user.id}/approval`), 403, { code: 'scope_missing' });
});

test('a declined account is mailed, and deleted', async () => {
        const helper = await made('--role', 'moderator');
        const fields = body();
        const { user } = must(await register(fields), 201);
        must(await helper.del(`/v1/admin/users/${user.id}/approval`), 204);
        await box.wait(user.email, 'was declined');
        problem(await helper.get(`/v1/admin/users/${user.id}`), 404);
        problem(await logIn(user), 401, { code: 'credentials_wrong' });
        const again = must(await register(fields), 201); // the name is free
        assert.match(await must0('user', 'list', '--waiting'), new RegExp(`${again.user.id}.*waiting`));
        assert.match(await must0('user', 'approve', again.user.username), /waiting {4}since|username/);
        await net.logIn(user.username);
        const third = must(await register(), 201).user;
        assert.match(await must0('user', 'decline', third.username), /declined/);
        assert.notEqual((await admin('user', 'decline', third.username)).code, 0);
});

test('an unverified address shared by several accounts identifies none of them', async () => {
        const boss = await made('--role', 'administrator');
        const email = `${randomName()}@example.org`;
        const path = `/v1/admin/users/${email}`;
        const first = must(await register({ email }), 201).user;
        assert.equal(must(await boss.get(path)).id, first.id);
        const second = must(await register({ email }), 201).user;
        problem(await boss.get(path), 422, { code: 'account_ambiguous', field: 'id' });
        const refused = await admin('user', 'suspend', email, 'spam');
        assert.notEqual(refused.code, 0);
        assert.match(refused.stderr, /give the username/);
        assert.equal(must(await boss.get(`/v1/admin/users/${first.username}`)).suspended_at, null);
        const mails = [await box.wait(email), await box.wait(email, '', 2)];
        must(await net.api('POST', '/v1/auth/email/verify', { body: { token: tokenIn(mails.find((m) => m.text.includes(second.username))) } }));
        assert.equal(must(await boss.get(path)).id, second.id);
});

test('an invite replaces approval, for its number of uses, until it is revoked', async () => {
        const member = await made();
        const made1 = must(await member.post('/v1/invites', {}), 201);
        assert.match(made1.url, new RegExp(`/join#${made1.token}$`));
        assert.deepEqual([made1.invite.uses, made1.invite.uses_left], [1, 1]);
        const answers = await Promise.all([1, 2, 3].map(() => register({ invite: made1.token })));
        assert.deepEqual(answers.map((a) => a.status).sort(), [201, 409, 409]);
        problem(answers.find((a) => a.status === 409), 409, { code: 'invite_invalid', field: 'invite' });
        assert.equal(answers.find((a) => a.status === 201).body.awaits_approval, false);
        const second = must(await member.post('/v1/invites', {}), 201);
        assert.deepEqual(must(await member.get('/v1/invites')).items, [second.invite]);
        problem(await member.post('/v1/invites', {}), 429, { code: 'too_many_invites' });
        const other = await made();
        problem(await other.del(`/v1/invites/${second.invite.id}`), 404);
        must(await member.del(`/v1/invites/${second.invite.id}`), 204);
        problem(await register({ invite: second.token }), 409, { code: 'invite_invalid' });
        problem(await member.post('/v1/invites', {}), 429); // revoking does not allow another one
        problem(await register({ invite: 'x'.repeat(43) }), 409, { code: 'invite_invalid' });
});

test('a mailed invite works for its recipient, once, and an address gets three a day', async () => {
        const member = await made();
        const email = `${randomName()}@example.org`;
        const asked = must(await member.post('/v1/invites', { email: email.replace('example', 'EXAMPLE'), days: 2 }), 201);
        assert.deepEqual([asked.token, asked.url, asked.invite.uses], [undefined, undefined, 1]);
        const mail = await box.wait(email, member.username);
        assert.match(mail.text, /2 days/);
        must(await register({ invite: tokenIn(mail), email }), 201);
        problem(await register({ invite: tokenIn(mail) }), 409, { code: 'invite_invalid' });
        problem(await member.post('/v1/invites', { email, uses: 2 }), 422, { field: 'uses' });
        for (const bad of ['ada@example.org\r\nBcc: eve@example.org', 'ada', 'ada@bü..example']) {
                problem(await member.post('/v1/invites', { email: bad }), 422, { field: 'email' });
        }
        const helper = await made('--role', 'moderator');
        const flooded = `${randomName()}@example.org`;
        for (let i = 0; i < 5; i++) {
                must(await helper.post('/v1/invites', { email: flooded }), 201);
        }
        must(await helper.post('/v1/invites', { email: `after-${flooded}` }), 201);
        await box.wait(`after-${flooded}`);
        await box.wait(flooded, '', 3);
        assert.equal(box.to(flooded).length, 3);
});

test('invites end when their inviter is hidden or no longer a moderator', async () => {
        const boss = await made('--role', 'administrator');
        const helper = await made('--role', 'moderator');
        const { token: invite } = must(await helper.post('/v1/invites', { uses: 10 }), 201);
        must(await register({ invite }), 201);
        must(await boss.put(`/v1/admin/users/${helper.id}/suspension`, { body: { reason: 'sells accounts' } }));
        problem(await register({ invite }), 409, { code: 'invite_invalid', field: 'invite' });
        must(await boss.del(`/v1/admin/users/${helper.id}/suspension`));
        must(await register({ invite }), 201);
        must(await boss.put(`/v1/admin/users/${helper.id}/role`, { body: { role: 'administrator' } }));
        must(await register({ invite }), 201);
        must(await boss.put(`/v1/admin/users/${helper.id}/role`, { body: { role: 'member' } }));
        problem(await register({ invite }), 409, { code: 'invite_invalid' });
        must(await boss.put(`/v1/admin/users/${helper.id}/role`, { body: { role: 'moderator' } }));
        problem(await register({ invite }), 409, { code: 'invite_invalid' }); // nothing restores it
});

test('with invite-only registration the operator can invite; with closed registration invites do not work', async () => {
        for (const [registration, code] of [['invite', 'invite_required'], ['closed', 'registration_closed']]) {
                const server = await startServer({ env: { ...env, REGISTRATION: registration } });
                const client = connect(server.url);
                const operator = (...words) => adminOf(server, env, ...words);
                try {
                        const post = (fields) => client.api('POST', '/v1/auth/register', { body: body(fields) });
                        problem(await post({}), 409, { code });
                        const [, invite] = (await operator('invite', '--uses', '2')).stdout.match(/\/join#(\S+)/);
                        if (registration === 'closed') {
                                problem(await post({ invite }), 409, { code });
                                continue;
                        }
                        problem(await post({ invite, username: 'me' }), 422); // does not count as a use
                        const member = must(await post({ invite }), 201);
                        problem(await client.api('POST', '/v1/invites', { token: member.access_token, body: {} }), 403, { code: 'invites_disabled' });
                        const [, id] = (await operator('invite', 'list')).stdout.match(/^(\S+) {2}1 of 2 left/m);
                        assert.equal((await operator('invite', 'revoke', id)).code, 0);
                        problem(await post({ invite }), 409, { code: 'invite_invalid' });
                        assert.notEqual((await operator('invite', 'revoke', id)).code, 0);
                } finally {
                        client.close();
                        await server.stop();
                }
        }
});

test('the operator deletes accounts: with a grace period, or at once', async () => {
        const [member, gone, boss] = [await made(), await made(), await made('--role', 'administrator')];
        assert.match(await must0('user', 'delete', member.username), /deactivated/);
        await eventually('the token is refused', async () => (await member.get('/v1/users/me')).status === 401, 20_000);
        problem(await boss.get(`/v1/users/${member.id}`), 404);
        await net.logIn(member.username);
        must(await boss.get(`/v1/users/${member.id}`));
        assert.match(await must0('user', 'delete', gone.username, '--now'), /erased/);
        await eventually('the token is refused', async () => (await gone.get('/v1/users/me')).status === 401, 20_000);
        problem(await boss.get(`/v1/admin/users/${gone.id}`), 404);
        problem(await logIn(gone), 401, { code: 'credentials_wrong' });
        assert.match((await admin('user', 'delete', boss.username)).stderr, /administrator/);
        assert.equal((await admin('audit', 'verify')).code, 0);
});
