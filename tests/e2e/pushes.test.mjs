// Web Push: subscriptions, what is sent to them and when, and the results.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { query, sharedDir } from './database.mjs';
import { admin, registerWithRole } from './operator.mjs';
import { PushService, assertSigned } from './pushreceiver.mjs';
import { eventually, logIn, must, problem, register, registerMany } from './shared.mjs';

const PATH = '/v1/notifications', SUBSCRIPTIONS = '/v1/push/subscriptions';
const service = new PushService();
before(() => service.open());
after(() => service.close());

async function subscribe(member, at = service) {
        const subscription = at.subscription();
        subscription.id = must(await member.post(SUBSCRIPTIONS, subscription.body), 201).id;
        return subscription;
}
const newest = async (member, n = 1) => eventually('a notification', async () => {
        const { items } = must(await member.get(PATH));
        return items.length >= n && items[0];
});
const attempts = async (member, item) => must(await member.get(`${PATH}/${item.id}/deliveries`)).items;
// Makes pending deliveries due now.
const hurry = (member) => query(sharedDir(), 'notification', `update notification_queue set due_at = now() where user_id = '${member.id}'`);
const settled = (member, item, ...outcomes) => eventually(outcomes.join(), async () => (await attempts(member, item)).map((a) => a.outcome).join() === outcomes.join(), 60_000);

test('a subscribed browser gets its member’s notifications as encrypted and signed pushes', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const { public_key: key } = must(await author.get('/v1/push/key'));
        const note = await author.note('Grüße an alle');
        await fan.react(note.id, 'like');
        const push = await service.wait(subscription);
        const item = await newest(author);
        assert.deepEqual(push.text, { id: item.id, type: 'like', actor: `Member ${fan.username}`, actors_count: 1, note_id: note.id, text: 'Grüße an alle', notifications: 1, title: `Member ${fan.username} likes your note`, tag: push.headers.topic });
        assertSigned(push.headers, key, service.url);
        assert.equal(push.headers['content-encoding'], 'aes128gcm');
        assert.ok(Number(push.headers.ttl) > 0 && push.headers.topic.length === 32);
        assert.ok(!push.headers.topic.includes(note.id));
        await settled(author, item, 'sent');
        const [attempt] = await attempts(author, item);
        assert.deepEqual([attempt.channel, attempt.provider, attempt.status, attempt.templates], ['push', service.url, 201, ['like/push/en@0']]);
        problem(await fan.get(`${PATH}/${item.id}/deliveries`), 404, { field: 'id' });
        await fan.react(note.id, 'renote');
        assert.notEqual((await service.wait(subscription, 2)).headers.topic, push.headers.topic);
});

test('pushes quote neither notes that are not public nor anything if the member turned that off', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        await fan.follow(author);
        const first = await service.wait(subscription);
        assert.deepEqual([first.text.type, first.text.text, first.text.note_id], ['follow', undefined, undefined]);
        await fan.react((await author.note('Secret', 'followers')).id, 'like');
        assert.equal((await service.wait(subscription, 2)).text.text, undefined);
        must(await author.put(`${PATH}/preferences`, { body: { show_content: false } }));
        assert.equal(must(await author.get(`${PATH}/preferences`)).show_content, false);
        await fan.react((await author.note('Open')).id, 'like');
        assert.equal((await service.wait(subscription, 3)).text.text, undefined);
});

test('messages of a chat are pushed with one topic, including their text unless the member turned that off', async () => {
        const [reader, friend] = await registerMany(2);
        const subscription = await subscribe(reader);
        const chat = must(await friend.post('/v1/chats', { kind: 'direct', user_ids: [reader.id] }), 201);
        const write = async (text) => must(await friend.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text }), 201);
        await write('Are you there?');
        const first = await service.wait(subscription);
        assert.deepEqual([first.text.type, first.text.chat_id, first.text.text], ['message', chat.id, 'Are you there?']);
        must(await reader.put(`${PATH}/preferences`, { body: { show_content: false } }));
        await write('Hm');
        const second = await service.wait(subscription, 2);
        assert.deepEqual([second.text.id, second.text.text, second.headers.topic], [first.text.id, undefined, first.headers.topic]);
});

test('unwanted types are not pushed, and unlisted ones can be', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        must(await author.put(`${PATH}/preferences`, { body: { types: [{ type: 'like', push: 'off' }, { type: 'renote', in_app: 'off' }, { type: 'comment', push: 'daily' }] } }));
        const note = await author.note('Hello');
        await fan.react(note.id, 'like');
        await fan.comment(note.id, 'Later');
        await newest(author, 2);
        await fan.react(note.id, 'renote');
        const push = await service.wait(subscription);
        assert.equal(push.text.type, 'renote');
        assert.deepEqual(must(await author.get(PATH)).items.map((i) => i.type), ['comment', 'like']);
        await fan.follow(author);
        assert.equal((await service.wait(subscription, 2)).text.type, 'follow');
        must(await author.put(`${PATH}/quiet_hours`, { body: { windows: [{ from: '00:00', until: '00:00' }], except: ['mention'] } }));
        await fan.react((await author.note('Quiet')).id, 'renote');
        await fan.note(`Loud, @${author.username}`);
        assert.equal((await service.wait(subscription, 3)).text.type, 'mention');
});

test('a subscription unknown to the push service is deleted', async () => {
        const [author, fan] = await registerMany(2);
        const [gone, here] = [await subscribe(author), await subscribe(author)];
        assert.equal(must(await author.get(SUBSCRIPTIONS)).items.length, 2);
        service.answers[gone.path] = () => [410, {}];
        await fan.react((await author.note('One')).id, 'like');
        await service.wait(here);
        const left = await eventually('one is left', async () => {
                const { items } = must(await author.get(SUBSCRIPTIONS));
                return items.length === 1 && items;
        }, 60_000);
        assert.deepEqual([left[0].id, left[0].service], [here.id, service.url]);
        await fan.react((await author.note('Two')).id, 'like');
        await service.wait(here, 2);
        assert.equal(service.to(gone).length, 1);
});

test('a deferred push is retried for that browser only, and delays nobody else', async () => {
        const [author, fan] = await registerMany(2);
        const [busy, here] = [await subscribe(author), await subscribe(author)];
        let tries = 0;
        service.answers[busy.path] = () => (++tries === 1 ? [429, { 'retry-after': '1' }] : [201, {}]);
        await fan.react((await author.note('Once')).id, 'like');
        await service.wait(here);
        const item = await newest(author);
        await eventually('it is put off', async () => (await attempts(author, item)).some((a) => a.outcome === 'later'), 60_000);
        hurry(author);
        await service.wait(busy, 2);
        await eventually('three attempts', async () => (await attempts(author, item)).map((a) => a.outcome).sort().join() === 'later,sent,sent', 60_000);
        assert.equal(service.to(here).length, 1);
});

const letters = async (item) => (await admin('deadletters', 'list', '--service', 'notification')).stdout.split('\n').filter((line) => line.includes(item.id));

test('a push that is rejected or deferred too often becomes a dead letter, which can be replayed', async () => {
        const [author, fan] = await registerMany(2);
        const [picky, busy] = [await subscribe(author), await subscribe(author)];
        service.answers[picky.path] = () => [400, {}];
        service.answers[busy.path] = () => [429, {}];
        await fan.react((await author.note('Refused')).id, 'like');
        const item = await newest(author);
        const [refused] = await eventually('a dead letter', async () => {
                const found = await letters(item);
                return found.length === 1 && found;
        }, 60_000);
        assert.match(refused, new RegExp(`deliveries {2}notification@0 push.like ${item.id} {2}1 try: ${service.url} answered 400$`));
        query(sharedDir(), 'notification', `update notification_queue set due_at = now(), attempts = 9 where user_id = '${author.id}'`);
        const both = await eventually('two dead letters', async () => {
                const found = await letters(item);
                return found.length === 2 && found;
        }, 60_000);
        assert.match(both[1], new RegExp(`10 tries: ${service.url} answered 429$`));
        assert.equal(query(sharedDir(), 'notification', `select count(*) from notification_queue where user_id = '${author.id}'`), '0');
        delete service.answers[picky.path];
        delete service.answers[busy.path];
        const [before, id] = [service.to(busy).length, refused.trim().split(/\s+/)[1]];
        assert.equal((await admin('deadletters', 'replay', '--service', 'notification', id)).code, 0);
        assert.equal((await service.wait(picky, 2)).text.id, item.id);
        await eventually('one is left', async () => (await letters(item)).length === 1);
        assert.equal(service.to(busy).length, before);
});

test('a receiver that does not respond delays nobody else', async (t) => {
        const fresh = await new PushService().open(); // it has never responded, so it might support HTTP/2
        t.after(() => fresh.close());
        const [waiting, author, fan] = await registerMany(3);
        const [silent, here] = [await subscribe(waiting, fresh), await subscribe(author, fresh)];
        const release = fresh.hang(silent.path);
        await fan.react((await waiting.note('Nobody is there')).id, 'like');
        await fresh.wait(silent);
        await fan.react((await author.note('Somebody is')).id, 'like');
        await fresh.wait(here);
        const item = await newest(author);
        await settled(author, item, 'sent');
        const [{ at }] = await attempts(author, item);
        release();
        const held = await newest(waiting);
        const last = await eventually('it was written down', async () => (await attempts(waiting, held))[0] ?? false, 60_000);
        assert.ok(at < last.at, `${at} is not before ${last.at}`);
});

test('a deferred digest loses nothing', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        must(await author.put(`${PATH}/preferences`, { body: { types: [{ type: 'like', push: 'daily' }, { type: 'renote', push: 'daily' }] } }));
        const note = await author.note('Good morning');
        await fan.react(note.id, 'like');
        await fan.react(note.id, 'renote');
        const items = await eventually('two', async () => {
                const found = must(await author.get(PATH)).items;
                return found.length === 2 && found;
        });
        let tries = 0;
        service.answers[subscription.path] = () => (++tries === 1 ? [503, { 'retry-after': '1' }] : [201, {}]);
        hurry(author);
        const first = await service.wait(subscription);
        await settled(author, items[0], 'later');
        hurry(author);
        const second = await service.wait(subscription, 2);
        assert.deepEqual([first.text.notifications, second.text.notifications], [2, 2]);
        for (const item of items) {
                await settled(author, item, 'sent', 'later');
        }
        assert.equal(service.to(subscription).length, 2);
});

test('redirects are not followed, and nothing is sent to private addresses', async () => {
        const [author, fan] = await registerMany(2);
        const moved = await subscribe(author);
        service.answers[moved.path] = () => [307, { location: `${service.url}/push/elsewhere` }];
        for (const host of ['127.0.0.2:8443', '10.0.0.1', '169.254.169.254', '0x7f000002', '127.2:8443', '[::1]:8443', '[::ffff:10.0.0.1]', '[fd00::1]', '0']) {
                problem(await author.post(SUBSCRIPTIONS, { ...service.subscription().body, endpoint: `https://${host}/push` }), 422, { field: 'endpoint' });
        }
        await fan.react((await author.note('Whither')).id, 'like');
        const item = await newest(author);
        await settled(author, item, 'refused');
        assert.equal((await attempts(author, item))[0].status, 307);
        assert.equal(service.pushes.some((p) => p.path === '/push/elsewhere'), false);
});

const DAY_MS = 86_400_000;

test('deliveries are counted for administrators by groups of people, and reveal nothing about one member', async () => {
        const analyst = await registerWithRole('administrator');
        const [fan, ...authors] = await registerMany(6);
        const from = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const points = async () => must(await analyst.get(`/v1/admin/analytics/metrics?name=deliveries&from=${new Date(from).toISOString()}&to=${new Date(from + 2 * DAY_MS).toISOString()}`)).points;
        for (const author of authors) {
                const subscription = await subscribe(author);
                await fan.react((await author.note('counted')).id, 'like');
                await service.wait(subscription);
                await settled(author, await newest(author), 'sent');
        }
        const told = async () => (await points()).reduce((sum, p) => sum + p.value, 0);
        await eventually('those of five people are counted', async () => await told() >= 5, 200_000);
        const sent = Number(query(sharedDir(), 'notification', "select count(*) from notification_delivery_logs where outcome = 'sent'"));
        assert.ok(await told() <= sent, `${await told()} of ${sent}`); // other tests may send meanwhile
        problem(await fan.get('/v1/admin/analytics/metrics?name=deliveries&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'), 403);
});

test('subscriptions are validated, private, and end with the session', async () => {
        const [author, other] = await registerMany(2);
        const good = service.subscription().body;
        for (const [change, field] of [[{ endpoint: 'http://push.example/x' }, 'endpoint'], [{ endpoint: 'https://user@push.example/x' }, 'endpoint'],
                [{ endpoint: 'ftp://push.example/x' }, 'endpoint'], [{ endpoint: 'https://push.example:22/x' }, 'endpoint'], [{ endpoint: 'https://push.example/a\nX-Evil: 1' }, 'endpoint'],
                [{ keys: { ...good.keys, p256dh: 'AAAA' } }, 'keys.p256dh'], [{ keys: { ...good.keys, auth: 'AAAA' } }, 'keys.auth'],
                [{ keys: { ...good.keys, p256dh: 'A'.repeat(101) } }, 'keys.p256dh'], [{ endpoint: `https://push.example/${'a'.repeat(2048)}` }, 'endpoint']]) {
                problem(await author.post(SUBSCRIPTIONS, { ...good, ...change }), 422, { field });
        }
        const { id } = must(await author.post(SUBSCRIPTIONS, good), 201);
        assert.equal(must(await author.post(SUBSCRIPTIONS, good), 201).id, id, 'a browser has one');
        problem(await other.del(`${SUBSCRIPTIONS}/${id}`), 404, { field: 'id' });
        must(await other.post(SUBSCRIPTIONS, good), 201);
        assert.deepEqual(must(await author.get(SUBSCRIPTIONS)).items, [], 'whoever logs in there has it');
        must(await other.del(`${SUBSCRIPTIONS}/${id}`), 204);
        for (let i = 0; i < 20; i++) {
                await subscribe(other);
        }
        problem(await other.post(SUBSCRIPTIONS, service.subscription().body), 409);
        const member = await register();
        const device = await logIn(member.username);
        await subscribe(device);
        await subscribe(member);
        must(await device.post('/v1/auth/logout'), 204);
        await eventually('it ended', async () => must(await member.get(SUBSCRIPTIONS)).items.length === 1, 60_000);
});
