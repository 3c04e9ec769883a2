// How fast a backlog is delivered: notes whose events are all in the outbox at once, for authors with 36 followers each who have timelines; and how
// long the process takes to stop meanwhile. The table goes to standard output.
import { parseArgs } from 'node:util';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { describeMachine } from './machine.mjs';
import { postgresql } from './references.mjs';
import { table } from './report.mjs';

const { values: options } = parseArgs({ options: { notes: { type: 'string', default: '50000' } } });
const NOTES = Number(options.notes), MEMBERS = 2_000, FOLLOWERS = 36;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const count = (n) => n.toLocaleString('en');

const MEMBER = "('01900000-0000-7000-8000-' || lpad(to_hex(%), 12, '0'))::uuid";
const member = (n) => MEMBER.replace('%', n);

async function sql(server, database, text) {
        return (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text)).trim();
}

async function fill(server) {
        await sql(server, 'user_service', `insert into users (id, username, username_key, email, email_key, password_hash, display_name)
                select ${member('n')}, 'b' || n, 'b' || n, 'b' || n || '@example.org', 'b' || n || '@example.org', 'x', 'B' from generate_series(1, ${MEMBERS}) n;
                insert into user_stats (user_id) select ${member('n')} from generate_series(1, ${MEMBERS}) n`);
        await sql(server, 'follow_service', `insert into user_relationships (follower_id, followee_id)
                select ${member(`1 + (n + k * 53) % ${MEMBERS}`)}, ${member('1 + n')} from generate_series(0, ${MEMBERS - 1}) n, generate_series(1, ${FOLLOWERS}) k`);
        await sql(server, 'timeline_service', `insert into timeline_cache (owner_id, relations_version, built_at) select ${member('n')}, 1000000, now() from generate_series(1, ${MEMBERS}) n`);
        for (const database of ['user_service', 'follow_service', 'timeline_service']) {
                await sql(server, database, 'vacuum analyze');
        }
}

// In one transaction, as if delivery had not run while they were written.
async function write(server) {
        await sql(server, 'note_service', `begin; set local synchronous_commit = off;
                create temporary table written on commit drop as select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                        || '8' || substr(md5(random()::text), 1, 15))::uuid as id, ${member(`1 + (n * 7919) % ${MEMBERS}`)} as author_id, n from generate_series(1::bigint, ${NOTES}) n;
                insert into notes (id, author_id, text, visibility) select id, author_id, 'A note of the backlog, number ' || n, 1 from written order by n;
                insert into outbox (event_id, type, aggregate_id, actor_id, version, occurred_at) select gen_random_uuid(), 'note.created', id, author_id, 1, now() from written order by n;
                commit`);
}

const taken = async (server) => Number(await sql(server, 'timeline_service', "select coalesce(max(position), 0) from consumer_positions where source = 'note' and consumer = 'deliver'"));
const head = async (server) => Number(await sql(server, 'note_service', 'select position from outbox_head'));
const left = async (server) => Number(await sql(server, 'note_service', 'select count(*) from outbox where position is null')) + await head(server) - await taken(server);
const entries = async (server) => Number(await sql(server, 'timeline_service', 'select count(*) from timeline_entries'));

async function until(server, most) {
        while (await left(server) > most) {
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
await fill(server);
await until(server, 0);
say(`${count(NOTES)} notes, ${count(NOTES * FOLLOWERS)} rows`);
await write(server);
const start = performance.now();
await until(server, 0);
const seconds = (performance.now() - start) / 1000;
const rows = await entries(server);

say('again, and a stop in the midst of it');
await write(server);
await until(server, NOTES / 2);
const stopMs = await stop(server);
console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
console.log(table(['a backlog of notes', 'rows', 'rows a second', 'notes a second', 'to stop in the midst of it, ms'],
                  [[count(NOTES), count(rows), count(Math.round(rows / seconds)), count(Math.round(NOTES / seconds)), count(Math.round(stopMs))]]));
