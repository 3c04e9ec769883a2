// What an attacker tries with notifications: ids of others, names that look like something else, preferences without end, and everything at once.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { keyOf, query, sharedDir } from './database.mjs';
import { PushService } from './pushreceiver.mjs';
import { eventually, must, problem, register, registerMany } from './shared.mjs';

const PATH = '/v1/notifications';
const service = new PushService();
before(() => service.open());
after(() => service.close());

const sql = (words) => query(sharedDir(), 'notification', words);
const list = async (member) => must(await member.get(PATH)).items;
const one = (member) => eventually('a notification', async () => (await list(member))[0] ?? false, 60_000);
async function subscribe(member) {
        const subscription = service.subscription();
        subscription.id = must(await member.post('/v1/push/subscriptions', subscription.body), 201).id;
        return subscription;
}

test('what is another’s and what does not exist are answered with the same bytes, on every route, and change nothing', async () => {
        const [author, fan, thief] = await registerMany(3);
        const subscription = await subscribe(author);
        await fan.react((await author.note('Mine')).id, 'like');
        const item = await one(author);
        await service.wait(subscription);
        const until = new Date(Date.now() + 60_000).toISOString();
        const routes = [['get', 'ID/members'], ['get', 'ID/deliveries'], ['put', 'ID/archive'], ['del', 'ID/archive'], ['put', 'ID/snooze', { until }], ['del', 'ID'], ['put', 'read', { up_to_id: 'ID' }],
                        ['put', 'read', { ids: ['ID'] }], ['put', 'requests/accept', { ids: ['ID'] }], ['put', 'requests/dismiss', { ids: ['ID'] }], ['del', '../push/subscriptions/ID'], ['del', '../push/devices/ID']];
        for (const [method, path, body] of routes) {
                const asked = async (id) => {
                        const put = (text) => text.replace('ID', id);
                        const answer = await thief[method](new URL(put(path), 'http://x/v1/notifications/').pathname, { body: body && JSON.parse(put(JSON.stringify(body))) });
                        return [answer.status, JSON.stringify(answer.body).replace(/[0-9a-f-]{32,36}/g, 'id')];
                };
                assert.deepEqual(await asked(path.includes('subscriptions') ? subscription.id : item.id), await asked(randomUUID()), `${method} ${path}`);
        }
        const [now] = await list(author);
        assert.deepEqual([now.id, now.read_at, now.archived_at], [item.id, null, null]);
        assert.deepEqual(must(await author.get('/v1/push/subscriptions')).items.map((s) => s.id), [subscription.id]);
});

test('a name is text, also when it looks like a variable, an escape or markup', async () => {
        const [author, fan, other] = await registerMany(3);
        const subscription = await subscribe(author);
        const names = ['{2}{n}{1} %s %n ${x} <b>&amp;</b> \\u0041"', '{count}&lt;{unsubscribe}'];
        problem(await fan.patch('/v1/users/me', { display_name: 'Eve\u202e' }), 422, { field: 'display_name' });
        must(await fan.patch('/v1/users/me', { display_name: names[0] }));
        must(await other.patch('/v1/users/me', { display_name: names[1] }));
        const note = await author.note('{1} <script>{n}</script>');
        await fan.react(note.id, 'like');
        const push = await service.wait(subscription);
        assert.deepEqual([push.text.actor, push.text.title, push.text.text], [names[0], `${names[0]} likes your note`, '{1} <script>{n}</script>']);
        await other.react(note.id, 'like');
        assert.equal((await service.wait(subscription, 2)).text.title, `${names[1]} and ${names[0]} like your note`);
});

test('only the very link of a mail unsubscribes, and only its member', async () => {
        const [member, other] = await registerMany(2);
        const mails = async (m) => must(await m.get('/v1/users/me/settings')).notifications.email;
        const key = keyOf(sharedDir(), 'unsubscribe');
        const macOf = (id) => createHmac('sha256', key).update(id).digest().subarray(0, 18).toString('base64url');
        const [mine, foreign] = [macOf(other.id), macOf(member.id)];
        for (const m of [member, other]) {
                must(await m.patch('/v1/users/me/settings', { notifications: { email: true } }));
        }
        const last = foreign.at(-1) === 'A' ? 'B' : 'A';
        for (const token of [`${member.id}.${mine}`, `${member.id}.`, member.id, `${member.id}.${foreign.slice(0, -1)}`, `${member.id}.${foreign.slice(0, -1)}${last}`, `${member.id}.${foreign}A`, `${member.id}.${foreign}=`,
                             `${member.id.toUpperCase()}.${foreign}`, `${member.id.replaceAll('-', '')}.${foreign}`, `${foreign}.${member.id}`, `%00${member.id}.${foreign}`, `${member.id}.${foreign}%00`, `${member.id}%2e%2e`, 'x'.repeat(5000)]) {
                const { status } = await other.post(`/v1/notifications/unsubscribe/${token}`, {});
                assert.ok([400, 404, 414, 422, 431].includes(status), `${status} ${token.slice(0, 80)}`);
        }
        assert.deepEqual([await mails(member), await mails(other)], [true, true]);
        must(await other.post(`/v1/notifications/unsubscribe/${member.id}.${foreign}`, {}), 204);
        assert.deepEqual([await mails(member), await mails(other)], [false, true]);
});

test('preferences, quiet hours and lists of ids have limits, and what is over them changes nothing', async () => {
        const member = await register();
        const types = must(await member.get(`${PATH}/preferences`)).types;
        const like = { type: 'like', push: 'off' };
        const large = { types: [{ type: 'x'.repeat(100_000) }] };
        for (const body of [large, { types: Array(1000).fill(like) }, { types: [like, like] }, { types: [{ type: 'like', push: 'always' }] }, { types: [{ type: '__proto__' }] },
                            { types: [like], daily_budget: 2 ** 31 }, { types: [like], digest_hour: 24 }, { types: [like], digest_hour: -1 }]) {
                problem(await member.put(`${PATH}/preferences`, { body }), body === large ? 413 : 422);
        }
        problem(await member.put(`${PATH}/quiet_hours`, { body: { windows: Array(1000).fill({ from: '22:00', until: '07:00' }) } }), 422, { field: 'windows' });
        problem(await member.put(`${PATH}/quiet_hours`, { body: { time_zone: '../../etc/passwd', windows: [{ from: '22:00', until: '07:00' }] } }), 422, { field: 'time_zone' });
        problem(await member.put(`${PATH}/read`, { body: { ids: Array.from({ length: 5000 }, randomUUID) } }), 413);
        assert.deepEqual(must(await member.get(`${PATH}/preferences`)).types, types);
        assert.deepEqual(must(await member.get(`${PATH}/quiet_hours`)).windows, []);
});

test('read, archived, snoozed, deleted and undone at once, in any order, leave nothing behind that does not agree', async () => {
        const [author, ...fans] = await registerMany(5);
        await subscribe(author);
        const notes = await Promise.all([1, 2, 3].map((n) => author.note(`Note ${n}`)));
        const answers = [];
        const until = () => new Date(Date.now() + 1500).toISOString();
        const deeds = [(id) => author.put(`${PATH}/read`, { body: { ids: [id] } }), (id) => author.put(`${PATH}/${id}/archive`), (id) => author.del(`${PATH}/${id}/archive`), (id) => author.put(`${PATH}/${id}/snooze`, { body: { until: until() } }),
                       (id) => author.del(`${PATH}/${id}`), (id) => author.put(`${PATH}/read`, { body: { up_to_id: id } }), () => author.put(`${PATH}/seen`), () => author.get(`${PATH}/unread_count`)];
        const fanning = fans.map(async (fan, f) => {
                for (let turn = 0; turn < 12; turn++) {
                        const note = notes[(turn + f) % notes.length];
                        answers.push((await fan.put(`/v1/notes/${note.id}/like`)).status, (await fan.del(`/v1/notes/${note.id}/like`)).status);
                        if (turn % 3 === 0) {
                                answers.push((await fan.put(`/v1/notes/${note.id}/like`)).status);
                        }
                }
        });
        const reading = [0, 1, 2].map(async (r) => {
                for (let turn = 0; turn < 30; turn++) {
                        const [item] = (await list(author)).slice(turn % 2);
                        const answer = await deeds[(turn * 3 + r) % deeds.length](item?.id ?? randomUUID());
                        answers.push(answer.status);
                }
        });
        await Promise.all([...fanning, ...reading]);
        assert.deepEqual(answers.filter((status) => ![200, 201, 204, 404, 422].includes(status)), []);
        await eventually('all is sent', () => {
                sql(`update notification_queue set due_at = now() where user_id = '${author.id}' and due_at < now() + interval '5 minutes' and due_at > now() + interval '15 seconds'`); // leases end now
                return sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === '0';
        }, 60_000);
        await eventually('the count is that of the list', async () => {
                const { items } = must(await author.get(`${PATH}?unread=true&limit=100`));
                return must(await author.get(`${PATH}/unread_count`)).unread === items.length;
        }, 60_000);
        assert.equal(sql(`select count(*) from notifications n where n.user_id = '${author.id}' and n.sole_actor_id is not null
                and array[n.sole_actor_id] is distinct from array(select a.actor_id from notification_actors a where a.notification_id = n.id)`), '0', 'a sole actor is the only one');
        assert.equal(sql(`select count(*) from notifications n where n.user_id = '${author.id}' and not exists (select from notification_actors a where a.notification_id = n.id)`), '0', 'none is empty');
        assert.equal(sql('select count(*) from notification_actors a where not exists (select from notifications n where n.id = a.notification_id)'), '0', 'no actor is left of one that is gone');
        assert.equal(sql('select count(*) from notification_queue q where q.retracts is null and not exists (select from notifications n where n.id = q.notification_id)'), '0', 'nor a delivery');
});
