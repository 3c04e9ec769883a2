// Changes of messages and chats: edits, deletions, reactions, answers, pins, expiry; personal settings; requests.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { ask, direct, group, of, page, send, texts } from './chats.mjs';
import { query, sharedDir } from './database.mjs';
import { form, png, processed } from './pictures.mjs';
import { api, eventually, ids, must, net, problem, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const streams = new Set();
after(() => streams.forEach((stream) => stream.socket.terminate()));
const open = async (member) => {
        const stream = new Stream(net.url, { token: member.token });
        streams.add(stream);
        await stream.opened;
        await stream.next();
        await stream.subscribe('messages');
        return stream;
};
const event = (stream, name, matches = () => true) => stream.find(name, (m) => m.event === name && matches(m.data));

test('an edit changes a message for all, and its history is kept', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const message = await send(ada, chat, 'One');
        const live = await open(bob);
        assert.equal(must(await ada.patch(of(chat, message), { text: 'One' })).edited_at, null, 'the same text is no edit');
        const edited = must(await ada.patch(of(chat, message), { text: 'Two' }));
        must(await ada.patch(of(chat, message), { text: 'Three' }));
        assert.ok(edited.edited_at);
        const change = await event(live, 'message.edited', (d) => d.seq === 3);
        assert.deepEqual([change.data.message.text, change.data.message.seq], ['Three', 1]);
        assert.deepEqual(must(await bob.get(of(chat, message, '/history'))).items.map((v) => v.text), ['One', 'Two', 'Three']);
        problem(await bob.patch(of(chat, message), { text: 'Mine' }), 403);
        problem(await ada.patch(of(chat, message), { text: ' ' }), 422, { field: 'text' });
        const [only] = (await page(bob, chat)).items;
        assert.deepEqual([only.text, only.seq], ['Three', 1]);
        assert.equal(must(await bob.get(`/v1/chats/${chat.id}`)).last_seq, 3, 'edits take numbers');
});

test('a message can be deleted for oneself or for all', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const [first, second] = [await send(ada, chat, 'First'), await send(ada, chat, 'Second')];
        must(await ada.patch(of(chat, second), { text: 'Secret' }));
        const live = await open(bob);
        must(await bob.del(of(chat, first)), 204);
        assert.deepEqual(texts(await page(bob, chat)), ['Secret']);
        assert.deepEqual(texts(await page(ada, chat)), ['First', 'Secret']);
        problem(await bob.get(of(chat, first)), 404);
        problem(await bob.del(of(chat, second, '?for=all')), 403);
        must(await ada.del(of(chat, second, '?for=all')), 204);
        const change = await event(live, 'message.deleted');
        assert.deepEqual([change.data.message.deleted, change.data.message.text], [true, '']);
        assert.deepEqual((await page(ada, chat)).items.map((m) => [m.text, m.deleted]), [['First', false], ['', true]]);
        problem(await ada.get(of(chat, second, '/history')), 404);
        problem(await ada.patch(of(chat, second), { text: 'Back' }), 404);
        problem(await ada.put(of(chat, second, `/reactions/${encodeURIComponent('👍')}`)), 404);
        problem(await ask(ada, chat, { text: 'On it', reply_to_id: second.id }), 422, { field: 'reply_to_id' });
});

test('messages deleted for oneself are shown nowhere, even if they change later', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const live = await open(bob);
        const hidden = await send(ada, chat, 'Unwanted');
        await event(live, 'message.created');
        must(await bob.del(of(chat, hidden)), 204);
        must(await ada.patch(of(chat, hidden), { text: 'Unwanted, edited' }));
        must(await ada.put(of(chat, hidden, `/reactions/${encodeURIComponent('👍')}`)), 204);
        const answer = await send(ada, chat, 'Well', { reply_to_id: hidden.id });
        await event(live, 'message.created', (d) => d.seq === answer.seq);
        const later = live.events().filter((m) => m.data.seq > 1);
        assert.deepEqual(later.map((m) => [m.data.seq, m.data.message?.id ?? null]), [[2, null], [3, null], [4, answer.id]], 'every number is there');
        assert.equal(later.at(-1).data.message.reply_to, null);
        for (const what of ['', '/history']) {
                problem(await bob.get(of(chat, hidden, what)), 404);
        }
        problem(await ask(bob, chat, { forward: { chat_id: chat.id, message_id: hidden.id } }), 404);
        assert.equal(must(await ada.get(of(chat, answer))).reply_to.id, hidden.id);
});

test('reactions count once per member, with at most twenty different ones', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const message = await send(ada, chat, 'React');
        const react = (member, emoji) => member.put(of(chat, message, `/reactions/${encodeURIComponent(emoji)}`));
        for (const [member, emoji] of [[ada, '👍'], [bob, '👍'], [bob, '👍'], [bob, '❤️']]) {
                must(await react(member, emoji), 204);
        }
        assert.deepEqual(must(await ada.get(of(chat, message))).reactions, [{ emoji: '👍', count: 2, mine: true }, { emoji: '❤️', count: 1, mine: false }]);
        assert.equal(must(await ada.get(`/v1/chats/${chat.id}`)).last_seq, 4, 'what changes nothing takes no number');
        must(await bob.del(of(chat, message, `/reactions/${encodeURIComponent('❤️')}`)), 204);
        assert.equal(must(await ada.get(of(chat, message))).reactions.length, 1);
        for (const bad of ['hello', ' ', 'a\u202e', '👍'.repeat(17)]) {
                problem(await react(ada, bad), 422, { field: 'emoji' });
        }
        for (let i = 0; i < 19; i++) {
                must(await react(ada, String.fromCodePoint(0x1f600 + i)), 204);
        }
        problem(await react(ada, '🎈'), 409, { field: 'emoji' });
        must(await react(bob, '😀'), 204);
});

test('answers refer to the answered message and form threads', async () => {
        const [ada, bob] = await registerMany(2);
        const [chat, other] = [await direct(ada, bob), await group(ada)];
        const question = await send(ada, chat, 'Why?');
        const first = await send(bob, chat, 'Because', { reply_to_id: question.id });
        assert.deepEqual([first.reply_to.id, first.reply_to.text, first.reply_to.sender.id], [question.id, 'Why?', ada.id]);
        await send(bob, chat, 'Something else');
        const second = await send(ada, chat, 'I see', { reply_to_id: question.id });
        assert.deepEqual(ids(must(await bob.get(of(chat, question, '/thread'))).items), [first.id, second.id]);
        assert.deepEqual(ids(must(await bob.get(of(chat, question, `/thread?after_seq=${first.seq}`))).items), [second.id]);
        problem(await ask(ada, other, { text: 'Elsewhere', reply_to_id: question.id }), 422, { field: 'reply_to_id' });
        must(await ada.del(of(chat, question, '?for=all')), 204);
        assert.deepEqual([must(await bob.get(of(chat, first))).reply_to.deleted, must(await bob.get(of(chat, first))).reply_to.text], [true, '']);
});

test('members who joined later do not see earlier messages through answers, edits or pins', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await group(ada);
        const before = await send(ada, chat, 'Not for later');
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [bob.id] }), 204);
        const live = await open(bob);
        const answer = await send(ada, chat, 'Quite', { reply_to_id: before.id });
        must(await ada.patch(of(chat, before), { text: 'Still not for later' }));
        must(await ada.put(of(chat, before, '/pin')), 204);
        must(await ada.put(of(chat, before, `/reactions/${encodeURIComponent('👍')}`)), 204);
        must(await ada.del(of(chat, before, '?for=all')), 204);
        await event(live, 'message.deleted');
        assert.deepEqual(live.events().filter((m) => JSON.stringify(m).includes('for later')), []);
        assert.deepEqual(live.events().map((m) => m.data.seq).filter((seq) => seq > answer.seq - 1), [4, 5, 6, 7, 8], 'every number is there');
        assert.equal(must(await bob.get(of(chat, answer))).reply_to, null);
        for (const what of ['', '/history', '/thread']) {
                problem(await bob.get(of(chat, before, what)), 404);
        }
        assert.deepEqual(must(await bob.get(`/v1/chats/${chat.id}/pins`)).items, []);
});

test('former members see nothing new in threads; pages of threads skip messages deleted for oneself', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await group(ada, bob);
        const question = await send(ada, chat, 'Why?');
        const replies = [];
        for (const text of ['One', 'Two', 'Three', 'Four']) {
                replies.push(await send(ada, chat, text, { reply_to_id: question.id }));
        }
        for (const reply of replies.slice(0, 3)) {
                must(await bob.del(of(chat, reply)), 204);
        }
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        const thread = (query) => bob.get(of(chat, question, `/thread?${query}`));
        const out = must(await thread('limit=1'));
        for (const text of ['Five', 'Six']) {
                await send(ada, chat, text, { reply_to_id: question.id });
        }
        assert.deepEqual(must(await thread('limit=1')), out);
        assert.deepEqual([texts(out), out.more_after], [['Four'], false]);
        assert.deepEqual(must(await thread(`after_seq=${out.last_seq}`)).items, []);
        problem(await thread(`after_seq=${out.last_seq + 1}`), 422, { field: 'after_seq' });
        assert.deepEqual(((list) => [texts(list), list.more_after])(must(await ada.get(of(chat, question, '/thread?limit=5')))),
                [['One', 'Two', 'Three', 'Four', 'Five'], true]);
});

test('former members see a message everywhere as it was when they left', async () => {
        const [ada, bob] = await registerMany(2);
        const [chat, own] = [await group(ada, bob), await group(bob)];
        const [message, other] = [await send(ada, chat, 'One'), await send(ada, chat, 'Plain')];
        must(await ada.patch(of(chat, message), { text: 'Two' }));
        const answer = await send(ada, chat, 'Quite', { reply_to_id: message.id });
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        const roads = async () => [(await page(bob, chat)).items, must(await bob.get(of(chat, message))), must(await bob.get(of(chat, other))),
                must(await bob.get(of(chat, answer))), must(await bob.get(of(chat, message, '/history')))];
        const before = await roads();
        must(await ada.patch(of(chat, message), { text: 'Secret' }));
        must(await ada.patch(of(chat, other), { text: 'Secret' }));
        must(await ada.put(of(chat, other, `/reactions/${encodeURIComponent('👍')}`)), 204);
        assert.deepEqual(await roads(), before);
        assert.equal(must(await ask(bob, own, { forward: { chat_id: chat.id, message_id: message.id } }), 201).text, 'Two');
        assert.equal(must(await ada.get(of(chat, message))).text, 'Secret');
        must(await ada.del(of(chat, message, '?for=all')), 204);
        assert.equal(must(await bob.get(of(chat, message))).deleted, true);
});

test('administrators of a group can pin messages', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await group(ada, bob);
        const message = await send(bob, chat, 'Rules');
        problem(await bob.put(of(chat, message, '/pin')), 403);
        must(await ada.put(of(chat, message, '/pin')), 204);
        must(await ada.put(of(chat, message, '/pin')), 204);
        assert.deepEqual(ids(must(await bob.get(`/v1/chats/${chat.id}/pins`)).items), [message.id]);
        must(await ada.del(of(chat, message, '/pin')), 204);
        assert.deepEqual(must(await bob.get(`/v1/chats/${chat.id}/pins`)).items, []);
});

test('expiring messages disappear everywhere on time', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const live = await open(bob);
        const message = await send(ada, chat, 'For a moment', { expires_in_s: 1 });
        assert.ok(Date.parse(message.expires_at) > Date.parse(message.created_at));
        await event(live, 'message.deleted', (d) => d.message.id === message.id);
        assert.deepEqual((await page(bob, chat)).items.map((m) => [m.text, m.deleted]), [['', true]]);
        must(await bob.patch(`/v1/chats/${chat.id}`, { expires_in_s: 3600 }));
        assert.ok((await send(ada, chat, 'For an hour')).expires_at);
});

// The erasing job is not due yet.
test('expired messages are shown nowhere, even before they are erased', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await group(ada, bob);
        const message = await send(ada, chat, 'Evanescent', { expires_in_s: 86_400 });
        const answer = await send(bob, chat, 'What was that?', { reply_to_id: message.id });
        must(await ada.put(of(chat, message, '/pin')), 204);
        query(sharedDir(), 'messaging', `update messages set expires_at = now() where id = '${message.id}'`);
        for (const member of [ada, bob]) {
                assert.deepEqual(texts(await page(member, chat)), ['', 'What was that?']);
                const read = must(await member.get(of(chat, message)));
                assert.deepEqual([read.text, read.deleted], ['', true]);
                assert.deepEqual(must(await member.get(of(chat, answer))).reply_to.text, '');
                assert.deepEqual(texts(must(await member.get(`/v1/chats/${chat.id}/pins`))), ['']);
                assert.deepEqual(must(await member.get('/v1/messages?query=Evanescent')).items, []);
                assert.ok(!JSON.stringify([must(await member.get(`/v1/chats/${chat.id}/changes?after_seq=0`)), must(await member.get('/v1/chats/sync')),
                                           must(await member.get('/v1/chats'))]).includes('Evanescent'));
                problem(await member.get(of(chat, message, '/history')), 404);
                problem(await member.put(of(chat, message, `/reactions/${encodeURIComponent('👍')}`)), 404);
        }
        problem(await ada.patch(of(chat, message), { text: 'Kept' }), 404);
        problem(await ask(bob, chat, { forward: { chat_id: chat.id, message_id: message.id } }), 404);
});

test('messages are in the partition of the month in their ids, and partitions exist three months ahead', async () => {
        const [ada, bob] = await registerMany(2);
        const message = await send(ada, await direct(ada, bob), 'Now');
        const month = (ahead) => new Date(Date.UTC(new Date(message.created_at).getUTCFullYear(), new Date(message.created_at).getUTCMonth() + ahead)).toISOString().slice(0, 7).replace('-', '_');
        const [own, ...all] = query(sharedDir(), 'messaging', `select tableoid::regclass from messages where id = '${message.id}';
                select inhrelid::regclass from pg_inherits where inhparent = 'messages'::regclass order by 1`).split('\n');
        assert.match(own, new RegExp(`${month(0)}$`));
        assert.equal(parseInt(message.id.replaceAll('-', '').slice(0, 12), 16), Date.parse(message.created_at));
        for (const ahead of [0, 1, 2, 3]) {
                assert.ok(all.some((name) => name.endsWith(month(ahead))), `${month(ahead)} of ${all}`);
        }
});

test('shared notes are shown only to readers who may see them', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const chat = await group(ada, bob, cay);
        const note = await ada.note('For my followers', 'followers');
        await bob.follow(ada);
        const message = await send(ada, chat, '', { note_id: note.id });
        assert.equal(must(await bob.get(of(chat, message))).note.text, 'For my followers');
        const seen = must(await cay.get(of(chat, message)));
        assert.deepEqual([seen.note, seen.note_id], [null, note.id]);
        problem(await ask(cay, chat, { note_id: note.id }), 422, { field: 'note_id' });
});

test('pictures are shown to readers of the message by signed URLs, and are deleted with it', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const chat = await group(ada, bob);
        const bring = async (member) => must(await api('POST', '/v1/media', { token: member.token, ...form(png(20, 10), { alt_text: 'a cat' }) }), 202).id;
        const pictures = [await bring(ada), await bring(ada)];
        const client_id = randomUUID();
        const sent = await send(ada, chat, '', { media_ids: pictures, client_id });
        assert.deepEqual(ids(sent.media), pictures);
        assert.deepEqual(ids((await send(ada, chat, '', { media_ids: pictures, client_id })).media), pictures);
        await Promise.all(pictures.map((id) => processed(ada, id)));
        const seen = must(await bob.get(of(chat, sent)));
        assert.deepEqual(seen.media.map((m) => [m.id, m.status, m.alt_text]), pictures.map((id) => [id, 'ready', 'a cat']));
        const status = async (url) => (await fetch(new URL(url, net.url))).status;
        assert.match(seen.media[0].url, /signature=/);
        assert.deepEqual([await status(seen.media[0].url), await status(seen.media[0].url.split('?')[0])], [200, 404]);
        problem(await cay.get(of(chat, sent)), 404);
        problem(await ask(bob, chat, { media_ids: pictures }), 422, { field: 'media_ids' });
        problem(await ask(ada, chat, { media_ids: [...pictures, ...pictures, pictures[0]] }), 422, { field: 'media_ids' });

        const own = await group(bob, cay);
        const passed = must(await ask(bob, own, { forward: { chat_id: chat.id, message_id: sent.id } }), 201);
        assert.deepEqual([ids(passed.media), ids(must(await cay.get(of(own, passed))).media)], [pictures, pictures]);
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        const later = await send(ada, chat, 'Without bob', { media_ids: [await bring(ada)] });
        problem(await bob.get(of(chat, later)), 404);

        must(await ada.del(of(chat, sent, '?for=all')), 204);
        assert.deepEqual(must(await ada.get(of(chat, sent))).media, []);
        await eventually('they are gone', async () => (await ada.get(`/v1/media/${pictures[0]}`)).status === 404 && must(await cay.get(of(own, passed))).media.length === 0);
        assert.equal(must(await ada.get(of(chat, later))).media.length, 1);
});

test('a group shows its picture to members, as long as the picture exists', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const bring = async (member) => must(await api('POST', '/v1/media', { token: member.token, ...form(png(20, 10)) }), 202).id;
        const begin = (more) => ada.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: [bob.id], ...more });
        const picture = async (member, chat) => must(await member.get(`/v1/chats/${chat.id}`)).picture?.id ?? null;
        const [first, second] = [await bring(ada), await bring(ada)];
        const chat = must(await begin({ picture_media_id: first }), 201);
        assert.deepEqual([chat.picture.id, await picture(bob, chat)], [first, first]);
        await processed(ada, first);
        const { url } = must(await bob.get('/v1/chats')).items[0].picture;
        assert.match(url, new RegExp(`&viewer=${bob.id}$`));
        assert.equal((await fetch(new URL(url, net.url))).status, 200);
        const live = await open(bob);
        assert.equal(must(await ada.patch(`/v1/chats/${chat.id}`, { picture_media_id: second })).picture.id, second);
        await event(live, 'chat.changed', (d) => d.chat_id === chat.id);
        assert.equal(await picture(bob, chat), second);
        await eventually('what nothing shows any more is gone', async () => (await ada.get(`/v1/media/${first}`)).status === 404);
        must(await ada.patch(`/v1/chats/${chat.id}`, { title: 'Renamed' }));
        assert.equal(await picture(bob, chat), second, 'what is not given stays');
        problem(await begin({ picture_media_id: await bring(bob) }), 422, { field: 'picture_media_id' });
        problem(await ada.patch(`/v1/chats/${chat.id}`, { picture_media_id: first }), 422, { field: 'picture_media_id' });
        problem(await bob.patch(`/v1/chats/${chat.id}`, { picture_media_id: await bring(bob) }), 403);
        problem(await begin({ kind: 'direct', title: undefined, picture_media_id: second }), 422, { field: 'picture_media_id' });
        problem(await ada.patch(`/v1/chats/${(await direct(ada, cay)).id}`, { picture_media_id: second }), 409);
        assert.equal(must(await ada.patch(`/v1/chats/${chat.id}`, { picture_media_id: '' })).picture, null);
        const third = await bring(ada);
        must(await ada.patch(`/v1/chats/${chat.id}`, { picture_media_id: third }));
        must(await ada.del(`/v1/media/${third}`), 204);
        assert.equal(await picture(bob, chat), null);
        const last = must(await begin({ picture_media_id: await bring(ada) }), 201);
        must(await ada.del(`/v1/chats/${last.id}`), 204);
        await eventually('it goes with the chat', async () => (await ada.get(`/v1/media/${last.picture.id}`)).status === 404);
});

test('in groups, messages of a blocked member are marked for the blocking member only', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const chat = await group(ada, bob, cay);
        const live = await open(ada);
        const before = await send(bob, chat, 'Before');
        must(await ada.put(`/v1/users/${bob.id}/block`));
        const after = await send(bob, chat, 'After');
        const mine = await send(ada, chat, 'Mine', { reply_to_id: after.id });
        const shown = async (member) => [(await page(member, chat)).items.map((m) => [m.id, m.blocked]), must(await member.get(of(chat, after))).blocked,
                must(await member.get(`/v1/chats/${chat.id}/participants`)).items.filter((p) => p.blocked).map((p) => p.user.id)];
        assert.deepEqual(await shown(ada), [[[before.id, true], [after.id, true], [mine.id, false]], true, [bob.id]]);
        for (const other of [bob, cay]) {
                assert.deepEqual(await shown(other), [[[before.id, false], [after.id, false], [mine.id, false]], false, []], 'who is blocked is not told');
        }
        const last = await send(bob, chat, 'Last');
        assert.deepEqual([must(await ada.get('/v1/chats')).items[0].last_message, must(await cay.get('/v1/chats')).items[0].last_message].map((m) => [m.id, m.blocked]),
                [[last.id, true], [last.id, false]]);
        const told = await Promise.all([after, mine].map((m) => event(live, 'message.created', (d) => d.message?.id === m.id)));
        assert.deepEqual(told.map((m) => m.data.message.blocked), [true, false]);
        must(await ada.del(`/v1/users/${bob.id}/block`));
        assert.deepEqual((await shown(ada))[0].map(([, blocked]) => blocked), [false, false, false, false]);
});

test('members can forward messages that they can read', async () => {
        const [ada, bob, eve] = await registerMany(3);
        const [from, to, foreign] = [await direct(ada, bob), await group(ada), await group(eve)];
        const message = await send(bob, from, 'Pass it on');
        const passed = must(await ask(ada, to, { forward: { chat_id: from.id, message_id: message.id } }), 201);
        assert.deepEqual([passed.text, passed.forwarded], ['Pass it on', true]);
        problem(await ask(eve, foreign, { forward: { chat_id: from.id, message_id: message.id } }), 404);
        problem(await ask(ada, to, { text: 'More', forward: { chat_id: from.id, message_id: message.id } }), 422, { field: 'forward' });
        problem(await ada.patch(of(to, passed), { text: 'Changed' }), 409);
});

test('archive, pin, mute and draft are personal and shared by all devices', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        await send(bob, chat, 'Hello');
        const live = await open(ada);
        const mine = async () => must(await ada.get(`/v1/chats/${chat.id}`));
        must(await ada.put(`/v1/chats/${chat.id}/pin`), 204);
        must(await ada.put(`/v1/chats/${chat.id}/mute`, { body: { until: '2100-01-01T00:00:00Z' } }), 204);
        must(await ada.put(`/v1/chats/${chat.id}/draft`, { body: { text: 'Dear' } }), 204);
        await event(live, 'chat.touched', (d) => d.id === chat.id);
        assert.deepEqual(((c) => [c.pinned, c.muted_until, c.draft, c.archived])(await mine()), [true, '2100-01-01T00:00:00.000Z', 'Dear', false]);
        must(await ada.put(`/v1/chats/${chat.id}/archive`), 204);
        assert.deepEqual(must(await ada.get('/v1/chats')).items, []);
        assert.deepEqual(ids(must(await ada.get('/v1/chats?archived=true')).items), [chat.id]);
        for (const what of ['archive', 'pin', 'mute']) {
                must(await ada.del(`/v1/chats/${chat.id}/${what}`), 204);
        }
        assert.deepEqual(((c) => [c.pinned, c.muted_until, c.archived])(await mine()), [false, null, false]);
        const theirs = must(await bob.get(`/v1/chats/${chat.id}`));
        assert.deepEqual([theirs.pinned, theirs.draft], [false, '']);
        problem(await ada.put(`/v1/chats/${chat.id}/mute`, { body: { until: '2000-01-01T00:00:00Z' } }), 422, { field: 'until' });
});

test('a deleted direct chat disappears with its messages until the next one; a deleted group is gone for all', async () => {
        const [ada, bob] = await registerMany(2);
        const [chat, all] = [await direct(ada, bob), await group(ada, bob)];
        await send(bob, chat, 'Before');
        must(await ada.del(`/v1/chats/${chat.id}`), 204);
        assert.ok(!ids(must(await ada.get('/v1/chats')).items).includes(chat.id));
        assert.deepEqual(texts(await page(bob, chat)), ['Before']);
        await send(bob, chat, 'After');
        assert.deepEqual(texts(await page(ada, chat)), ['After']);
        problem(await bob.del(`/v1/chats/${all.id}`), 403);
        must(await ada.del(`/v1/chats/${all.id}`), 204);
        problem(await bob.get(`/v1/chats/${all.id}`), 404);
        problem(await ask(bob, all, { text: 'Still here?' }), 404);
});

test('chats by strangers are requests, depending on the member’s setting', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        await ada.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } });
        await ada.follow(cay);
        const chat = await direct(bob, ada);
        await send(bob, chat, 'Do you know me?');
        assert.deepEqual(must(await ada.get('/v1/chats')).items, []);
        const [request] = must(await ada.get('/v1/chats?requests=true')).items;
        assert.deepEqual([request.id, request.request, request.last_message.text], [chat.id, true, 'Do you know me?']);
        problem(await ask(ada, chat, { text: 'No' }), 409);
        must(await ada.put(`/v1/chats/${chat.id}/read`, { body: { seq: 1 } }));
        assert.deepEqual(must(await bob.get(`/v1/chats/${chat.id}/receipts`)).items, [], 'nothing is told before it is accepted');
        must(await ada.post(`/v1/chats/${chat.id}/accept`), 204);
        await send(ada, chat, 'Now I do');
        problem(await ada.post(`/v1/chats/${chat.id}/accept`), 409);
        assert.equal(must(await cay.post('/v1/chats', { kind: 'direct', user_ids: [ada.id] }), 201).request, false);
        assert.equal(must(await ada.get('/v1/chats?requests=true')).items.length, 0);
        const theirs = await direct(dan, ada);
        const seen = async () => [must(await dan.get(`/v1/chats/${theirs.id}`)).participants, must(await dan.get(`/v1/chats/${theirs.id}/participants`)).items];
        const undecided = await seen();
        must(await ada.post(`/v1/chats/${theirs.id}/decline`), 204);
        assert.deepEqual(await seen(), undecided, 'who asked is not told');
        await send(dan, theirs, 'Hello?');
        problem(await ada.get(`/v1/chats/${theirs.id}`), 404);
        const mine = await direct(ada, dan);
        assert.deepEqual([mine.id, (await page(ada, mine)).items], [theirs.id, []]);
        assert.deepEqual(await seen(), undecided);
        await send(dan, theirs, 'At last');
        assert.deepEqual(texts(await page(ada, mine)), ['At last']);
        await ada.patch('/v1/users/me/settings', { privacy: { messages_from: 'nobody' } });
        const [eve] = await registerMany(1);
        problem(await eve.post('/v1/chats', { kind: 'direct', user_ids: [ada.id] }), 403, { field: 'user_ids' });
});

test('a block stops everything between the members of a direct chat, except undoing one’s own actions', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const [mine, theirs] = [await send(bob, chat, 'Mine'), await send(ada, chat, 'Theirs')];
        const reaction = (message, emoji) => of(chat, message, `/reactions/${encodeURIComponent(emoji)}`);
        must(await bob.put(reaction(theirs, '👍')), 204);
        must(await ada.put(`/v1/users/${bob.id}/block`));
        for (const one of [bob, ada]) {
                const own = one === bob ? mine : theirs;
                problem(await one.patch(of(chat, own), { text: 'Read this' }), 403);
                problem(await one.put(reaction(theirs, '❤️')), 403);
                problem(await one.put(of(chat, own, '/pin')), 403);
                problem(await one.del(of(chat, own, '/pin')), 403);
                problem(await one.patch(`/v1/chats/${chat.id}`, { expires_in_s: 60 }), 403);
                must(await one.put(`/v1/chats/${chat.id}/read`, { body: { seq: 3 } }));
        }
        for (const one of [ada, bob]) {
                assert.deepEqual(must(await one.get(`/v1/chats/${chat.id}/receipts`)).items, [], 'who has read is told to nobody');
        }
        assert.equal(must(await ada.get(`/v1/chats/${chat.id}`)).last_seq, 3);
        must(await bob.del(reaction(theirs, '👍')), 204);
        must(await bob.del(of(chat, mine, '?for=all')), 204);
        must(await ada.del(`/v1/users/${bob.id}/block`));
        must(await bob.put(reaction(theirs, '❤️')), 204);
});
