// Redis may be lost at any time: this makes SoNet slower, never wrong. Every timeline is compared with one that the test computes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, eventually, ids, inBatches, must, readAll } from './client.mjs';
import { signal } from './harness.mjs';
import { ownServer } from './own.mjs';
import { redisCommand } from './redisclient.mjs';
import { Stream } from './streams.mjs';

const FANS = 24;
// Without timelines in memory, which the delivering process would use (homememory.test.mjs), so that Redis is read.
const it = ownServer({ env: { HOME_MEMORY_BYTES: '0' } }, setUp);

// The test's reference: who follows and mutes whom, and every note that was acknowledged and not deleted.
const world = { follows: new Map(), mutes: new Map(), notes: [] };
let authors;
let fans;

async function setUp(net) {
        const members = await net.registerMany(FANS + 4);
        authors = members.slice(0, 4);
        fans = members.slice(4);
        members.forEach((m) => {
                world.follows.set(m.id, new Set());
                world.mutes.set(m.id, new Set());
        });
        await inBatches(fans, 6, async (fan, i) => {
                for (const author of authors.filter((_, a) => a === 0 || (i + a) % 3 !== 0)) {
                        await follow(fan, author);
                }
        });
        await mute(fans[0], authors[0]);
}

async function follow(who, whom) {
        await who.follow(whom);
        world.follows.get(who.id).add(whom.id);
}
async function unfollow(who, whom) {
        await who.unrelate(whom, 'follow');
        world.follows.get(who.id).delete(whom.id);
}
async function mute(who, whom) {
        await who.relate(whom, 'mute');
        world.mutes.get(who.id).add(whom.id);
}
async function post(author, text, visibility = 'public') {
        const note = await author.note(text, visibility);
        world.notes.push({ id: note.id, author: author.id, visibility });
        return note;
}
async function remove(author, note) {
        must(await author.del(`/v1/notes/${note.id}`), 204);
        world.notes = world.notes.filter((n) => n.id !== note.id);
}

// The slow reference implementation: all notes, one by one.
function reference(member) {
        const follows = world.follows.get(member.id);
        const mutes = world.mutes.get(member.id);
        const sees = (n) => n.author === member.id || (follows.has(n.author) && !mutes.has(n.author) && n.visibility !== 'only_me');
        return world.notes.filter(sees).map((n) => n.id).sort().reverse();
}

const homeOf = async (member, limit = 30) => ids(await readAll((p) => member.get(p), '/v1/timelines/home', { limit }));

async function allTimelinesAgree(withinMs = 30_000) {
        await inBatches([...fans, ...authors], 4, (member) => eventually(`the timeline of ${member.username}`, async () => {
                assert.deepEqual(await homeOf(member), reference(member));
        }, withinMs));
}

// All members post, delete, follow and unfollow while disturb() runs; its argument waits until the given number of notes has been acknowledged.
async function disturbed(label, disturb) {
        let acknowledged = 0;
        const until = (n) => eventually(`${n} notes`, () => acknowledged >= n);
        const busy = authors.map(async (author, a) => {
                for (let i = 0; i < 12; i++) {
                        const note = await post(author, `${label} ${a}.${i}`, ['public', 'followers', 'only_me'][i % 4] ?? 'public');
                        acknowledged++;
                        if (i % 5 === 3) {
                                await remove(author, note);
                        }
                }
        });
        const moving = fans.slice(1, 5).map(async (fan, i) => {
                for (const author of authors.slice(1)) {
                        await (i % 2 ? follow : unfollow)(fan, author);
                }
        });
        await Promise.all([...busy, ...moving, disturb(until)]);
}

test('without disturbances, every timeline matches the reference', async () => {
        await disturbed('calm', async () => {});
        await allTimelinesAgree();
});

// Bytes that Redis has sent to all clients since it started.
async function sentByRedis() {
        const reply = await redisCommand(it.server, 'EVAL', "return tonumber(redis.call('INFO', 'stats'):match('total_net_output_bytes:(%d+)'))", '0');
        assert.match(reply, /^:\d+$/);
        return Number(reply.slice(1));
}

// Written by something other than SoNet: a timeline begins with 's' and has 44 + 32n bytes.
for (const [what, ...command] of [
        ['64 MiB in the form of a timeline', 'EVAL', "redis.call('SET', KEYS[1], 's'); redis.call('SETRANGE', KEYS[1], 44 + 32 * 2097152, ''); return redis.call('SETRANGE', KEYS[1], 43 + 32 * 2097152, 'x')", '1'],
        ['a value that is just too long', 'EVAL', "redis.call('SET', KEYS[1], 's'); return redis.call('SETRANGE', KEYS[1], 43 + 32 * 2048, 'x')", '1'],
        ['64 MiB of nonsense', 'EVAL', "return redis.call('SETRANGE', KEYS[1], 67108864, 'x')", '1'],
        ['a list', 'EVAL', "redis.call('DEL', KEYS[1]); return redis.call('RPUSH', KEYS[1], 'x')", '1'],
]) {
        test(`${what} under a timeline's key is neither fetched nor used, and replaced`, async () => {
                const [fan] = fans.slice(-1);
                const wanted = reference(fan);
                await allTimelinesAgree();
                const key = `tl:home:${fan.id}`;
                assert.match(await redisCommand(it.server, ...command, key), /^:[1-9]/);
                const before = await sentByRedis();
                assert.deepEqual(await homeOf(fan, 100), wanted);
                const sent = await sentByRedis() - before;
                assert.ok(sent < 1 << 20, `${sent} bytes`);
                await eventually('the value is replaced', async () => { // a write that Redis does not take in time is left to the next read
                        await homeOf(fan, 100);
                        const length = await redisCommand(it.server, 'STRLEN', key);
                        assert.ok(/^:[1-9]/.test(length) && Number(length.slice(1)) <= 65536, length);
                });
        });
}

test('emptying Redis in the middle of a fan-out loses nothing', async () => {
        await disturbed('flush', async (until) => {
                for (let i = 1; i <= 5; i++) {
                        await until(6 * i);
                        assert.equal(await redisCommand(it.server, 'FLUSHALL'), '+OK');
                }
        });
        await allTimelinesAgree();
});

test('killing Redis in the middle of a fan-out loses nothing', async () => {
        await disturbed('kill', async (until) => {
                await until(6);
                assert.ok(it.server.kill('redis') > 0, 'there was one to kill');
        });
        await allTimelinesAgree();
        await eventually('Redis is back', async () => /PONG/.test(await redisCommand(it.server, 'PING')), 30_000);
        await allTimelinesAgree();
});

test('a hanging Redis slows requests down and breaks nothing', async () => {
        const [pid] = it.server.pids('redis');
        try {
                await disturbed('hang', async (until) => {
                        await until(4);
                        assert.ok(signal(pid, 'SIGSTOP'));
                });
                await allTimelinesAgree();
        } finally {
                signal(pid, 'SIGCONT');
        }
        await allTimelinesAgree();
});

test('a stream has every event once and in order, with Redis, without it, and after it returns', async () => {
        const author = authors[0];
        const stream = new Stream(it.server.url, { token: fans[1].token });
        await stream.opened;
        assert.equal((await stream.next()).type, 'authenticated');
        assert.equal((await stream.subscribe('home')).type, 'subscribed');
        const posted = [];
        const heard = async (text) => {
                const note = await post(author, text);
                posted.push(note.id);
                await stream.find(text, (m) => m.type === 'event' && m.data.id === note.id);
        };
        await heard('by the stream of Redis');
        const keeper = setInterval(() => it.server.kill('redis'), 50);
        try {
                it.server.kill('redis');
                await heard('by the log');
                await heard('once more');
        } finally {
                clearInterval(keeper);
        }
        await eventually('Redis is back', async () => /PONG/.test(await redisCommand(it.server, 'PING')), 30_000);
        await heard('by an empty Redis');
        assert.equal(await redisCommand(it.server, 'FLUSHALL'), '+OK');
        await heard('behind a gap');
        const [pid] = it.server.pids('redis');
        try {
                assert.ok(signal(pid, 'SIGSTOP'));
                await heard('beside one that hangs');
        } finally {
                signal(pid, 'SIGCONT');
        }
        await heard('by one that goes on');
        assert.deepEqual(stream.events('home').map((m) => m.data.id).filter((id) => posted.includes(id)), posted);
        await stream.close();
});

test('a changed password and an ended session invalidate tokens in every process while Redis is unreachable', async () => {
        const member = await it.register();
        const [other, mine] = [await it.logIn(member.username), await it.logIn(member.username)];
        const keeper = setInterval(() => it.server.kill('redis'), 50);
        try {
                it.server.kill('redis');
                must(await member.del(`/v1/sessions/${other.session}`), 204);
                await eventually('the ended session\'s token is refused', async () => (await other.get('/v1/timelines/home')).status === 401, 10_000);
                must(await mine.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: `${PASSWORD} anew` }));
                for (const old of [member, mine]) {
                        await eventually('earlier tokens are rejected', async () => (await old.get('/v1/timelines/home')).status === 401, 10_000);
                }
        } finally {
                clearInterval(keeper);
        }
        await eventually('Redis is back', async () => /PONG/.test(await redisCommand(it.server, 'PING')), 30_000);
        for (const old of [other, member, mine]) {
                assert.equal((await old.get('/v1/timelines/home')).status, 401);
        }
});

test('everything works without Redis', async () => {
        // Kept down: each replacement is killed as soon as it appears.
        const keeper = setInterval(() => it.server.kill('redis'), 50);
        try {
                it.server.kill('redis');
                await disturbed('away', async () => {});
                await allTimelinesAgree(60_000);
                const [author, fan] = [authors[1], fans[0]];
                const note = await post(author, 'without Redis #alone');
                await author.react(note.id, 'like');
                assert.deepEqual(ids(must(await fan.get('/v1/timelines/hashtags/alone')).items), [note.id]);
                assert.equal((await homeOf(author))[0], note.id);
                await remove(author, note);
                assert.ok(!(await homeOf(author)).includes(note.id));
                const again = await it.logIn(fan.username);
                const session = must(await fan.get('/v1/sessions')).items.find((s) => s.id === again.session);
                assert.equal(session.last_used_at, session.created_at, 'as the database knows it');
                const ready = await it.api('GET', '/readyz');
                assert.equal(ready.status, 200, 'it is ready without Redis');
                assert.match(ready.text, /redis/i);
        } finally {
                clearInterval(keeper);
        }
        await eventually('Redis is back', async () => /PONG/.test(await redisCommand(it.server, 'PING')), 30_000);
        await disturbed('after', async () => {});
        await allTimelinesAgree();
});

test('who asks is told who writes in a chat, also beside a Redis that hangs', async () => {
        const [ada, bob] = fans;
        const chat = must(await ada.post('/v1/chats', { kind: 'direct', user_ids: [bob.id] }), 201);
        const [pid] = it.server.pids('redis');
        try {
                assert.ok(signal(pid, 'SIGSTOP'));
                await eventually('bob is told', async () => {
                        must(await ada.put(`/v1/chats/${chat.id}/typing`), 204);
                        return ids(must(await bob.get(`/v1/chats/${chat.id}/typing`)).items).includes(ada.id);
                });
        } finally {
                signal(pid, 'SIGCONT');
        }
});
