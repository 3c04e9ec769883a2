// Members who try to read or write what they may not: from before they joined, from after they left, and in between.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { must, net, problem, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const group = async (owner, ...others) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id) }), 201);
const ask = (member, chat, text, more = {}) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text, ...more });
const send = async (member, chat, text, more) => must(await ask(member, chat, text, more), 201);
const of = (chat, message, rest = '') => `/v1/chats/${chat.id}/messages/${message.id}${rest}`;
const add = async (owner, chat, member) => must(await owner.post(`/v1/chats/${chat.id}/participants`, { user_ids: [member.id] }), 204);
const remove = (owner, chat, member) => owner.del(`/v1/chats/${chat.id}/participants/${member.id}`);
const streams = new Set(); // closed at the end, including those of failed tests
after(() => streams.forEach((stream) => stream.socket.terminate()));
const open = async (member, since) => {
        const stream = new Stream(net.url, { token: member.token });
        streams.add(stream);
        await stream.opened;
        await stream.next();
        assert.equal((await stream.subscribe('messages', since)).type, 'subscribed');
        return stream;
};
const THUMB = encodeURIComponent('👍');

test('a member who joined later gets nothing from before, by any road', async () => {
        const [ada, bob, eve] = await registerMany(3);
        const live = await open(ada);
        const chat = await group(ada, bob), theirs = await group(eve);
        const start = (await live.find('the first event', (m) => m.data?.chat_id === chat.id)).position;
        const early = await send(ada, chat, 'A secret word');
        const answer = await send(bob, chat, 'The secret answer', { reply_to_id: early.id });
        must(await ada.put(of(chat, early, '/pin')), 204);
        must(await bob.put(of(chat, early, `/reactions/${THUMB}`)), 204);
        must(await ada.patch(of(chat, early), { text: 'Another secret word' }));
        await add(ada, chat, eve);
        const later = await send(ada, chat, 'Welcome', { reply_to_id: answer.id });
        const roads = [...['limit=100', 'after_seq=0', `before_seq=${later.seq}`, 'around_seq=2', `around_seq=${later.seq}`].map((q) => `/v1/chats/${chat.id}/messages?${q}`),
                `/v1/chats/${chat.id}`, `/v1/chats/${chat.id}/changes?after_seq=0`, `/v1/chats/${chat.id}/pins`, `/v1/chats/${chat.id}/receipts`, of(chat, later), of(chat, later, '/thread'),
                '/v1/chats', '/v1/chats/sync', '/v1/messages?query=secret', `/v1/messages?query=secret&chat_id=${chat.id}`];
        for (const road of roads) {
                const { status, body } = await eve.get(road);
                assert.ok([200, 422].includes(status), `${road}: ${status}`);
                assert.ok(!JSON.stringify(body).includes('secret'), road);
        }
        for (const message of [early, answer]) {
                for (const rest of ['', '/history', '/thread']) {
                        problem(await eve.get(of(chat, message, rest)), 404);
                }
                problem(await eve.patch(of(chat, message), { text: 'Mine' }), 404);
                problem(await eve.put(of(chat, message, `/reactions/${THUMB}`)), 404);
                for (const whom of ['me', 'all']) {
                        problem(await eve.del(of(chat, message, `?for=${whom}`)), 404);
                }
                problem(await ask(eve, chat, 'What did you say?', { reply_to_id: message.id }), 422, { field: 'reply_to_id' });
                problem(await ask(eve, theirs, '', { forward: { chat_id: chat.id, message_id: message.id } }), 404);
        }
        // a position of somebody else's stream
        const resumed = await open(eve, start);
        await resumed.find('the message after joining', (m) => m.data?.message?.id === later.id);
        assert.ok(!JSON.stringify(resumed.events()).includes('secret'));
        assert.deepEqual(resumed.events().filter((m) => m.data.chat_id === chat.id).map((m) => m.data.seq), [later.seq - 1, later.seq]);
});

test('who is removed while writing has written before or not at all, and gets nothing that comes after', async () => {
        const [ada, bob, eve] = await registerMany(3);
        const chat = await group(ada, bob), live = await open(eve);
        const taken = [];
        for (let round = 0; round < 5; round++) {
                await add(ada, chat, eve);
                const anchor = await send(ada, chat, 'React to this');
                const racing = [...Array.from({ length: 5 }, (_, i) => ask(eve, chat, `By Eve, ${round} ${i}`)), remove(ada, chat, eve),
                        ...Array.from({ length: 5 }, (_, i) => ask(bob, chat, `By Bob, ${round} ${i}`)), eve.put(of(chat, anchor, `/reactions/${THUMB}`)), ask(eve, chat, 'Late')];
                const answers = await Promise.all(racing);
                assert.equal(answers[5].status, 204);
                taken.push(...answers.filter((a) => a.status === 201).map((a) => a.body));
                for (const answer of [await ask(eve, chat, 'Never'), await eve.put(of(chat, anchor, `/reactions/${THUMB}`)), await eve.put(`/v1/chats/${chat.id}/read`, { body: { seq: 1 } })]) {
                        problem(answer, 404);
                }
        }
        const end = await send(ada, chat, 'The end');
        const log = must(await ada.get(`/v1/chats/${chat.id}/changes?after_seq=0&limit=100`)).items;
        assert.deepEqual(log.map((entry) => entry.seq), Array.from({ length: end.seq }, (_, i) => i + 1));
        let present = false;
        const readable = [];
        for (const entry of log) {
                const about = entry.member?.id === eve.id ? entry.kind : '';
                present = about === 'joined' ? true : present;
                assert.ok(present || entry.actor.id !== eve.id, `entry ${entry.seq} by somebody who is not in the chat`);
                readable.push(...(present ? [entry.seq] : []));
                present = about === 'left' ? false : present;
        }
        const stored = new Map(log.filter((entry) => entry.message).map((entry) => [entry.message.id, entry.seq]));
        taken.forEach((message) => assert.equal(stored.get(message.id), message.seq));
        await live.find('having left for the last time', (m) => m.data?.chat_id === chat.id && m.data.seq === readable.at(-1));
        assert.deepEqual(live.events().filter((m) => m.data.chat_id === chat.id && m.data.seq).map((m) => m.data.seq), readable);
        assert.deepEqual(must(await eve.get(`/v1/chats/${chat.id}/changes?after_seq=0&limit=100`)).items.map((entry) => entry.seq), readable);
});
