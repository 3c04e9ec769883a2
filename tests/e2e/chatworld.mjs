// Random members at once in the same chats, each followed by a device on the stream and by one that syncs now and then; and what must hold of all that
// they were told. Who runs it may kill processes meanwhile.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually, must, problem } from './client.mjs';
import { Follower, Replica, essence, logOf, pagesOf } from './chatclients.mjs';

export const of = (chat, message, what = '') => `/v1/chats/${chat.id}/messages/${message.id}${what}`;
export const thumb = `/reactions/${encodeURIComponent('👍')}`;
export const begin = async (owner, others, more) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id), ...more }), 201);

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
                () => me.put(of(chat, message, thumb)),
                () => me.del(of(chat, message, thumb)),
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
        await eventually(`${member.username} is told of all`, async () => {
                await follower.take();
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

function checkLog(log, acknowledged) {
        assert.deepEqual(log.map((c) => c.seq), log.map((_, i) => i + 1), 'no gap');
        for (const { client_id, id, seq } of acknowledged) {
                assert.equal(log[seq - 1].id, id, 'what was acknowledged is there');
                assert.ok(acknowledged.every((a) => a.client_id !== client_id || a.id === id), 'once for each client_id');
        }
        assert.deepEqual(log.filter((c) => c.kind === 'message').map((c) => c.id).sort(), [...new Set(acknowledged.map((a) => a.id))].sort(), 'nothing else is');
}

export const seed = Number(process.env.SONET_HISTORY_SEED ?? Date.now() % 1e6);
const STEPS = Number(process.env.SONET_HISTORY_STEPS ?? 20);
const MEMBERS = Number(process.env.SONET_HISTORY_MEMBERS ?? 5); // at least 4

// What each member does, and that it is as it must be. net: {url, registerMany}; meanwhile() runs beside them.
export async function play(net, followers, meanwhile = async () => {}) {
        const [owner, ...members] = await net.registerMany(MEMBERS);
        const clients = await Promise.all([owner, ...members].map(async (member) => ({ follower: await new Follower(member, net.url).connect(), replica: new Replica(member, 2) })));
        followers.push(...clients.map((client) => client.follower));
        const chats = [await begin(owner, members.slice(0, 2)), await begin(owner, members), await begin(owner, members.slice(1, 3), { history: true })];
        const world = { owner, members, chats, messages: [], acknowledged: [] };
        await Promise.all([meanwhile(), ...clients.map(async ({ follower, replica }, i) => {
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
        })]);
        for (const chat of chats) {
                checkLog(await logOf(owner, chat.id), world.acknowledged.filter((a) => a.chat === chat));
        }
        for (const client of clients) {
                await client.replica.sync();
                for (const chat of chats) {
                        await checkMember(chat, await logOf(owner, chat.id), client);
                }
        }
}
