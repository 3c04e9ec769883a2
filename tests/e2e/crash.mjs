#!/usr/bin/env -S node --no-concurrent-recompilation
// The crash test: random processes of a `sonet up` are killed with SIGKILL under load; afterwards the public API must show every
// acknowledged effect exactly once, every follower's timeline must have every note, and every acknowledged byte of uploads must exist. In the end no
// file is without a row, and quotas equal the sum of the rows.
// Without concurrent compilation, as run.mjs.
import path from 'node:path';
import { connect, eventually, must } from './client.mjs';
import { commandLine, describeOptions, flag, number, oneOf, refuse } from './commandline.mjs';
import { MODES, findBinary, signal, sleep, startServer } from './harness.mjs';
import { Damage, Ledger } from './ledger.mjs';
import { adminOf } from './own.mjs';
import { UploadLedger, age } from './uploadledger.mjs';

const MEMBERS = 8;
const LOAD_MS = 2500;
const ROUND_LIMIT_MS = 120_000;
const VICTIMS = {
        single: ['serve', 'serve', 'redis', 'postmaster'],
        split: ['gateway', 'user', 'media', 'note', 'follow', 'timeline', 'note', 'timeline', 'analytics', 'redis', 'postmaster'],
        mixed: ['gateway', 'media', 'gateway', 'media', 'redis', 'postmaster'],
};
const MEDIA_IN = { single: 'serve', split: 'media', mixed: 'media' };
// Without redelivery only killing a consumer causes damage, whose effect is never computed anew: the counts of followers, while members mostly follow.
const VICTIMS_FOR_RED = { single: ['serve'], split: ['user'], mixed: ['media'] };

const TOOL = 'tests/e2e/crash.mjs';
const OPTIONS = {
        rounds: number(Number(process.env.SONET_CRASH_ROUNDS ?? 10), 'rounds in each layout, of some ten seconds'),
        mode: oneOf([...MODES, 'all'], process.env.SONET_E2E_MODE ?? 'all', 'the layout'),
        seed: number(() => Date.now() % 1e9, 'the same number kills the same processes'),
        'expect-red': flag('run a debug build with SONET_FAULT_NO_REDELIVERY=1, and succeed only if the audit finds the damage: no other failure counts'),
};
const { options } = commandLine(TOOL, `Usage: ${TOOL} [OPTION]…\n\nKills random processes of sonet up under load, and checks what was acknowledged.\n\n${describeOptions(OPTIONS)}`, OPTIONS);
const { rounds, 'expect-red': expectRed } = options;
const modes = options.mode === 'all' ? MODES : [options.mode];
if (rounds < 1) {
        refuse(TOOL, '--rounds: expected at least 1');
}

// mulberry32: the same seed selects the same processes and times.
function randomFrom(seed) {
        let state = seed >>> 0;
        return () => {
                state = (state + 0x6d2b79f5) >>> 0;
                let t = Math.imul(state ^ (state >>> 15), 1 | state);
                t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
                return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
        };
}

const random = randomFrom(options.seed);

// Kills one to three processes at random times under load.
async function havoc(server) {
        const killed = [];
        const victims = (expectRed ? VICTIMS_FOR_RED : VICTIMS)[server.mode];
        const blows = 1 + Math.floor(random() * 3);
        for (let i = 0; i < blows; i++) {
                await sleep((LOAD_MS / blows) * (0.2 + 0.6 * random()));
                const role = victims[Math.floor(random() * victims.length)];
                const [pid] = server.pids(role);
                if (pid !== undefined && signal(pid, 'SIGKILL')) {
                        killed.push(role);
                }
        }
        return killed;
}

async function load(ledger, uploads, server) {
        let running = true;
        const lanes = ledger.members.map(async (member) => {
                while (running) {
                        await (expectRed ? ledger.toggle(member) : ledger.step(member));
                        await sleep(random() * 20);
                }
        });
        if (!expectRed) {
                lanes.push((async () => {
                        while (running) {
                                await uploads.step();
                                await sleep(random() * 20);
                        }
                })());
        }
        const timer = sleep(LOAD_MS);
        const killed = await havoc(server);
        await timer;
        running = false;
        await Promise.all(lanes);
        return killed;
}

async function round(server, net, number) {
        const started = Date.now();
        const members = await net.registerMany(MEMBERS);
        const ledger = new Ledger(members, random, `round ${number}`);
        for (const member of members) {
                await ledger.follow(member, members[(members.indexOf(member) + 1) % MEMBERS], true);
        }
        for (const member of members) { // a timeline that has not been read is built when the audit reads it, whatever delivery missed
                must(await member.get('/v1/timelines/home'));
        }
        const uploads = new UploadLedger(members[0], server.url, random);
        const killed = await load(ledger, uploads, server);
        await eventually('ready again', async () => (await net.api('GET', '/readyz', { timeoutMs: 5000 })).status === 200, 60_000);
        await ledger.auditNotes();
        await ledger.auditDelivery(expectRed ? 8000 : 45_000);
        await ledger.auditEvents(server.dir, 45_000);
        const media = await uploads.finishAll();
        console.log(`round ${number}: killed ${killed.join(', ') || 'nothing'}; ${ledger.notes.size} notes, ${media} media, ${ledger.events} events; all there after ${Date.now() - started} ms`);
        return { ledger, uploads };
}

// After killing the media process once more, its jobs run at once.
async function auditFiles(server) {
        age(path.join(server.data, 'media'));
        server.pids(MEDIA_IN[server.mode]).forEach((pid) => signal(pid, 'SIGKILL'));
        await eventually('rows and files agree', async () => {
                const { code, stdout, stderr } = await adminOf(server, {}, 'media', 'check');
                if (code !== 0) {
                        throw new Damage(`media check: ${stdout}${stderr}`);
                }
        }, 120_000);
}

function within(promise, ms, what) {
        let timer;
        const late = new Promise((_, reject) => {
                timer = setTimeout(() => reject(new Error(`${what}: not done within ${ms} ms`)), ms);
        });
        return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// All rounds in one mode; returns the failure, or null.
async function run(mode) {
        const server = await startServer({ mode, env: expectRed ? { SONET_FAULT_NO_REDELIVERY: '1' } : {} });
        const net = connect(server.url);
        let failure = null;
        try {
                const done = [];
                for (let number = 1; number <= rounds; number++) {
                        done.push(await within(round(server, net, number), ROUND_LIMIT_MS, `round ${number}`));
                }
                for (const { ledger } of done.slice(-20)) { // damage to earlier rounds by later ones (older members' tokens may have expired)
                        await ledger.auditNotes();
                }
                for (const { uploads } of done.slice(-20)) {
                        await uploads.audit();
                }
                if (!expectRed) {
                        await auditFiles(server);
                }
        } catch (error) {
                failure = error;
        }
        net.close();
        if (failure && !(expectRed && failure instanceof Damage)) {
                console.error(`log: ${server.saveLog(`crash-${mode}`)}`);
        }
        const stopped = await server.stop();
        if (!failure && (stopped.code !== 0 || stopped.left.length > 0)) {
                failure = new Error(`sonet up ended with ${stopped.code ?? stopped.signal}; left: ${stopped.left.map((p) => p.role)}`);
        }
        return failure;
}

let good = true;
for (const mode of modes) {
        console.log(`crash test: ${rounds} rounds, ${mode}, seed ${options.seed}, ${findBinary()}`);
        const failure = await run(mode);
        const asWanted = expectRed ? failure instanceof Damage : failure === null;
        good &&= asWanted;
        if (failure) {
                console.log(`${asWanted ? 'damage found, as it should be' : 'FAILED'}: ${failure.message}`);
        } else {
                console.log(expectRed ? 'FAILED: redelivery is off and nobody noticed' : 'nothing was lost, nothing doubled');
        }
}
process.exit(good ? 0 : 1);
