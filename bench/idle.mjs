// The cost of an idle server: CPU by component, statements by service, Redis commands; and of its PostgreSQL and Redis alone. The tables go to
// standard output.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { signal, sleep, startServer } from '../tests/e2e/harness.mjs';
import { countStatements } from '../tests/e2e/psql.mjs';
import { cpuBetween, cpuNow, describeMachine } from './machine.mjs';
import { options } from './options.mjs';
import { table } from './report.mjs';

const SETTLE_MS = 15_000; // for work after starting
const percent = (share) => `${(100 * share).toFixed(2)} %`;

// Since Redis started.
function redisCommands(server) {
        const info = execFileSync('redis-cli', ['-s', path.join(server.data, 'run', 'redis.sock'), 'info', 'stats'], { encoding: 'utf8' });
        return Number(info.match(/total_commands_processed:(\d+)/)[1]);
}

const look = (server) => ({ cpu: cpuNow(server), redis: redisCommands(server), at: performance.now() });

async function measure(server) {
        const statements = await countStatements(server);
        const before = look(server);
        await sleep(options.seconds * 1000);
        const after = look(server);
        return { seconds: (after.at - before.at) / 1000, statements: await statements(), cpu: cpuBetween(before.cpu, after.cpu), redis: after.redis - before.redis };
}

function byDatabase({ statements, seconds }) {
        const sums = new Map();
        for (const { database, calls } of statements) {
                sums.set(database, (sums.get(database) ?? 0) + calls);
        }
        return [...sums].sort().map(([database, calls]) => [database, (calls / seconds).toFixed(2)]);
}

// PostgreSQL and Redis of the same server, with nobody connected: the supervisor is stopped, so that it starts nothing again.
async function measureBare(server) {
        signal(server.pid, 'SIGSTOP');
        try {
                server.processes().filter((p) => p.args.includes('serve')).forEach((p) => signal(p.pid, 'SIGKILL'));
                await sleep(SETTLE_MS);
                return await measure(server);
        } finally {
                signal(server.pid, 'SIGCONT');
        }
}

function row(name, { cpu, seconds, statements, redis }) {
        const parts = ['sonet', 'postgresql', 'redis'].map((part) => cpu[part] / seconds);
        return [name, ...[parts.reduce((sum, s) => sum + s, 0), ...parts].map(percent), (statements.reduce((sum, { calls }) => sum + calls, 0) / seconds).toFixed(1), (redis / seconds).toFixed(1)];
}

const machine = describeMachine();
const server = await startServer({ mode: options.mode });
await sleep(SETTLE_MS);
const idle = await measure(server);
const bare = await measureBare(server);
await server.stop();

console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
console.log(table(['an idle server', 'of a core', 'sonet', 'PostgreSQL', 'Redis', 'statements a second', 'Redis commands a second'],
                  [row(options.mode, idle), row('PostgreSQL and Redis alone', bare)]));
console.log(`\n${table(['database', 'statements a second'], byDatabase(idle))}`);
if (options.each) {
        console.log(`\n${table(['a second', 'database', 'statement'], idle.statements.map((s) => [(s.calls / idle.seconds).toFixed(2), s.database, s.text.slice(0, 100)]))}`);
}
