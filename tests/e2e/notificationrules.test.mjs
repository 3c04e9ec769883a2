// Aggregation rules, templates, budgets and bounced mails.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually, must, problem } from './client.mjs';
import { query } from './database.mjs';
import { MAIL_FROM, Mailbox, codeIn, forGood, policy } from './mailbox.mjs';
import { adminOf, ownServer } from './own.mjs';
import { PushService } from './pushreceiver.mjs';

const RULES = '/v1/admin/notifications/rules';
const box = await new Mailbox().open();
const service = await new PushService().open();
let root;
const net = ownServer({ env: { SMTP_URL: box.url, MAIL_FROM, PUSH_NETWORKS: '127.0.0.1' } }, async (it) => {
        root = await it.register();
        const done = await adminOf(it.server, {}, 'user', 'role', root.username, 'administrator');
        assert.equal(done.code, 0, done.stderr);
        await eventually('tokens without the role end', async () => (await root.get('/v1/users/me')).status === 401, 10_000);
        root = await it.logIn(root.username);
});
after(() => Promise.all([box.close(), service.close()]));

const sql = (words) => query(net.server.dir, 'notification', words);
const list = async (member) => must(await member.get('/v1/notifications')).items;
const listed = (what, member, matches) => eventually(what, async () => {
        const items = await list(member);
        return matches(items) && items;
});
const names = (item) => item.actors.map((actor) => actor.username);
const set = async (type, body) => must(await root.put(`${RULES}/${type}`, { body }));
const hurry = (member) => sql(`update notification_queue set due_at = now() where user_id = '${member.id}'`);
async function listener(email) {
        const member = await net.register();
        must(await member.post('/v1/auth/email/verify', { code: codeIn(await box.wait(`${member.username}@example.org`)) }));
        must(await member.put('/v1/notifications/preferences', { body: { types: email } }));
        return member;
}
async function subscribe(member) {
        const subscription = service.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        return subscription;
}

test('each type has a rule, which only administrators can set, try and revert', async () => {
        const member = await net.register();
        for (const answer of [await member.get(RULES), await member.put(`${RULES}/like`, { body: { fold_by: 'type' } }),
                await member.del(`${RULES}/like`), await member.post(`${RULES}/like/dry_run`, { fold_by: 'type' })]) {
                problem(answer, 403);
        }
        const before = must(await root.get(RULES)).items;
        assert.deepEqual(before.find((r) => r.type === 'saved_search'), { type: 'saved_search', window_s: 0, fold_by: 'object', least: 2, texts: [], updated_at: null });
        assert.ok(before.every((r) => r.type !== 'new_device'));
        const texts = [{ language: 'en', text: '{1} wrote {count} times' }];
        const rule = await set('saved_search', { window_s: 60, fold_by: 'actor', texts });
        assert.deepEqual({ ...rule, updated_at: null }, { type: 'saved_search', window_s: 60, fold_by: 'actor', least: 2, texts, updated_at: null });
        assert.ok(rule.updated_at > '2000');
        assert.deepEqual(must(await root.get(RULES)).items.find((r) => r.type === 'saved_search'), rule);
        must(await root.del(`${RULES}/saved_search`), 204);
        must(await root.del(`${RULES}/saved_search`), 204);
        assert.deepEqual(must(await root.get(RULES)).items, before);
        for (const [type, body, status, field] of [
                ['sneeze', { fold_by: 'object' }, 404, 'type'], ['new_device', { fold_by: 'object' }, 422, 'type'], ['like', {}, 422, 'fold_by'],
                ['like', { fold_by: 'object', least: 1 }, 422, 'least'], ['like', { fold_by: 'object', window_s: 604801 }, 422, 'window_s'],
                ['like', { fold_by: 'type' }, 422, 'texts'], ['like', { fold_by: 'type', texts: [{ language: 'de', text: 'x' }] }, 422, 'texts'],
                ['like', { fold_by: 'type', texts: [{ language: 'en', text: '{1} and {name}' }] }, 422, 'texts[0].text'],
                ['like', { fold_by: 'type', texts: [{ language: 'en', text: 'x' }, { language: 'en', text: 'y' }] }, 422, 'texts'],
                ['message', { fold_by: 'nothing' }, 422, 'fold_by']]) {
                problem(await root.put(`${RULES}/${type}`, { body }), status, { field });
                problem(await root.post(`${RULES}/${type}/dry_run`, body), status, { field });
        }
});

test('renotes are not grouped if the rule says so, and undoing one works with either rule', async () => {
        const [author, ...fans] = await net.registerMany(4);
        const note = await author.note('Pass it on');
        await set('renote', { fold_by: 'nothing' });
        await fans[0].react(note.id, 'renote');
        await fans[1].react(note.id, 'renote');
        const [second, first] = await listed('each alone', author, (items) => items.length === 2);
        assert.deepEqual([names(second), names(first)], [[fans[1].username], [fans[0].username]]);
        assert.notEqual(first.group_key, second.group_key);
        must(await root.del(`${RULES}/renote`), 204);
        await fans[2].react(note.id, 'renote');
        await listed('one more', author, (items) => items.length === 3 && items[0].group_key === `renote:${note.id}`);
        await fans[0].unreact(note.id, 'renote');
        await fans[2].unreact(note.id, 'renote');
        await listed('the second alone', author, (items) => items.length === 1 && items[0].id === second.id);
});

test('a change of the rule does not notify again, neither alone nor in a group', async () => {
        const [author, together, alone, last] = await net.registerMany(4);
        const note = await author.note('Twice?');
        await together.react(note.id, 'renote');
        const [first] = await listed('together', author, (items) => items.length === 1);
        must(await author.put('/v1/notifications/read', { body: { ids: [first.id] } }));
        await together.unreact(note.id, 'renote');
        await set('renote', { fold_by: 'nothing' });
        await together.react(note.id, 'renote');
        await alone.react(note.id, 'renote');
        const [second] = await listed('alone', author, (items) => names(items[0])[0] === alone.username);
        must(await author.put('/v1/notifications/read', { body: { ids: [second.id] } }));
        await alone.unreact(note.id, 'renote');
        must(await root.del(`${RULES}/renote`), 204);
        await alone.react(note.id, 'renote');
        await last.react(note.id, 'renote');
        const items = await listed('the last', author, (all) => names(all[0])[0] === last.username);
        assert.deepEqual(items.map(names), [[last.username], [alone.username], [together.username]]);
});

test('others join during the rule’s window; from the least number on pushes wait for its end and are merged', async () => {
        const [author, ...fans] = await net.registerMany(6);
        const subscription = await subscribe(author);
        const note = await author.note('Popular');
        await set('like', { fold_by: 'object', window_s: 3600, least: 3 });
        for (const [i, fan] of fans.slice(0, 4).entries()) {
                await fan.react(note.id, 'like');
                await listed('it is told', author, ([item]) => item?.actors_count === i + 1);
                if (i < 2) {
                        await service.wait(subscription, i + 1);
                }
        }
        const [item] = await list(author);
        const waiting = `select hold, extract(epoch from q.due_at - n.created_at)::int from notification_queue q join notifications n on n.id = q.notification_id where q.user_id = '${author.id}'`;
        assert.equal(sql(waiting), '1|3600', 'the third and the fourth wait together');
        const yesterday = must(await root.post(`${RULES}/like/dry_run`, { fold_by: 'object', window_s: 3600, least: 2 }));
        assert.deepEqual([yesterday.happened, yesterday.more, yesterday.now, yesterday.then],
                [4, false, { notifications: 1, deliveries: 3, lines: 1 }, { notifications: 1, deliveries: 2, lines: 1 }]);
        hurry(author);
        assert.equal((await service.wait(subscription, 3)).text.actors_count, 4);
        sql(`update notifications set created_at = created_at - interval '1 hour' where id = '${item.id}'`);
        await fans[4].react(note.id, 'like');
        const [later, earlier] = await listed('another one', author, (items) => items.length === 2);
        assert.deepEqual([names(later), earlier.id, earlier.actors_count], [[fans[4].username], item.id, 4]);
        assert.equal((await service.wait(subscription, 4)).text.id, later.id);
        must(await root.del(`${RULES}/like`), 204);
});

test('from the least number on, one actor’s notifications or a whole type are one line of a digest, in the member’s language', async () => {
        const author = await listener([{ type: 'comment', email: 'daily' }, { type: 'mention', email: 'daily' }]);
        must(await author.patch('/v1/users/me/settings', { language: 'de' }));
        const [busy, calm] = await net.registerMany(2);
        const notes = [await author.note('One'), await author.note('Two'), await author.note('Three')];
        const texts = [{ language: 'en', text: '{1} commented on {count} notes' }, { language: 'de', text: '{1} hat {count} Notizen kommentiert' }];
        await set('comment', { fold_by: 'actor', texts });
        await set('mention', { fold_by: 'type', least: 3, texts: [{ language: 'en', text: '{1} and others: {count}' }] });
        for (const note of notes) {
                await busy.comment(note.id, 'Well');
        }
        await calm.comment(notes[0].id, 'Hm');
        await calm.note(`Hello @${author.username}`);
        await busy.note(`Me too, @${author.username}`);
        await listed('all', author, (items) => items.length === 6 || items.filter((i) => i.type === 'comment').length === 4);
        const told = await listed('all', author, (items) => items.length === 6);
        hurry(author);
        const mail = await box.wait(`${author.username}@example.org`, `${told.length} Benachrichtigungen`);
        const lines = mail.text.match(/^- .*/gm);
        assert.deepEqual(lines.filter((l) => l.includes('3 Notizen')), [`- Member ${busy.username} hat 3 Notizen kommentiert`]);
        assert.equal(lines.filter((l) => l.includes('hat deine Notiz kommentiert: Hm')).length, 1);
        assert.equal(lines.filter((l) => l.includes('hat dich erwähnt')).length, 2, 'two are fewer than three');
        assert.equal(lines.length, 4);
        const tried = must(await root.post(`${RULES}/mention/dry_run`, { fold_by: 'type', least: 2, texts }));
        assert.deepEqual([tried.now.lines, tried.then.lines], [2, 1]);
        await calm.note(`Again @${author.username}`);
        await busy.note(`And again @${author.username}`);
        await calm.note(`And once more @${author.username}`);
        await listed('three more', author, (items) => items.length === 9);
        hurry(author);
        assert.deepEqual((await box.wait(`${author.username}@example.org`, '3 Benachrichtigungen')).text.match(/^- .*/gm), [`- Member ${calm.username} and others: 3`]);
        must(await root.del(`${RULES}/comment`), 204);
        must(await root.del(`${RULES}/mention`), 204);
});

// --- templates ---

const TEMPLATES = '/v1/admin/notifications/templates';
const save = async (where, source) => must(await root.put(`${TEMPLATES}/${where}`, { body: { source } }));
const attemptsOf = async (member, item) => must(await member.get(`/v1/notifications/${item.id}/deliveries`)).items;

test('a saved template is used from the next push and mail on, and the delivery log names its version', async () => {
        const author = await listener([{ type: 'follow', email: 'immediate' }]);
        must(await author.patch('/v1/users/me/settings', { language: 'fr-CA' }));
        const [first, second, third] = await net.registerMany(3);
        const subscription = await subscribe(author);
        await first.follow(author);
        assert.equal((await service.wait(subscription)).text.title, `Member ${first.username} follows you`);
        await box.wait(`${author.username}@example.org`, 'follows you');
        await save('follow/push/fr', '{1} te suit\n{1} et {2} te suivent\n{1}, {2} et {n} de plus te suivent');
        const old = await save('follow/email/fr', '{1} <b>te suit</b>');
        const saved = await save('follow/email/fr', '{1} & <i>te suit</i>');
        assert.deepEqual([old.version, saved.version, saved.source, saved.channel], [1, 2, '{1} & <i>te suit</i>', 'email']);
        await save('notification/email/fr', 'Subject: {headline} ({network})\n\nBonjour {name},\n\n* {items}\n\n-> Assez: {unsubscribe}');
        await second.follow(author);
        assert.equal((await service.wait(subscription, 2)).text.title, `Member ${second.username} et Member ${first.username} te suivent`);
        const mail = await box.wait(`${author.username}@example.org`, '& <i>te suit</i> (Das Prüfnetz)');
        assert.ok(mail.text.startsWith(`Bonjour ${author.username},`), mail.text);
        assert.ok(mail.html.includes('&amp; &lt;i&gt;te suit&lt;/i&gt;') && mail.html.includes('lang="fr"'), mail.html);
        const [item] = await list(author);
        const named = await eventually('both are logged', async () => {
                const labels = (await attemptsOf(author, item)).map((a) => a.templates.join());
                return labels.length === 4 && labels.sort();
        });
        assert.deepEqual(named, ['follow/push/en@0', 'follow/push/fr@1', 'notification/email/en@0,follow/email/en@0', 'notification/email/fr@1,follow/email/fr@2']);
        for (const where of ['follow/push/fr', 'follow/email/fr', 'notification/email/fr']) {
                must(await root.del(`${TEMPLATES}/${where}`), 204);
        }
        await third.follow(author);
        assert.equal((await service.wait(subscription, 3)).text.title, `Member ${third.username}, Member ${second.username} and 1 more follow you`);
        assert.equal((await save('follow/email/fr', '{1}')).version, 4, 'versions are never given twice');
        must(await root.del(`${TEMPLATES}/follow/email/fr`), 204);
});

test('templates can be listed and previewed, and are rejected with unknown variables', async () => {
        const member = await net.register();
        for (const answer of [await member.get(`${TEMPLATES}/like`), await member.put(`${TEMPLATES}/like/push/en`, { body: { source: 'x' } }),
                await member.del(`${TEMPLATES}/like/push/en`), await member.post(`${TEMPLATES}/like/push/en/preview`, {})]) {
                problem(answer, 403);
        }
        const listed = async () => must(await root.get(`${TEMPLATES}/like`)).items.map((t) => `${t.channel} ${t.language} ${t.version}`);
        const before = await listed();
        assert.deepEqual(before, ['push en 0', 'push de 0', 'email en 0', 'email de 0', 'sms en 0', 'sms de 0']);
        assert.deepEqual(must(await root.get(`${TEMPLATES}/digest`)).items.map((t) => `${t.channel} ${t.language}`), ['email en', 'email de']);
        await save('like/push/de', '{1}!');
        await save('like/push/it', '{1}?');
        assert.deepEqual((await listed()).slice(0, 3), ['push en 0', 'push de 1', 'push it 1']);
        const preview = async (where, body = {}) => must(await root.post(`${TEMPLATES}/${where}/preview`, body));
        assert.deepEqual(await preview('like/push/de'), { template: 'like/push/de@1', title: 'Ada Lovelace!' });
        assert.equal((await preview('like/push/en', { people: 5 })).title, 'Ada Lovelace, Bob <b>&</b> Co. and 3 more like your note');
        assert.equal((await preview('like/push/en', { source: '{1} and {1}' })).title, 'Ada Lovelace and Ada Lovelace');
        const mail = await preview('like/email/de', { people: 2 });
        assert.equal(mail.subject, 'Ada Lovelace und Bob <b>&</b> Co. gefällt deine Notiz – Das Prüfnetz');
        assert.ok(mail.html.includes('Bob &lt;b&gt;&amp;&lt;/b&gt; Co.') && !mail.html.includes('<b>'), mail.html);
        assert.match((await preview('digest/email/en')).text, /here is what happened[^]*- Ada Lovelace likes your note/);
        for (const [where, source, field] of [['like/push/en', '{name} likes it', 'source'], ['like/push/en', '{1}\n{2}', 'source'], ['digest/email/en', 'Subject: x\n\n{code}\n\n-> x: {unsubscribe}', 'source'],
                ['digest/email/en', 'Subject: x', 'source'], ['like/push/EN', 'x', 'language'], ['like/push/en', '', 'source']]) {
                problem(await root.put(`${TEMPLATES}/${where}`, { body: { source } }), 422, { field });
        }
        problem(await root.post(`${TEMPLATES}/like/push/en/preview`, { source: '{2}' }), 422, { field: 'source' });
        for (const where of ['sneeze/push/en', 'like/fax/en', 'digest/push/en', 'new_device/email/en']) {
                problem(await root.put(`${TEMPLATES}/${where}`, { body: { source: 'x' } }), 404, { field: 'type' });
        }
        problem(await root.get(`${TEMPLATES}/sneeze`), 404, { field: 'type' });
        must(await root.del(`${TEMPLATES}/like/push/de`), 204);
        must(await root.del(`${TEMPLATES}/like/push/it`), 204);
        assert.deepEqual(await listed(), before);
});

test('operators can preview texts, and have a test mail sent', async () => {
        const admin = (...words) => adminOf(net.server, {}, 'notify', ...words);
        const shown = await admin('preview', 'like', 'email', 'de');
        assert.equal(shown.code, 0, shown.stderr);
        assert.match(shown.stdout, /^like\/email\/de@0\nSubject: Ada Lovelace gefällt deine Notiz/);
        assert.equal((await admin('preview', 'new_device', 'push', 'en')).stdout, 'new_device/push/en@0\nSomebody logged in to your account on a new device\n');
        for (const [type, channel, says] of [['lik', 'push', /there is no type lik: types are like, .*, and for mails also notification and digest/],
                ['new_device', 'email', /mails of new_device are about security and have no template/], ['like', 'fax', /channels are push, email and sms/], ['digest', 'push', /digest is a mail/]]) {
                assert.match((await admin('preview', type, channel, 'en')).stderr, says);
        }
        const french = await admin('preview', 'like', 'push', 'xx');
        assert.deepEqual([french.code, french.stdout.split('\n')[0], french.stderr], [0, 'like/push/en@0', 'There is no template in xx; this is the English one.\n']);
        const sent = await admin('test', 'digest', 'email', 'en', 'operator@example.org');
        assert.equal(sent.code, 0, sent.stderr);
        const mail = await box.wait('operator@example.org', '2 notifications');
        assert.match(mail.text, /- Ada Lovelace likes your note/);
        for (const words of [['preview', 'like', 'fax', 'en'], ['test', 'like', 'push', 'en', 'operator@example.org'], ['test', 'like', 'email', 'en', 'nobody'], ['preview']]) {
                assert.notEqual((await admin(...words)).code, 0);
        }
});

// --- daily budgets ---

test('deliveries over the daily budget become one push and one mail at its end; types that pass quiet hours do not count', async () => {
        const author = await listener([]);
        const fans = await net.registerMany(6);
        const subscription = await subscribe(author);
        const digest_hour = (new Date().getUTCHours() + 12) % 24; // not during this test
        const chosen = { digest_hour, daily_budget: 2, types: [{ type: 'like', email: 'immediate' }] };
        assert.equal(must(await author.get('/v1/notifications/preferences')).daily_budget, 0);
        problem(await author.put('/v1/notifications/preferences', { body: { daily_budget: 1001 } }), 422, { field: 'daily_budget' });
        assert.equal(must(await author.put('/v1/notifications/preferences', { body: chosen })).daily_budget, 2);
        must(await author.put('/v1/notifications/quiet_hours', { body: { windows: [], except: ['mention'] } }));
        for (const [i, fan] of fans.entries()) {
                await fan.react((await author.note(`Note ${i}`)).id, 'like');
                await listed('it is told', author, (items) => items.length === i + 1);
                if (i < 2) {
                        await service.wait(subscription, i + 1);
                }
        }
        const waiting = `select channel, hold, count(*), count(distinct due_at), extract(hour from min(due_at) at time zone 'UTC')::int
                from notification_queue where user_id = '${author.id}' and hold > 0 group by channel, hold order by channel`;
        await eventually('four wait on each channel', () => sql(waiting) === `1|3|4|1|${digest_hour}\n2|3|4|1|${digest_hour}`, 60_000);
        await fans[0].note(`Loud, @${author.username}`);
        assert.equal((await service.wait(subscription, 3)).text.type, 'mention');
        await net.logIn(author.username);
        assert.equal((await service.wait(subscription, 4)).text.type, 'new_device');
        hurry(author);
        assert.equal((await service.wait(subscription, 5)).text.notifications, 4);
        const mail = await box.wait(`${author.username}@example.org`, '4 notifications');
        assert.equal(mail.text.match(/^- .* likes your note/gm).length, 4);
        assert.equal(box.to(`${author.username}@example.org`).filter((m) => m.subject.includes('likes your note')).length, 2);
        sql(`update notification_budgets set day = day - 1 where user_id = '${author.id}'`);
        await fans[1].react((await author.note('The next day')).id, 'like');
        assert.equal((await service.wait(subscription, 6)).text.notifications, 1);
});

// --- bounced mails ---

test('a permanently rejected address gets no more notifications, and its owner is notified once; policy rejections do not count', async () => {
        const [author, other] = [await listener([{ type: 'like', email: 'immediate' }, { type: 'renote', email: 'immediate' }]), await listener([{ type: 'like', email: 'immediate' }])];
        const fan = await net.register();
        const address = `${author.username}@example.org`;
        const failed = (member) => sql(`select count(*) from mail_queue where owner_id = '${member.id}' and state = 'failed' and not bounced`);
        const suppressed = (member) => sql(`select count(*) from mail_suppressions where user_id = '${member.id}'`);
        const outcome = (member, note) => eventually('it is settled', async () => {
                const item = (await list(member)).find((i) => i.note?.id === note.id);
                return (item && (await attemptsOf(member, item)).find((a) => a.channel === 'email')?.outcome) ?? false;
        }, 60_000);
        box.refuse[address] = forGood;
        box.refuse[`${other.username}@example.org`] = policy;
        const note = await author.note('Will not be mailed');
        await fan.react(note.id, 'like');
        await fan.react(note.id, 'renote'); // two mails are pending
        await fan.react((await other.note('Nor this')).id, 'like');
        const told = await eventually('it is told', async () => (await list(author)).find((i) => i.type === 'mail_bounced') ?? false, 90_000);
        assert.deepEqual([names(told), told.why, told.note], [[author.username], { rule: 'security' }, null]);
        await eventually('all are settled', () => failed(author) === '2' && failed(other) === '1', 90_000);
        assert.deepEqual([suppressed(author), suppressed(other)], ['1', '0']);
        assert.equal((await list(author)).filter((i) => i.type === 'mail_bounced').length, 1);
        box.refuse = {};
        const second = await author.note('Not tried');
        await fan.react(second.id, 'like');
        assert.equal(await outcome(author, second), 'gone');
        sql(`update mail_suppressions set created_at = now() - interval '31 days' where user_id = '${author.id}'`);
        const third = await author.note('Tried again');
        await fan.react(third.id, 'like');
        assert.equal(await outcome(author, third), 'sent');
        assert.match((await box.wait(address, 'likes your note')).text, /Tried again/);
        assert.equal(box.to(address).filter((m) => m.text.includes('Not tried')).length, 0);
        sql(`update mail_suppressions set created_at = now(), recipient = 'another' where user_id = '${author.id}'`);
        const fourth = await author.note('Of another address');
        await fan.react(fourth.id, 'like');
        assert.equal(await outcome(author, fourth), 'sent');
        const { types } = must(await author.get('/v1/notifications/preferences'));
        assert.equal(types.find((t) => t.type === 'mail_bounced').email, 'off');
        must(await author.put('/v1/notifications/preferences', { body: { types } }));
        problem(await author.put('/v1/notifications/preferences', { body: { types: [{ type: 'mail_bounced', email: 'immediate' }] } }), 422, { field: 'types' });
});
