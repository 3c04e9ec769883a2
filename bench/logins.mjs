// Five hundred concurrent log-ins while others are served, compared with the same without them; and refreshing. The table goes to standard output.
import { PASSWORD, connect, inBatches } from '../tests/e2e/client.mjs';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { Load, entry, request } from './load.mjs';
import { describeMachine, memoryNow } from './machine.mjs';
import { options } from './options.mjs';
import { table } from './report.mjs';

const WAITING = options.waiting, SECONDS = options.seconds, MEMBERS = 50;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const [readers, writers] = ['readers', 'log-ins'].map((name) => new Load(options.out, name));

// Each member has a note, so that pages are not empty.
async function fill(net) {
        const members = await inBatches(Array.from({ length: MEMBERS }), 4, () => net.register());
        await inBatches(members, 4, async (m, i) => {
                await m.note(`Note ${i} of the benchmark`);
                await m.follow(members[(i + 1) % MEMBERS]);
        });
        return members;
}

const homes = (members) => members.map((m) => entry('home', request('GET', '/v1/timelines/home', { token: m.token }), { minBytes: 300, items: [1, 20] }));
const logIns = (members) => members.map((m) => entry('login', request('POST', '/v1/auth/login', { json: { login: m.username, password: PASSWORD } }), { minBytes: 500 }));
const refreshes = (members) => members.map((m) => entry('refresh', request('POST', '/v1/auth/refresh', { json: { refresh_token: m.refreshToken } }), { minBytes: 500 }));

const ms = (us) => (us / 1000).toFixed(2);
const row = (name, r, memory) => [name, r.per_s.toFixed(1), ms(r.p50_us), ms(r.p99_us), memory ? memory.sonet.rss.toFixed(1) : '–'];

const server = await startServer({ mode: options.mode, env: { CONNECTIONS_PER_ADDRESS: '20000' } });
const net = connect(server.url);
try {
        const machine = describeMachine();
        const members = await fill(net);
        say('readers alone');
        await readers.run(server.port, homes(members), { seconds: 1 });
        await writers.run(server.port, logIns(members), { connections: 4 }); // for one-time allocations
        const alone = await readers.run(server.port, homes(members), { seconds: SECONDS });
        const few = writers.run(server.port, logIns(members), { connections: 4, seconds: 4 }); // two of them are hashed at any time, too
        await sleep(2000);
        const before = memoryNow(server);
        const fewLogged = await few;
        say(`readers beside ${WAITING} who log in`);
        const waiting = writers.run(server.port, logIns(members), { connections: WAITING, seconds: SECONDS + 4, mayFail: true, patient: true }); // log-ins that would wait too long are rejected with Retry-After
        await sleep(2000); // until all of them wait
        const beside = await readers.run(server.port, homes(members), { seconds: SECONDS });
        const during = memoryNow(server);
        const logged = await waiting;
        const refreshed = await writers.run(server.port, refreshes(members), { connections: 8 });
        console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}; ${options.mode}\n`);
        console.log(table(['', 'per second', 'p50 ms', 'p99 ms', 'sonet RSS, MiB'], [
                row('home timeline, 16 connections', alone), row(`the same while ${WAITING} log in`, beside),
                row('log in, 4 at a time', fewLogged, before), row(`log in, ${WAITING} at a time`, logged, during), row('refresh, 8 connections', refreshed)]));
        console.log(`\n${logged.requests} log-ins of ${WAITING} at a time were served, ${logged.failed} times one was told to come back later`);
        if (logged.failed > 0 && !logged.first_failure.includes('"code":"queue_full"')) {
                throw new Error(`a log-in failed otherwise: ${logged.first_failure}`);
        }
        console.log(`the readers' rate beside log-ins, to that without: ${(beside.per_s / alone.per_s).toFixed(2)}; memory with ${WAITING}, to that with 4 who log in: ${(during.sonet.rss / before.sonet.rss).toFixed(2)}`);
} finally {
        net.close();
        await server.stop();
}
