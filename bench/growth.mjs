// How costs grow with the network: each route on a small network and on a large one, both created by SQL, with the time of a request and the
// PostgreSQL pages that it reads. The table goes to standard output.
import { signal, sleep, startServer } from '../tests/e2e/harness.mjs';
import { redisCommand } from '../tests/e2e/redisclient.mjs';
import { addFamous, measureFamous } from './growth_famous.mjs';
import { must } from './network.mjs';
import { options } from './options.mjs';
import { postgresql } from './references.mjs';
import { median, table } from './report.mjs';

const SMALL = { notes: 10_000, members: 2_000, followers: 900, answers: 50, tagged: 100 };
const factor = options.notes / 5_000_000;
const LARGE = { notes: options.notes, members: Math.max(3_000, Math.round(202_000 * factor)), followers: Math.round(200_000 * factor),
                answers: Math.round(20_000 * factor), tagged: Math.round(200_000 * factor) };
const ROUNDS = 30, PASSWORD = 'correct horse battery';
const count = (n) => (n === undefined ? '–' : n.toLocaleString('en'));
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

// ---- the network ----------------------------------------------------------------------------------------------------------------

// A member by number; a note by number, version 7, over the last 300 days before the transaction.
const ID_FUNCTIONS = `
        create or replace function member(n bigint) returns uuid immutable language sql as $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
        create or replace function note(n bigint, notes bigint) returns uuid stable language sql as $$
                select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - (notes - n) * (25920000000 / notes) - 60000), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0')
                        || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;`;

// A member's number determines how many notes they write: few write many. The readers are real accounts, the others cannot log in.
const FILL = {
        user_service: (s) => `
                insert into users (id, username, username_key, email, email_key, password_hash, display_name)
                        select member(n), 'g' || n, 'g' || n, 'g' || n || '@example.org', 'g' || n || '@example.org', 'x', 'G' from generate_series(1, ${s.members}) n;
                insert into user_stats (user_id) select member(n) from generate_series(1, ${s.members}) n;`,
        follow_service: (s, readers) => `
                insert into user_relationships (follower_id, followee_id) select '${readers.few.id}', member(1 + n * ${Math.floor(s.members / 40)}) from generate_series(0, 39) n;
                insert into user_relationships (follower_id, followee_id) select '${readers.many.id}', member(1 + n * ${Math.max(1, Math.floor(s.members / 2000))})
                        from generate_series(0, ${Math.min(1999, s.members - 1)}) n;
                insert into user_relationships (follower_id, followee_id) select member(n), '${readers.star.id}' from generate_series(1, ${s.followers}) n;
                insert into user_relationships (follower_id, followee_id) values ('${readers.few.id}', '${readers.star.id}');
                insert into user_relationships (follower_id, followee_id) select member(1 + (n * 7919) % ${s.members}), member(1 + (n * 104729) % ${s.members})
                        from generate_series(1::bigint, ${s.members * 5}) n on conflict do nothing;`,
        note_service: (s, readers) => `
                insert into notes (id, author_id, text, visibility, created_at)
                        select note(n, ${s.notes}), member(1 + floor(${s.members} * power(((n * 2654435761) % 1000003) / 1000003.0, 3))::bigint), 'A note of the growth benchmark, number ' || n, 1, now()
                        from generate_series(1, ${s.notes}) n on conflict do nothing;
                insert into note_hashtags (tag_key, note_id, tag, position, author_id, public) select 'busy', id, 'busy', 1, author_id, true from generate_series(1, ${s.tagged}) n
                        join notes on id = note(n * ${Math.floor(s.notes / s.tagged)}, ${s.notes})
                        on conflict do nothing;
                insert into note_hashtags (tag_key, note_id, tag, position, author_id, public) select 'rare', id, 'rare', 2, author_id, true from generate_series(1, 25) n
                        join notes on id = note(n * ${Math.floor(s.notes / 25)}, ${s.notes})
                        on conflict do nothing;
                insert into notes (id, author_id, text, visibility, parent_id)
                        select ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, member(1 + n % ${s.members}), 'An answer, number ' || n, 1,
                               case when n = 1 then note(1, ${s.notes}) else 'ffffffff-0000-7000-8000-000000000001'::uuid end
                        from generate_series(1, ${s.answers + 1}) n;
                insert into note_comments (note_id, parent_id, root_id) select id, parent_id, note(1, ${s.notes}) from notes where id >= 'ffffffff-0000-7000-8000-000000000000' order by id;`,
};

async function sql(server, database, text) {
        return (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text)).trim();
}

async function register(server, username) {
        const body = JSON.parse(await must(server, 'POST', '/v1/auth/register', { json: { username, email: `${username}@example.org`, password: PASSWORD } }));
        return { id: body.user.id, username, token: body.access_token };
}

// Access tokens expire after a quarter of an hour.
async function logIn({ server, readers }) {
        for (const reader of [readers.few, readers.many, readers.star]) {
                reader.token = JSON.parse(await must(server, 'POST', '/v1/auth/login', { json: { login: reader.username, password: PASSWORD } })).access_token;
        }
}

async function build(server, size) {
        const readers = {};
        for (const name of ['few', 'many', 'star']) {
                readers[name] = await register(server, `reader_${name}`);
        }
        for (const [database, fill] of Object.entries(FILL)) {
                say(`  filling ${database}`);
                await sql(server, database, `${ID_FUNCTIONS} begin; set local synchronous_commit = off; ${fill(size, readers)} commit;`);
                await sql(server, database, 'vacuum analyze');
        }
        await sql(server, 'postgres', 'create extension if not exists pg_stat_statements');
        readers.note = await sql(server, 'note_service', `select id from notes where author_id = member(${Math.floor(size.members / 2)}) order by id desc limit 1`);
        readers.root = await sql(server, 'note_service', `select parent_id from notes where id = 'ffffffff-0000-7000-8000-000000000001'`);
        readers.member = await sql(server, 'user_service', 'select member(7)');
        return readers;
}

// ---- the routes ----------------------------------------------------------------------------------------------------------------

// As after a long absence: the reader has no cached timeline.
async function forget(server) {
        await redisCommand(server, 'FLUSHALL');
}

// The page after the given number of pages.
async function deep(server, reader, path, pages) {
        let cursor = '';
        for (let i = 0; i < pages; i++) {
                const page = JSON.parse(await must(server, 'GET', `${path}${cursor}`, { token: reader.token }));
                cursor = `&cursor=${page.next_cursor}`;
        }
        return `${path}${cursor}`;
}

const ROADS = {
        'home, 41 followed': (s, r) => ({ reader: r.few, path: '/v1/timelines/home?limit=20' }),
        'home, the first read, 41 followed': (s, r) => ({ reader: r.few, path: '/v1/timelines/home?limit=20', before: () => forget(s) }),
        'home, the first read, 2,000 followed': (s, r) => ({ reader: r.many, path: '/v1/timelines/home?limit=20', before: () => forget(s) }),
        'home, the tenth page, 2,000 followed': async (s, r) => ({ reader: r.many, path: await deep(s, r.many, '/v1/timelines/home?limit=100', 9) }),
        'a member’s notes': (s, r) => ({ reader: r.few, path: `/v1/timelines/users/${r.member}?limit=20` }),
        'a busy hashtag': (s, r) => ({ reader: r.few, path: '/v1/timelines/hashtags/busy?limit=20' }),
        'a rare hashtag': (s, r) => ({ reader: r.few, path: '/v1/timelines/hashtags/rare?limit=20' }),
        'a conversation from its first note': (s, r) => ({ reader: r.few, path: `/v1/notes/${r.root}/thread?limit=20` }),
        'a conversation from a comment with many answers': (s, r) => ({ reader: r.few, path: '/v1/notes/ffffffff-0000-7000-8000-000000000001/thread?limit=20' }),
        'comments of a note': (s, r) => ({ reader: r.few, path: '/v1/notes/ffffffff-0000-7000-8000-000000000001/comments?limit=20' }),
        'one note': (s, r) => ({ reader: r.few, path: `/v1/notes/${r.note}` }),
        'followers': (s, r) => ({ reader: r.few, path: `/v1/users/${r.star.id}/followers?limit=20` }),
        'search for a member': (s, r) => ({ reader: r.few, path: '/v1/users?query=g77&limit=20' }),
};

const blocks = async (server) => Number(await sql(server, 'postgres', `select coalesce(sum(shared_blks_hit + shared_blks_read), 0) from pg_stat_statements s
        join pg_database d on d.oid = s.dbid where d.datname like '%_service'`));

async function once(server, { reader, path, before }, found, isLast) {
        await before?.();
        if (isLast) {
                await sql(server, 'postgres', 'select pg_stat_statements_reset()');
        }
        const start = performance.now();
        await must(server, 'GET', path, { token: reader.token });
        found.times.push(performance.now() - start);
        if (isLast) {
                found.blocks = await blocks(server);
        }
}

// From the response to a note by the member with most followers until it is on a follower's home timeline.
async function deliver(server, r, found) {
        const start = performance.now();
        const note = JSON.parse(await must(server, 'POST', '/v1/notes', { token: r.star.token, json: { text: `To all, at ${start}` } }));
        while (!(await must(server, 'GET', '/v1/timelines/home?limit=5', { token: r.few.token })).includes(note.id)) {
                await sleep(2);
        }
        found.times.push(performance.now() - start);
}

async function start(size) {
        say(`${count(size.notes)} notes, ${count(size.members)} members`);
        const server = await startServer({ mode: 'single', env: { HOME_MEMORY_BYTES: '0' } }); // so that Redis alone has timelines
        return { server, readers: await build(server, size) };
}

// On both networks alternately, so that other load affects both equally.
async function compare(networks, rounds, prepare, step) {
        const found = networks.map(() => ({ times: [] }));
        const asked = [];
        for (const n of networks) {
                await logIn(n);
                asked.push(await prepare(n));
        }
        for (let i = 0; i < rounds; i++) {
                for (const [k, n] of networks.entries()) {
                        await step(n, asked[k], found[k], i === rounds - 1);
                }
        }
        return found.map((f) => ({ ms: median(f.times.slice(1)), blocks: f.blocks })); // the first one creates connections and plans
}

async function compareAll(networks) {
        const rows = [];
        for (const [name, road] of Object.entries(ROADS)) {
                say(`  ${name}`);
                rows.push([name, await compare(networks, ROUNDS, (n) => road(n.server, n.readers), (n, asked, found, isLast) => once(n.server, asked, found, isLast))]);
        }
        say('  a note to the most followers');
        rows.push(['a note to the most followers, read by one', await compare(networks, 9, () => {}, (n, asked, found) => deliver(n.server, n.readers, found))]);
        return rows;
}

async function famous({ server }) {
        say('  notes by members with many followers');
        return measureFamous(server, await addFamous(server, sql, register));
}

const ms = async (work) => {
        const begin = performance.now();
        await work();
        return Math.round(performance.now() - begin);
};

// From the start of the program until it is ready: after a clean stop, and after all processes were killed at once while notes were being written, with
// the bytes of the write-ahead log since the last checkpoint, which are replayed.
async function restart({ server, readers }) {
        say('  it is stopped, and then everything is killed');
        signal(server.pid, 'SIGTERM');
        await server.exited;
        const stopped = await ms(() => server.up());
        await logIn({ server, readers });
        const writing = Promise.all(Array.from({ length: 2_000 }, (_, i) => must(server, 'POST', '/v1/notes', { token: readers.few.token, json: { text: `The last notes, ${i}` } }).catch(() => {})));
        await sleep(300);
        const bytes = Number(await sql(server, 'postgres', 'select pg_current_wal_lsn() - redo_lsn from pg_control_checkpoint()'));
        for (const { pid } of server.processes()) {
                signal(pid, 'SIGKILL');
        }
        await Promise.all([server.exited, writing]);
        return { stopped, killed: await ms(() => server.up()), bytes };
}

const networks = [await start(SMALL), await start(LARGE)];
const rows = await compareAll(networks);
console.log(table(['', `${count(SMALL.notes)} notes, ms`, 'pages', `${count(LARGE.notes)} notes, ms`, 'pages', 'ratio'],
                  rows.map(([name, [small, large]]) => [name, small.ms.toFixed(2), count(small.blocks), large.ms.toFixed(2), count(large.blocks), (large.ms / small.ms).toFixed(2)])));
for (const [head, lines] of await famous(networks[1])) {
        console.log(`\n${table(head, lines)}`);
}
const starts = [];
for (const network of networks) {
        starts.push(await restart(network));
}
console.log(`\n${table(['ready after', 'a clean stop, ms', 'everything was killed at once, ms', 'of the log to replay, KiB'],
                      starts.map(({ stopped, killed, bytes }, i) => [`${count([SMALL, LARGE][i].notes)} notes`, count(stopped), count(killed), count(Math.round(bytes / 1024))]))}`);
for (const { server } of networks) {
        await server.stop();
}
