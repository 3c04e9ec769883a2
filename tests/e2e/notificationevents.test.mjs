// The rows of services/notification/events.def.h: including events that no service emits yet, and what deletions undo.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { query, sharedDir } from './database.mjs';
import { PushService } from './pushreceiver.mjs';
import { eventually, must, problem, registerMany } from './shared.mjs';

const PATH = '/v1/notifications';
const service = new PushService();
before(() => service.open());
after(() => service.close());

const list = async (member) => must(await member.get(PATH)).items;
const sql = (words) => query(sharedDir(), 'notification', words);
async function subscribe(member) {
        const subscription = service.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        return subscription;
}
// Emits an event as the service would; from here on it is handled like all events.
function emit(source, { type, aggregate = randomUUID(), object = null, actor = null }) {
        const value = (id) => (id ? `'${id}'` : 'null');
        query(sharedDir(), source, `insert into outbox (event_id, type, aggregate_id, object_id, actor_id, occurred_at)
                values (gen_random_uuid(), '${type}', '${aggregate}', ${value(object)}, ${value(actor)}, now())`);
        return aggregate;
}

test('a resolved report notifies its author once per report: a future event needs only a row', async () => {
        const [member, other, moderator] = await registerMany(3);
        const subscription = await subscribe(member);
        const report = emit('user', { type: 'report.resolved', object: member.id, actor: moderator.id });
        const push = await service.wait(subscription);
        assert.deepEqual([push.text.type, push.text.title, push.text.text, push.text.note_id], ['report_resolved', 'Your report has been resolved', undefined, undefined]);
        const [item] = await list(member);
        assert.deepEqual([item.type, item.group_key, item.actors.map((a) => a.id), item.note, item.chat], ['report_resolved', `report_resolved:${report}`, [member.id], null, null]);
        assert.ok(!JSON.stringify([item, push.text]).includes(moderator.username), 'nobody learns who decided');
        emit('user', { type: 'report.resolved', aggregate: report, object: member.id, actor: moderator.id });
        emit('user', { type: 'report.resolved', actor: moderator.id }); // by a member who is gone
        const second = emit('user', { type: 'report.resolved', object: member.id, actor: moderator.id });
        await eventually('two are told', async () => (await list(member)).length === 2, 60_000);
        assert.deepEqual((await list(member)).map((i) => i.group_key), [second, report].map((id) => `report_resolved:${id}`));
        assert.deepEqual(await list(other), []);
        must(await member.patch('/v1/users/me/settings', { language: 'de' }));
        must(await member.put(`${PATH}/preferences`, { body: { types: [{ type: 'report_resolved', in_app: 'off' }] } }));
        emit('user', { type: 'report.resolved', object: member.id });
        assert.equal((await service.wait(subscription, 3)).text.title, 'Deine Meldung wurde bearbeitet');
        assert.equal((await list(member)).length, 2, 'it can be turned off, unlike what concerns security');
        problem(await member.put(`${PATH}/preferences`, { body: { types: [{ type: 'new_device', in_app: 'off' }] } }), 422, { field: 'types' });
});

test('an event of another service with the same name does not notify', async () => {
        const [member, fan] = await registerMany(2);
        emit('note', { type: 'report.resolved', object: member.id });
        emit('follow', { type: 'security.new_device', aggregate: member.id });
        const { id } = await member.note('Later');
        await fan.react(id, 'like');
        await fan.follow(member);
        await eventually('what came later is told', async () => (await list(member)).length === 2, 60_000);
        assert.deepEqual((await list(member)).map((i) => i.type).sort(), ['follow', 'like']);
});

test('deleting a comment or mention removes its notification and push, which an offline browser never shows', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const { id } = await author.note('What do you think?');
        const comment = await fan.comment(id, 'Regrettable');
        await service.wait(subscription);
        const mention = await fan.note(`Also regrettable, @${author.username}`);
        await service.wait(subscription, 2);
        await eventually('nothing waits to be sent', () => sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === '0', 60_000);
        must(await fan.del(`/v1/notes/${comment.id}`), 204);
        must(await fan.del(`/v1/notes/${mention.id}`), 204);
        await service.wait(subscription, 4);
        assert.deepEqual(service.undelivered(subscription).map((text) => text.retracted), [true, true]);
        assert.deepEqual(await list(author), []);
        assert.equal(sql(`select count(*) from notifications where user_id = '${author.id}'`), '0');
});

test('removing a comment from one’s note removes its notification and mention, and their pushes', async () => {
        const [author, fan, mentioned] = await registerMany(3);
        const [own, other] = [await subscribe(author), await subscribe(mentioned)];
        const { id } = await author.note('What do you think?');
        const comment = await fan.comment(id, `Regrettable, @${mentioned.username}`);
        const pushes = [await service.wait(own), await service.wait(other)];
        assert.deepEqual(pushes.map(({ text }) => text.type), ['comment', 'mention']);
        await eventually('nothing waits to be sent', () => sql(`select count(*) from notification_queue where user_id in ('${author.id}', '${mentioned.id}')`) === '0', 60_000);
        must(await author.del(`/v1/notes/${id}/comments/${comment.id}`), 204);
        const retractions = [await service.wait(own, 2), await service.wait(other, 2)];
        assert.deepEqual(retractions.map(({ text }) => text), pushes.map(({ text }) => ({ id: text.id, tag: text.tag, retracted: true })));
        assert.equal(sql(`select count(*) from notifications where user_id in ('${author.id}', '${mentioned.id}')`), '0');
});

test('`why` shows what holds a notification back on other channels and until when, and the delivery log what did', async () => {
        const [member, fan] = await registerMany(2);
        const subscription = await subscribe(member);
        const held = async (type) => (await list(member)).find((i) => i.type === type)?.why.held;
        const HOUR_MS = 3_600_000, zone = (hours) => `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
        const hour = new Date().getUTCHours();
        const offset = 12 - hour; // where it is noon now
        must(await member.put(`${PATH}/quiet_hours`, { body: { time_zone: zone(offset), windows: [] } }));
        must(await member.put(`${PATH}/preferences`, { body: { types: [{ type: 'like', push: 'daily' }], digest_hour: 15, daily_budget: 1 } }));
        const { id } = await member.note('Held');
        await fan.react(id, 'like');
        const [digest] = await eventually('it is held for the digest', async () => (await held('like')) ?? false);
        assert.deepEqual([digest.channel, digest.by, new Date(digest.until).getUTCHours()], ['push', 'digest', (15 - offset + 24) % 24]);
        assert.ok(Date.parse(digest.until) - Date.now() <= 3 * HOUR_MS);
        await fan.follow(member);
        assert.equal((await service.wait(subscription)).text.type, 'follow');
        assert.equal(await held('follow'), undefined);
        await fan.react(id, 'renote');
        const [spent] = await eventually('the budget of the day is spent', async () => (await held('renote')) ?? false, 60_000);
        assert.deepEqual([spent.channel, spent.by, spent.until], ['push', 'budget', digest.until]);
        must(await member.put(`${PATH}/quiet_hours`, { body: { time_zone: zone(offset), windows: [{ from: '11:00', until: '14:00' }] } }));
        await fan.comment(id, 'Shh');
        const [quiet] = await eventually('quiet hours hold it', async () => (await held('comment')) ?? false);
        assert.deepEqual([quiet.channel, quiet.by, new Date(quiet.until).getUTCHours()], ['push', 'quiet_hours', (14 - offset + 24) % 24]);
        must(await member.put(`${PATH}/quiet_hours`, { body: { windows: [] } }));
        sql(`update notification_queue set due_at = now() where user_id = '${member.id}'`);
        assert.equal((await service.wait(subscription, 2)).text.notifications, 3);
        const by = async (type) => {
                const item = (await list(member)).find((i) => i.type === type);
                return must(await member.get(`${PATH}/${item.id}/deliveries`)).items.map((a) => a.held_by).join();
        };
        await eventually('it is written down', async () => (await by('like')) !== '', 60_000);
        assert.deepEqual([await by('like'), await by('renote'), await by('comment'), await by('follow')], ['digest', 'budget', 'quiet_hours', '']);
        assert.deepEqual((await list(member)).map((i) => i.why.held), [undefined, undefined, undefined, undefined]);
        const early = await member.note('Read before it is due');
        await fan.react(early.id, 'like');
        const like = await eventually('it is held', async () => (await list(member)).find((i) => i.note?.id === early.id && i.why.held) ?? false);
        must(await member.put(`${PATH}/read`, { body: { ids: [like.id] } }));
        assert.equal((await list(member)).find((i) => i.id === like.id).why.held, undefined, 'what was read is not sent any more');
});
