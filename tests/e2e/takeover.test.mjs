// Two processes of everything: whatever happens to the owner, the other one takes over within seconds, nothing acknowledged is lost, and the former
// owner sends no stale data.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test as run } from 'node:test';
import { accounts, connect, eventually, Member, must } from './client.mjs';
import { mode, sleep } from './harness.mjs';
import { Ledger } from './ledger.mjs';
import { Pair } from './pair.mjs';

const OWNERSHIP_LOST = 75;
const TAKEOVER_MS = 60_000; // how long to wait on a busy machine; the actual time is printed, and limits are checked by measurements
const ROUNDS = Number(process.env.SONET_TAKEOVER_ROUNDS ?? 1);

// The services whose owner is disturbed: all in one process, or each in its own.
const OWNED = { single: ['note'], split: ['user', 'follow', 'note'], mixed: ['user', 'note'] }[mode];

// comesBack: the process is restarted at once, and may be the next owner itself.
const BLOWS = {
        'asked to end': { strike: (r) => r.signal('SIGTERM'), undo: () => {}, exit: 0, comesBack: true },
        killed: { strike: (r) => r.signal('SIGKILL'), undo: () => {}, exit: 'SIGKILL', comesBack: true },
        stopped: { strike: (r) => r.signal('SIGSTOP'), undo: (r) => r.signal('SIGCONT'), exit: OWNERSHIP_LOST },
        'cut off': { strike: (r) => r.proxy.cut(), undo: (r) => r.proxy.heal(), exit: OWNERSHIP_LOST },
        'cut off, and only PostgreSQL knows': { strike: (r) => r.proxy.endLeasesOneSided(), undo: () => {}, exit: OWNERSHIP_LOST, comesBack: true },
};

let pair;
let clients; // one of each gateway
let net;     // through whichever gateway answers

before(async () => {
        pair = await new Pair(mode).prepare();
        clients = pair.gateways.map((r) => connect(r.url));
        const api = throughEither(clients);
        net = { api, ...accounts(api) };
});
after(async () => {
        clients?.forEach((c) => c.close());
        await pair?.stop();
});

const test = (name, check) => run(name, async (t) => {
        try {
                await check(t);
        } catch (error) {
                console.log(await pair.describe());
                throw error;
        }
});

// Like a client with two addresses: it switches from one that does not respond, or is not ready, to the other. It only retries there what certainly
// had no effect, and nothing that is to be sent once.
const PATIENCE_MS = 15_000; // a registration, which hashes a password, on a busy machine
function throughEither(all) {
        let preferred = 0;
        return async function api(method, path, options = {}, attempt = options.once ? 1 : 0) {
                const mine = preferred;
                let answer = null;
                try {
                        answer = await all[mine].api(method, path, { ...options, timeoutMs: Math.min(options.timeoutMs ?? PATIENCE_MS, PATIENCE_MS) });
                } catch (error) {
                        if (error.code !== 'ECONNREFUSED' || attempt > 0) {
                                throw error;
                        }
                } finally {
                        if ((answer === null || answer.status >= 502) && preferred === mine) {
                                preferred = (mine + 1) % all.length;
                        }
                }
                return (answer === null || answer.body?.code === 'starting') && attempt === 0 ? api(method, path, options, 1) : answer;
        };
}

// Until it is acknowledged: for idempotent requests.
const insist = (ask, statuses = [200]) => eventually('an acknowledgement', async () => {
        const answer = await ask();
        assert.ok(statuses.includes(answer.status), `${answer.request}: ${answer.status} ${answer.text}`);
        return answer;
}, 60_000);

const allSettled = async () => Promise.all(OWNED.map((service) => pair.settled(service)));

// Facts that end: a note that a reader sees, a note that exists, by itself and on a timeline, a session. endedAt: when the end was acknowledged.
async function makeFacts() {
        const [author, reader, guest] = await net.registerMany(3);
        const seen = await author.note('seen until its author blocks the reader');
        const deleted = await author.note('there until it is deleted');
        const remove = () => insist(() => author.del(`/v1/notes/${deleted.id}`), [204, 404]);
        return [
                { what: 'a note whose author blocked the reader', member: reader, path: `/v1/notes/${seen.id}`, endedAt: Infinity,
                  end: () => insist(() => author.put(`/v1/users/${reader.id}/block`)) },
                { what: 'a deleted note', member: reader, path: `/v1/notes/${deleted.id}`, endedAt: Infinity,
                  end: remove },
                { what: 'a deleted note on a timeline', member: guest, path: `/v1/timelines/users/${author.id}`, endedAt: Infinity, end: remove,
                  isIn: ({ body }) => body.items?.some((item) => item.id === deleted.id) },
                { what: 'an ended session', member: guest, path: '/v1/users/me', endedAt: Infinity,
                  end: () => insist(() => guest.post('/v1/auth/logout'), [204, 401]) },
        ];
}

async function endAll(facts) {
        await Promise.all(facts.map(async (fact) => {
                await fact.end();
                fact.endedAt = performance.now();
        }));
}

// Repeatedly requests every fact from every gateway, and records when each request was sent and its result.
class Readers {
        constructor(facts) {
                Object.assign(this, { facts, told: [], running: true });
                this.lanes = clients.flatMap((client) => facts.map(async (fact) => {
                        while (this.running) {
                                await this.ask(client, fact);
                                await sleep(10);
                        }
                }));
        }

        async ask(client, fact) {
                const sentAt = performance.now();
                try {
                        const answer = await client.api('GET', fact.path, { token: fact.member.token, timeoutMs: 60_000 });
                        this.told.push({ fact, client, sentAt, seen: answer.status === 200 && (fact.isIn?.(answer) ?? true) });
                } catch (error) {
                        if (error instanceof assert.AssertionError) {
                                throw error;
                        } // else the connection was lost: nothing was told
                }
        }

        // Requests that a stopped process finds when it resumes.
        leaveWith(client) {
                this.lanes.push(...Array.from({ length: 10 }, () => this.facts.map((fact) => this.ask(client, fact))).flat());
        }

        async stop() {
                this.running = false;
                await Promise.all(this.lanes);
        }

        check() {
                for (const fact of this.facts) {
                        const seen = this.told.filter((t) => t.fact === fact && t.seen);
                        assert.ok(seen.length > 0, `${fact.what} was read before its end`);
                        const stale = seen.filter((t) => t.sentAt > fact.endedAt);
                        assert.deepEqual(stale.map((t) => `${t.client.url} ${Math.round(t.sentAt - fact.endedAt)} ms after the end`), [], fact.what);
                }
        }
}

// Connections to a port with data that the process has not read.
function countUnread(port) {
        const rows = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/));
        return rows.filter(([, local, , , queues]) => parseInt(local.split(':')[1], 16) === port && parseInt(queues.split(':')[1], 16) > 0).length;
}

// Members who write unique notes; responses are recorded in the ledger.
class Load {
        async start() {
                const members = await net.registerMany(4);
                this.ledger = new Ledger(members, Math.random, 'takeover');
                for (const [i, member] of members.entries()) {
                        await this.ledger.follow(member, members[(i + 1) % members.length], true);
                }
                this.running = true;
                this.lanes = members.map(async (member) => {
                        while (this.running) {
                                await this.ledger.step(member);
                                await sleep(20);
                        }
                });
                Promise.all(this.lanes).catch(() => {}); // stop() reports it, not the caller that happens to wait
                return this;
        }

        async stop() {
                this.running = false;
                await Promise.all(this.lanes);
                await this.ledger.auditNotes();
                await this.ledger.auditDelivery(45_000);
        }
}

// One attempt after the other, which hang in a process that is stopped or cut off, until it exits. They are few, since those that are given up still
// occupy workers of the gateway.
async function untilAcknowledged(since, attempt) {
        for (;;) {
                const waited = performance.now() - since;
                try {
                        return await attempt(waited < 4000 ? 500 : PATIENCE_MS);
                } catch (error) {
                        if (waited > TAKEOVER_MS) {
                                throw new Error(`a write to every owner: still not after ${TAKEOVER_MS} ms`, { cause: error });
                        }
                }
                await sleep(25);
        }
}

// One write to each owner; resolves when all are acknowledged, with the time since the disturbance.
async function measure(since, prober, other, urls) {
        const alive = clients.filter((c) => urls.includes(c.url)).map((c) => new Member(c.api, prober.login, prober.password));
        const writes = [
                [(m, timeoutMs) => m.post('/v1/notes', { text: 'back' }, { timeoutMs }), 201],
                [(m, timeoutMs) => m.put(`/v1/users/${other.id}/follow`, { timeoutMs }), 200],
                [(m, timeoutMs) => m.patch('/v1/users/me', { bio: 'back' }, { timeoutMs }), 200],
        ];
        await Promise.all(writes.map(([write, status]) =>
                untilAcknowledged(since, (timeoutMs) => Promise.any(alive.map(async (m) => must(await write(m, timeoutMs), status))))));
        return Math.round(performance.now() - since);
}

// Responses of all gateways that were kept and sent again.
async function repeated() {
        const counts = await Promise.all(clients.map(async ({ url }) => {
                const metrics = await (await fetch(`${url}/metrics`)).text();
                return Number(metrics.match(/^sonet_kept_responses_total (\d+)/m)?.[1] ?? 0);
        }));
        return counts.reduce((all, n) => all + n, 0);
}

// All owners on the first host, so that its gateway keeps timelines, which are read from all of them.
async function gatherOwners() {
        for (const service of mode === 'single' ? [] : OWNED) {
                await eventually(`${service} is owned by the first replica`, async () => {
                        const { owner } = await pair.settled(service);
                        return owner.number === 0 || (owner.signal('SIGTERM'), false);
                }, 60_000);
        }
}

async function strikeOwner(t, service, name) {
        const blow = BLOWS[name];
        await gatherOwners();
        // On a busy machine an owner may lose its lease before it is disturbed, too: then once more, and the next one is disturbed.
        const before = await eventually('facts', makeFacts, 60_000);
        const during = await eventually('facts', makeFacts, 60_000);
        const [prober, other] = await eventually('members', () => net.registerMany(2), 60_000);
        const load = await new Load().start();
        const readers = new Readers([...before, ...during]);
        t.after(() => { load.running = readers.running = false; }); // if the test fails, too: otherwise its process would never end
        await eventually('every fact was read', () => readers.facts.every((f) => readers.told.some((told) => told.fact === f && told.seen)));
        await eventually('timelines are kept', async () => {
                await gatherOwners();
                return await repeated() > 0;
        }, 120_000);
        await endAll(before); // by the disturbed owner, and in force at the next one
        const { owner, standby } = await pair.settled(service);
        const exits = owner.exits.length;
        const struckAt = performance.now();
        blow.strike(owner);
        if (blow.exit === 0) { // until then it serves as before
                await eventually('it has ended', () => owner.exits.length > exits, 60_000);
        }
        const took = await measure(struckAt, prober, other, clients.map((c) => c.url).filter((url) => blow.comesBack || url !== owner.url));
        await endAll(during); // by the next owner, while the disturbed one may not know of it
        const gateway = clients.find((c) => c.url === owner.url);
        if (gateway) {
                readers.leaveWith(gateway);
                if (blow === BLOWS.stopped) {
                        await eventually('most of the requests are in its sockets', () => countUnread(owner.port) > 5 * readers.facts.length);
                }
        }
        blow.undo(owner);
        const after = await pair.settled(service);
        await readers.stop();
        await load.stop();
        readers.check();
        assert.ok(blow.comesBack || after.owner === standby);
        assert.deepEqual(owner.exits.slice(exits), [blow.exit]);
        t.diagnostic(`took over ${service} after ${took} ms`);
        console.log(`takeover (${mode}, the owner of ${service} ${name}): ${took} ms`);
}

test('of two processes started together one owns everything, and the other is a standby', async () => {
        for (let round = 0; round < 3; round++) {
                pair.replicas.forEach((r) => r.start());
                await allSettled();
                if (round < 2) {
                        await Promise.all(pair.replicas.map((r) => r.stop()));
                }
        }
});

// Each disturbance for one owner in turn, the next round for the next; after enough rounds every owner has had every disturbance.
for (let round = 0; round < ROUNDS; round++) {
        for (const [i, name] of Object.keys(BLOWS).entries()) {
                const service = OWNED[(round + i) % OWNED.length];
                test(`the owner of ${service} is ${name}: the other takes over, and nothing is lost or stale`, (t) => strikeOwner(t, service, name));
        }

        test('PostgreSQL is restarted: owners exit, one of two owns everything again, and nothing is lost', async () => {
                const owners = (await allSettled()).map((s) => s.owner);
                const exits = owners.map((o) => o.exits.length);
                const load = await new Load().start();
                await pair.servers.restartPostgres();
                await eventually('the owners have exited', () => owners.every((o, i) => o.exits.length > exits[i]));
                await allSettled();
                await load.stop();
                owners.forEach((o, i) => assert.deepEqual(o.exits.slice(exits[i]), [OWNERSHIP_LOST]));
        });
}

// The former owner exits and is restarted; on a busy machine it may be faster than the standby, and is then disturbed again.
async function takenOver(owner, standby) {
        await eventually('the other one owns', async () => {
                if ((await standby.readiness('follow')).owns) {
                        return true;
                }
                if ((await owner.readiness('follow')).owns) {
                        owner.proxy.endLeasesOneSided();
                }
                return false;
        }, 60_000);
}

// Without writes, it could continue to respond from memory until it misses PostgreSQL's answers.
test('an owner that does not know that its lease has ended sends nothing from memory', async () => {
        const { owner, standby } = await pair.settled('follow');
        const [author, reader] = await net.registerMany(2);
        const note = await author.note('to be hidden from the reader');
        const look = (client) => client.api('GET', `/v1/notes/${note.id}`, { token: reader.token }).then((a) => a.status, () => 'no answer');
        const standbys = (await allSettled()).map((s) => s.standby.url); // gateways among them reject all requests
        await Promise.all(clients.map(async (client) => {
                const status = standbys.includes(client.url) ? 503 : 200;
                await eventually('it is in memory', async () => await look(client) === status);
        }));
        owner.proxy.endLeasesOneSided();
        await takenOver(owner, standby);
        // Through whichever gateway serves: in a layout where one is a standby for another service, it responds with 503 meanwhile.
        const gateways = clients.map((client) => new Member(client.api, author.login, author.password));
        let turn = 0;
        await insist(() => gateways[turn++ % gateways.length].put(`/v1/users/${reader.id}/block`));
        const seen = await Promise.all(clients.map(look));
        assert.ok(!seen.includes(200), `after the block: ${seen}`);
        await pair.settled('follow');
});

test('a COMMIT that is delayed during a takeover is neither applied nor acknowledged', async () => {
        const { owner, standby } = await pair.settled('follow');
        const [author, reader] = await net.registerMany(2);
        const note = await author.note('to be hidden from the reader');
        const look = async () => (await insist(() => reader.get(`/v1/notes/${note.id}`), [200, 404])).status;
        assert.equal(await look(), 200);
        const held = owner.proxy.holdCommit('INSERT_BLOCK');
        const block = author.put(`/v1/users/${reader.id}/block`, { timeoutMs: 30_000, once: true }).then((a) => a.status, () => 'no answer');
        await held;
        owner.proxy.endLeasesOneSided();
        await takenOver(owner, standby);
        const seen = await look();
        owner.proxy.releaseCommit();
        assert.notEqual(await block, 200);
        assert.equal(seen, 200);
        await pair.settled('follow');
        assert.equal(await look(), seen);
        await eventually('a new owner', async () => { // a process without any cache returns the same
                standby.signal('SIGKILL');
                return (await pair.settled('follow')).owner === owner;
        }, 60_000);
        assert.equal(await look(), seen);
});

test('no process logged a fault', () => {
        assert.deepEqual(pair.faults(), []);
});
