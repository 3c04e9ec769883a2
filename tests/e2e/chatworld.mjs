// Concurrent random members in the same chats of 2, 10 and all members, each with two devices: one on the live stream
// and one that syncs now and then, with broken connections; and the invariants of everything they receive. Callers may
// kill processes meanwhile.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { eventually, inBatches, must, problem } from './client.mjs';
import { Follower, Replica, essence, logOf, pagesOf } from './chatclients.mjs';
import { mode } from './harness.mjs';

export const of = (chat, message, what = '') => `/v1/chats/${chat.id}/messages/${message.id}${what}`;
export const thumb = `/reactions/${encodeURIComponent('👍')}`;
export const begin = async (owner, others, more) => must(await owner.post('/v1/chats', { kind: 'group', title: 'A group', user_ids: others.map((m) => m.id), ...more }), 201);

// Mulberry32: the same choices for the same seed (although concurrency makes the outcome vary).
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

// Possible errors of actions on what others are changing concurrently.
const REFUSALS = [403, 404, 409, 422];
const done = (answer) => assert.ok(answer.status < 300 || REFUSALS.includes(answer.status), JSON.stringify(answer.body));

// Sends a message, sometimes twice concurrently, and sometimes on a connection that breaks before the response; then it
// is sent again until there is one.
async function send({ acknowledged, messages, unanswered }, me, chat, random, reply_to_id) {
        const body = { client_id: randomUUID(), text: `by ${me.username}, ${randomUUID()}`, reply_to_id };
        const ask = (options) => me.post(`/v1/chats/${chat.id}/messages`, body, options);
        const cut = random.chance(0.15);
        if (cut) {
                await ask({ timeoutMs: random.pick([1, 5, 20, 50]) }).catch((error) => assert.ok(!(error instanceof assert.AssertionError), error.message));
        }
        const answers = await Promise.all(Array.from({ length: random.chance(0.3) ? 2 : 1 }, () => ask()));
        for (const answer of answers) {
                done(answer);
                if (answer.status === 201) {
                        acknowledged.push({ chat, client_id: body.client_id, id: answer.body.id, seq: answer.body.seq });
                        messages.push({ chat, id: answer.body.id });
                }
        }
        if (answers.every(({ status }) => status !== 201) && (cut || answers.some(({ again }) => again))) {
                unanswered.push({ chat, text: body.text }); // unknown whether it was sent before the sender left the chat
        }
}

// One of a member's steps. World: {chats, messages: [{chat, id}], acknowledged, unanswered}.
async function step(world, me, random) {
        const chat = random.pick(world.chats.filter(({ people }) => people.includes(me)));
        const message = random.pick(world.messages.filter((m) => m.chat === chat));
        if (!message || random.chance(0.4)) {
                return send(world, me, chat, random, message && random.chance(0.3) ? message.id : undefined);
        }
        const { owner, people } = chat;
        return done(await random.pick([
                () => me.patch(of(chat, message), { text: `edited by ${me.username}, ${randomUUID()}` }),
                () => me.put(of(chat, message, thumb)),
                () => me.del(of(chat, message, thumb)),
                () => me.del(of(chat, message, random.chance(0.3) ? '?for=all' : '')),
                () => me.put(of(chat, message, '/pin')),
                async () => me.put(`/v1/chats/${chat.id}/read`, { body: { seq: (await me.get(`/v1/chats/${chat.id}`)).body.last_seq || 1 } }),
                () => me.del(`/v1/chats/${chat.id}/participants/${me === owner ? random.pick(people.slice(1)).id : me.id}`),
                () => owner.post(`/v1/chats/${chat.id}/participants`, { user_ids: [random.pick(people.slice(1)).id] }),
                () => owner.patch(`/v1/chats/${chat.id}`, { title: randomUUID() }),
        ])());
}

// The ranges that a member may read of a completely known log. Members never join or leave direct chats.
function rangesOf(chat, log, member, history) {
        const ranges = chat.kind === 'direct' && chat.people.includes(member) ? [{ from: 1, to: Infinity }] : [];
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

// A change shows nothing from a number that the member may not read.
function checkShown(change, log, ranges, who) {
        assert.equal(change.id, log[change.seq - 1].id, 'the same entry for all');
        for (const seq of [change.seq, change.message?.seq, change.message?.reply_to?.seq].filter((n) => n !== undefined)) {
                assert.ok(within(ranges, seq), `${who} was shown number ${seq} of ${change.chat_id} and may read ${JSON.stringify(ranges)}`);
        }
}

async function checkMember(chat, log, { follower, replica }) {
        const { member } = follower;
        const [ranges, present] = [rangesOf(chat, log, member, chat.history), rangesOf(chat, log, member, false)];
        const expected = log.map(({ seq }) => seq).filter((seq) => within(present, seq));
        const told = () => follower.of(chat).map((change) => change.seq).filter((seq) => !chat.history || within(present, seq)); // in a chat with history, returning members may get more
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
                assert.ok(replica.chats.get(chat.id).isWhole(), 'and the count of entries proves that it is all');
                const { last_message: _, ...now } = must(await member.get(`/v1/chats/${chat.id}`));
                assert.deepEqual((({ last_message, ...then }) => then)(replica.chats.get(chat.id).chat), now);
        } else {
                problem(await member.get(`/v1/chats/${chat.id}`), 404);
        }
        return undefined;
}

function checkLog(log, acknowledged, unanswered) {
        assert.deepEqual(log.map((c) => c.seq), log.map((_, i) => i + 1), 'no gap');
        const ids = new Map();
        for (const { client_id, id, seq } of acknowledged) {
                assert.equal(log[seq - 1].id, id, 'what was acknowledged is there');
                assert.equal(ids.get(client_id) ?? id, id, 'once for each client_id');
                ids.set(client_id, id);
        }
        const known = new Set(ids.values());
        assert.equal(known.size, ids.size, 'each client_id has a message of its own');
        const others = log.filter((c) => c.kind === 'message' && !known.has(c.id));
        assert.ok(others.length <= unanswered.length, `${others.length} messages that nobody was answered, of ${unanswered.length} sent`);
        const texts = others.flatMap(({ message }) => (message?.text ? [message.text] : [])); // unedited, since nobody else knows their ids
        assert.deepEqual([...new Set(texts)].filter((text) => unanswered.some((u) => u.text === text)), texts, 'and each of them once');
}

export const seed = Number(process.env.SONET_HISTORY_SEED ?? Date.now() % 1e6);
export const long = process.env.SONET_E2E_LONG === '1';
export const STEPS = Number(process.env.SONET_HISTORY_STEPS ?? (long ? 100 : 8));
const MEMBERS = Number(process.env.SONET_HISTORY_MEMBERS ?? (long || mode === 'single' ? 50 : 12)); // at least 4
export const clients = 2 * MEMBERS;

// Chats of all, of ten and of two members; some members are in several.
async function beginChats(everyone) {
        const groups = [[everyone], [everyone.slice(0, 10)], [everyone.slice(-10), { history: true }]];
        const pairs = [0, 2, 4, 6, 8].map((i) => [everyone.slice(i, i + 2), { kind: 'direct', title: undefined }]).filter(([people]) => people.length === 2);
        return Promise.all([...groups, ...pairs].map(async ([people, more]) => ({ ...(await begin(people[0], people.slice(1), more)), owner: people[0], people })));
}

// Counts steps, for waiting until a share of them is done.
class Progress {
        constructor(total) { Object.assign(this, { total, taken: 0, waiting: [] }); }

        add() {
                this.taken++;
                this.waiting.filter(({ at }) => at === this.taken).forEach(({ resolve }) => resolve());
        }

        reached(share) {
                const at = Math.max(1, Math.floor(share * this.total));
                return at <= this.taken ? undefined : new Promise((resolve) => this.waiting.push({ at, resolve }));
        }
}

async function live(world, { follower, replica }, random, progress, steps) {
        for (let n = 0; n < steps; n++) {
                await step(world, follower.member, random);
                if (random.chance(0.15)) {
                        await replica.sync();
                }
                if (random.chance(0.1)) {
                        await follower.cut();
                }
                progress.add();
        }
}

// Runs all members' steps and checks the invariants. net: {url, registerMany}; meanwhile(progress) runs concurrently.
export async function play(net, followers, meanwhile = async () => {}, steps = STEPS) {
        const everyone = await net.registerMany(MEMBERS);
        const devices = await Promise.all(everyone.map(async (member) => ({ follower: await new Follower(member, net.url).connect(), replica: new Replica(member, 2) })));
        followers.push(...devices.map(({ follower }) => follower));
        const world = { chats: await beginChats(everyone), messages: [], acknowledged: [], unanswered: [] };
        const progress = new Progress(steps * MEMBERS);
        await Promise.all([meanwhile(progress), ...devices.map((own, i) => live(world, own, randomOf(seed + i), progress, steps))]);
        await inBatches(devices, 8, ({ replica }) => replica.sync());
        for (const chat of world.chats) {
                const log = await logOf(chat.owner, chat.id);
                const mine = (list) => list.filter((a) => a.chat === chat);
                checkLog(log, mine(world.acknowledged), mine(world.unanswered));
                await inBatches(devices, 8, (own) => checkMember(chat, log, own));
        }
}
