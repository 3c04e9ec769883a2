// Notifications of messages, per chat.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { query, sharedDir } from './database.mjs';
import { count, list, names, PATH, until, untilCount, untilTypes } from './notifications.mjs';
import { eventually, must, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const chatWith = async (one, body) => must(await one.post('/v1/chats', body), 201);
const write = async (member, chat, text, more) => must(await member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text, ...more }), 201);
const readTo = async (member, chat, seq) => must(await member.put(`/v1/chats/${chat.id}/read`, { body: { seq } }));

test('messages notify per chat until they are read there; muted and left chats do not notify', async () => {
        const [reader, fay, gil] = await registerMany(3);
        const chat = await chatWith(fay, { kind: 'group', title: 'Weekend', user_ids: [reader.id, gil.id] });
        await write(fay, chat, 'Shall we?');
        const [first] = await untilTypes(reader, 'message');
        assert.deepEqual([first.group_key, first.chat, first.text, names(first)], [`message:${chat.id}`, { id: chat.id, kind: 'group', title: 'Weekend' }, 'Shall we?', [fay.username]]);
        await write(gil, chat, 'Yes', { expires_in_s: 3600 });
        const [second] = await untilCount(reader, 2);
        assert.deepEqual([second.id, second.text, names(second)], [first.id, '', [gil.username, fay.username]]);
        const last = await write(fay, chat, 'Where?');
        await until('what is newest', reader, ([item]) => item.text === 'Where?' && names(item)[0] === fay.username);
        assert.deepEqual(await list(fay), []); // writing marks earlier messages as read
        const stream = new Stream(process.env.SONET_URL, { token: reader.token });
        assert.equal((await stream.next()).type, 'authenticated');
        assert.equal((await stream.subscribe('notifications')).type, 'subscribed');
        await readTo(reader, chat, last.seq);
        assert.deepEqual(await list(reader), []);
        assert.deepEqual(await count(reader), { unread: 0, unseen: 0, more: false });
        const removed = await stream.find('it is gone', (m) => m.event === 'notification.removed');
        assert.deepEqual([removed.data.id, removed.data.count.unread], [first.id, 0]);
        await stream.close();
        await write(fay, chat, 'Here');
        const [third] = await untilTypes(reader, 'message');
        assert.deepEqual([third.text, names(third), third.read_at], ['Here', [fay.username], null]);
        must(await reader.put(`${PATH}/read`, { body: { ids: [third.id] } }));
        await write(gil, chat, 'Or there');
        await until('nobody of before', fay, ([item]) => item?.text === 'Or there' && names(item).join() === gil.username);
        await until('it is told again', reader, (items) => items.length === 2 && items[0].read_at === null && names(items[0]).join() === gil.username);
        must(await reader.put(`/v1/chats/${chat.id}/mute`), 204);
        assert.deepEqual(await list(reader), []);
        await write(fay, chat, 'Muted');
        await until('another chat is told, this one is not', gil, ([item]) => item?.text === 'Muted');
        must(await reader.del(`/v1/chats/${chat.id}/mute`), 204);
        must(await reader.del(`/v1/chats/${chat.id}/participants/${reader.id}`), 204);
        assert.deepEqual(await list(reader), []);
});

test('a message is live for all whom it notifies, by one event, and not for those who have muted the chat', async () => {
        const [author, one, muted, other] = await registerMany(4);
        const streams = await Promise.all([one, other, muted].map(async (member) => {
                const stream = new Stream(process.env.SONET_URL, { token: member.token });
                assert.equal((await stream.next()).type, 'authenticated');
                assert.equal((await stream.subscribe('notifications')).type, 'subscribed');
                return stream;
        }));
        const says = (text) => (m) => m.event === 'notification.changed' && m.data.notification.text === text;
        const chat = await chatWith(author, { kind: 'group', title: 'Live', user_ids: [one.id, muted.id, other.id] });
        await write(author, chat, 'First');
        const [first] = await Promise.all(streams.map((s) => s.find('the first message', says('First'))));
        assert.deepEqual([first.data.notification, first.data.count.unread], [(await list(one))[0], 1]);
        must(await muted.put(`/v1/chats/${chat.id}/mute`), 204);
        await write(author, chat, 'Second');
        await Promise.all(streams.slice(0, 2).map((s) => s.find('the second message', says('Second'))));
        assert.deepEqual(query(sharedDir(), 'notification', `select string_agg(type, ' ') from outbox where aggregate_id = '${chat.id}'
                or aggregate_id in (select id from notifications where chat_id = '${chat.id}')`), 'notification.chat_spread notification.chat_spread');
        const note = await muted.note('To be liked');
        await author.react(note.id, 'like');
        await streams[2].find('the like', (m) => m.event === 'notification.changed' && m.data.notification.type === 'like');
        assert.deepEqual(streams.map((s) => s.events().length), [2, 2, 2]);
        await Promise.all(streams.map((s) => s.close()));
});

test('message requests notify as such, are filtered like others, and become messages once accepted', async () => {
        const [reader, stranger, other] = await registerMany(3);
        must(await reader.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } }));
        const chat = await chatWith(stranger, { kind: 'direct', user_ids: [reader.id] });
        await write(stranger, chat, 'Hello');
        const [asked] = await untilTypes(reader, 'message_request');
        assert.deepEqual([asked.chat, asked.text, names(asked)], [{ id: chat.id, kind: 'direct', title: '' }, 'Hello', [stranger.username]]);
        must(await reader.post(`/v1/chats/${chat.id}/accept`), 204);
        assert.deepEqual(await list(reader), []);
        const more = await write(stranger, chat, 'Thank you');
        await untilTypes(reader, 'message');
        must(await stranger.del(`/v1/chats/${chat.id}/messages/${more.id}?for=all`), 204);
        const [left] = await list(reader);
        assert.deepEqual([left.type, left.text], ['message', '']);
        await readTo(reader, chat, more.seq);
        must(await reader.put(`${PATH}/preferences`, { body: { filters: { not_followed: 'request' } } }));
        await write(other, await chatWith(other, { kind: 'direct', user_ids: [reader.id] }), 'Me too');
        const requests = await eventually('a request', async () => {
                const { items } = must(await reader.get(`${PATH}/requests`));
                return items.length === 1 && items;
        });
        assert.deepEqual([requests[0].type, requests[0].why.filter], ['message_request', 'not_followed']);
        assert.deepEqual(await list(reader), []);
});

test('a message with more recipients than a batch notifies each of them once', async () => {
        const [reader, fay] = await registerMany(2);
        const chat = await chatWith(fay, { kind: 'channel', title: 'All', user_ids: [reader.id] });
        const others = `select '${chat.id}', ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 3, 1, '{[1,)}' from generate_series(1, 2500) n`;
        query(sharedDir(), 'messaging', `insert into chat_participants (chat_id, user_id, role, state, visible) ${others}`);
        await write(fay, chat, 'To all');
        await untilTypes(reader, 'message'); // this member has the greatest id
        await write(fay, chat, 'And again');
        await until('the second one', reader, ([item]) => item.text === 'And again' && item.latest_at > item.created_at);
        const told = `select count(*) || ' to ' || count(distinct user_id) from notifications where chat_id = '${chat.id}'`;
        assert.equal(query(sharedDir(), 'notification', told), '2501 to 2501');
});
