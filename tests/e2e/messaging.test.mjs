// messaging_service: messages are never lost, duplicated, reordered, or visible to others.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { eventually, ids, must, net, problem, randomKey, register, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const direct = async (one, other) => must(await one.post('/v1/chats', { kind: 'direct', user_ids: [other.id] }), 201);
const group = async (owner, ...others) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id) }), 201);
const ask = (member, chat, text, more = {}) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text, ...more });
const send = async (member, chat, text, more) => must(await ask(member, chat, text, more), 201);
const page = async (member, chat, query = '') => must(await member.get(`/v1/chats/${chat.id}/messages${query}`));
const texts = (list) => list.items.map((m) => m.text);
const streams = new Set(); // closed at the end, including those of failed tests
after(() => streams.forEach((stream) => stream.socket.terminate()));
const connect = async (member) => {
        const stream = new Stream(net.url, { token: member.token });
        streams.add(stream);
        await stream.opened;
        await stream.next();
        return stream;
};
const open = async (member) => {
        const stream = await connect(member);
        assert.equal((await stream.subscribe('messages')).type, 'subscribed');
        return stream;
};
const changes = (stream, chat) => stream.events().filter((m) => m.data.chat_id === chat.id && m.event !== 'messages.read');

test('two members have a single direct chat, however they create it', async () => {
        const [ada, bob] = await registerMany(2);
        const made = await Promise.all([direct(ada, bob), direct(bob, ada), direct(ada, bob), direct(bob, ada)]);
        assert.equal(new Set(ids(made)).size, 1);
        assert.equal((await direct(bob, ada)).id, made[0].id);
        assert.equal((await direct(ada, bob)).peer.id, bob.id);
        problem(await ada.post('/v1/chats', { kind: 'direct', user_ids: [ada.id] }), 422, { field: 'user_ids' });
        problem(await ada.post('/v1/chats', { kind: 'direct', user_ids: [] }), 422, { field: 'user_ids' });
        problem(await ada.post('/v1/chats', { kind: 'group', title: ' ' }), 422, { field: 'title' });
        problem(await ada.post('/v1/chats', { kind: 'group', title: 'a\u202eb' }), 422, { field: 'title' });
        problem(await ada.post('/v1/chats', { kind: 'group', title: 'x', user_ids: ['nobody-at-all'] }), 422, { field: 'user_ids' });
});

test('creating a chat again with an Idempotency-Key returns the same response, even for an existing or declined chat', async () => {
        const [ada, bob, cay] = await registerMany(3);
        await ada.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } });
        const [chat, declined] = [await direct(ada, bob), await direct(cay, ada)];
        must(await ada.post(`/v1/chats/${declined.id}/decline`), 204);
        const begin = (other, key) => ada.post('/v1/chats', { kind: 'direct', user_ids: [other.id] }, { headers: { 'idempotency-key': key } });
        for (const [other, there] of [[bob, chat], [cay, declined]]) {
                const key = randomKey();
                const first = must(await begin(other, key), 201);
                assert.deepEqual([first.id, first.peer.id, first.participants, first.request], [there.id, other.id, 2, false]);
                assert.deepEqual(must(await begin(other, key), 201), first);
        }
});

test('a message sent again with its client_id is the same message, and numbers have no gaps', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const client_id = randomUUID();
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask(ada, chat, 'Once', { client_id })));
        answers.forEach((answer) => assert.deepEqual(must(answer, 201), answers[0].body));
        await Promise.all(Array.from({ length: 20 }, (_, i) => send(i % 2 ? ada : bob, chat, `m${i}`)));
        const all = (await page(bob, chat, '?limit=100')).items;
        assert.deepEqual(all.map((m) => m.seq), Array.from({ length: 21 }, (_, i) => i + 1));
        assert.equal(all[0].text, 'Once');
        assert.equal(all[0].client_id, undefined, 'only who sent it is told');
        assert.equal(answers[0].body.client_id, client_id);
        assert.deepEqual(must(await ask(ada, chat, 'Another text', { client_id }), 201), answers[0].body);
        const other = await group(ada);
        problem(await ask(ada, other, 'Elsewhere', { client_id }), 422, { field: 'client_id' });
        problem(await ask(ada, chat, ' \u200b'), 422, { field: 'text' });
        problem(await ask(ada, chat, 'x'.repeat(8001)), 422, { field: 'text' });
        assert.deepEqual(must(await bob.get(`/v1/chats/${chat.id}/messages/${all[4].id}`)).seq, 5);
});

test('one client_id used concurrently in many chats creates one message in one of them', async () => {
        const [ada, bob] = await registerMany(2);
        const chats = await Promise.all(Array.from({ length: 6 }, () => group(ada, bob)));
        for (let round = 0; round < 5; round++) {
                const client_id = randomUUID();
                const answers = await Promise.all(chats.map((chat) => ask(ada, chat, `Round ${round}`, { client_id })));
                const [sent, ...more] = answers.filter((answer) => answer.status === 201);
                assert.deepEqual(more, []);
                answers.filter((answer) => answer !== sent).forEach((answer) => problem(answer, 422, { field: 'client_id' }));
                const found = await Promise.all(chats.map(async (chat) => (await page(bob, chat)).items.filter((m) => m.text === `Round ${round}`)));
                assert.deepEqual(found.flat().map((m) => m.id), [sent.body.id]);
        }
});

test('a message sent again is the same message, even if it could no longer be sent', async () => {
        const [ada, bob] = await registerMany(2);
        const [pair, team] = [await direct(ada, bob), await group(ada, bob)];
        const [here, there] = [randomUUID(), randomUUID()];
        const [first, second] = [must(await ask(bob, pair, 'Here', { client_id: here }), 201), must(await ask(bob, team, 'There', { client_id: there }), 201)];
        await ada.relate(bob, 'block');
        must(await ada.del(`/v1/chats/${team.id}/participants/${bob.id}`), 204);
        assert.equal(must(await ask(bob, pair, 'Here', { client_id: here }), 201).id, first.id);
        assert.equal(must(await ask(bob, pair, '', { client_id: here, reply_to_id: randomUUID() }), 201).id, first.id, 'whatever it says now');
        assert.equal(must(await ask(bob, team, 'There', { client_id: there }), 201).id, second.id);
        problem(await ask(bob, team, 'There', { client_id: here }), 422, { field: 'client_id' });
        problem(await ask(bob, pair, 'Here'), 403);
        problem(await ask(bob, team, 'There'), 404);
        const [eve] = await registerMany(1);
        problem(await ask(eve, pair, 'Here', { client_id: here }), 404);
});

test('two hundred concurrent messages in a chat appear once each, in one order and without gaps', async () => {
        const members = await registerMany(4);
        const chat = await group(...members);
        const begun = must(await members[0].get(`/v1/chats/${chat.id}`)).last_seq;
        const sent = await Promise.all(Array.from({ length: 200 }, (_, i) => { // a busy server rejects some, which are retried with the same id
                const body = { client_id: randomUUID(), text: `m${i}` };
                return eventually('it is sent', async () => must(await members[i % 4].post(`/v1/chats/${chat.id}/messages`, body), 201), 120_000);
        }));
        assert.deepEqual(sent.map((m) => m.seq).sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => begun + 1 + i));
        const pages = [await page(members[3], chat, '?limit=100&after_seq=0'), await page(members[3], chat, `?limit=100&after_seq=${begun + 100}`)];
        assert.deepEqual(pages.flatMap((p) => p.items.map((m) => [m.id, m.seq])), sent.sort((a, b) => a.seq - b.seq).map((m) => [m.id, m.seq]));
});

test('pages by number: before, after and around', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        for (let i = 1; i <= 12; i++) {
                await send(ada, chat, `${i}`);
        }
        const seqs = async (query) => {
                const { items, more_before, more_after, last_seq } = await page(bob, chat, query);
                assert.equal(last_seq, 12);
                return [items.map((m) => m.seq).join(), more_before, more_after];
        };
        assert.deepEqual(await seqs('?limit=3'), ['10,11,12', true, false]);
        assert.deepEqual(await seqs('?limit=3&before_seq=10'), ['7,8,9', true, true]);
        assert.deepEqual(await seqs('?limit=3&before_seq=4'), ['1,2,3', false, true]);
        assert.deepEqual(await seqs('?limit=3&after_seq=0'), ['1,2,3', false, true]);
        assert.deepEqual(await seqs('?limit=3&after_seq=9'), ['10,11,12', true, false]);
        assert.deepEqual(await seqs('?limit=3&after_seq=12'), ['', true, false]);
        assert.deepEqual(await seqs('?limit=5&around_seq=6'), ['4,5,6,7,8', true, true]);
        assert.deepEqual(await seqs('?limit=5&around_seq=12'), ['10,11,12', true, false]);
        assert.deepEqual(await seqs('?limit=1&around_seq=6'), ['6', true, true]);
        assert.deepEqual(await seqs('?limit=2&around_seq=6'), ['5,6', true, true]);
        assert.deepEqual(await seqs('?limit=1&around_seq=12'), ['12', true, false]);
        const { items } = await page(bob, chat, '?limit=12');
        for (const message of items.slice(3, 11)) {
                must(await bob.del(`/v1/chats/${chat.id}/messages/${message.id}`), 204);
        }
        assert.deepEqual(await seqs('?limit=2&before_seq=12'), ['2,3', true, true], 'pages are filled past what one has deleted for oneself');
        assert.deepEqual(await seqs('?limit=3&before_seq=12'), ['1,2,3', false, true]);
        assert.deepEqual(await seqs('?limit=2&after_seq=2'), ['3,12', true, false]);
        assert.deepEqual(await seqs('?limit=1&after_seq=3'), ['12', true, false]);
        problem(await bob.get(`/v1/chats/${chat.id}/messages?before_seq=3&after_seq=1`), 422);
        problem(await bob.get(`/v1/chats/${chat.id}/messages?before_seq=0`), 422, { field: 'before_seq' });
});

test('other members’ chats are not found by any API', async () => {
        const [ada, bob, eve] = await registerMany(3);
        const [chat, other] = [await direct(ada, bob), await group(eve)];
        const message = await send(ada, chat, 'Between us');
        for (const id of [chat.id, randomUUID()]) {
                problem(await eve.get(`/v1/chats/${id}`), 404);
                problem(await eve.get(`/v1/chats/${id}/messages`), 404);
                problem(await eve.get(`/v1/chats/${id}/messages/${message.id}`), 404);
                problem(await eve.get(`/v1/chats/${id}/participants`), 404);
                problem(await ask(eve, { id }, 'Me too'), 404);
                problem(await eve.put(`/v1/chats/${id}/read`, { body: { seq: 1 } }), 404);
                problem(await eve.post(`/v1/chats/${id}/participants`, { user_ids: [eve.id] }), 404);
                problem(await eve.del(`/v1/chats/${id}/participants/${ada.id}`), 404);
        }
        problem(await eve.get(`/v1/chats/${other.id}/messages/${message.id}`), 404, { field: 'message_id' });
});

test('unread messages are counted, and read marks only rise', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const [adas, bobs] = [await open(ada), await open(bob)];
        for (let i = 1; i <= 5; i++) {
                await send(ada, chat, `${i}`);
        }
        const unread = async () => must(await bob.get(`/v1/chats/${chat.id}`)).unread;
        assert.equal(await unread(), 5);
        const mark = await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: 3 } });
        assert.deepEqual(must(mark), { chat_id: chat.id, user_id: bob.id, seq: 3, unread: 2 });
        assert.equal(must(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: 2 } })).seq, 3);
        problem(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: 6 } }), 422, { field: 'seq' });
        assert.equal(await unread(), 2);
        const seen = await adas.find('the receipt', (m) => m.event === 'messages.read');
        assert.deepEqual(seen.data, { chat_id: chat.id, user_id: bob.id, seq: 3, unread: null });
        assert.equal((await bobs.find('one’s own mark', (m) => m.event === 'messages.read')).data.unread, 2);
        const [listed] = must(await bob.get('/v1/chats')).items;
        assert.deepEqual([listed.unread, listed.last_message.text, listed.last_seq], [2, '5', 5]);
        assert.equal(must(await ada.get(`/v1/chats/${chat.id}`)).unread, 0, 'what one wrote oneself is read');
});

test('chats are listed in pages, by newest message', async () => {
        const [ada, ...others] = await registerMany(6);
        const chats = [];
        for (const other of others) {
                chats.push(await direct(ada, other));
        }
        await send(ada, chats[0], 'First again');
        await send(others[2], chats[2], 'Before all');
        const order = [chats[2], chats[0], chats[4], chats[3], chats[1]];
        const first = must(await ada.get('/v1/chats?limit=3'));
        const rest = must(await ada.get(`/v1/chats?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`));
        assert.deepEqual([...ids(first.items), ...ids(rest.items)], ids(order));
        assert.equal(rest.next_cursor, undefined);
});

test('all members of a group see its log live in the same order, but nothing from before they joined or after they left', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        const live = await Promise.all([ada, bob, cay, dan].map(open));
        const chat = await group(ada, bob);
        await Promise.all(Array.from({ length: 10 }, (_, i) => send(i % 2 ? ada : bob, chat, `early ${i}`)));
        problem(await bob.post(`/v1/chats/${chat.id}/participants`, { user_ids: [cay.id] }), 403);
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [cay.id, bob.id] }), 204);
        await send(cay, chat, 'Hello');
        must(await bob.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        problem(await ask(bob, chat, 'One more'), 404);
        const last = await send(ada, chat, 'Late');
        await live[0].find('the last one', (m) => m.data?.message?.id === last.id);
        await live[2].find('the last one', (m) => m.data?.message?.id === last.id);
        const seqs = (stream) => changes(stream, chat).map((m) => m.data.seq);
        const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
        assert.deepEqual(seqs(live[0]), range(1, last.seq));
        assert.deepEqual(seqs(live[2]), range(13, last.seq), 'from one’s own joining on');
        await eventually('who leaves is told so', () => seqs(live[1]).at(-1) === last.seq - 1);
        assert.deepEqual(seqs(live[1]), range(2, last.seq - 1));
        assert.deepEqual(seqs(live[3]), []);
        assert.deepEqual(texts(await page(cay, chat)), ['Hello', 'Late']);
        assert.deepEqual(texts(await page(bob, chat, '?limit=1')), ['Hello']);
        assert.equal((await page(bob, chat)).last_seq, last.seq - 1);
        problem(await bob.get(`/v1/chats/${chat.id}`), 404);
        assert.deepEqual(ids(must(await ada.get(`/v1/chats/${chat.id}/participants`)).items.map((p) => p.user)), [ada.id, cay.id]);
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [bob.username] }), 204);
        const again = await send(ada, chat, 'Back');
        assert.deepEqual(texts(await page(bob, chat, '?limit=2')), ['Hello', 'Back']);
        assert.deepEqual(texts(await page(bob, chat, `?limit=3&after_seq=${last.seq - 3}`)), ['Hello', 'Back']);
        problem(await bob.get(`/v1/chats/${chat.id}/messages/${last.id}`), 404);
        assert.equal(must(await bob.get(`/v1/chats/${chat.id}/messages/${again.id}`)).text, 'Back');
});

// Messages are first shown from the memory of the process that stored them.
test('messages are live for exactly those who may read them, whatever has just changed', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const live = await Promise.all([ada, bob, cay].map(open));
        const chat = await group(ada, bob), expected = [[], [], []];
        const say = async (sender, text, ...readers) => {
                const sent = await send(sender, chat, text);
                readers.forEach((at) => expected[at].push(sent.id));
                return sent;
        };
        for (let round = 0; round < 5; round++) {
                await say(ada, 'without Cay', 0, 1);
                await say(bob, 'still without Cay', 0, 1);
                must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [cay.id] }), 204);
                await say(ada, 'with Cay', 0, 1, 2);
                await say(cay, 'by Cay', 0, 1, 2);
                must(await (round % 2 ? ada : cay).del(`/v1/chats/${chat.id}/participants/${cay.id}`), 204);
        }
        const last = await say(ada, 'the end', 0, 1);
        for (const stream of live.slice(0, 2)) {
                await stream.find('the end', (m) => m.data?.message?.id === last.id);
        }
        await live[2].find('having left', (m) => m.event === 'participant.left' && m.data.seq === last.seq - 1);
        live.forEach((stream, i) => assert.deepEqual(changes(stream, chat).filter((m) => m.event === 'message.created').map((m) => m.data.message.id), expected[i]));
        const shown = (stream) => changes(stream, chat).filter((m) => m.data.message?.id === last.id).map((m) => m.data);
        const { message: { client_id: own, ...rest }, ...change } = shown(live[0])[0];
        assert.equal(own, last.client_id);
        assert.deepEqual(shown(live[1]), [{ ...change, message: rest }], 'only the sender is told the client_id');
        const stored = must(await bob.get(`/v1/chats/${chat.id}/changes?after_seq=${last.seq - 1}`)).items;
        assert.deepEqual(shown(live[1]), stored, 'the same as it is read later');
});

test('messages in a direct chat are not live for a member who has declined it', async () => {
        const [ada, bob] = await registerMany(2);
        await ada.patch('/v1/users/me/settings', { privacy: { messages_from: 'followed' } });
        const [live] = await Promise.all([ada, bob].map(open));
        const chat = await direct(bob, ada);
        const asked = await send(bob, chat, 'May I?');
        await live.find('the request', (m) => m.data?.message?.id === asked.id);
        must(await ada.post(`/v1/chats/${chat.id}/decline`), 204);
        await send(bob, chat, 'Nobody reads this');
        const again = await direct(ada, bob), after = await send(bob, chat, 'Again');
        assert.equal(again.id, chat.id);
        await live.find('the message after coming back', (m) => m.data?.message?.id === after.id);
        assert.deepEqual(changes(live, chat).filter((m) => m.event === 'message.created').map((m) => m.data.message.text), ['May I?', 'Again']);
});

test('new members see earlier messages if the chat is set so', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = must(await ada.post('/v1/chats', { kind: 'group', title: 'Open', history: true }), 201);
        await send(ada, chat, 'Long ago');
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [bob.id] }), 204);
        assert.deepEqual(texts(await page(bob, chat)), ['Long ago']);
        assert.equal(must(await bob.get(`/v1/chats/${chat.id}`)).unread, 0);
});

test('members join by links until these are used up, expired or revoked, or their creator is no longer an administrator', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        const chat = await group(ada, bob);
        const links = (what = '') => `/v1/chats/${chat.id}/links${what}`;
        const join = (member, token) => member.post('/v1/chats/join', { token });
        const refused = async (member, token) => problem(await join(member, token), 409, { field: 'token', code: 'link_invalid' });
        await send(ada, chat, 'Before');
        problem(await bob.post(links(), {}), 403);
        problem(await bob.get(links()), 403);
        problem(await cay.get(links()), 404);
        problem(await ada.post(links(), { expires_in_s: 59 }), 422, { field: 'expires_in_s' });
        problem(await ada.post(`/v1/chats/${(await direct(ada, bob)).id}/links`, {}), 409);
        const { link, token } = must(await ada.post(links(), { uses: 1 }), 201);
        assert.deepEqual([link.uses, link.uses_left, link.creator.id], [1, 1, ada.id]);
        assert.equal(must(await join(bob, token)).chat.id, chat.id, 'who is in it uses nothing');
        const answers = await Promise.all([cay, dan].map((member) => join(member, token)));
        assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409], 'of two at once one comes');
        const [inside, outside] = answers[0].status === 200 ? [cay, dan] : [dan, cay];
        const seen = must(await inside.get(`/v1/chats/${chat.id}`));
        assert.deepEqual([seen.role, seen.participants, texts(await page(inside, chat))], ['member', 3, []]);
        await refused(outside, token);
        await refused(outside, 'x'.repeat(43));
        assert.deepEqual(must(await ada.get(links())).items, []);

        const open = must(await ada.post(links(), {}), 201);
        must(await inside.del(`/v1/chats/${chat.id}/participants/${inside.id}`), 204);
        must(await join(inside, open.token));
        must(await ada.del(`/v1/chats/${chat.id}/participants/${inside.id}`), 204);
        await refused(inside, open.token);
        assert.deepEqual(must(await ada.get(links())).items.map((l) => [l.id, l.uses_left, l.token]), [[open.link.id, 99, undefined]]);
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [inside.id] }), 204);
        must(await inside.del(`/v1/chats/${chat.id}/participants/${inside.id}`), 204);
        must(await join(inside, open.token), 200, 'who was brought in again may leave and come as others');
        must(await ada.del(links(`/${open.link.id}`)), 204);
        problem(await ada.del(links(`/${open.link.id}`)), 404, { field: 'link_id' });
        await refused(outside, open.token);

        must(await ada.patch(`/v1/chats/${chat.id}/participants/${bob.id}`, { role: 'administrator' }), 204);
        const bobs = must(await bob.post(links(), {}), 201);
        must(await ada.patch(`/v1/chats/${chat.id}/participants/${bob.id}`, { role: 'member' }), 204);
        await refused(outside, bobs.token);
        const last = must(await ada.post(links(), {}), 201);
        must(await ada.del(`/v1/chats/${chat.id}`), 204);
        await refused(outside, last.token);
        const channel = must(await ada.post('/v1/chats', { kind: 'channel', title: 'News' }), 201);
        const { token: readers } = must(await ada.post(`/v1/chats/${channel.id}/links`, {}), 201);
        assert.equal(must(await join(outside, readers)).chat.role, 'reader');
});

test('members who use a link with approval wait until they are accepted', async () => {
        const [ada, bob, cay, dan] = await registerMany(4);
        const chat = await group(ada, bob);
        const applicants = (what = '') => `/v1/chats/${chat.id}/applicants${what}`;
        const { token, link } = must(await ada.post(`/v1/chats/${chat.id}/links`, { uses: 3, approval: true }), 201);
        const join = async (member) => must(await member.post('/v1/chats/join', { token }));
        for (const member of [cay, cay, dan]) {
                assert.deepEqual(await join(member), { chat: null, waiting: true });
                problem(await member.get(`/v1/chats/${chat.id}`), 404);
                problem(await member.get(`/v1/chats/${chat.id}/messages`), 404);
        }
        assert.deepEqual(((l) => [l.id, l.approval, l.uses_left])(must(await ada.get(`/v1/chats/${chat.id}/links`)).items[0]), [link.id, true, 1]);
        assert.deepEqual(ids(must(await ada.get(applicants())).items.map((a) => a.user)), ids([cay, dan]));
        for (const answer of [await bob.get(applicants()), await bob.put(applicants(`/${cay.id}`)), await bob.del(applicants(`/${cay.id}`))]) {
                problem(answer, 403);
        }
        problem(await cay.put(applicants(`/${cay.id}`)), 404);
        problem(await ada.put(applicants(`/${bob.id}`)), 404, { field: 'user_id' });
        await send(ada, chat, 'Before');
        must(await ada.put(applicants(`/${cay.username}`)), 204);
        must(await ada.del(applicants(`/${dan.id}`)), 204);
        assert.deepEqual(must(await ada.get(applicants())).items, []);
        assert.deepEqual([texts(await page(cay, chat)), must(await cay.get(`/v1/chats/${chat.id}`)).role], [[], 'member']);
        assert.equal((await join(cay)).chat.id, chat.id);
        problem(await dan.get(`/v1/chats/${chat.id}`), 404);
        await join(dan);
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [dan.id] }), 204);
        assert.deepEqual(must(await ada.get(applicants())).items, [], 'who was brought in does not wait');
});

test('searches find messages by their words, as far as the member may read them', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const [chat, pair] = [await group(ada, bob), await direct(ada, cay)];
        const find = async (member, query, more = '') => must(await member.get(`/v1/messages?query=${encodeURIComponent(query)}${more}`));
        const found = async (...asked) => ids((await find(...asked)).items);
        const early = await send(ada, chat, 'The Wombat dug a Höhle, deep');
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [cay.id] }), 204);
        const late = await send(bob, chat, 'Another wombat: 東京');
        const own = await send(cay, pair, 'wombats between us');
        assert.deepEqual(await found(ada, 'wombat'), ids([own, late, early]), 'in all chats, the newest first');
        assert.deepEqual(await found(cay, 'wombat'), ids([own, late]), 'from when one came');
        assert.deepEqual(await found(bob, 'WOMBAT'), ids([late, early]));
        assert.deepEqual([await found(ada, 'hohle dug'), await found(ada, '京'), await found(ada, 'wombat missing')], [[early.id], [late.id], []]);
        assert.deepEqual(await found(ada, 'wombat', `&chat_id=${pair.id}`), [own.id]);
        assert.deepEqual(await found(bob, 'wombat', `&chat_id=${pair.id}`), []);
        const first = await find(ada, 'wombat', '&limit=2');
        const rest = await find(ada, 'wombat', `&limit=2&cursor=${encodeURIComponent(first.next_cursor)}`);
        assert.deepEqual([ids(first.items), ids(rest.items), rest.next_cursor], [ids([own, late]), [early.id], undefined]);
        problem(await ada.get(`/v1/messages?query=other&cursor=${encodeURIComponent(first.next_cursor)}`), 400, { field: 'cursor' });

        must(await bob.patch(`/v1/chats/${chat.id}/messages/${late.id}`, { text: 'Another badger' }));
        assert.deepEqual([await found(cay, 'wombat'), await found(cay, 'badger')], [[own.id], [late.id]], 'by what it says now');
        must(await cay.del(`/v1/chats/${chat.id}/messages/${late.id}`), 204);
        assert.deepEqual([await found(cay, 'badger'), await found(ada, 'badger')], [[], [late.id]]);
        must(await ada.del(`/v1/chats/${chat.id}/messages/${early.id}?for=all`), 204);
        assert.deepEqual(await found(bob, 'wombat'), []);
        const moment = await send(ada, chat, 'A quokka for a moment', { expires_in_s: 1 });
        await eventually('it is over', async () => must(await bob.get(`/v1/chats/${chat.id}/messages/${moment.id}`)).deleted);
        assert.deepEqual(await found(bob, 'quokka'), []);
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        must(await ada.patch(`/v1/chats/${chat.id}/messages/${(await send(ada, chat, 'Without')).id}`, { text: 'Without bob' }));
        assert.deepEqual([await found(bob, 'badger'), await found(bob, 'without')], [[], []], 'in the chats that one is in');
        for (const query of ["'", '&|!()', "\\' :* <->", '…']) {
                problem(await ada.get(`/v1/messages?query=${encodeURIComponent(query)}`), 422, { field: 'query' });
        }
        assert.deepEqual(await found(ada, "wombat') or 1=1 --"), []);
        problem(await ada.get('/v1/messages'), 422, { field: 'query' });
});

test('messages mention members of the chat, who see how many unread ones mention them', async () => {
        const [ada, bob, cay, eve] = await registerMany(4);
        const chat = await group(ada, bob, cay);
        const live = await open(bob);
        const client_id = randomUUID();
        const named = (message) => ids(message.mentions).sort();
        const sent = await send(ada, chat, `@${bob.username} and @${cay.username.toUpperCase()}, not @${eve.username} nor @nobody`, { client_id });
        assert.deepEqual(named(sent), ids([bob, cay]).sort());
        assert.deepEqual((await send(ada, chat, 'again', { client_id })).mentions, sent.mentions);
        const { data } = await live.find('the message', (m) => m.data?.message?.id === sent.id);
        assert.deepEqual([named(data.message), named((await page(bob, chat)).items[0])], [ids([bob, cay]).sort(), ids([bob, cay]).sort()]);
        await send(ada, chat, `@${bob.username} again`);
        const unread = async (member) => must(await member.get(`/v1/chats/${chat.id}`)).unread_mentions;
        assert.deepEqual([await unread(bob), await unread(cay), await unread(ada)], [2, 1, 0]);
        must(await bob.put(`/v1/chats/${chat.id}/read`, { body: { seq: sent.seq } }));
        assert.equal(await unread(bob), 1);
        assert.deepEqual(named(must(await ada.patch(`/v1/chats/${chat.id}/messages/${sent.id}`, { text: `Only @${ada.username}` }))), [ada.id]);
        assert.deepEqual([named(must(await cay.get(`/v1/chats/${chat.id}/messages/${sent.id}`))), await unread(cay)], [[ada.id], 0]);
        must(await ada.del(`/v1/chats/${chat.id}/messages/${sent.id}?for=all`), 204);
        assert.deepEqual(must(await cay.get(`/v1/chats/${chat.id}/messages/${sent.id}`)).mentions, []);
        const passed = must(await bob.post(`/v1/chats/${(await direct(bob, cay)).id}/messages`, { client_id: randomUUID(), forward: { chat_id: chat.id, message_id: (await page(bob, chat)).items[1].id } }), 201);
        assert.deepEqual(passed.mentions, [], 'what is passed on names nobody');
});

test('a client resumes where it left off', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        const stream = await open(bob);
        await send(ada, chat, 'One');
        const { position } = await stream.find('the first', (m) => m.data?.message?.text === 'One');
        await stream.close();
        await send(ada, chat, 'Two');
        await send(ada, chat, 'Three');
        const again = await connect(bob);
        const subscribed = await again.subscribe('messages', position);
        assert.equal(subscribed.resumed, true);
        await again.find('the last', (m) => m.data?.message?.text === 'Three');
        assert.deepEqual(changes(again, chat).map((m) => m.data.seq), [2, 3]);
});

test('blocks take effect at once, in both directions', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await direct(ada, bob);
        await send(ada, chat, 'Hello');
        await bob.relate(ada, 'block');
        problem(await ask(ada, chat, 'Still there?'), 403);
        problem(await ask(bob, chat, 'No'), 403);
        const cay = await register();
        await cay.relate(ada, 'block');
        problem(await ada.post('/v1/chats', { kind: 'direct', user_ids: [cay.id] }), 403);
        problem(await ada.post('/v1/chats', { kind: 'group', title: 'x', user_ids: [cay.id] }), 403, { field: 'user_ids' });
        await bob.unrelate(ada, 'block');
        await send(ada, chat, 'Again');
});
