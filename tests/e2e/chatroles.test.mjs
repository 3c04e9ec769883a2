// Roles in groups and channels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, group, of, page, send, texts } from './chats.mjs';
import { eventually, must, problem, registerMany } from './shared.mjs';

test('members can change roles below their own, up to their own; ownership is inherited', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        const chat = await group(ada, bob, cay);
        const role = (member, other, to) => member.patch(`/v1/chats/${chat.id}/participants/${other.id}`, { role: to });
        problem(await role(bob, cay, 'administrator'), 403);
        must(await role(ada, bob, 'administrator'), 204);
        must(await role(bob, cay, 'reader'), 204);
        problem(await ask(cay, chat, { text: 'May I?' }), 403);
        problem(await role(bob, ada, 'member'), 403);
        problem(await role(bob, cay, 'owner'), 403);
        problem(await bob.del(`/v1/chats/${chat.id}/participants/${ada.id}`), 403);
        problem(await role(ada, dan, 'member'), 404);
        must(await bob.patch(`/v1/chats/${chat.id}`, { title: 'Renamed' }));
        problem(await cay.patch(`/v1/chats/${chat.id}`, { title: 'Mine' }), 403);
        must(await ada.del(`/v1/chats/${chat.id}/participants/${ada.id}`), 204);
        await eventually('bob owns it', async () => must(await bob.get(`/v1/chats/${chat.id}`)).role === 'owner');
        assert.equal(must(await bob.get(`/v1/chats/${chat.id}`)).title, 'Renamed');
});

test('a chat cannot be handed over to a member who has not accepted it', async () => {
        const [ada, eve] = await registerMany(2);
        must(await eve.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } }));
        const chat = await group(ada, eve);
        const handOver = () => ada.patch(`/v1/chats/${chat.id}/participants/${eve.id}`, { role: 'owner' });
        problem(await handOver(), 409, { field: 'user_id' });
        assert.equal(must(await ada.get(`/v1/chats/${chat.id}`)).role, 'owner');
        must(await eve.post(`/v1/chats/${chat.id}/accept`), 204);
        must(await handOver(), 204);
        assert.equal(must(await eve.get(`/v1/chats/${chat.id}`)).role, 'owner');
});

test('a member who accepts a group whose owner has left becomes its owner', async () => {
        const [ada, eve] = await registerMany(2);
        must(await eve.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } }));
        const chat = await group(ada, eve);
        must(await ada.del(`/v1/chats/${chat.id}/participants/${ada.id}`), 204);
        must(await eve.post(`/v1/chats/${chat.id}/accept`), 204);
        assert.equal(must(await eve.get(`/v1/chats/${chat.id}`)).role, 'owner');
});

test('readers of a channel can only read', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = must(await ada.post('/v1/chats', { kind: 'channel', title: 'News', user_ids: [bob.id], history: true }), 201);
        const news = await send(ada, chat, 'Extra!');
        problem(await ask(bob, chat, { text: 'Me too' }), 403);
        must(await bob.put(of(chat, news, `/reactions/${encodeURIComponent('👍')}`)), 204);
        must(await ada.patch(`/v1/chats/${chat.id}/participants/${bob.id}`, { role: 'member' }), 204);
        const message = await send(bob, chat, 'While I may');
        must(await ada.patch(`/v1/chats/${chat.id}/participants/${bob.id}`, { role: 'reader' }), 204);
        problem(await bob.patch(of(chat, message), { text: 'And on' }), 403);
        must(await bob.del(of(chat, message, '?for=all')), 204);
        assert.deepEqual(texts(await page(bob, chat)), ['Extra!', '']);
        assert.equal(must(await bob.get(`/v1/chats/${chat.id}`)).role, 'reader');
});
