// Only streams: the cost of idle ones, and how soon a note is on the streams of a thousand followers, all different members, in one process and in
// split mode, in one run. The table goes to standard output.
import { startServer } from '../tests/e2e/harness.mjs';
import { Load } from './load.mjs';
import { cpuBetween, cpuNow, describeMachine } from './machine.mjs';
import { Members, importNetwork } from './network.mjs';
import { options } from './options.mjs';
import { table } from './report.mjs';
import { followEverywhere, followersStreams, idleStreams } from './streams.mjs';

const MEMBERS = 1001;
const IDLE = Number(process.env.IDLE ?? 10_000);
const NOTES = Number(process.env.NOTES ?? 40);
const LIMITS = { CONNECTIONS_PER_ADDRESS: '20000', STREAMS_PER_ADDRESS: '20000', STREAMS_PER_MEMBER: '1000' };
const load = new Load(options.out);
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const ms = (us) => (us / 1000).toFixed(0);

const rows = [];
const server = await startServer({ mode: 'single', env: LIMITS });
try {
        say('importing members');
        const graph = { args: ['--generate', '--members', String(MEMBERS), '--seed', '98'], name: 'drawn' };
        const members = new Members((await importNetwork(server, false, graph, 1)).members);
        for (const mode of ['single', 'split']) {
                say(mode);
                await server.stop({ keep: true });
                server.mode = mode;
                await server.up();
                await members.logIn(load, server);
                if (mode === 'single') {
                        await followEverywhere(server, members.members);
                }
                const idle = await idleStreams(server, members.members, IDLE);
                const before = cpuNow(server);
                const notes = await followersStreams(server, members.members, MEMBERS - 1, NOTES);
                const cpu = Object.values(cpuBetween(before, cpuNow(server))).reduce((a, b) => a + b, 0);
                rows.push([mode, idle.bytes.toFixed(0), ms(notes.p50_us), ms(notes.p99_us), ((cpu * 1000) / (NOTES + 1)).toFixed(0)]);
        }
        console.log(`${describeMachine().cpu ?? ''} load average ${describeMachine().load_average.toFixed(1)}`);
        console.log(table(['mode', 'bytes of an idle stream', 'a note on 1,000 streams: median ms', 'p99 ms', 'CPU ms a note, all processes'], rows));
} finally {
        await server.stop();
}
