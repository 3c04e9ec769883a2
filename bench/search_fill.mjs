// A network with many notes to search, created once: real sentences are indexed by search_service itself, and then duplicated many times, each time
// with another rare word and another time.
import fs from 'node:fs';
import path from 'node:path';
import { PASSWORD } from '../tests/e2e/client.mjs';
import { root, sleep } from '../tests/e2e/harness.mjs';
import { must } from './network.mjs';
import { postgresql } from './references.mjs';

const AUTHORS = 5000;
const COPIES_OF_A_RARE_WORD = 50;
const PIECE_WORDS = 28;
export const rareWords = (notes) => Math.max(1, Math.floor(notes / COPIES_OF_A_RARE_WORD));
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

export async function sql(server, database, text) {
        return (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text)).trim();
}

// A note's ID by its number, version 7, in the 300 days before a fixed day; an author's ID by number.
const FUNCTIONS = `
        create or replace function pg_temp.note(n bigint, notes bigint) returns uuid immutable language sql as $$
                select (lpad(to_hex(1764200000000 - (notes - n) * (25920000000 / notes)), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;
        create or replace function pg_temp.author(n bigint) returns uuid immutable language sql as $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;`;

// ---- Sentences ------------------------------------------------------------------------------------------------------------------

function* files(folder) {
        for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
                const file = path.join(folder, entry.name);
                if (entry.isDirectory()) {
                        yield* files(file);
                } else if (!/\.(dat|u8)$/.test(entry.name) && !entry.isSymbolicLink()) {
                        yield file;
                }
        }
}

// Real texts, in pieces of some words.
function fortunes(folder) {
        const pieces = [];
        for (const file of files(folder)) {
                for (const fortune of fs.readFileSync(file, 'utf8').split(/^%$/m)) {
                        const words = fortune.replace(/[^\P{C}\s]|\uFFFD/gu, '').split(/\s+/).filter((word) => word && word.length < 60);
                        for (let i = 0; i < words.length; i += PIECE_WORDS) {
                                pieces.push(words.slice(i, i + PIECE_WORDS).join(' '));
                        }
                }
        }
        return pieces;
}

// For scripts without fortunes: each sentence of the judged set combined with each other one in its script.
function otherScripts() {
        const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'tests/e2e/search-quality.json'), 'utf8'));
        return Object.values(scripts).flatMap(({ notes }) => Object.values(notes).flatMap((a) => Object.values(notes).map((b) => (a === b ? a : `${a} ${b}`))));
}

// ---- Filling --------------------------------------------------------------------------------------------------------------------

async function copyIn(server, database, table, rows) {
        const file = path.join(server.dir, 'rows');
        const quote = (value) => String(value).replace(/[\\\t\n\r]/g, ' ');
        fs.writeFileSync(file, rows.map((row) => `${row.map(quote).join('\t')}\n`).join(''));
        await postgresql(server, 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', `\\copy ${table} from '${file}'`);
        fs.rmSync(file);
}

async function write(server, pieces, notes) {
        await sql(server, 'user_service', `${FUNCTIONS}
                insert into users (id, username, username_key, email, email_key, password_hash, display_name)
                        select pg_temp.author(n), 'author' || n, 'author' || n, n || '@example.org', n || '@example.org', 'x', 'Author ' || n from generate_series(1, ${AUTHORS}) n;
                insert into user_stats (user_id) select pg_temp.author(n) from generate_series(1, ${AUTHORS}) n;`);
        await sql(server, 'note_service', 'create schema bench; create table bench.pieces (n bigint primary key, text text)');
        await copyIn(server, 'note_service', 'bench.pieces', pieces.map((text, i) => [i, text]));
        await sql(server, 'note_service', `${FUNCTIONS} insert into notes (id, author_id, text, visibility)
                select pg_temp.note(n, ${notes}), pg_temp.author(1 + n % ${AUTHORS}), text, 1 from bench.pieces`);
}

// By the job that compares the index with the other services. Returns seconds.
async function index(server, pieces) {
        const began = Date.now();
        await sql(server, 'search_service', "update search_rebuild set after_id = '00000000-0000-0000-0000-000000000000', checked = 0, done_at = null");
        while (await sql(server, 'search_service', 'select count(*) from search_rebuild where done_at is null') !== '0') {
                await sleep(500);
        }
        const indexed = Number(await sql(server, 'search_service', 'select count(*) from search_index'));
        if (indexed < pieces) {
                throw new Error(`${indexed} of ${pieces} sentences are in the index`);
        }
        return (Date.now() - began) / 1000;
}

const again = (pieces, notes) => `generate_series(${pieces}::bigint, ${notes - 1}) as n`;
// Most notes have no reactions, one in thirty has ten, and the best ones have very many.
const ENGAGEMENT = 'floor(power((n * 7919 % 100003 + 1) / 100004.0, -0.7))::bigint - 1';
const rare = (n, notes) => `'rare' || ${n} % ${rareWords(notes)}`;

// [{name, create}], but the primary key.
async function indexes(server) {
        return JSON.parse(await sql(server, 'search_service', `select json_agg(json_build_object('name', indexname, 'create', indexdef))
                from pg_indexes where tablename = 'search_index' and indexname <> 'search_index_pkey'`));
}

async function multiply(server, pieces, notes) {
        await sql(server, 'note_service', `${FUNCTIONS} begin; set local synchronous_commit = off; set local session_replication_role = replica;
                insert into notes (id, author_id, text, visibility)
                select pg_temp.note(c.n, ${notes}), pg_temp.author(1 + p.n % ${AUTHORS}), text || ' ' || ${rare('c.n', notes)}, 1
                from (select n, n * 104729 % ${pieces} as piece from ${again(pieces, notes)}) c join bench.pieces p on p.n = piece; commit`);
        await sql(server, 'note_service', 'vacuum analyze notes');
        await sql(server, 'search_service', `${FUNCTIONS} select search_merge_words();
                ${(await indexes(server)).map((index) => `drop index ${index.name}`).join('; ')};
                begin; set local synchronous_commit = off; set local session_replication_role = replica; set local work_mem = '256MB';
                create temporary table pieces on commit drop as select row_number() over (order by note_id) - 1 as piece, * from search_index;
                create temporary table copies on commit drop as select n, n * 104729 % ${pieces} as piece from ${again(pieces, notes)};
                insert into search_index (note_id, author_id, version, words, length, engagement, likes)
                select pg_temp.note(n, ${notes}), author_id, 1, words || (${rare('n', notes)} || ':1A')::tsvector, length + 1, ${ENGAGEMENT}, ${ENGAGEMENT}
                from copies join pieces using (piece) order by n;
                truncate search_words;
                insert into search_words (word, notes, open) select word, sum(n), sum(n) from (
                        select unnest(tsvector_to_array(words)), n from pieces join (select piece, count(*) + 1 as n from copies group by piece) c using (piece)
                        union all select ${rare('n', notes)}, count(*) from copies group by 1) w (word, n) group by word; commit`);
}

// Seconds for creating the indexes again.
async function buildIndexes(server, dropped) {
        const began = Date.now();
        await sql(server, 'search_service', `set maintenance_work_mem = '256MB'; ${dropped.map((index) => index.create).join('; ')}`);
        const took = (Date.now() - began) / 1000;
        await sql(server, 'search_service', 'vacuum analyze');
        await sql(server, 'search_service', 'select search_make_steps()');
        return took;
}

// {pieces, indexed_s, built_s, reader}: also written to the server's folder for later runs.
export async function fill(server, notes) {
        const done = path.join(server.dir, 'filled.json');
        if (fs.existsSync(done)) {
                return JSON.parse(fs.readFileSync(done, 'utf8'));
        }
        const all = [...fortunes(process.env.FORTUNES ?? '/usr/share/games/fortunes'), ...otherScripts()];
        const pieces = all.slice(Math.max(0, all.length - Math.floor(notes / 2)));
        const account = { username: 'reader', email: 'reader@example.org', password: PASSWORD };
        await must(server, 'POST', '/v1/auth/register', { json: account });
        say(`${pieces.length} sentences`);
        await write(server, pieces, notes);
        say('indexing them');
        const indexed_s = await index(server, pieces.length);
        say(`${notes} notes`);
        const dropped = await indexes(server);
        await multiply(server, pieces.length, notes);
        say('building the indexes');
        const filled = { pieces: pieces.length, notes, indexed_s, built_s: await buildIndexes(server, dropped), account };
        fs.writeFileSync(done, JSON.stringify(filled));
        return filled;
}
