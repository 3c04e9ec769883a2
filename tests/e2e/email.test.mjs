// Verifying addresses: codes and links, read from mails that a real mail server received.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, test } from 'node:test';
import { PASSWORD, eventually, inBatches, must, problem, randomName } from './client.mjs';
import { keyOf, query } from './database.mjs';
import { MAIL_FROM, Mailbox, codeIn, tokenIn } from './mailbox.mjs';
import { ownServer } from './own.mjs';

const box = await new Mailbox().open();
const net = ownServer({ env: { SMTP_URL: box.url, MAIL_FROM } });
after(() => box.close());

const wrong = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const verify = (member, body) => member.post('/v1/auth/email/verify', body);
const address = (member) => `${member.username}@example.org`;
const status = async (member) => must(await member.get('/v1/users/me/email'));

test('registering mails a code, which verifies the address once', async () => {
        const member = await net.register();
        assert.deepEqual(await status(member), { email: address(member), verified_at: null });
        const mail = await box.wait(address(member));
        assert.equal(mail.from.name, 'Das Prüfnetz');
        assert.equal(mail.from.address, 'no-reply@social.example');
        assert.equal(mail.to[0].address, address(member));
        assert.match(mail.messageId, /^<[0-9a-f-]{36}@social\.example>$/);
        assert.equal(mail.headers.find((h) => h.key === 'auto-submitted').value, 'auto-generated');
        const code = codeIn(mail);
        assert.ok(mail.subject.startsWith(code) && mail.subject.includes('Das Prüfnetz'));
        assert.ok(mail.html.includes(code) && mail.html.includes(`#${tokenIn(mail)}`));
        const verified = must(await verify(member, { code: ` ${code.slice(0, 3)} ${code.slice(3)}` }));
        assert.match(verified.verified_at, /Z$/);
        assert.deepEqual(await status(member), verified);
        problem(await verify(member, { code }), 409, { code: 'verification_not_pending' });
        problem(await verify({ post: (path, body) => net.api('POST', path, { body }) }, { token: tokenIn(mail) }), 401, { code: 'link_invalid' });
});

test('the link verifies the address without logging in, once', async () => {
        const member = await net.register();
        const token = tokenIn(await box.wait(address(member)));
        assert.equal(must(await net.api('POST', '/v1/auth/email/verify', { body: { token } })).email, address(member));
        assert.notEqual((await status(member)).verified_at, null);
        problem(await net.api('POST', '/v1/auth/email/verify', { body: { token } }), 401, { code: 'link_invalid', field: 'token' });
});

test('a code allows five attempts, however many are concurrent; after that even the right one fails', async () => {
        const member = await net.register();
        const code = codeIn(await box.wait(address(member)));
        const answers = await Promise.all(Array.from({ length: 40 }, () => verify(member, { code: wrong(code) })));
        const codes = answers.map((a) => a.body.code);
        assert.equal(codes.filter((c) => c === 'code_wrong').length, 5);
        assert.equal(codes.filter((c) => c === 'code_exhausted').length, 35);
        problem(await verify(member, { code }), 409, { code: 'code_exhausted', field: 'code' });
        assert.equal((await status(member)).verified_at, null);
        must(await member.post('/v1/auth/email/resend', {}), 202);
        const newer = codeIn(await box.wait(address(member), '', 2));
        problem(await verify(member, { code: newer === code ? wrong(code) : code }), 401, { code: 'code_wrong' });
        must(await verify(member, { code: newer }));
});

test('another member\'s code is rejected, and so is an invalid one', async () => {
        const [one, other] = [await net.register(), await net.register()];
        const code = codeIn(await box.wait(address(one)));
        if (codeIn(await box.wait(address(other))) !== code) { // one in a million
                problem(await verify(other, { code }), 401, { code: 'code_wrong' });
        }
        problem(await verify(one, {}), 422, { field: 'code' });
        problem(await verify(one, { code: '1'.repeat(17) }), 422, { field: 'code' });
        problem(await net.api('POST', '/v1/auth/email/verify', { body: { code } }), 401, { code: 'token_missing' });
        problem(await net.api('POST', '/v1/auth/email/verify', { body: { token: 'x'.repeat(43) } }), 401, { code: 'link_invalid' });
        assert.equal((await status(one)).verified_at, null);
});

test('at most five mails an hour are sent', async () => {
        const member = await net.register();
        for (let i = 0; i < 4; i++) {
                must(await member.post('/v1/auth/email/resend', {}), 202);
        }
        const answer = await member.post('/v1/auth/email/resend', {});
        problem(answer, 429, { code: 'too_many_mails' });
        assert.ok(Number(answer.headers['retry-after']) > 3000);
        await box.wait(address(member), '', 5);
        const answers = [];
        for (const mail of box.to(address(member))) {
                answers.push((await verify(member, { token: tokenIn(mail) })).status);
        }
        assert.deepEqual(answers.sort(), [200, 401, 401, 401, 401]); // only the newest: two connections may deliver them in another order
        problem(await member.post('/v1/auth/email/resend', {}), 409, { code: 'email_verified' });
});

test('many accounts together cannot flood one mailbox, and do not learn of each other', async () => {
        const victim = `${randomName()}@example.org`;
        for (let i = 0; i < 7; i++) {
                const member = await net.register({ email: i % 2 ? victim : victim.toUpperCase().replace('EXAMPLE.ORG', 'example.org') });
                must(await member.post('/v1/auth/email/resend', {}), 202);
        }
        const last = await net.register();
        await box.wait(address(last)); // by then all earlier mails have been sent
        await eventually('five mails', () => box.mails.filter((m) => m.recipients[0].toLowerCase() === victim).length >= 5, 60_000);
        assert.equal(box.mails.filter((m) => m.recipients[0].toLowerCase() === victim).length, 5);
});

test('mails about other accounts cannot flood a mailbox, or suppress warnings to a verified owner', async () => {
        const owner = await net.register();
        must(await verify(owner, { code: codeIn(await box.wait(address(owner))) }));
        const others = await inBatches(Array.from({ length: 3 }), 3, () => net.register({ email: address(owner) }));
        const told = () => box.to(address(owner)).filter((m) => /new device/.test(m.subject)).length;
        await inBatches(Array.from({ length: 27 }), 3, (_, i) => net.logIn(others[i % 3].username));
        const last = await net.register();
        await box.wait(address(last));
        await eventually('twenty mails', () => told() >= 20, 60_000);
        await net.logIn(owner.username);
        await box.wait(address(owner), 'new device', 21);
        assert.equal(told(), 21);
});

// With the key file and the database all codes can be tried: null if none of the million matches what is stored for the member.
function storedCode(member, email) {
        const stored = query(net.server.dir, 'user', `select encode(code_hash, 'hex') from email_verification_tokens where user_id = '${member.id}'`);
        const codeKey = keyOf(net.server.dir, 'mailed-code');
        assert.equal(stored.length, 64);
        for (let i = 0; i < 1_000_000; i++) {
                const code = String(i).padStart(6, '0');
                if (crypto.createHmac('sha256', codeKey).update(`${member.id}\0${email}\0${code}`).digest('hex') === stored) {
                        return code;
                }
        }
        return null;
}

test('a code that was not mailed never works, whatever the number of attempts', async () => {
        const email = `${randomName()}@example.org`;
        const member = await net.register({ email });
        assert.equal(storedCode(member, email), codeIn(await box.wait(email)));
        for (let i = 0; i < 4; i++) {
                await net.register({ email });
        }
        const late = await net.register({ email });
        must(await late.post('/v1/auth/email/resend', {}), 202);
        assert.equal(storedCode(late, email), null);
        assert.equal(problem(await verify(late, { code: '000000' }), 401, { code: 'code_wrong' }).detail.includes('4 attempts'), true);
});

test('a new address takes effect once it is verified, and the old one is notified twice', async () => {
        const member = await net.register();
        const [before, next] = [address(member), `${randomName()}@example.org`];
        must(await verify(member, { code: codeIn(await box.wait(before)) }));
        const asked = must(await member.put('/v1/users/me/email', { body: { email: next } }), 202);
        assert.equal(asked.email, before);
        assert.equal(asked.pending, next);
        await box.wait(before, 'is to be changed');
        must(await net.api('POST', '/v1/auth/login', { body: { login: before, password: member.password } }));
        problem(await net.api('POST', '/v1/auth/login', { body: { login: next, password: member.password } }), 401);
        const done = must(await verify(member, { code: codeIn(await box.wait(next)) }));
        assert.equal(done.email, next);
        assert.ok(!('pending' in done));
        await box.wait(before, 'was changed');
        must(await net.api('POST', '/v1/auth/login', { body: { login: next, password: member.password } }));
        assert.equal(must(await member.get('/v1/users/me')).email, next);
});

test('only its owner learns whether an address is in use: registering and changing return the same response', async () => {
        const [member, owner] = [await net.register(), await net.register()];
        must(await verify(owner, { code: codeIn(await box.wait(address(owner))) }));
        const shape = (answer) => [answer.status, Object.keys(answer.headers).sort(), Object.keys(answer.body).sort()];
        const free = `${randomName()}@example.org`;
        const asked = [];
        for (const email of [free, address(owner)]) {
                asked.push(await member.put('/v1/users/me/email', { body: { email } }));
        }
        assert.deepEqual(shape(asked[0]), shape(asked[1]));
        const made = [];
        for (const email of [`${randomName()}@example.org`, address(owner)]) {
                const username = randomName();
                made.push(await net.api('POST', '/v1/auth/register', { body: { username, email, password: member.password } }));
        }
        assert.deepEqual(shape(made[0]), shape(made[1]));
        const { access_token: token } = made[1].body;
        for (let i = 0; i < 5; i++) {
                problem(await net.api('POST', '/v1/auth/email/verify', { token, body: { code: '000000' } }), 401, { code: 'code_wrong' });
        }
        const told = await box.wait(address(owner), 'already', 2);
        assert.ok(!/^ {4}\d{6}$/m.test(told.text), 'no code');
        assert.match(told.text, new RegExp(`log in as ${owner.username}`));
        const login = must(await net.api('POST', '/v1/auth/login', { body: { login: address(owner), password: owner.password } }));
        assert.equal(login.user.id, owner.id);
});

test('an unverified address is not reserved: the first member to verify it gets it', async () => {
        const squatter = await net.register();
        const owner = await net.register({ email: address(squatter) });
        problem(await net.api('POST', '/v1/auth/login', { body: { login: address(squatter), password: owner.password } }), 401, { code: 'credentials_wrong' });
        const mails = [await box.wait(address(squatter)), await box.wait(address(squatter), '', 2)];
        const theirs = mails.find((m) => m.text.includes(`Hello ${owner.username}`));
        must(await verify(owner, { code: codeIn(theirs) }));
        assert.equal(must(await net.api('POST', '/v1/auth/login', { body: { login: address(squatter), password: owner.password } })).user.id, owner.id);
        const late = mails.find((m) => m !== theirs);
        problem(await verify(squatter, { code: codeIn(late) }), 409, { code: 'email_taken' });
});

test('an address that another member has verified meanwhile is rejected', async () => {
        const member = await net.register();
        const wanted = `${randomName()}@example.org`;
        must(await member.put('/v1/users/me/email', { body: { email: wanted } }), 202);
        const code = codeIn(await box.wait(wanted));
        const other = await net.register({ email: wanted });
        must(await verify(other, { code: codeIn(await box.wait(wanted, '', 2)) }));
        problem(await verify(member, { code }), 409, { code: 'email_taken' });
        assert.equal((await status(member)).email, address(member));
});

test('addresses that could inject mail syntax are rejected, and nothing is mailed', async () => {
        const member = await net.register();
        await box.wait(address(member));
        const n = box.mails.length;
        for (const email of ['a@b.example\r\nBcc: eve@evil.example', 'a@b.example\nRCPT TO:<eve@evil.example>', '<a@b.example>', 'a b@c.example',
                             '"a"@b.example', 'a@127.0.0.1', 'a@b.example,c@d.example', 'ä@b.example', 'a＠b.example', 'a@b\u202e.example', 'a@b.example\u0000',
                             'a@@b.example', 'a@-b-.example', `${'a'.repeat(250)}@b.example`]) {
                problem(await member.put('/v1/users/me/email', { body: { email } }), 422, { field: 'email' });
        }
        assert.equal((await status(member)).pending, undefined);
        assert.equal(box.mails.length, n);
});

test('mails are in the member\'s language', async () => {
        const member = await net.register();
        await box.wait(address(member));
        must(await member.patch('/v1/users/me/settings', { language: 'de-CH' }));
        must(await member.post('/v1/auth/email/resend', {}), 202);
        const mail = await box.wait(address(member), 'dein Code');
        assert.equal(mail.headers.find((h) => h.key === 'content-language').value, 'de');
        must(await verify(member, { code: codeIn(mail) }));
});

// --- notifications by mail ---

const NOTIFICATIONS = '/v1/notifications';
const SECURITY = ['new_device', 'password_changed', 'email_change_asked', 'email_changed', 'factor_added', 'factor_removed', 'recovery_codes_made', 'recovery_code_used',
                  'refresh_token_reused', 'passkey_cloned'];
const header = (mail, key) => mail.headers.find((h) => h.key === key)?.value;
const ofMember = (member, sql) => query(net.server.dir, 'notification', sql.replace('MEMBER', `'${member.id}'`));
const hurry = (member) => ofMember(member, 'update notification_queue set due_at = now() where user_id = MEMBER');
const prefer = async (member, types) => must(await member.put(`${NOTIFICATIONS}/preferences`, { body: { types } }));
const listed = (member, n) => eventually(`${n} notifications`, async () => {
        const { items } = must(await member.get(NOTIFICATIONS));
        return items.length === n && items;
});

async function verifiedMember() {
        const member = await net.register();
        must(await verify(member, { code: codeIn(await box.wait(address(member))) }));
        return member;
}

test('a notification is mailed in the member\'s language, and one click unsubscribes', async () => {
        const [author, fan] = [await verifiedMember(), await net.register()];
        must(await author.patch('/v1/users/me/settings', { language: 'de' }));
        await prefer(author, [{ type: 'comment', email: 'immediate' }]);
        const note = await author.note('Was meint ihr?');
        await fan.comment(note.id, 'Sehr <b>schön</b>\r\nSubject: anders');
        const mail = await box.wait(address(author), 'hat deine Notiz kommentiert');
        assert.ok(mail.subject.startsWith(`Member ${fan.username} `), mail.subject);
        assert.ok(mail.text.includes('Sehr <b>schön</b>') && mail.html.includes('Sehr &lt;b&gt;schön'));
        assert.equal(header(mail, 'list-unsubscribe-post'), 'List-Unsubscribe=One-Click');
        const link = /^<(https?:[^>]+)>$/.exec(header(mail, 'list-unsubscribe'))[1];
        const click = (path) => fetch(`${net.server.url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'List-Unsubscribe=One-Click' });
        const { pathname } = new URL(link);
        assert.equal(pathname.split('/').at(-1), tokenIn({ text: mail.text.replace(/^[^]*unsubscribe#/, 'https://x/#') }));
        assert.equal((await click(`${pathname.slice(0, -1)}${pathname.endsWith('A') ? 'B' : 'A'}`)).status, 404);
        assert.equal((await click(pathname.replace(author.id, fan.id))).status, 404);
        await fan.comment(note.id, 'Waits for its turn');
        assert.equal((await click(pathname)).status, 204);
        assert.equal((await click(pathname)).status, 204);
        assert.ok(must(await author.get(`${NOTIFICATIONS}/preferences`)).types.every((t) => t.email === (SECURITY.includes(t.type) ? 'immediate' : 'off')));
        await fan.comment(note.id, 'Nobody is mailed this');
        await eventually('nothing waits', () => ofMember(author, 'select count(*) from notification_queue where user_id = MEMBER') === '0', 60_000);
        const page = await fetch(`${net.server.url}/unsubscribe`);
        assert.equal(page.status, 200);
        assert.match(await page.text(), /<p>Press the button to stop all notification mails\./);
});

test('who unsubscribed is mailed nothing, whatever switch a client saves, until mails are turned on again', async () => {
        const member = await net.register();
        const SETTINGS = '/v1/users/me/settings';
        const emails = async () => Object.fromEntries(must(await member.get(`${NOTIFICATIONS}/preferences`)).types
                .filter((t) => !SECURITY.includes(t.type)).map((t) => [t.type, t.email]));
        const mailed = async () => Object.entries(await emails()).filter(([, email]) => email !== 'off').map(([type]) => type);
        const mac = crypto.createHmac('sha256', keyOf(net.server.dir, 'unsubscribe')).update(member.id).digest().subarray(0, 18).toString('base64url');
        const unsubscribe = async () => assert.equal((await fetch(`${net.server.url}/v1/notifications/unsubscribe/${member.id}.${mac}`, { method: 'POST' })).status, 204);
        must(await member.patch(SETTINGS, { notifications: { email: true, likes: true } }));
        await prefer(member, [{ type: 'like', email: 'weekly' }, { type: 'renote', email: 'off' }]);
        const before = await emails();
        assert.deepEqual([before.like, before.renote, before.comment], ['weekly', 'off', 'immediate']);
        await unsubscribe();
        assert.deepEqual([await mailed(), must(await member.get(SETTINGS)).notifications.email], [[], false]);
        await prefer(member, [{ type: 'like', push: 'off' }]);
        assert.deepEqual(await mailed(), []);
        await prefer(member, [{ type: 'renote', email: 'off' }, { type: 'like', email: 'daily' }]);
        assert.deepEqual(await mailed(), ['like'], 'only what was chosen');
        await unsubscribe();
        assert.deepEqual(await mailed(), []);
        must(await member.patch(SETTINGS, { notifications: { email: true } }));
        assert.deepEqual(await emails(), { ...before, like: 'daily' }, 'all that the setting mails, except what was off');
        must(await member.del('/v1/users/me', { body: { password: PASSWORD } }), 204);
        await unsubscribe(); // deactivated, which can be undone
        assert.equal(query(net.server.dir, 'user', `select count(*) from user_settings where user_id = '${member.id}' and key = 'notifications.email'`), '0');
});

test('a name cannot add a header, an address or a link to a mail', async () => {
        const [author, fan] = [await verifiedMember(), await net.register()];
        await prefer(author, [{ type: 'comment', email: 'immediate' }]);
        problem(await fan.patch('/v1/users/me', { display_name: 'Eve\r\nBcc: eve@evil.example' }), 422, { field: 'display_name' });
        const name = '"Eve" <eve@evil.example>, =?utf-8?q?Bcc=3A?= {unsubscribe}';
        must(await fan.patch('/v1/users/me', { display_name: name }));
        const note = await author.note('What do you think?');
        await fan.comment(note.id, 'A comment');
        const mail = await box.wait(address(author), 'commented on your note');
        assert.equal(mail.subject, `${name} commented on your note – Das Prüfnetz`);
        assert.deepEqual([header(mail, 'bcc'), header(mail, 'cc')], [undefined, undefined]);
        assert.equal(box.to('eve@evil.example').length, 0);
        assert.ok(mail.html.includes('&lt;eve@evil.example&gt;') && !/href="[^"]*evil/.test(mail.html), mail.html);
});

test('a digest is mailed at the hour in the member’s time zone, once, without notifications that have been read', async () => {
        const [author, fan, other] = [await verifiedMember(), await net.register(), await net.register()];
        must(await author.patch('/v1/users/me/settings', { time_zone: 'Pacific/Auckland' }));
        must(await author.put(`${NOTIFICATIONS}/preferences`, { body: { digest_hour: 7, types: [{ type: 'like', email: 'daily' }, { type: 'renote', email: 'daily' }, { type: 'follow', email: 'weekly' }] } }));
        const [open, secret, seen] = [await author.note('For everybody'), await author.note('For followers', 'followers'), await author.note('Read by then')];
        await fan.follow(author);
        for (const note of [open, secret, seen]) {
                await fan.react(note.id, 'like');
        }
        await other.react(open.id, 'like');
        await fan.react(open.id, 'renote');
        const items = await listed(author, 5);
        // Daily ones at the next 7:00, weekly ones at that of the next Monday, which may be the same.
        const after7 = "date_trunc('UNIT', q.created_at at time zone 'Pacific/Auckland' - interval '7 hours') + interval '1 UNIT 7 hours'";
        assert.equal(ofMember(author, `select string_agg(n.type || ' ' || (hold = 1 and channel = 2 and due_at at time zone 'Pacific/Auckland' =
                case n.type when 'follow' then ${after7.replaceAll('UNIT', 'week')} else ${after7.replaceAll('UNIT', 'day')} end), ', ' order by n.type)
                from notification_queue q join notifications n on n.id = notification_id where q.user_id = MEMBER`), 'follow true, like true, like true, like true, renote true');
        must(await author.put(`${NOTIFICATIONS}/read`, { body: { ids: [items.find((i) => i.note?.id === seen.id).id] } }));
        hurry(author);
        const mail = await box.wait(address(author), '4 notifications from Das Prüfnetz');
        assert.match(mail.text, new RegExp(`- Member ${other.username} and Member ${fan.username} like your note: For everybody`));
        assert.match(mail.text, new RegExp(`- Member ${fan.username} likes your note\n`), 'of notes for followers nothing is said');
        assert.match(mail.text, /follows you/);
        assert.doesNotMatch(mail.text, /Read by then|For followers/);
        const { items: attempts } = must(await author.get(`${NOTIFICATIONS}/${items[0].id}/deliveries`));
        assert.deepEqual(attempts.map((a) => [a.channel, a.outcome, a.templates]), [['email', 'sent', ['digest/email/en@0', `${items[0].type}/email/en@0`]]]);
        assert.equal(box.to(address(author)).filter((m) => m.subject.includes('notifications')).length, 1);
});

test('members without a verified address are not mailed', async () => {
        const [author, fan] = [await net.register(), await net.register()];
        await prefer(author, [{ type: 'like', email: 'immediate' }]);
        await fan.react((await author.note('Hello')).id, 'like');
        const [item] = await listed(author, 1);
        await eventually('it was refused', async () => must(await author.get(`${NOTIFICATIONS}/${item.id}/deliveries`)).items[0]?.outcome === 'refused', 60_000);
});
