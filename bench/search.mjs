// Searches through the public API on many notes (search_fill.mjs), by kind, sequential and concurrent; suggestions; delays (search_until.mjs); the size of the
// index, part by part; and for comparison PostgreSQL's own search for the same words: tsvector with ts_rank, and pg_trgm.
import fs from 'node:fs';
import path from 'node:path';
import { refuse } from '../tests/e2e/commandline.mjs';
import { freePort, startServer } from '../tests/e2e/harness.mjs';
import { entry, Load, request } from './load.mjs';
import { cpuBetween, cpuNow } from './machine.mjs';
import { must } from './network.mjs';
import { options } from './options.mjs';
import { table } from './report.mjs';
import { fill, rareWords, sql } from './search_fill.mjs';
import * as until from './search_until.mjs';

const { notes, seconds } = options;
const DIFFERENT = 60; // queries per kind
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const ms = (us) => (us / 1000).toFixed(us < 100_000 ? 2 : 0);

// ---- Queries ------------------------------------------------------------------------------------------------------------

const lines = async (text) => (await text).split('\n').filter(Boolean);
const words = (server, n, more) => lines(sql(server, 'search_service', `select word from search_words where word ~ '^[a-z]{3,}$' ${more} limit ${n}`));
const mistype = (word) => word.slice(0, 2) + word[3] + word[2] + word.slice(4);
const pairs = (list, join) => list.map((word, i) => join(word, list[(i * 7 + 3) % list.length]));

// An existing phrase: two adjacent words of some sentence.
async function phrases(server) {
        const texts = await lines(sql(server, 'note_service', `select text from bench.pieces where n % 97 = 5 order by n limit ${DIFFERENT * 3}`));
        const found = texts.map((text) => /([A-Za-z]+ [A-Za-z]+)[^A-Za-z]/.exec(text)?.[1]).filter(Boolean);
        return found.slice(0, DIFFERENT).map((pair) => `"${pair.toLowerCase()}"`);
}

async function queries(server) {
        const common = await words(server, DIFFERENT, 'order by open desc');
        const middling = await words(server, DIFFERENT, `and open between ${notes / 2000} and ${notes / 500} and length(word) > 5 order by md5(word)`);
        const rare = Array.from({ length: DIFFERENT }, (_, i) => `rare${(i * 7919) % rareWords(notes)}`);
        return {
                'one rare word': rare,
                'one common word': common,
                'one word in between': middling,
                'two words': pairs(middling, (a, b) => `${a} ${b}`).map((q, i) => (i % 2 ? q : `${common[i]} ${middling[i]}`)),
                'two common words': pairs(common, (a, b) => `${a} ${b}`),
                'a phrase': await phrases(server),
                'a beginning': middling.map((word) => `${word.slice(0, 4)}*`),
                'a mistyped word': middling.map(mistype),
                'Chinese, Japanese, Korean': ['図書館', '北京', '도서관', '公園', '書', '오늘', '今天', '도', '東京', '天'],
                'with filters': common.map((word, i) => [`${word} from:author${1 + i}`, `${word} lang:de`, `${word} min_likes:650`, `${word} since:2025-11`][i % 4]),
                'one of two': pairs(middling, (a, b) => `${a} OR ${b}`),
        };
}

const search = (token, query) => entry('search', request('GET', `/v1/search?type=notes&limit=20&query=${encodeURIComponent(query)}`, { token }));
const suggest = (token, query) => entry('suggest', request('GET', `/v1/search/suggestions?query=${encodeURIComponent(query)}`, { token }));

// ---- Measuring ------------------------------------------------------------------------------------------------------------------

async function measure(server, load, entries, run) {
        await load.run(server.port, entries, { connections: 1 }); // warms the caches
        const before = cpuNow(server);
        const result = await load.run(server.port, entries, run);
        const cpu = cpuBetween(before, cpuNow(server));
        return { ...result, core_ms: ((cpu.sonet + cpu.postgresql + cpu.redis) * 1000) / result.requests };
}

// The median and the maximum of some runs of a statement, each for at most --timeout seconds.
async function time(server, database, statement) {
        const times = [];
        for (let i = 0; i < options.plain; i++) {
                const out = await sql(server, database, `set statement_timeout = '${options.timeout}s'; explain (analyze, costs off, timing off) ${statement(i)}`).catch(() => '');
                times.push(Number(/Execution Time: ([\d.]+)/.exec(out)?.[1] ?? options.timeout * 1000));
        }
        times.sort((a, b) => a - b);
        return { p50_us: times[Math.floor(times.length / 2)] * 1000, worst_us: times.at(-1) * 1000 };
}

const literal = (text) => `'${text.replaceAll("'", "''")}'`;
const plainQuery = (query) => query.replace(/ [a-z_]+:\S+/g, '').replaceAll('"', '').replace(/\*$/, '');

function byTsRank(query) {
        const text = plainQuery(query);
        const tsquery = query.endsWith('*') ? `to_tsquery('simple', ${literal(`${text}:*`)})` : query.includes(' OR ')
                ? `websearch_to_tsquery('simple', ${literal(text)})` : query.startsWith('"') ? `phraseto_tsquery('simple', ${literal(text)})` : `plainto_tsquery('simple', ${literal(text)})`;
        return `select note_id from search_index where words @@ ${tsquery} order by ts_rank(words, ${tsquery}) desc limit 20`;
}

const byTrigrams = (query) => `select id from notes where text %> ${literal(plainQuery(query))} order by text <->>> ${literal(plainQuery(query))} limit 20`;

// ---- Main ----------------------------------------------------------------------------------------------------------------

async function kinds(server, load, token) {
        const rows = [];
        const all = [];
        for (const [kind, list] of Object.entries(await queries(server))) {
                say(kind);
                const ours = await measure(server, load, list.map((q) => search(token, q)), { connections: 1, seconds });
                const plain = await time(server, 'search_service', (i) => byTsRank(list[i % list.length]));
                const trigrams = await time(server, 'note_service', (i) => byTrigrams(list[i % list.length]));
                rows.push([kind, ms(ours.p50_us), ms(ours.p99_us), Math.round(1000 / ours.core_ms), ms(plain.p50_us), ms(plain.worst_us), ms(trigrams.p50_us), ms(trigrams.worst_us)]);
                all.push(...list);
        }
        const together = await measure(server, load, all.map((q) => search(token, q)), { connections: 4, seconds: 2 * seconds });
        rows.push(['all of them, 4 at a time', ms(together.p50_us), ms(together.p99_us), Math.round(1000 / together.core_ms), '–', '–', '–', '–']);
        return { rows, together };
}

// Each table of the index and each of its indexes, beside the text.
async function sizes(server, text) {
        const parts = await lines(sql(server, 'search_service', `select c.relname || '|' || pg_relation_size(c.oid) from pg_class c
                left join pg_index i on i.indexrelid = c.oid where coalesce(i.indrelid, c.oid) in ('search_index'::regclass, 'search_words'::regclass)
                order by pg_relation_size(c.oid) desc`));
        const rows = parts.map((part) => part.split('|')).map(([name, bytes]) => [name, Number(bytes)]);
        rows.push(['together', rows.reduce((sum, [, bytes]) => sum + bytes, 0)]);
        return table(['', 'MiB', 'times the text', 'bytes a note'], rows.map(([name, bytes]) => [name, (bytes / 2 ** 20).toFixed(0), (bytes / text).toFixed(2), (bytes / notes).toFixed(0)]));
}

async function measureAll(server, filled) {
        const { access_token: token } = JSON.parse(await must(server, 'POST', '/v1/auth/login', { json: { login: filled.account.username, password: filled.account.password } }));
        const load = new Load(options.out);
        const { rows, together } = await kinds(server, load, token);
        const starts = (await words(server, DIFFERENT, 'and length(word) > 4 order by open desc')).map((word, i) => word.slice(0, 2 + (i % 4)));
        const suggestions = await measure(server, load, starts.map((q) => suggest(token, q)), { connections: 1, seconds });
        say('delays');
        const { found, gone } = await until.notes(server, token, 200, 2 * seconds);
        const { searchable, discoverable } = await until.settings(server, token, filled.account.username);
        const text = Number(await sql(server, 'note_service', 'select sum(octet_length(text)) from notes'));
        const delay = ({ p50, p99, n }) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${n})`;
        console.log(`${notes} notes, made of ${filled.pieces} sentences, ${text >> 20} MiB of text\n`);
        console.log(table(['', 'p50 ms', 'p99 ms', 'a second and core', 'ts_rank, p50', 'longest', 'pg_trgm, p50', 'longest'], rows));
        console.log(`\n4 at a time: ${Math.round(together.per_s)} a second; suggestions: p50 ${ms(suggestions.p50_us)} ms, p99 ${ms(suggestions.p99_us)} ms`);
        console.log(`at 200 notes a second, found after the response to a note: ${delay(found)}; gone after that to its deletion: ${delay(gone)}`);
        console.log(`in force after the response: searchable ${delay(searchable)}, discoverable ${delay(discoverable)}`);
        console.log(await sizes(server, text));
        console.log(`built in ${filled.built_s.toFixed(0)} s; ${filled.pieces} sentences indexed by search_service in ${filled.indexed_s.toFixed(0)} s;`
                + ` pg_trgm on the text ${Number(await sql(server, 'note_service', "select pg_total_relation_size('bench_trigrams')")) >> 20} MiB`);
}

const data = options.data && path.resolve(options.data);
if (options.fill && !data) {
        refuse('bench/run', '--fill needs --data FOLDER');
}
if (data) {
        fs.mkdirSync(data, { recursive: true });
        fs.chmodSync(data, 0o755);
}
const server = await startServer({ mode: 'single', port: await freePort(), ...(data && { dir: data }) });
try {
        const filled = await fill(server, notes);
        say('the index of pg_trgm');
        await sql(server, 'note_service', 'create extension if not exists pg_trgm; create index if not exists bench_trigrams on notes using gin (text gin_trgm_ops)');
        if (!options.fill) {
                await measureAll(server, filled);
        }
} finally {
        await server.stop({ keep: data !== undefined });
}
if (!options.fill) {
        console.log(await until.quality());
}
