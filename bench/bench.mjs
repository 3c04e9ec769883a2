// The benchmark: creates the network, and measures typical use and reference programs in one run. The result is a table on
// standard output and results.json in --out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { Load, entry, request } from './load.mjs';
import { cpuBetween, cpuNow, describeMachine, machineBusy, memoryNow } from './machine.mjs';
import { Members, followersOf, importNetwork, must } from './network.mjs';
import { options } from './options.mjs';
import { nginx, pgbench } from './references.mjs';
import { percentile, report } from './report.mjs';
import { followEverywhere, followersStreams, idleStreams } from './streams.mjs';

const CONNECTIONS = 16;
const SECONDS = options.quick ? 3 : 10;
const WARM_SECONDS = options.quick ? 1 : 3;
const READY_RUNS = options.quick ? 1 : 3;
const DELIVERIES = options.quick ? 10 : 40;
const IDLE_STREAMS = options.quick ? 1000 : 10_000;
const FOLLOWERS_STREAMS = options.quick ? 200 : 1000;
// All clients share one address, and act as few members.
const LIMITS = { CONNECTIONS_PER_ADDRESS: '20000', STREAMS_PER_ADDRESS: '20000', STREAMS_PER_MEMBER: '1000' };
const load = new Load(options.out);
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

// ---- checking responses -------------------------------------------------------------------------------------------------

// The load generator has checked that pages are well-formed and complete; this checks their contents.
function checkPage(body, viewerFollows) {
        const page = JSON.parse(body);
        const ids = page.items.map((n) => n.id);
        assert.equal(page.items.length, 20);
        assert.deepEqual(ids, [...ids].sort().reverse(), 'newest first');
        assert.equal(new Set(ids).size, ids.length, 'no note twice');
        for (const note of page.items) {
                assert.ok(note.text.length > 0 && note.author.username.startsWith('member') && note.created_at.endsWith('Z'));
                assert.deepEqual(Object.keys(note.counts), ['likes', 'renotes', 'comments', 'bookmarks']);
                assert.deepEqual(Object.keys(note.viewer), ['liked', 'renoted', 'bookmarked']);
                assert.ok(viewerFollows(note.author.id), 'only whom the viewer follows');
        }
}

async function checkHomes(server, members, saved, entriesPerMember) {
        for (const [number, body] of [...saved].slice(0, 20)) {
                const viewer = members.members[Math.floor(number / entriesPerMember)];
                const following = new Set([viewer.id, ...(await followersOf(server, viewer))]); // follows are mutual
                checkPage(body, (id) => following.has(id));
        }
}

// ---- measurements ---------------------------------------------------------------------------------------------------------

const homes = (members) => members.members.map((m) => entry('home', request('GET', '/v1/timelines/home', { token: m.token }), { minBytes: 4000, items: [20, 20] }));
const users = (members) => members.members.map((m, i, all) =>
        entry('user', request('GET', `/v1/timelines/users/${all[(i * 7919 + 13) % all.length].id}`, { token: m.token }), { minBytes: 4000, items: [20, 20] }));
const composes = (members) => members.members.map((m, i) =>
        entry('compose', request('POST', '/v1/notes', { token: m.token, json: { text: `A note of the benchmark, by ${m.username}: żółw 乌龟 #bench${i % 10}`, visibility: 'public' } }),
              { status: 201, minBytes: 300 }));

async function someNotes(server, members) {
        const ids = [];
        for (const m of members.members) {
                const page = JSON.parse(await must(server, 'GET', `/v1/timelines/users/${m.id}?limit=100`, { token: m.token }));
                ids.push(...page.items.map((n) => n.id));
        }
        return ids.map((id, i) => entry('note', request('GET', `/v1/notes/${id}`, { token: members.members[i % members.members.length].token }), { minBytes: 300 }));
}

// CPU used by neither SoNet nor the client: other programs that affect the measurement.
function othersShare(busy_s, cpu, result) {
        const ours = cpu.sonet + cpu.postgresql + cpu.redis + result.client_cpu_s;
        return Math.max(0, busy_s - ours) / (result.seconds * os.cpus().length);
}

// Warms up, then measures, including the CPU of all processes.
async function measure(server, name, entries, parameters = {}) {
        say(`  ${name}`);
        const how = { connections: CONNECTIONS, seconds: SECONDS, ...parameters };
        await load.run(server.port, entries, { ...how, seconds: WARM_SECONDS });
        const before = cpuNow(server);
        const busy = machineBusy();
        const result = await load.run(server.port, entries, how);
        const cpu = cpuBetween(before, cpuNow(server));
        return { ...result, cpu, others: othersShare(machineBusy() - busy, cpu, result) };
}

async function untilOnHome(server, reader, note) {
        const start = performance.now();
        while (!(await must(server, 'GET', '/v1/timelines/home?limit=1', { token: reader.token })).includes(note.id)) {
                if (performance.now() - start > 180_000) {
                        throw new Error(`${reader.username} did not get a note within 180 s`);
                }
        }
}

// The time from a post until the home timeline of the author's last follower contains the note. Only that one is
// polled, so that delivery is measured and not many reads; afterwards everybody else must have the note, too.
async function deliver(server, author, byId) {
        const followers = (await followersOf(server, author)).map((id) => byId.get(id));
        const start = performance.now();
        const note = JSON.parse(await must(server, 'POST', '/v1/notes', { token: author.token, json: { text: 'Has everybody got this?' } }));
        const posted = performance.now();
        await untilOnHome(server, followers.at(-1), note);
        const delivered = performance.now();
        for (const follower of followers) {
                await untilOnHome(server, follower, note);
        }
        return { post_us: (posted - start) * 1000, all_us: (delivered - start) * 1000, followers: followers.length };
}

async function measureDelivery(server, members, entries) {
        say('  create note, fan-out finished');
        const byId = new Map(members.members.map((m) => [m.id, m]));
        const all = [];
        const before = cpuNow(server);
        for (let i = 0; i < DELIVERIES; i++) {
                all.push(await deliver(server, members.members[(i * 389 + 7) % members.members.length], byId));
        }
        const cpu = cpuBetween(before, cpuNow(server));
        const times = all.map((d) => d.all_us);
        const seconds = times.reduce((a, b) => a + b, 0) / 1e6;
        const finished = { requests: all.length, per_s: all.length / seconds, p50_us: percentile(times, 0.5), p99_us: percentile(times, 0.99), followers: all.reduce((a, d) => a + d.followers, 0) / all.length };

        const accepted = await measure(server, 'create note, accepted', entries);
        const caught = await deliver(server, members.members[3], byId);
        return { finished, accepted, behind_us: caught.all_us, cpu };
}

async function measureReady(server) {
        const times = [];
        for (let i = 0; i < READY_RUNS; i++) {
                await server.stop({ keep: true });
                const start = performance.now();
                await server.up();
                times.push(performance.now() - start);
        }
        return percentile(times, 0.5);
}

async function measureMode(server, mode, members) {
        say(`${mode}: time to ready, memory`);
        const result = { measured: {}, delivery: {}, memory: {}, ready_runs: READY_RUNS };
        await server.stop({ keep: true });
        server.mode = mode;
        await server.up();
        result.ready_ms = await measureReady(server);
        await sleep(5000); // until the work after starting is done
        result.memory.idle = memoryNow(server);

        const beside = async (name, measure_) => {
                const before = cpuNow(server);
                const r = await measure_();
                result.measured[name] = { ...r, saved: undefined, cpu: cpuBetween(before, cpuNow(server)) };
        };
        say('  log in, refresh');
        await beside('log in', () => members.logIn(load, server));
        await beside('refresh', () => members.refresh(load, server));

        say('  reference: pgbench');
        result.pgbench = await pgbench(server, SECONDS);
        const first = await load.run(server.port, homes(members), { connections: CONNECTIONS, save: true }); // every member's home timeline once
        await checkHomes(server, members, first.saved, 1);
        say('  reference: nginx');
        result.nginx = await nginx(load, [...first.saved.values()], { connections: CONNECTIONS, seconds: SECONDS });

        const m = result.measured;
        m['home timeline'] = await measure(server, 'home timeline', homes(members), { save: true });
        await checkHomes(server, members, m['home timeline'].saved, 1);
        delete m['home timeline'].saved;
        m['user timeline'] = await measure(server, 'user timeline', users(members));
        m['one note'] = await measure(server, 'one note', await someNotes(server, members));
        await members.keepFresh(load, server);
        const mixed = [...homes(members), ...users(members), ...composes(members)];
        m['mix: 60 % home, 30 % user, 10 % compose'] = await measure(server, 'mix', mixed, { mix: 'home=60,user=30,compose=10' });
        m['home timeline, 200 connections'] = await measure(server, 'home timeline, 200 connections', homes(members), { connections: 200 });
        m['home timeline, 1 connection'] = await measure(server, 'home timeline, 1 connection', homes(members), { connections: 1 });
        await members.keepFresh(load, server);
        say(`  ${IDLE_STREAMS} idle streams; a note on ${FOLLOWERS_STREAMS} streams of followers`);
        result.streams = await idleStreams(server, members.members, IDLE_STREAMS);
        await followEverywhere(server, members.members);
        await beside(`a note on ${FOLLOWERS_STREAMS} followers’ streams`, () => followersStreams(server, members.members, FOLLOWERS_STREAMS, DELIVERIES));
        const delivery = await measureDelivery(server, members, composes(members)); // last, since it leaves many notes behind
        m['create note, on the last follower’s timeline'] = delivery.finished;
        m['create note, accepted'] = delivery.accepted;
        result.delivery = { 'followers of a note, mean': delivery.finished.followers.toFixed(1), 'after the flood of posts the next note was everywhere in': `${(delivery.behind_us / 1000).toFixed(0)} ms` };
        result.memory.loaded = memoryNow(server);
        return result;
}

// ---- main ------------------------------------------------------------------------------------------------------------------

const results = { machine: describeMachine(), modes: {} };
if (results.machine.load_average > 0.5) {
        say(`the machine is busy (load average ${results.machine.load_average.toFixed(2)}): the ratios still compare like with like, the numbers do not`);
}
say('starting');
const begun = performance.now();
const server = await startServer({ mode: 'single', env: LIMITS });
const firstReady = performance.now() - begun;
let code = 0;
try {
        say('importing the network');
        results.network = await importNetwork(server, options.quick);
        const members = new Members(results.network.members);
        for (const mode of options.mode === 'both' ? ['single', 'split'] : [options.mode]) {
                results.modes[mode] = await measureMode(server, mode, members);
        }
        if (results.modes.single) {
                results.modes.single.first_ready_ms = firstReady;
        }
        fs.writeFileSync(path.join(options.out, 'results.json'), JSON.stringify(results, null, 1));
        console.log(report(results));
        console.log(`\nresults: ${options.out}/results.json`);
} catch (error) {
        console.error(`bench: ${error.stack}\n${server.logTail(15)}`);
        code = 1;
} finally {
        await server.stop({ keep: options.keep });
        if (options.keep) {
                say(`the data is in ${server.dir}`);
        }
}
process.exit(code);
