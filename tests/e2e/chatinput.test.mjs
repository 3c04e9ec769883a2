// Invalid input to chats is answered with a precise problem, and changes nothing.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { logOf } from './chatclients.mjs';
import { must, net, problem, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

let ada, bob, eve, pair, group, message, elsewhere;
const path = (what = '', chat = pair) => `/v1/chats/${chat.id}${what}`;
const send = (member, body, chat = pair) => member.post(path('/messages', chat), { client_id: randomUUID(), ...body });

before(async () => {
        [ada, bob, eve] = await registerMany(3);
        pair = must(await ada.post('/v1/chats', { kind: 'direct', user_ids: [bob.id] }), 201);
        group = must(await ada.post('/v1/chats', { kind: 'group', title: 'Elsewhere', user_ids: [bob.id] }), 201);
        message = must(await send(ada, { text: 'One' }), 201);
        elsewhere = must(await send(ada, { text: 'Two' }, group), 201);
});

// The chat as the API shows it to both members.
const state = async () => JSON.stringify([await logOf(ada, pair.id), await logOf(bob, pair.id), must(await bob.get(path())).read_seq, must(await ada.get(path('/receipts')))]);

async function changesNothing(asks) {
        const were = await state();
        for (const [answer, status, field] of asks) {
                problem(await answer(), status, field && { field });
        }
        assert.equal(await state(), were);
}

test('messages that are too long, not text, or answer a missing message are rejected', () => changesNothing([
        [() => send(ada, { text: 'x'.repeat(1 << 20) }), 413],
        [() => send(ada, { text: 'x'.repeat(8001) }), 422, 'text'],
        [() => send(ada, { text: ' \n\t' }), 422, 'text'],
        [() => send(ada, { text: 'a\u0000b' }), 422, 'text'],
        [() => send(ada, { text: 'a\u001b[2Jb' }), 422, 'text'],
        [() => send(ada, { text: 'pay \u202e001\u202c to me' }), 422, 'text'],
        [() => ada.patch(path(`/messages/${message.id}`), { text: '\u202dOne' }), 422, 'text'],
        [() => ada.post(path('/messages'), undefined, { raw: `{"client_id":"${randomUUID()}","text":"\\ud800"}` }), 400],
        [() => send(ada, { text: 'x', client_id: 'mine' }), 422, 'client_id'],
        [() => send(ada, { text: 'x', client_id: undefined }), 422, 'client_id'],
        [() => send(ada, { text: 'x', reply_to_id: elsewhere.id }), 422, 'reply_to_id'],
        [() => send(ada, { text: 'x', reply_to_id: randomUUID() }), 422, 'reply_to_id'],
        [() => send(ada, { text: 'x', client_id: elsewhere.client_id }), 422, 'client_id'],
        [() => send(ada, { text: 'x', expires_in_s: 0 }), 422, 'expires_in_s'],
        [() => send(ada, { text: 'x', expires_in_s: 31_536_001 }), 422, 'expires_in_s'],
        [() => send(ada, { text: 'x', forward: { chat_id: pair.id, message_id: message.id } }), 422, 'forward'],
        [() => send(eve, { text: 'x' }), 404, 'id'],
        [() => ada.patch(path(`/messages/${elsewhere.id}`), { text: 'x' }), 404, 'message_id'],
        [() => bob.patch(path(`/messages/${message.id}`), { text: 'x' }), 403],
        [() => bob.del(path(`/messages/${message.id}?for=all`)), 403],
]));

test('numbers that do not exist, and messages of other chats, are rejected', () => changesNothing([
        [() => bob.put(path('/read'), { body: { seq: 1_000_000 } }), 422, 'seq'],
        [() => bob.put(path('/read'), { body: { seq: 0 } }), 422, 'seq'],
        [() => bob.put(path('/read'), { body: { seq: -1 } }), 422, 'seq'],
        [() => eve.put(path('/read'), { body: { seq: 1 } }), 404, 'id'],
        [() => ada.get(path('/messages?after_seq=-1')), 422, 'after_seq'],
        [() => ada.get(path('/messages?after_seq=1&before_seq=3')), 422, 'before_seq'],
        [() => ada.get(path('/changes?after_seq=99999')), 422, 'after_seq'],
        [() => ada.get(path(`/messages/${elsewhere.id}`)), 404, 'message_id'],
        [() => ada.put(path(`/messages/${elsewhere.id}/reactions/${encodeURIComponent('👍')}`)), 404, 'message_id'],
        [() => eve.put(path('/typing')), 404, 'id'],
        [() => eve.get(path('/receipts')), 404, 'id'],
        [() => ada.put(path('/mute'), { body: { until: '2001-01-01T00:00:00Z' } }), 422, 'until'],
        [() => ada.put(path('/draft'), { body: { text: 'x'.repeat(8001) } }), 422, 'text'],
        [() => ada.post(path('/participants', group), { user_ids: Array.from({ length: 101 }, () => randomUUID()) }), 422, 'user_ids'],
]));

test('a page around a future number is that of the newest messages', async () => {
        const page = must(await ada.get(path('/messages?around_seq=99999')));
        assert.deepEqual([page.items.at(-1).id, page.more_after, page.last_seq], [message.id, false, message.seq]);
        const after = must(await ada.get(path('/messages?after_seq=99999')));
        assert.deepEqual([after.items, after.more_after, after.last_seq], [[], false, message.seq]);
});

test('characters required by texts of any direction are accepted unchanged', async () => {
        const text = 'שלום \u2067abc\u2069 \u200f(1)\n\tمرحبا\u200c';
        assert.equal(must(await send(ada, { text }), 201).text, text);
});

test('a client id belongs to its sender: others can use the same one', async () => {
        const own = must(await send(bob, { text: 'Mine', client_id: message.client_id }), 201);
        assert.notEqual(own.id, message.id);
        assert.equal(must(await send(ada, { text: 'Another text', client_id: message.client_id }), 201).id, message.id);
});

test('a message accepts at most twenty different reactions, and the error says so', async () => {
        const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => bob.put(path(`/messages/${message.id}/reactions/${encodeURIComponent(String.fromCodePoint(0x1f600 + i))}`))));
        const refused = answers.filter(({ status }) => status !== 204);
        refused.forEach((answer) => problem(answer, 409, { field: 'emoji' }));
        assert.equal(must(await bob.get(path(`/messages/${message.id}`))).reactions.length, 20);
        assert.equal(refused.length, 40);
});

// Each would be an entry in everybody's log; with --long, 10,000 of them.
test('reacting and undoing it repeatedly is limited to a hundred times, so that it does not fill the log', async () => {
        const { id, seq } = must(await send(bob, { text: 'Do you like it?' }), 201);
        const thumb = path(`/messages/${id}/reactions/${encodeURIComponent('👍')}`);
        for (let i = 0; i < 100; i++) {
                must(await ada.put(thumb), 204);
                must(await ada.del(thumb), 204);
        }
        const tries = process.env.SONET_E2E_LONG === '1' ? 10_000 : 300;
        for (let i = 0; i < tries; i += 50) {
                const answers = await Promise.all(Array.from({ length: 50 }, () => ada.put(thumb)));
                answers.forEach((answer) => assert.match(problem(answer, 409, { field: 'emoji' }).detail, /100 times/));
        }
        assert.equal(must(await ada.get(path())).last_seq, seq + 200);
        must(await bob.put(thumb), 204); // others still can
        assert.deepEqual(must(await ada.get(path(`/messages/${id}`))).reactions, [{ emoji: '👍', count: 1, mine: false }]);
});

test('devices cannot acknowledge or resume from positions that they did not receive', async () => {
        const stream = new Stream(net.url, { token: bob.token });
        await stream.opened;
        await stream.next();
        await stream.subscribe('messages');
        for (const forged of [{ type: 'acknowledge', position: 'AAAA' }, { type: 'subscribe', since: 'zzzz' }]) {
                const { type, problem: said } = await stream.ask({ channel: 'messages', ...forged });
                assert.deepEqual([type, said.code], ['problem', 'cursor_invalid']);
        }
        await stream.close();
});
