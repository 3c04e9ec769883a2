// notification_service: who is notified of what, and what they may see of it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { query, sharedDir } from './database.mjs';
import { count, list, names, PATH, until, untilCount, untilTypes } from './notifications.mjs';
import { PASSWORD, eventually, logIn, must, problem, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

let ada, bob, cem, dan;
before(async () => {
        [ada, bob, cem, dan] = await registerMany(4);
});

test('members who do the same to a note are grouped, newest first', async () => {
        const note = await ada.note('Look at this');
        await bob.react(note.id, 'like');
        await untilCount(ada, 1);
        await cem.react(note.id, 'like');
        const [liked] = await untilCount(ada, 2);
        assert.deepEqual([liked.type, liked.group_key, liked.note.id, names(liked)], ['like', `like:${note.id}`, note.id, [cem.username, bob.username]]);
        assert.deepEqual([liked.seen_at, liked.read_at, liked.archived_at], [null, null, null]);
        assert.ok(liked.latest_at >= liked.created_at);
        await bob.react(note.id, 'renote');
        const [renoted] = await untilTypes(ada, 'renote', 'like');
        assert.deepEqual([renoted.note.id, names(renoted)], [note.id, [bob.username]]);
        assert.deepEqual((await list(ada, '?types=like')).map((i) => i.id), [liked.id]);
        const members = must(await ada.get(`${PATH}/${liked.id}/members`));
        assert.deepEqual(members.items.map((m) => m.id), [cem.id, bob.id]);
        const first = must(await ada.get(`${PATH}/${liked.id}/members?limit=1`));
        assert.deepEqual(must(await ada.get(`${PATH}/${liked.id}/members?limit=1&cursor=${first.next_cursor}`)).items.map((m) => m.id), [bob.id]);
        assert.deepEqual(await list(bob), []);
});

test('comments, mentions, follows and follow requests notify once each, and own actions do not', async () => {
        const [author, guest, reader] = await registerMany(3);
        const note = await author.note('What do you think?');
        const comment = await guest.comment(note.id, `Nice, @${author.username} and @${reader.username}`);
        const [told] = await untilTypes(author, 'comment');
        assert.deepEqual([told.note.id, told.note.text, names(told)], [comment.id, comment.text, [guest.username]]);
        const [mentioned] = await untilTypes(reader, 'mention');
        assert.equal(mentioned.note.id, comment.id);
        await author.react(note.id, 'like');
        await author.comment(note.id, `I do, says @${author.username}`);
        await guest.follow(author);
        await reader.follow(author);
        const items = await until('two followers', author, (all) => all[0].type === 'follow' && all[0].actors_count === 2);
        assert.deepEqual(items.map((i) => i.type), ['follow', 'comment']);
        must(await author.patch('/v1/users/me/settings', { privacy: { private: true } }));
        const stranger = (await registerMany(1))[0];
        await stranger.follow(author);
        await untilTypes(author, 'follow_request', 'follow', 'comment');
        must(await author.put(`/v1/follow_requests/${stranger.id}`));
        await until('the request is answered', author, (all) => all.every((i) => i.type !== 'follow_request') && all[0].actors_count === 3);
});

test('an undone like disappears unless it was read, and then does not notify again', async () => {
        const [author, fan, other] = await registerMany(3);
        const note = await author.note('Likeable');
        await fan.react(note.id, 'like');
        await other.react(note.id, 'like');
        await untilCount(author, 2);
        await fan.unreact(note.id, 'like');
        await until('one is left', author, ([item]) => item.actors_count === 1 && names(item)[0] === other.username);
        await other.unreact(note.id, 'like');
        await until('none is left', author, (items) => items.length === 0);
        await fan.react(note.id, 'like');
        const [item] = await untilCount(author, 1);
        assert.deepEqual(must(await author.put(`${PATH}/read`, { body: { ids: [item.id] } })), { unread: 0, unseen: 0, more: false });
        await fan.unreact(note.id, 'like');
        await fan.react(note.id, 'like');
        await other.react(note.id, 'like');
        const items = await until('a second one', author, (all) => all.length === 2);
        assert.deepEqual(items.map((i) => [names(i)[0], i.read_at !== null]), [[other.username, false], [fan.username, true]]);
});

test('what the reader may no longer see disappears from list, members and counts', async () => {
        const [author, fan, rude, quiet] = await registerMany(4);
        const note = await author.note('For all');
        for (const member of [fan, rude, quiet]) {
                await member.react(note.id, 'like');
        }
        const [item] = await untilCount(author, 3);
        await author.relate(rude, 'block');
        await author.relate(quiet, 'mute');
        const [left] = await list(author);
        assert.deepEqual([left.actors_count, names(left)], [1, [fan.username]]);
        assert.deepEqual(must(await author.get(`${PATH}/${item.id}/members`)).items.map((m) => m.id), [fan.id]);
        const secret = await fan.note(`For my followers, @${author.username}`, 'followers');
        const open = await fan.note(`For all, @${author.username}`);
        await until('the open mention alone', author, (all) => all[0].type === 'mention' && all[0].note.id === open.id);
        assert.equal((await count(author)).unread, 2);
        must(await fan.del(`/v1/notes/${open.id}`), 204);
        assert.deepEqual((await list(author)).map((i) => i.type), ['like']);
        await author.follow(fan);
        assert.deepEqual((await list(author)).map((i) => i.note?.id), [secret.id, note.id]);
        await author.relate(fan, 'block');
        assert.deepEqual(await list(author), []);
        assert.deepEqual(await count(author), { unread: 0, unseen: 0, more: false });
        problem(await author.get(`${PATH}/${item.id}/members`), 404, { field: 'id' });
});

test('read, seen, archive, snooze and delete', async () => {
        const [author, fan] = await registerMany(2);
        const notes = [];
        for (let i = 0; i < 4; i++) {
                notes.push(await author.note(`Note ${i}`));
                await fan.react(notes[i].id, 'like');
                await until(`${i + 1} likes`, author, (all) => all.length === i + 1);
        }
        const items = await list(author);
        assert.deepEqual(items.map((i) => i.note.id), notes.map((n) => n.id).reverse());
        assert.deepEqual(await count(author), { unread: 4, unseen: 4, more: false });
        assert.deepEqual(must(await author.put(`${PATH}/seen`)), { unread: 4, unseen: 0, more: false });
        assert.deepEqual(must(await author.put(`${PATH}/read`, { body: { up_to_id: items[2].id } })), { unread: 2, unseen: 0, more: false });
        assert.deepEqual((await list(author, '?unread=true')).map((i) => i.id), [items[0].id, items[1].id]);
        must(await author.put(`${PATH}/${items[0].id}/archive`), 204);
        assert.deepEqual((await list(author)).map((i) => i.id), items.slice(1).map((i) => i.id));
        assert.deepEqual((await list(author, '?archived=true')).map((i) => i.id), [items[0].id]);
        must(await author.del(`${PATH}/${items[0].id}/archive`), 204);
        const soon = new Date(Date.now() + 3000).toISOString();
        must(await author.put(`${PATH}/${items[3].id}/snooze`, { body: { until: soon } }), 204);
        assert.equal((await list(author)).some((i) => i.id === items[3].id && new Date() < new Date(soon)), false);
        const [back] = await until('it is back, the newest', author, (all) => all[0]?.id === items[3].id);
        assert.equal(back.read_at, null);
        must(await author.del(`${PATH}/${items[1].id}`), 204);
        assert.deepEqual((await list(author)).map((i) => i.id), [items[3], items[0], items[2]].map((i) => i.id));
        const page = must(await author.get(`${PATH}?limit=2`));
        assert.deepEqual(must(await author.get(`${PATH}?limit=2&cursor=${page.next_cursor}`)).items.map((i) => i.id), [items[2].id]);
});

test('other members’ notifications are not found, and invalid requests are rejected', async () => {
        const [author, fan] = await registerMany(2);
        const note = await author.note('Mine');
        await fan.react(note.id, 'like');
        const [item] = await untilCount(author, 1);
        for (const [method, path, body] of [['get', 'members'], ['put', 'archive'], ['del', 'archive'], ['put', 'snooze', { until: new Date(Date.now() + 60000).toISOString() }]]) {
                problem(await fan[method](`${PATH}/${item.id}/${path}`, { body }), 404, { field: 'id' });
        }
        problem(await fan.del(`${PATH}/${item.id}`), 404, { field: 'id' });
        problem(await fan.put(`${PATH}/read`, { body: { up_to_id: item.id } }), 422, { field: 'up_to_id' });
        must(await fan.put(`${PATH}/read`, { body: { ids: [item.id] } }));
        assert.equal((await count(author)).unread, 1);
        problem(await author.put(`${PATH}/read`, { body: {} }), 422, { field: 'up_to_id' });
        problem(await author.put(`${PATH}/read`, { body: { up_to_id: item.id, ids: [item.id] } }), 422, { field: 'up_to_id' });
        problem(await author.put(`${PATH}/${item.id}/snooze`, { body: { until: '2020-01-01T00:00:00Z' } }), 422, { field: 'until' });
        problem(await author.get(`${PATH}?unread=true&archived=true`), 422, { field: 'archived' });
        problem(await author.get(`${PATH}?cursor=AAAA`), 400, { field: 'cursor' });
});

test('all devices are told what is added, changed and removed, with the same count', async () => {
        const [author, fan] = await registerMany(2);
        const streams = [];
        for (let i = 0; i < 2; i++) {
                const stream = new Stream(process.env.SONET_URL, { token: author.token });
                assert.equal((await stream.next()).type, 'authenticated');
                assert.equal((await stream.subscribe('notifications')).type, 'subscribed');
                streams.push(stream);
        }
        const both = (what, matches) => Promise.all(streams.map((s) => s.find(what, (m) => m.type === 'event' && matches(m))));
        const note = await author.note('Live');
        await fan.react(note.id, 'like');
        const [news] = await both('the like', (m) => m.event === 'notification.changed' && m.data.count.unread === 1);
        const [item] = await list(author);
        assert.deepEqual(news.data.notification, item);
        must(await author.put(`${PATH}/seen`));
        await both('it was seen', (m) => m.event === 'notification.counted' && m.data.unseen === 0 && m.data.unread === 1);
        await fan.unreact(note.id, 'like');
        await both('it is gone', (m) => m.event === 'notification.removed' && m.data.id === item.id && m.data.count.unread === 0);
        await Promise.all(streams.map((s) => s.close()));
});

test('a new note is live for each of its watchers, once, also when a stream resumes, and for nobody else', async () => {
        const [author, other, hidden, ...watchers] = await registerMany(6);
        for (const watcher of [hidden, ...watchers]) {
                must(await watcher.put(`/v1/users/${author.id}/notify`), 204);
        }
        await hidden.relate(author, 'mute');
        const streamOf = async (member, since) => {
                const stream = new Stream(process.env.SONET_URL, { token: member.token });
                assert.equal((await stream.next()).type, 'authenticated');
                assert.equal((await stream.subscribe('notifications', since)).resumed, since !== undefined);
                return stream;
        };
        const streams = await Promise.all([other, hidden, ...watchers].map((member) => streamOf(member)));
        const isAbout = (note) => (m) => m.event === 'notification.changed' && m.data.notification.note.id === note.id;
        const first = await author.note('Live for all');
        const [news] = await Promise.all(streams.slice(2).map((s) => s.find('the note', isAbout(first))));
        assert.deepEqual([news.data.notification, news.data.count.unread], [(await list(watchers[0]))[0], 1]);
        assert.equal(query(sharedDir(), 'notification', `select string_agg(type, ' ') from outbox where aggregate_id = '${first.id}'
                or aggregate_id in (select id from notifications where note_id = '${first.id}')`), 'notification.spread', 'one event for all of them');
        await streams[2].close();
        const missed = await author.note('While one was away');
        streams[2] = await streamOf(watchers[0], news.position);
        await Promise.all(streams.slice(2).map((s) => s.find('the missed note', isAbout(missed))));
        for (const [i, member] of [other, hidden, ...watchers].entries()) { // the last event of each
                const liked = await member.note('To be liked');
                await (member === hidden ? other : author).react(liked.id, 'like');
                await streams[i].find('the like', isAbout(liked));
        }
        assert.deepEqual(streams.map((s) => s.events().length), [1, 1, 2, 3, 3]);
        await Promise.all(streams.map((s) => s.close()));
});

test('a notification counts while any of its actors is visible, even after many hidden ones', async () => {
        const [author, first, ...later] = await registerMany(8);
        const note = await author.note('Popular');
        await first.react(note.id, 'like');
        await untilCount(author, 1);
        for (const member of later) {
                await member.react(note.id, 'like');
                await author.relate(member, 'mute');
        }
        await later[0].react(note.id, 'renote');
        await first.comment(note.id, 'Last');
        await untilTypes(author, 'comment', 'like');
        assert.deepEqual(await count(author), { unread: 2, unseen: 2, more: false });
        await author.relate(first, 'mute');
        assert.deepEqual(await count(author), { unread: 0, unseen: 0, more: false });
});

test('the live stream reveals nothing hidden, not even by counts', async () => {
        const [author, fan, quiet] = await registerMany(3);
        const [first, second] = [await author.note('First'), await author.note('Second')];
        await author.relate(quiet, 'mute');
        const stream = new Stream(process.env.SONET_URL, { token: author.token });
        assert.equal((await stream.next()).type, 'authenticated');
        assert.equal((await stream.subscribe('notifications')).type, 'subscribed');
        await quiet.react(first.id, 'like');
        await quiet.react(first.id, 'renote');
        await quiet.unreact(first.id, 'renote');
        await fan.note(`For my followers, @${author.username}`, 'followers');
        await fan.react(first.id, 'like');
        const liked = await stream.find('the like', (m) => m.event === 'notification.changed');
        await fan.unreact(first.id, 'like');
        const removed = await stream.find('it is gone, since the other like is hidden', (m) => m.event === 'notification.removed');
        assert.equal(removed.data.id, liked.data.notification.id);
        await quiet.unreact(first.id, 'like');
        await fan.react(second.id, 'like');
        await stream.find('the last like', (m) => m.data?.notification?.note.id === second.id);
        assert.deepEqual(stream.events().map((m) => [m.event, m.data.count.unread]), [['notification.changed', 1], ['notification.removed', 0], ['notification.changed', 1]]);
        await stream.close();
});

test('settings and preferences decide what a member is notified of, and `why` says so', async () => {
        const [author, fan] = await registerMany(2);
        const note = await author.note('Tell me');
        const PREFERENCES = `${PATH}/preferences`;
        const before = must(await author.get(PREFERENCES));
        assert.deepEqual(before.types.find((t) => t.type === 'like'), { type: 'like', in_app: 'immediate', push: 'immediate', email: 'off', sms: 'off' });
        assert.deepEqual([before.filters.not_followed, before.digest_hour], ['accept', 8]);
        must(await author.patch('/v1/users/me/settings', { notifications: { likes: false, email: true } }));
        const by = must(await author.get(PREFERENCES)).types;
        assert.deepEqual(by.find((t) => t.type === 'like'), { type: 'like', in_app: 'off', push: 'off', email: 'off', sms: 'off' });
        assert.equal(by.find((t) => t.type === 'mention').email, 'immediate');
        await fan.react(note.id, 'like');
        await fan.react(note.id, 'renote');
        const [renoted] = await untilTypes(author, 'renote');
        assert.deepEqual([renoted.why.rule, renoted.why.held.map((h) => [h.channel, h.by])], ['default', [['email', 'digest']]]);
        must(await author.put(PREFERENCES, { body: { types: [{ type: 'like', in_app: 'immediate' }, { type: 'comment', in_app: 'off', push: 'off', email: 'off' }], digest_hour: 0 } }));
        assert.equal(must(await author.get(PREFERENCES)).digest_hour, 0);
        await fan.comment(note.id, 'Not told');
        const other = await author.note('And of this');
        await fan.react(other.id, 'like');
        const [liked] = await untilTypes(author, 'like', 'renote');
        assert.deepEqual([liked.note.id, liked.why], [other.id, { rule: 'preference' }]);
        assert.deepEqual(must(await author.put(PREFERENCES, { body: {} })).types.find((t) => t.type === 'comment').in_app, 'immediate');
        for (const body of [{ types: [{ type: 'sunrise', in_app: 'off' }] }, { types: [{ type: 'like' }, { type: 'like' }] }, { types: [{ type: 'like', in_app: 'daily' }] }]) {
                problem(await author.put(PREFERENCES, { body }), 422, { field: 'types' });
        }
        problem(await author.put(PREFERENCES, { body: { digest_hour: 24 } }), 422, { field: 'digest_hour' });
});

test('filters drop what strangers do, or hold it as requests to accept or dismiss', async () => {
        const [author, friend, stranger] = await registerMany(3);
        await author.follow(friend);
        const note = await author.note('Whoever likes it');
        must(await author.put(`${PATH}/preferences`, { body: { filters: { not_followed: 'request' } } }));
        await stranger.react(note.id, 'like');
        await friend.react(note.id, 'like');
        const [item] = await untilTypes(author, 'like');
        assert.deepEqual(names(item), [friend.username]);
        const requests = async () => must(await author.get(`${PATH}/requests`)).items;
        const [request] = await requests();
        assert.deepEqual([names(request), request.why], [[stranger.username], { rule: 'filter', filter: 'not_followed' }]);
        assert.deepEqual(await count(author), { unread: 1, unseen: 1, more: false });
        assert.deepEqual(must(await stranger.put(`${PATH}/requests/accept`, { body: { all: true } })).unread, 0);
        assert.equal((await requests()).length, 1, 'they are nobody else’s');
        assert.deepEqual(must(await author.put(`${PATH}/requests/accept`, { body: { ids: [request.id] } })), { unread: 2, unseen: 2, more: false });
        assert.deepEqual((await list(author)).map((i) => i.id).sort(), [request.id, item.id].sort());
        await stranger.comment(note.id, 'Hello');
        await eventually('a second request', async () => (await requests()).length === 1);
        must(await author.put(`${PATH}/requests/dismiss`, { body: { all: true } }), 204);
        assert.deepEqual(await requests(), []);
        for (const body of [{}, { all: true, ids: [request.id] }]) {
                problem(await author.put(`${PATH}/requests/accept`, { body }), 422, { field: 'ids' });
        }
        await stranger.react(note.id, 'renote');
        await eventually('a third one', async () => (await requests()).length === 1);
        await stranger.unreact(note.id, 'renote');
        await eventually('it is undone', async () => (await requests()).length === 0);
        must(await author.put(`${PATH}/preferences`, { body: { filters: { new_account: 'drop' } } }));
        await stranger.comment(note.id, 'Dropped');
        await friend.comment(note.id, 'Told');
        await until('the friend’s comment', author, (all) => all[0].type === 'comment');
        assert.deepEqual([names((await list(author))[0]), await requests()], [[friend.username], []]);
});

test('a type that is off in the list is no request either, also if it is pushed', async () => {
        const [author, stranger] = await registerMany(2);
        const note = await author.note('Quiet');
        must(await author.put(`${PATH}/preferences`, { body: { types: [{ type: 'mention', in_app: 'off' }], filters: { not_followed: 'request' } } }));
        await stranger.note(`Hello @${author.username}`);
        await stranger.react(note.id, 'like');
        const [request] = await until('a request', author, (all) => all.length > 0, '/requests');
        assert.equal(request.type, 'like');
        must(await author.put(`${PATH}/requests/accept`, { body: { all: true } }));
        await untilTypes(author, 'like');
        assert.equal((await count(author)).unread, 1);
});

test('mentions in notes that are not public can be held as requests', async () => {
        const [author, stranger] = await registerMany(2);
        must(await author.put(`${PATH}/preferences`, { body: { filters: { private_mention: 'request' } } }));
        await author.follow(stranger);
        await stranger.note(`Followed, for my followers: @${author.username}`, 'followers');
        await untilTypes(author, 'mention');
        const other = (await registerMany(1))[0];
        await other.note(`For all: @${author.username}`);
        await untilTypes(author, 'mention', 'mention');
        const third = (await registerMany(1))[0];
        await author.follow(third);
        await other.follow(third);
        const closed = await third.note('Among us', 'followers');
        await other.comment(closed.id, `Look, @${author.username}`);
        const [request] = await until('a request', author, (all) => all.length === 1, '/requests');
        assert.deepEqual(request.why, { rule: 'filter', filter: 'private_mention' });
});

test('a muted conversation does not notify until it is unmuted', async () => {
        const [author, fan] = await registerMany(2);
        const note = await author.note('Long talk');
        const first = await fan.comment(note.id, 'One');
        await untilTypes(author, 'comment');
        must(await author.put(`/v1/notes/${first.id}/mute_thread`), 204);
        must(await author.put(`/v1/notes/${note.id}/mute_thread`), 204);
        const muted = async (member, id) => must(await member.get(`/v1/notes/${id}/mute_thread`)).muted;
        assert.deepEqual([await muted(author, note.id), await muted(author, first.id), await muted(fan, note.id)], [true, true, false]);
        const mine = await author.comment(first.id, 'Two');
        await fan.comment(mine.id, `Three, @${author.username}`);
        await fan.react(note.id, 'like');
        const other = await author.note('Another one');
        await fan.react(other.id, 'like');
        await untilTypes(author, 'like', 'comment');
        must(await author.del(`/v1/notes/${mine.id}/mute_thread`), 204);
        assert.equal(await muted(author, note.id), false);
        await fan.react(mine.id, 'like');
        await untilTypes(author, 'like', 'like', 'comment');
        const secret = await fan.note('Mine', 'only_me');
        problem(await author.put(`/v1/notes/${secret.id}/mute_thread`), 404, { field: 'id' });
        problem(await author.get(`/v1/notes/${secret.id}/mute_thread`), 404, { field: 'id' });
});

test('members are notified of visible new notes of members whom they watch', async () => {
        const [author, watcher, other] = await registerMany(3);
        const watches = async (member) => must(await member.get(`/v1/users/${author.username}/notify`)).notify;
        assert.equal(await watches(watcher), false);
        must(await watcher.put(`/v1/users/${author.id}/notify`), 204);
        assert.deepEqual([await watches(watcher), await watches(other)], [true, false]);
        must(await watcher.put(`/v1/users/${author.username}/notify`), 204);
        await author.note('For followers', 'followers');
        const open = await author.note('For all');
        await author.comment(open.id, 'No new note');
        const [item] = await untilTypes(watcher, 'new_note');
        assert.deepEqual([item.note.id, names(item)], [open.id, [author.username]]);
        assert.deepEqual(await list(other), []);
        must(await watcher.del(`/v1/users/${author.id}/notify`), 204);
        assert.equal(await watches(watcher), false);
        await author.note('Nobody is told');
        await author.follow(watcher);
        await untilTypes(watcher, 'follow', 'new_note');
        problem(await watcher.put(`/v1/users/${watcher.id}/notify`), 422, { field: 'user_id' });
        problem(await watcher.get(`/v1/users/${watcher.id}/notify`), 422, { field: 'user_id' });
        await author.relate(watcher, 'block');
        problem(await watcher.put(`/v1/users/${author.id}/notify`), 404, { field: 'user_id' });
        problem(await watcher.get(`/v1/users/${author.id}/notify`), 404, { field: 'user_id' });
});

test('a snoozed notification can be seen, and brought back', async () => {
        const [author, fan, other] = await registerMany(3);
        await fan.react((await author.note('Later')).id, 'like');
        const [item] = await untilTypes(author, 'like');
        await other.follow(author);
        await untilTypes(author, 'follow', 'like');
        const snoozed = async () => must(await author.get(`${PATH}?snoozed=true`)).items;
        const at = new Date(Date.now() + 3_600_000).toISOString();
        assert.deepEqual(await snoozed(), []);
        must(await author.put(`${PATH}/${item.id}/snooze`, { body: { until: at } }), 204);
        assert.deepEqual((await snoozed()).map((i) => [i.id, Date.parse(i.latest_at)]), [[item.id, Date.parse(at)]]);
        await untilTypes(author, 'follow');
        problem(await fan.del(`${PATH}/${item.id}/snooze`), 404, { field: 'id' });
        must(await author.del(`${PATH}/${item.id}/snooze`), 204);
        must(await author.del(`${PATH}/${item.id}/snooze`), 204);
        assert.deepEqual([(await list(author)).map((i) => i.type), await snoozed(), (await count(author)).unread], [['like', 'follow'], [], 2]);
        for (const other of ['unread', 'archived']) {
                problem(await author.get(`${PATH}?snoozed=true&${other}=true`), 422, { field: 'snoozed' });
        }
});

test('an unknown type is rejected with the names of those that there are', async () => {
        const [member] = await registerMany(1);
        for (const answer of [await member.get(`${PATH}?types=like&types=lik`), await member.put(`${PATH}/preferences`, { body: { types: [{ type: 'lik', push: 'off' }] } })]) {
                problem(answer, 422, { field: 'types' });
                assert.match(answer.body.detail, /unknown type lik; types are like, renote, .*, message_request, .*, report_resolved$/);
        }
});

test('quiet hours are stored as set', async () => {
        const [member] = await registerMany(1);
        const QUIET = `${PATH}/quiet_hours`;
        assert.deepEqual(must(await member.get(QUIET)), { time_zone: '', windows: [], except: [] });
        const body = { time_zone: 'Europe/Berlin', windows: [{ days: [1, 5], from: '22:00', until: '07:30' }], except: ['mention'] };
        assert.deepEqual(must(await member.put(QUIET, { body })), body);
        must(await member.put(`${PATH}/preferences`, { body: { digest_hour: 9 } }));
        assert.deepEqual(must(await member.get(QUIET)), body, 'preferences leave them');
        assert.deepEqual(must(await member.put(QUIET, { body: { windows: [{ from: '00:00', until: '01:00' }] } })).windows, [{ days: [0, 1, 2, 3, 4, 5, 6], from: '00:00', until: '01:00' }]);
        assert.equal(must(await member.get(`${PATH}/preferences`)).digest_hour, 9);
        problem(await member.put(QUIET, { body: { time_zone: 'Mars/Olympus' } }), 422, { field: 'time_zone' });
        problem(await member.put(QUIET, { body: { except: ['sunrise'] } }), 422, { field: 'except' });
        for (const wrong of ['25:00', '22:60', '22.00', '9:00', '22:000', 'ab:cd']) {
                const answer = await member.put(QUIET, { body: { windows: [{ from: '00:00', until: '01:00' }, { from: '22:00', until: wrong }] } });
                problem(answer, 422, { field: 'windows[1].until' });
                assert.match(answer.body.detail, /must be a time of day like "22:00"$/);
        }
        problem(await member.put(QUIET, { body: { windows: [{ from: '25:00', until: '01:00' }] } }), 422, { field: 'windows[0].from' });
});

test('thousands of notifications can be marked as seen and read at once', async () => {
        const [author, fan] = await registerMany(2);
        query(sharedDir(), 'notification', `with told as (insert into notifications (id, user_id, type, group_key, latest_at)
                select gen_random_uuid(), '${author.id}', 'follow', 'follow:' || i, now() - i * interval '1 second' from generate_series(1, 2500) i returning id)
                insert into notification_actors (notification_id, actor_id, created_at) select id, '${fan.id}', now() from told`);
        assert.deepEqual(await count(author), { unread: 100, unseen: 100, more: true });
        assert.equal(must(await author.put(`${PATH}/seen`)).unseen, 0);
        const [newest] = await list(author);
        assert.deepEqual(must(await author.put(`${PATH}/read`, { body: { up_to_id: newest.id } })), { unread: 0, unseen: 0, more: false });
        assert.deepEqual(await list(author, '?unread=true'), []);
});

test('security events always notify, each time, and cannot be turned off', async () => {
        const [member, other] = await registerMany(2);
        problem(await member.put(`${PATH}/preferences`, { body: { types: [{ type: 'new_device', push: 'off' }] } }), 422, { field: 'types' });
        const { types } = must(await member.get(`${PATH}/preferences`));
        must(await member.put(`${PATH}/preferences`, { body: { types, filters: { not_followed: 'drop', new_account: 'drop' } } }));
        must(await member.put(`${PATH}/quiet_hours`, { body: { windows: [{ from: '00:00', until: '00:00' }] } }));
        await logIn(member.username);
        const [first] = await untilTypes(member, 'new_device');
        assert.deepEqual([names(first), first.why, first.note], [[member.username], { rule: 'security' }, null]);
        await logIn(member.username);
        await untilTypes(member, 'new_device', 'new_device');
        member.token = must(await member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: `${PASSWORD} anew` })).access_token;
        await untilTypes(member, 'password_changed', 'new_device', 'new_device');
        assert.deepEqual(await list(other), []);
});
