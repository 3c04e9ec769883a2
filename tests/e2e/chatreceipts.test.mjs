// Read receipts, deliveries, typing and presence.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { eventually, ids, must, net, problem, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const direct = async (one, other) => must(await one.post('/v1/chats', { kind: 'direct', user_ids: [other.id] }), 201);
const group = async (owner, ...others) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id) }), 201);
const send = async (member, chat, text) => must(await member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text }), 201);
const set = async (member, privacy) => must(await member.patch('/v1/users/me/settings', { privacy }));
const receipts = async (member, chat) => must(await member.get(`/v1/chats/${chat.id}/receipts`)).items.map((r) => [r.user_id, r.seq, r.delivered_seq]);
const streams = new Set();
after(() => streams.forEach((stream) => stream.socket.terminate()));
const open = async (member, ...channels) => {
        const stream = new Stream(net.url, { token: member.token });
        streams.add(stream);
        await stream.opened;
        await stream.next();
        for (const channel of ['messages', ...channels]) {
                assert.equal((await stream.subscribe(channel)).type, 'subscribed');
        }
        return stream;
};
const event = (stream, name, matches = () => true) => stream.find(name, (m) => m.event === name && matches(m.data));
// The device acknowledges a message and everything before it.
const take = async (device, message) => {
        const { position } = await event(device, 'message.created', (d) => d.message?.id === message.id);
        device.send({ type: 'acknowledge', channel: 'messages', position });
        return position;
};
const told = (device, name) => device.events().filter((m) => m.event === name).map((m) => [m.data.chat_id, m.data.user_id, m.data.seq]);

test('read receipts can be turned off', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const live = await open(ada);
        await send(ada, chat, 'One');
        await set(bob, { read_receipts: false });
        must(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: 1 } }));
        await send(ada, chat, 'Two');
        await set(bob, { read_receipts: true });
        must(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: 2 } }));
        await event(live, 'messages.read');
        assert.deepEqual(live.events().filter((m) => m.event === 'messages.read').map((m) => m.data.seq), [2]);
        assert.deepEqual(await receipts(ada, chat), [[bob.id, 2, 0]]);
        await set(ada, { read_receipts: false });
        assert.deepEqual(await receipts(ada, chat), [], 'who does not tell is not told');
        const later = await send(ada, chat, 'Three');
        must(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: later.seq } }));
        await send(bob, chat, 'Four');
        await event(live, 'message.created', (d) => d.seq === 4);
        assert.deepEqual(told(live, 'messages.read').map(([, , seq]) => seq), [2]);
        await set(ada, { read_receipts: true });
        assert.deepEqual(await receipts(ada, chat), [[bob.id, 3, 0]]);
});

test('typing is shown to others at once, and ends after six seconds', async () => {
        const [ada, bob, cay, eve] = await registerMany(4);
        const [chat, other, closed] = [await direct(ada, bob), await group(ada, bob), await direct(ada, cay)];
        const channel = must(await ada.post('/v1/chats', { kind: 'channel', title: 'News', user_ids: [bob.id] }), 201);
        const live = await open(bob);
        const subscribed = await live.subscribe('chats');
        assert.deepEqual([subscribed.type, subscribed.position], ['subscribed', undefined]);
        const type = (member, where) => member.put(`/v1/chats/${where.id}/typing`);
        const typing = async (member, where) => ids(must(await member.get(`/v1/chats/${where.id}/typing`)).items);
        const told = () => live.events().filter((m) => m.event === 'chat.typing').map((m) => m.data);
        must(await type(ada, chat), 204);
        assert.deepEqual([await typing(bob, chat), await typing(ada, chat), await typing(bob, other)], [[ada.id], [], []]);
        for (const where of [chat, other]) { // a signal may be lost
                await eventually('bob is told', async () => {
                        must(await type(ada, where), 204);
                        return told().some((d) => d.chat_id === where.id && d.user_id === ada.id);
                });
        }
        problem(await type(bob, channel), 403);
        problem(await type(eve, chat), 404);
        problem(await eve.get(`/v1/chats/${chat.id}/typing`), 404);
        must(await type(ada, closed), 204);
        must(await cay.put(`/v1/users/${ada.id}/block`));
        problem(await type(ada, closed), 403);
        assert.deepEqual(await typing(cay, closed), []);
        await eventually('it is over', async () => (await typing(bob, other)).length === 0, 60_000);
        assert.ok(told().every((d) => d.user_id === ada.id && [chat.id, other.id].includes(d.chat_id)));
});

test('an acknowledged position marks everything before it as delivered, in all chats', async () => {
        const [ada, bob, eve] = await registerMany(3);
        const [chat, other] = [await direct(ada, bob), await group(ada, bob)];
        const [adas, device, eves] = [await open(ada), await open(bob), await open(eve)];
        const [one, elsewhere] = [await send(ada, chat, 'One'), await send(ada, other, 'Elsewhere')];
        const two = await send(ada, chat, 'Two');
        assert.deepEqual(await receipts(ada, chat), []);
        const early = await take(device, one);
        await event(adas, 'messages.delivered', (d) => d.chat_id === chat.id);
        assert.deepEqual([await receipts(ada, chat), await receipts(ada, other)], [[[bob.id, 0, one.seq]], [[bob.id, 0, elsewhere.seq - 1]]], 'and what came after is not');
        await take(device, two);
        await event(adas, 'messages.delivered', (d) => d.chat_id === other.id && d.seq === elsewhere.seq);
        await event(adas, 'messages.delivered', (d) => d.chat_id === chat.id && d.seq === two.seq);
        device.send({ type: 'acknowledge', channel: 'messages', position: early });
        const three = await send(ada, chat, 'Three');
        eves.send({ type: 'acknowledge', channel: 'messages', position: await take(device, three) });
        await event(adas, 'messages.delivered', (d) => d.chat_id === chat.id && d.seq === three.seq);
        assert.deepEqual(await receipts(ada, chat), [[bob.id, 0, three.seq]]);
        assert.deepEqual(told(adas, 'messages.delivered').filter(([id]) => id === chat.id), [one, two, three].map((m) => [chat.id, bob.id, m.seq]));
        await take(adas, three);
        const four = await send(bob, chat, 'Four');
        await take(adas, four);
        await event(device, 'messages.delivered', (d) => d.seq === four.seq);
        assert.deepEqual(told(device, 'messages.delivered').filter(([id]) => id === chat.id), [[chat.id, ada.id, four.seq]], 'of what one wrote oneself nothing is told');
        assert.deepEqual([told(eves, 'messages.delivered'), eves.all.filter((m) => m.type === 'problem')], [[], []]);
});

test('deliveries are shown only between members who both disclose them, not across blocks, and not for unaccepted chats', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        const [chat, blocked] = [await direct(ada, bob), await direct(ada, cay)];
        const [adas, device, cays, dans] = await Promise.all([ada, bob, cay, dan].map((m) => open(m)));
        await set(bob, { delivery_receipts: false });
        await take(device, await send(ada, chat, 'One'));
        const mine = await send(bob, chat, 'Two');
        await take(adas, mine);
        await set(dan, { messages_from: 'followed' });
        const asked = await direct(ada, dan);
        await take(dans, await send(ada, asked, 'Do you know me?'));
        const before = await send(ada, blocked, 'Before');
        await event(cays, 'message.created');
        must(await cay.put(`/v1/users/${ada.id}/block`));
        await take(cays, before);
        await eventually('what ada takes is known', async () => (await receipts(ada, chat)).some(([id, , seq]) => id === ada.id && seq === mine.seq));
        assert.deepEqual([await receipts(bob, chat), told(device, 'messages.delivered')], [[], []], 'who does not tell is not told');
        await set(bob, { delivery_receipts: true });
        const three = await send(ada, chat, 'Three');
        await take(device, three);
        await event(adas, 'messages.delivered', (d) => d.seq === three.seq);
        assert.deepEqual(told(adas, 'messages.delivered').filter(([, id]) => id !== ada.id), [[chat.id, bob.id, three.seq]], 'what was told to nobody is not told later');
        assert.deepEqual([await receipts(ada, asked), await receipts(ada, blocked)], [[], []]);
});

test('presence is shown only between members who both disclose it', async () => {
        const [ada, bob, cay] = await registerMany(3);
        await direct(ada, bob);
        await ada.follow(bob);
        const live = await open(bob, 'chats');
        const here = async (member) => must(await member.put('/v1/presence'), 204);
        const seen = async (viewer, ...of) => must(await viewer.get(`/v1/presence?user_ids=${ids(of).join()}`)).items.map((p) => [p.user_id, p.online]);
        for (const member of [ada, bob, cay]) {
                await here(member);
                assert.deepEqual(await seen(member, member), [[member.id, true]]);
        }
        assert.deepEqual([await seen(bob, ada), await seen(ada, bob)], [[], []], 'bob does not follow ada, who would be told of him');
        await bob.follow(ada);
        assert.deepEqual([await seen(bob, ada, cay), await seen(ada, cay, bob), await seen(cay, ada, bob)], [[[ada.id, true]], [[bob.id, true]], []]);
        const [{ last_seen_at }] = must(await bob.get(`/v1/presence?user_ids=${ada.id}`)).items;
        assert.ok(Math.abs(Date.parse(last_seen_at) - Date.now()) < 10 * 60_000);
        const signals = () => live.events('chats').filter((m) => m.event === 'member.presence').map((m) => m.data);
        for (const online of [false, true]) { // a signal may be lost
                await eventually(`bob is told ${online}`, async () => {
                        must(await ada.del('/v1/presence'), 204);
                        await here(ada);
                        return signals().some((p) => p.user_id === ada.id && p.online === online);
                });
        }
        must(await ada.del('/v1/presence'), 204);
        assert.deepEqual(await seen(bob, ada), [[ada.id, false]]);
        for (const member of [ada, bob, cay]) {
                await set(member, { presence: 'everyone' });
        }
        assert.deepEqual(await seen(cay, bob, ada), [[bob.id, true], [ada.id, false]]);
        await set(ada, { presence: 'nobody' });
        assert.deepEqual([await seen(ada, bob, cay), await seen(bob, ada), await seen(cay, ada)], [[], [], []]);
        await here(ada);
        await set(ada, { presence: 'everyone' });
        assert.deepEqual(await seen(bob, ada), [], 'nothing was kept meanwhile');
        must(await cay.put(`/v1/users/${bob.id}/block`));
        assert.deepEqual([await seen(cay, bob), await seen(bob, cay)], [[], []]);
        assert.deepEqual(signals().filter((p) => p.user_id !== ada.id), []);
        problem(await ada.get('/v1/presence'), 422, { field: 'user_ids' });
        problem(await ada.get('/v1/presence?user_ids=me'), 422);
});
