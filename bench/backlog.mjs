// How fast a backlog is delivered: notes whose events are all in the outbox at once, for authors with 36 followers each who have timelines; and how
// long the process takes to stop meanwhile. The table goes to standard output.
import { FOLLOWERS, countEntries, countWaiting, fillNetwork, writeBacklog } from '../tests/e2e/backlog.mjs';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { describeMachine } from './machine.mjs';
import { options } from './options.mjs';
import { table } from './report.mjs';

const NOTES = options.notes;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const count = (n) => n.toLocaleString('en');

async function until(server, most) {
        while (await countWaiting(server) > most) {
                await sleep(100);
        }
}

// From the signal until the delivering process has exited; its servers stop after it.
async function stop(server) {
        const [serving] = server.processes().filter((p) => p.args.includes('serve'));
        const asked = performance.now();
        const stopped = server.stop();
        while (server.processes().some((p) => p.pid === serving.pid)) {
                await sleep(10);
        }
        const ms = performance.now() - asked;
        await stopped;
        return ms;
}

const server = await startServer({ mode: 'single' });
const machine = describeMachine();
await fillNetwork(server);
await until(server, 0);
say(`${count(NOTES)} notes, ${count(NOTES * FOLLOWERS)} rows`);
await writeBacklog(server, NOTES);
const start = performance.now();
await until(server, 0);
const seconds = (performance.now() - start) / 1000;
const rows = await countEntries(server);

say('again, and a stop in the midst of it');
await writeBacklog(server, NOTES);
await until(server, NOTES / 2);
const stopMs = await stop(server);
console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
console.log(table(['a backlog of notes', 'rows', 'rows a second', 'notes a second', 'to stop in the midst of it, ms'],
                  [[count(NOTES), count(rows), count(Math.round(rows / seconds)), count(Math.round(NOTES / seconds)), count(Math.round(stopMs))]]));
