// Web Push with third-party software: an independent push service decrypts and verifies pushes, and undone events are retracted, delivered or not.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { PushService } from './pushreceiver.mjs';
import { eventually, must, registerMany } from './shared.mjs';
import { idle, sql, startPushTesting, subscribeAt } from './webpushtesting.mjs';

const SUBSCRIPTIONS = '/v1/push/subscriptions';
const service = new PushService();
before(() => service.open());
after(() => service.close());

const hurry = (member) => sql(`update notification_queue set due_at = now() where user_id = '${member.id}'`);
const listed = async (member) => must(await member.get('/v1/notifications')).items;
async function subscribe(member, subscription = service.subscription()) {
        must(await member.post(SUBSCRIPTIONS, subscription.body), 201);
        return subscription;
}
// A day later one who undid something may be told of again: by push, of a note or a member.
const forget = (member, type, object, actor) => sql(`delete from notification_effects where effect = sha256('${member.id} ${type}:${object.id} ${actor.id} 1')`);
// A note that was liked, and the push about it.
async function liked(author, fan, subscription, n = 1) {
        const note = await author.note('Like me');
        await fan.react(note.id, 'like');
        const push = await service.wait(subscription, n);
        await idle(author);
        return { note, push };
}

test('web-push-testing accepts the signature of pushes, decrypts them, and ends subscriptions', async (t) => {
        const testing = await startPushTesting(t);
        const [author, fan] = await registerMany(2);
        const browser = await subscribeAt(testing, author);
        const note = await author.note('Grüße an alle');
        await fan.react(note.id, 'like');
        const message = await browser.wait(1);
        assert.deepEqual([message.type, message.note_id, message.text, message.title], ['like', note.id, 'Grüße an alle', `Member ${fan.username} likes your note`]);
        await idle(author);
        await fan.unreact(note.id, 'like');
        assert.deepEqual(await browser.wait(2), { id: message.id, tag: message.tag, retracted: true });
        await testing.expire(browser.hash);
        await fan.react(note.id, 'renote');
        await eventually('it is forgotten', async () => must(await author.get(SUBSCRIPTIONS)).items.length === 0, 60_000);
        assert.equal((await testing.messages(browser.hash)).length, 2);
});

test('the push of an undone event is replaced if it is still queued, and retracted if it was delivered', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const { note, push } = await liked(author, fan, subscription);
        assert.equal(push.text.tag, push.headers.topic);
        await fan.unreact(note.id, 'like');
        const retraction = await service.wait(subscription, 2);
        assert.deepEqual([retraction.text, retraction.headers.topic], [{ id: push.text.id, tag: push.text.tag, retracted: true }, push.headers.topic]);
        assert.deepEqual(service.undelivered(subscription), [retraction.text], 'a browser that was offline never shows the like');
        assert.deepEqual(await listed(author), []);
        await idle(author);
        forget(author, 'like', note, fan);
        await fan.react(note.id, 'like');
        const again = await service.wait(subscription, 3);
        assert.notEqual(again.text.id, push.text.id);
        assert.deepEqual(service.undelivered(subscription), [again.text], 'nor the retraction, once it is liked again');
        await fan.follow(author);
        await service.wait(subscription, 4);
        await fan.unrelate(author, 'follow');
        assert.deepEqual((await service.wait(subscription, 5)).text.retracted, true);
        assert.deepEqual(service.undelivered(subscription).map((text) => text.type ?? 'retracted'), ['like', 'retracted']);
});

test('who undoes and does the same again and again is pushed about once a day, and anybody else at once', async () => {
        const [author, fan, other] = await registerMany(3);
        const subscription = await subscribe(author);
        const { note, push } = await liked(author, fan, subscription);
        const likes = (n) => eventually(`${n} like it`, async () => ((await listed(author)).find((i) => i.type === 'like')?.actors_count ?? 0) === n, 60_000);
        for (let turn = 0; turn < 3; turn++) {
                await fan.unreact(note.id, 'like');
                await likes(0);
                await fan.react(note.id, 'like');
                await likes(1);
        }
        await idle(author);
        assert.deepEqual(service.to(subscription).slice(1).map((p) => subscription.read(p.body)), [{ id: push.text.id, tag: push.text.tag, retracted: true }], 'what was not pushed is not retracted');
        await other.react(note.id, 'like');
        assert.deepEqual([(await service.wait(subscription, 3)).text.actors_count, (await listed(author))[0].actors_count], [2, 2]);
        await idle(author);
        for (let turn = 0; turn < 2; turn++) { // where somebody else is left
                await other.unreact(note.id, 'like');
                await likes(1);
                await other.react(note.id, 'like');
                await likes(2);
        }
        for (let turn = 0; turn < 3; turn++) {
                await fan.follow(author);
                await eventually('a follower', async () => (await listed(author)).some((i) => i.type === 'follow'), 60_000);
                await idle(author);
                await fan.unrelate(author, 'follow');
                await eventually('none', async () => (await listed(author)).every((i) => i.type !== 'follow'), 60_000);
        }
        await idle(author);
        assert.deepEqual(service.to(subscription).slice(3).map((p) => subscription.read(p.body).type ?? 'retracted'), ['follow', 'retracted']);
        forget(author, 'follow', author, fan);
        await fan.follow(author);
        assert.equal((await service.wait(subscription, 6)).text.type, 'follow');
});

test('what was undone before it was sent is sent when it is done again', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const note = await author.note('In a digest');
        must(await author.put('/v1/notifications/preferences', { body: { types: [{ type: 'like', push: 'daily' }] } }));
        const waiting = (n) => eventually(`${n} wait`, () => sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === `${n}`, 60_000);
        await fan.react(note.id, 'like');
        await waiting(1);
        await fan.unreact(note.id, 'like');
        await waiting(0);
        await fan.react(note.id, 'like');
        await waiting(1);
        hurry(author);
        assert.equal((await service.wait(subscription)).text.type, 'like');
});

test('who withdraws a request to follow and asks again is told of once, and it is answered as before', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        must(await author.patch('/v1/users/me/settings', { privacy: { private: true } }));
        for (let turn = 0; turn < 3; turn++) {
                await fan.follow(author);
                await eventually('a request', async () => (await listed(author)).length === 1, 60_000);
                await idle(author);
                await fan.unrelate(author, 'follow');
                await eventually('none', async () => (await listed(author)).length === 0, 60_000);
        }
        await fan.follow(author);
        await eventually('a request', async () => (await listed(author))[0]?.type === 'follow_request', 60_000);
        await idle(author);
        assert.deepEqual(service.to(subscription).map((p) => subscription.read(p.body).type), ['follow_request']);
});

test('who asks to follow again days after a refusal is told of again, in one row that is unread', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        must(await author.patch('/v1/users/me/settings', { privacy: { private: true } }));
        await fan.follow(author);
        await service.wait(subscription);
        const [first] = await listed(author);
        assert.equal(first.type, 'follow_request');
        await idle(author);
        must(await author.put('/v1/notifications/read', { body: { ids: [first.id] } }));
        must(await author.del(`/v1/follow_requests/${fan.id}`));
        await eventually('none', async () => (await listed(author)).length === 0, 60_000);
        sql(`update notifications set created_at = created_at - interval '3 days', latest_at = latest_at - interval '3 days' where id = '${first.id}'`);
        await fan.follow(author);
        assert.equal((await service.wait(subscription, 2)).text.type, 'follow_request');
        const items = await listed(author);
        assert.deepEqual([items.length, items[0].id === first.id, items[0].read_at], [1, false, null]);
});

test('a request repeated after a day replaces what was pushed of the first one, or retracts it if it is only kept as a request', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        must(await author.patch('/v1/users/me/settings', { privacy: { private: true } }));
        // As if it had been asked 25 hours ago and pushed later, in a digest.
        const repeat = async () => {
                sql(`update notifications set created_at = created_at - interval '25 hours', latest_at = latest_at - interval '25 hours' where user_id = '${author.id}'`);
                await fan.unrelate(author, 'follow');
                await fan.follow(author);
        };
        await fan.follow(author);
        const first = await service.wait(subscription);
        await idle(author);
        await repeat();
        const second = await service.wait(subscription, 2);
        assert.deepEqual([second.text.type, second.text.tag, second.text.id === first.text.id], ['follow_request', first.text.tag, false]);
        await idle(author);
        assert.deepEqual(service.undelivered(subscription), [second.text], 'not retracted');
        must(await author.put('/v1/notifications/preferences', { body: { filters: { not_followed: 'request' } } }));
        await repeat();
        assert.deepEqual((await service.wait(subscription, 3)).text, { id: second.text.id, tag: first.text.tag, retracted: true });
        await idle(author);
        assert.deepEqual([must(await author.get('/v1/notifications/requests')).items.length, await listed(author), must(await author.get('/v1/notifications/unread_count')).unread], [1, [], 0]);
        assert.equal(sql(`select count(*) from outbox where type = 'notification.removed' and aggregate_id = '${second.text.id}'`), '1', 'other devices hear of it');
        assert.equal(service.to(subscription).length, 3);
});

test('a retraction is sent in quiet hours, and once to each browser however often it is deferred', async () => {
        const [author, fan] = await registerMany(2);
        const [busy, here] = [await subscribe(author), await subscribe(author)];
        const { note } = await liked(author, fan, here);
        must(await author.put('/v1/notifications/quiet_hours', { body: { windows: [{ from: '00:00', until: '00:00' }] } }));
        const answers = [[429, { 'retry-after': '1' }], [503, {}]];
        service.answers[busy.path] = () => answers.shift() ?? [201, {}];
        await fan.unreact(note.id, 'like');
        await service.wait(here, 2);
        for (const n of [2, 3]) {
                assert.equal((await service.wait(busy, n)).text.retracted, true);
                await eventually('it is put off', () => sql(`select count(*) from notification_queue where user_id = '${author.id}' and attempts = ${n - 1} and due_at < now() + interval '50 s'`) === '1', 60_000);
                hurry(author);
        }
        assert.equal((await service.wait(busy, 4)).text.retracted, true);
        await idle(author);
        assert.deepEqual([service.to(busy).length, service.to(here).length], [4, 2]);
});

test('notifications with other actors left, read ones and those in a digest are not retracted', async () => {
        const [author, fan, other] = await registerMany(3);
        const subscription = await subscribe(author);
        const { note } = await liked(author, fan, subscription);
        await other.react(note.id, 'like');
        await service.wait(subscription, 2);
        await other.unreact(note.id, 'like');
        await eventually('one is left', async () => (await listed(author))[0].actors_count === 1);
        must(await author.put('/v1/notifications/read', { body: { ids: [(await listed(author))[0].id] } }));
        await fan.unreact(note.id, 'like');
        must(await author.put('/v1/notifications/preferences', { body: { types: [{ type: 'like', push: 'daily' }, { type: 'renote', push: 'daily' }] } }));
        const digest = await author.note('In a digest');
        for (const what of ['like', 'renote']) {
                await fan.react(digest.id, what);
        }
        await eventually('both wait', () => sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === '2', 60_000);
        hurry(author);
        assert.equal((await service.wait(subscription, 3)).text.notifications, 2);
        await idle(author);
        await fan.unreact(digest.id, 'like');
        await eventually('it is gone from the list', async () => (await listed(author)).filter((i) => i.note.id === digest.id).length === 1, 60_000);
        await fan.follow(author);
        assert.equal((await service.wait(subscription, 4)).text.type, 'follow');
});

test('a digest with the same tag is not closed, but an earlier single push with another tag is', async () => {
        const [author, fan, other] = await registerMany(3);
        const subscription = await subscribe(author);
        const daily = (type) => ({ type, push: 'daily' });
        const [first, second] = [await liked(author, fan, subscription), await liked(author, fan, subscription, 2)];
        must(await author.put('/v1/notifications/preferences', { body: { types: [daily('like'), daily('renote')] } }));
        const waiting = (n) => eventually(`${n} wait`, () => sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === `${n}`, 60_000);
        await other.react(second.note.id, 'like');
        await waiting(1);
        await fan.react(first.note.id, 'renote');
        await waiting(2);
        await other.react(first.note.id, 'like');
        await waiting(3);
        hurry(author);
        const digest = await service.wait(subscription, 3);
        assert.deepEqual([digest.text.tag, digest.text.notifications], [first.push.text.tag, 3]);
        await idle(author);
        for (const { note } of [first, second]) {
                await fan.unreact(note.id, 'like');
                await other.unreact(note.id, 'like');
        }
        assert.deepEqual((await service.wait(subscription, 4)).text, { id: second.push.text.id, tag: second.push.text.tag, retracted: true });
        await idle(author);
        assert.equal(service.to(subscription).length, 4);
});

test('a retraction gives way to a later push with the same tag, not to an earlier notification, nor to a request', async () => {
        const [author, fan, other, stranger] = await registerMany(4);
        const subscription = await subscribe(author);
        const gone = (id) => eventually('it is gone', () => sql(`select count(*) from notifications where id = '${id}'`) === '0', 60_000);
        // The first is archived, so the second like makes another notification.
        async function twice(n) {
                const { note, push } = await liked(author, fan, subscription, n);
                must(await author.put(`/v1/notifications/${push.text.id}/archive`), 204);
                await other.react(note.id, 'like');
                const second = await service.wait(subscription, n + 1);
                assert.equal(second.text.tag, push.text.tag);
                await idle(author);
                return [note, push, second];
        }
        const [note, first, second] = await twice(1);
        await fan.unreact(note.id, 'like');
        await gone(first.text.id);
        await idle(author);
        await other.unreact(note.id, 'like');
        assert.deepEqual((await service.wait(subscription, 3)).text, { id: second.text.id, tag: second.text.tag, retracted: true });
        const [again, , later] = await twice(4);
        await other.unreact(again.id, 'like');
        assert.deepEqual((await service.wait(subscription, 6)).text, { id: later.text.id, tag: later.text.tag, retracted: true });
        await idle(author);
        await author.follow(fan);
        const { note: last, push } = await liked(author, fan, subscription, 7);
        must(await author.put('/v1/notifications/preferences', { body: { filters: { not_followed: 'request' } } }));
        await stranger.react(last.id, 'like');
        await eventually('a request', async () => must(await author.get('/v1/notifications/requests')).items.length === 1, 60_000);
        await fan.unreact(last.id, 'like');
        assert.deepEqual((await service.wait(subscription, 8)).text, { id: push.text.id, tag: push.text.tag, retracted: true });
});

test('an event undone during its push is retracted afterwards', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const release = service.hang(subscription.path);
        const note = await author.note('Like me');
        await fan.react(note.id, 'like');
        await service.wait(subscription);
        await fan.unreact(note.id, 'like');
        await eventually('it is gone', async () => (await listed(author)).length === 0, 60_000);
        assert.equal(service.to(subscription).length, 1, 'not before it is certain that it comes second');
        release();
        delete service.hanging[subscription.path];
        hurry(author); // expires the lease now
        assert.equal((await service.wait(subscription, 2)).text.retracted, true);
        await idle(author);
});

test('what is undone and done again while its push hangs is pushed again if that push fails, and only then', async () => {
        const [author, fan, other] = await registerMany(3);
        const subscription = await subscribe(author);
        const waiting = () => sql(`select count(*) from notification_queue where user_id = '${author.id}' and retracts is null`);
        const pushed = () => service.to(subscription).map((p) => subscription.read(p.body));
        // Undone and done again during its push, which is then answered.
        async function again(status) {
                const release = service.hang(subscription.path), n = service.to(subscription).length;
                const note = await author.note(`Like me: ${status}`);
                await fan.react(note.id, 'like');
                const { text } = await service.wait(subscription, n + 1);
                await fan.unreact(note.id, 'like');
                await eventually('it is gone', async () => (await listed(author)).every((i) => i.note.id !== note.id), 60_000);
                await fan.react(note.id, 'like');
                await eventually('it is back', async () => (await listed(author)).some((i) => i.note.id === note.id), 60_000);
                assert.equal(waiting(), '1', 'it waits for the outcome');
                service.answers[subscription.path] = () => [status, {}];
                delete service.hanging[subscription.path];
                release();
                await eventually('that is written down', () => sql(`select count(*) from notification_delivery_logs where notification_id = '${text.id}'`) === '1', 60_000);
                delete service.answers[subscription.path];
                return { note, text, n: n + 1 };
        }
        const failed = await again(503);
        hurry(author);
        const second = await service.wait(subscription, failed.n + 1);
        assert.deepEqual([second.text.type, second.text.tag, second.text.note_id], ['like', failed.text.tag, failed.note.id]);
        await idle(author);
        const sent = await again(201);
        await fan.unreact(sent.note.id, 'like');
        await eventually('it is gone', async () => (await listed(author)).every((i) => i.note.id !== sent.note.id), 60_000);
        await fan.react(sent.note.id, 'like');
        await eventually('it is back', async () => (await listed(author)).some((i) => i.note.id === sent.note.id), 60_000);
        hurry(author);
        await idle(author);
        assert.deepEqual(pushed().slice(sent.n), [], 'neither pushed again nor retracted');
        const joined = await again(201);
        await other.react(joined.note.id, 'like');
        assert.equal((await service.wait(subscription, joined.n + 1)).text.actors_count, 2, 'whoever joins does not wait');
        hurry(author);
        await idle(author);
        assert.equal(pushed().length, joined.n + 1);
});

test('a digest of one notification undone during its push is retracted, a digest of two is not', async () => {
        const [author, fan] = await registerMany(2);
        const subscription = await subscribe(author);
        const note = await author.note('In a digest');
        must(await author.put('/v1/notifications/preferences', { body: { types: [{ type: 'like', push: 'daily' }, { type: 'renote', push: 'daily' }] } }));
        const waiting = (n) => eventually(`${n} wait`, () => sql(`select count(*) from notification_queue where user_id = '${author.id}'`) === `${n}`, 60_000);
        // Pushed, undone meanwhile, and claimed again after the lease.
        async function undone(whats, n) {
                for (const [i, what] of whats.entries()) {
                        await fan.react(note.id, what);
                        await waiting(i + 1);
                }
                const release = service.hang(subscription.path);
                hurry(author);
                const push = await service.wait(subscription, n);
                assert.equal(push.text.notifications, whats.length);
                await fan.unreact(note.id, whats.at(-1));
                await eventually('it is gone', async () => (await listed(author)).every((i) => i.id !== push.text.id), 60_000);
                release();
                delete service.hanging[subscription.path];
                return push;
        }
        const { text } = await undone(['like'], 1);
        hurry(author);
        assert.deepEqual((await service.wait(subscription, 2)).text, { id: text.id, tag: text.tag, retracted: true });
        await idle(author);
        forget(author, 'like', note, fan);
        await undone(['renote', 'like'], 3);
        await idle(author);
        await fan.follow(author);
        assert.equal((await service.wait(subscription, 4)).text.type, 'follow');
});

test('only browsers that may have received a push get its retraction', async () => {
        const [author, fan] = await registerMany(2);
        const first = await subscribe(author);
        const { note } = await liked(author, fan, first);
        const later = await subscribe(author);
        await fan.unreact(note.id, 'like');
        assert.equal((await service.wait(first, 2)).text.retracted, true);
        await idle(author);
        await fan.follow(author);
        assert.equal((await service.wait(later)).text.type, 'follow', 'it was not there');
        const [reader, friend] = await registerMany(2);
        const busy = await subscribe(reader);
        service.answers[busy.path] = () => [503, {}];
        const { id } = await reader.note('Like me');
        await friend.react(id, 'like');
        await eventually('it is put off', () => sql(`select count(*) from notification_queue where user_id = '${reader.id}' and attempts = 1 and target_id <> '00000000-0000-0000-0000-000000000000'`) === '1', 60_000);
        await friend.unreact(id, 'like');
        await eventually('it is gone', async () => (await listed(reader)).length === 0, 60_000);
        assert.equal(sql(`select count(*) from notification_queue where user_id = '${reader.id}'`), '0', 'what never came is not retracted');
});

test('reading a message in its chat on one device closes it on the others', async () => {
        const [reader, friend] = await registerMany(2);
        const subscription = await subscribe(reader);
        const chat = must(await friend.post('/v1/chats', { kind: 'direct', user_ids: [reader.id] }), 201);
        const { seq } = must(await friend.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text: 'Are you there?' }), 201);
        const push = await service.wait(subscription);
        await idle(reader);
        must(await reader.put(`/v1/chats/${chat.id}/read`, { body: { seq } }));
        assert.deepEqual((await service.wait(subscription, 2)).text, { id: push.text.id, tag: push.text.tag, retracted: true });
});

// ---- In a browser ----

// The indented example of docs/api.md.
