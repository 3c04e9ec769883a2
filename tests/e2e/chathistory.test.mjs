// What many clients of the same chats see at once: one log, whole, in one order, by every road; and of it only what they may.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { Follower, Replica, essence, logOf, pagesOf } from './chatclients.mjs';
import { eventually, must, problem, registerMany } from './shared.mjs';

const begin = async (owner, others, more) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id), ...more }), 201);
const direct = (one, other) => begin(one, [other], { kind: 'direct', title: undefined });
const ask = (member, chat, more) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), ...more });
const send = async (member, chat, text, more) => must(await ask(member, chat, { text, ...more }), 201);
const of = (chat, message, what = '') => `/v1/chats/${chat.id}/messages/${message.id}${what}`;
const thumb = (message) => `/reactions/${encodeURIComponent('👍')}`;
const followers = [];
after(() => followers.forEach((f) => f.end()));

test('the log of a chat, by number: all kinds of entries, as far as one may read them', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await begin(ada, []);
        const before = await send(ada, chat, 'Before');
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [bob.id] }), 204);
        const message = await send(ada, chat, 'One');
        must(await ada.patch(of(chat, before), { text: 'Before all' }));
        must(await bob.put(of(chat, message, thumb())), 204);
        must(await ada.del(of(chat, message, '?for=all')), 204);
        const kinds = ['joined', 'message', 'joined', 'message', 'edited', 'reacted', 'deleted'];
        for (const limit of [1, 3, 100]) {
                assert.deepEqual((await logOf(ada, chat.id, limit)).map((c) => [c.seq, c.kind]), kinds.map((kind, i) => [i + 1, kind]));
        }
        assert.deepEqual((await logOf(bob, chat.id, 2)).map((c) => [c.seq, c.kind, c.message?.id ?? null]),
                [[3, 'joined', null], [4, 'message', message.id], [5, 'edited', null], [6, 'reacted', message.id], [7, 'deleted', message.id]]);
        const page = must(await bob.get(`/v1/chats/${chat.id}/changes?after_seq=4&limit=1`));
        assert.deepEqual([page.items.length, page.last_seq, page.more], [1, 7, true]);
        problem(await bob.get(`/v1/chats/${chat.id}/changes?after_seq=8`), 422, { field: 'after_seq' });
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        await send(ada, chat, 'Without bob');
        assert.equal((await logOf(bob, chat.id)).at(-1).kind, 'left');
        const [eve] = await registerMany(1);
        problem(await eve.get(`/v1/chats/${chat.id}/changes`), 404);
});

test('a device that was away syncs: what has changed in which chats, what is gone, and what is too much to tell', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const [pair, group, quiet, open] = [await direct(ada, bob), await begin(ada, [bob]), await begin(ada, [bob]), await begin(cay, [], { history: true })];
        await send(cay, open, 'Long ago');
        const first = await send(ada, pair, 'First');
        const device = new Replica(bob, 2);
        await device.sync();
        assert.deepEqual([...device.chats.keys()].sort(), [pair.id, group.id, quiet.id].sort());
        assert.deepEqual(device.messages(pair.id).map((m) => m.text), ['First']);
        await eventually('nothing more has changed', async () => { // what was written just now may be told twice
                device.shown.length = device.reloads = 0;
                await device.sync();
                return device.shown.length === 0;
        });
        await send(ada, pair, 'Second', { reply_to_id: first.id });
        must(await ada.patch(of(pair, first), { text: 'First, edited' }));
        must(await bob.put(`/v1/chats/${pair.id}/draft`, { body: { text: 'Dear' } }), 204);
        await device.sync();
        assert.deepEqual([...new Set(device.shown.map((c) => c.chat_id))], [pair.id], 'what has not changed is not told');
        assert.deepEqual([device.messages(pair.id).map((m) => m.text), device.chats.get(pair.id).chat.draft, device.reloads], [['First, edited', 'Second'], 'Dear', 0]);

        must(await bob.del(of(pair, first)), 204);
        must(await ada.del(`/v1/chats/${group.id}/participants/${bob.id}`), 204);
        await send(ada, group, 'Without bob');
        await device.sync();
        assert.deepEqual(device.messages(pair.id).map((m) => m.text), ['Second']);
        assert.deepEqual([device.chats.get(group.id).chat, device.shown.some((c) => c.message?.text === 'Without bob')], [null, false]);

        must(await bob.del(`/v1/chats/${pair.id}`), 204);
        must(await ada.del(`/v1/chats/${quiet.id}`), 204);
        await device.sync();
        assert.deepEqual([device.messages(pair.id), device.chats.get(quiet.id).chat], [[], null]);

        for (let i = 0; i < 6; i++) { // a hundred and one is more than is told of one chat
                await Promise.all(Array.from({ length: 17 }, (_, j) => send(ada, pair, `m${i} ${j}`)));
        }
        must(await cay.post(`/v1/chats/${open.id}/participants`, { user_ids: [bob.id] }), 204);
        const reloads = device.reloads;
        await device.sync();
        assert.equal(device.reloads, reloads + 2);
        assert.equal(device.messages(pair.id).length, 102);
        assert.deepEqual(device.messages(open.id).map((m) => m.text), ['Long ago']);

        problem(await bob.get('/v1/chats/sync?since=nonsense'), 400, { field: 'since' });
        problem(await ada.get(`/v1/chats/sync?since=${encodeURIComponent(device.next)}`), 400, { field: 'since' });
});

// ---- Random members at once ----

const seed = Number(process.env.SONET_HISTORY_SEED ?? Date.now() % 1e6);
const STEPS = Number(process.env.SONET_HISTORY_STEPS ?? 20);

// Mulberry32: the same choices for the same seed (what the members meet is another matter: they are at it at once).
function randomOf(number) {
        let state = number >>> 0;
        const next = () => {
                state = (state + 0x6d2b79f5) >>> 0;
                let t = Math.imul(state ^ (state >>> 15), 1 | state);
                t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
                return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
        };
        return { chance: (p) => next() < p, pick: (list) => list[Math.floor(next() * list.length)] };
}

// What one may meet who acts on what others change at the same moment.
const REFUSALS = [403, 404, 409, 422];
const done = (answer) => assert.ok(answer.status < 300 || REFUSALS.includes(answer.status), JSON.stringify(answer.body));

// One of a member's steps. World: {owner, members, chats, messages: [{chat, id}], acknowledged}.
async function step(world, me, random) {
        const chat = random.pick(world.chats);
        const message = random.pick(world.messages.filter((m) => m.chat === chat));
        if (!message || random.chance(0.4)) {
                const body = { client_id: randomUUID(), text: `by ${me.username}, ${randomUUID()}`, reply_to_id: message && random.chance(0.3) ? message.id : undefined };
                const answers = await Promise.all(Array.from({ length: random.chance(0.3) ? 2 : 1 }, () => me.post(`/v1/chats/${chat.id}/messages`, body)));
                for (const answer of answers) {
                        done(answer);
                        if (answer.status === 201) {
                                world.acknowledged.push({ chat, client_id: body.client_id, id: answer.body.id, seq: answer.body.seq });
                                world.messages.push({ chat, id: answer.body.id });
                        }
                }
                return;
        }
        done(await random.pick([
                () => me.patch(of(chat, message), { text: `edited by ${me.username}, ${randomUUID()}` }),
                () => me.put(of(chat, message, thumb())),
                () => me.del(of(chat, message, thumb())),
                () => me.del(of(chat, message, random.chance(0.3) ? '?for=all' : '')),
                () => me.put(of(chat, message, '/pin')),
                async () => me.put(`/v1/chats/${chat.id}/read`, { body: { seq: (await me.get(`/v1/chats/${chat.id}`)).body.last_seq || 1 } }),
                () => me.del(`/v1/chats/${chat.id}/participants/${me === world.owner ? random.pick(world.members).id : me.id}`),
                () => world.owner.post(`/v1/chats/${chat.id}/participants`, { user_ids: [random.pick(world.members).id] }),
                () => world.owner.patch(`/v1/chats/${chat.id}`, { title: randomUUID() }),
        ])());
}

// The numbers that a member may read of a log that is known as a whole.
function rangesOf(log, member, history) {
        const ranges = [];
        for (const { kind, seq, member: of } of log) {
                if (of?.id === member.id && kind === 'joined') {
                        ranges.push({ from: history ? 1 : seq, to: Infinity });
                } else if (of?.id === member.id && kind === 'left') {
                        ranges.at(-1).to = seq;
                }
        }
        return ranges;
}
const within = (ranges, seq) => ranges.some(({ from, to }) => seq >= from && seq <= to);

// Nothing that a change shows is of a number that one may not read.
function checkShown(change, log, ranges, who) {
        assert.equal(change.id, log[change.seq - 1].id, 'the same entry for all');
        for (const seq of [change.seq, change.message?.seq, change.message?.reply_to?.seq].filter((n) => n !== undefined)) {
                assert.ok(within(ranges, seq), `${who} was shown number ${seq} of ${change.chat_id} and may read ${JSON.stringify(ranges)}`);
        }
}

async function checkMember(chat, log, { follower, replica }) {
        const { member } = follower;
        const [ranges, present] = [rangesOf(log, member, chat.history), rangesOf(log, member, false)];
        const expected = log.map(({ seq }) => seq).filter((seq) => within(present, seq));
        const told = () => follower.of(chat).map((change) => change.seq).filter((seq) => !chat.history || within(present, seq)); // of a chat with history more may come to who is back
        await eventually(`${member.username} is told of all`, () => {
                follower.take();
                return told().length >= expected.length;
        }, 60_000);
        assert.deepEqual(told(), expected, 'in order, each once, none left out');
        if (ranges.length === 0) {
                return problem(await member.get(`/v1/chats/${chat.id}/messages`), 404);
        }
        [...follower.of(chat), ...replica.shown.filter((c) => c.chat_id === chat.id)].forEach((change) => checkShown(change, log, ranges, member.username));
        const pages = await pagesOf(member, chat.id);
        pages.forEach((message) => assert.ok(within(ranges, message.seq)));
        if (replica.chats.get(chat.id)?.chat) {
                assert.deepEqual(replica.messages(chat.id), pages.map(essence), 'who syncs has what the pages show');
                const { last_message: _, ...now } = must(await member.get(`/v1/chats/${chat.id}`));
                assert.deepEqual((({ last_message, ...then }) => then)(replica.chats.get(chat.id).chat), now);
        } else {
                problem(await member.get(`/v1/chats/${chat.id}`), 404);
        }
        return undefined;
}

test(`random members at once: one log without gaps, the same for all by every road, and nothing that one may not read (seed ${seed})`, { timeout: 300_000 }, async () => {
        const [owner, ...members] = await registerMany(5);
        const clients = await Promise.all([owner, ...members].map(async (member) => ({ follower: await new Follower(member).connect(), replica: new Replica(member, 2) })));
        followers.push(...clients.map((client) => client.follower));
        const chats = [await begin(owner, members.slice(0, 2)), await begin(owner, members), await begin(owner, members.slice(1, 3), { history: true })];
        const world = { owner, members, chats, messages: [], acknowledged: [] };
        await Promise.all(clients.map(async ({ follower, replica }, i) => {
                const random = randomOf(seed + i);
                for (let n = 0; n < STEPS; n++) {
                        await step(world, follower.member, random);
                        if (random.chance(0.15)) {
                                await replica.sync();
                        }
                        if (random.chance(0.1)) {
                                await follower.cut();
                        }
                }
        }));
        for (const chat of chats) {
                const log = await logOf(owner, chat.id);
                assert.deepEqual(log.map((c) => c.seq), log.map((_, i) => i + 1), 'no gap');
                const sent = log.filter((c) => c.kind === 'message');
                for (const { client_id, id, seq } of world.acknowledged.filter((a) => a.chat === chat)) {
                        assert.equal(log[seq - 1].id, id, 'what was acknowledged is there');
                        assert.ok(world.acknowledged.every((a) => a.client_id !== client_id || a.id === id), 'once for each client_id');
                }
                assert.deepEqual(sent.map((c) => c.id).sort(), [...new Set(world.acknowledged.filter((a) => a.chat === chat).map((a) => a.id))].sort(), 'nothing else is');
        }
        for (const client of clients) {
                await client.replica.sync();
                for (const chat of chats) {
                        await checkMember(chat, await logOf(owner, chat.id), client);
                }
        }
});
