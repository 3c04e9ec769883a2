// Notes by members with many followers: how long until they are on the timelines, and what others notice of it. Notes of members with more than FANOUT_MAX
// (10,000) followers are not delivered: readers pull them.
import { redisCommand } from '../tests/e2e/redisclient.mjs';
import { must } from './network.mjs';

const AUTHORS = { delivered: 9_900, large: 20_000, famous: 1_000_000 }; // followers
const READERS = 20, ROUNDS = 9, LOAD_MS = 6_000, CONNECTIONS = 8, PAUSE_MS = 100;
const sorted = (values) => [...values].sort((a, b) => a - b);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const follower = (n) => `('01900000-0000-7000-9000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

// The followers beside the readers are only IDs. Those to whom notes are delivered have cached timelines: a header, as in tests/e2e/backlog.mjs.
export async function addFamous(server, sql, register) {
        const [authors, readers] = [{}, []];
        for (const name of Object.keys(AUTHORS)) {
                authors[name] = await register(server, `author_${name}`);
        }
        authors.small = await register(server, 'author_small');
        for (let i = 0; i < READERS; i++) {
                readers.push(await register(server, `crowd_${i}`));
        }
        const ids = readers.map((r) => `'${r.id}'`).join(', ');
        for (const [name, { id }] of Object.entries(authors)) {
                await sql(server, 'follow_service', `insert into user_relationships (follower_id, followee_id) select ${follower('n')}, '${id}' from generate_series(1, ${AUTHORS[name] ?? 20}) n;
                        insert into user_relationships (follower_id, followee_id) select r, '${id}' from unnest(array[${ids}]::uuid[]) r`);
        }
        await sql(server, 'follow_service', 'vacuum analyze');
        await redisCommand(server, 'EVAL', `for n = 1, ${AUTHORS.delivered} do redis.call('SET', string.format('tl:home:01900000-0000-7000-9000-%012x', n), 's' .. string.rep('\\0', 44)) end return 1`, '0');
        return { authors, readers };
}

const post = async (server, { token }) => JSON.parse(await must(server, 'POST', '/v1/notes', { token, json: { text: `A note at ${performance.now()}` } })).id;
const home = (server, { token }) => must(server, 'GET', '/v1/timelines/home?limit=20', { token });

// Meanwhile others write, too: as many pages as there are newer notes. IDs are ordered by time.
async function hasOnHome(server, reader, id) {
        for (let cursor = '';;) {
                const page = JSON.parse(await must(server, 'GET', `/v1/timelines/home?limit=20${cursor}`, { token: reader.token }));
                const ids = page.items.map((note) => note.id);
                if (ids.includes(id) || ids.length === 0 || ids.at(-1) < id || page.next_cursor === undefined) {
                        return ids.includes(id);
                }
                cursor = `&cursor=${page.next_cursor}`;
        }
}

// From the response until the last of the readers has it.
async function untilSeen(server, author, readers) {
        const id = await post(server, author);
        const start = performance.now();
        await Promise.all(readers.map(async (reader) => {
                while (!await hasOnHome(server, reader, id)) {
                        await sleep(1);
                }
        }));
        return performance.now() - start;
}

async function repeat(server, author, readers) {
        const times = [];
        for (let i = 0; i < ROUNDS + 2; i++) {
                times.push(await untilSeen(server, author, readers));
        }
        return sorted(times.slice(2)); // the first ones make members famous, and fill caches
}

// The p99 of home timelines in a closed loop.
async function p99(server, readers) {
        const [end, times] = [performance.now() + LOAD_MS, []];
        await Promise.all(readers.slice(0, CONNECTIONS).map(async (reader) => {
                while (performance.now() < end) {
                        const start = performance.now();
                        await home(server, reader);
                        times.push(performance.now() - start);
                }
        }));
        return sorted(times)[Math.floor(times.length * 0.99)];
}

async function whileWriting(server, authors, work) {
        let [ended, written] = [false, 0];
        const writers = authors.map(async (author) => {
                for (; !ended; written++) {
                        await post(server, author);
                        await sleep(PAUSE_MS);
                }
        });
        const result = await work();
        ended = true;
        await Promise.all(writers);
        return [result, written];
}

// Two tables: head and rows of each.
export async function measureFamous(server, { authors, readers }) {
        const seen = [];
        for (const [name, author] of Object.entries(authors)) {
                const times = await repeat(server, author, readers);
                seen.push([(AUTHORS[name] ?? 20) + READERS, ...[times[Math.floor(ROUNDS / 2)], times.at(-1)].map((ms) => ms.toFixed(1))]);
        }
        await p99(server, readers);
        const [alone, large, small] = [await p99(server, readers), Object.keys(AUTHORS).map((name) => authors[name]), [authors.small, authors.small, authors.small]];
        const [besideSmall, few] = await whileWriting(server, small, () => p99(server, readers));
        const [besideLarge, many] = await whileWriting(server, large, () => p99(server, readers));
        const [behind] = await whileWriting(server, large, () => repeat(server, authors.small, readers));
        return [[['followers', `on ${READERS} of their timelines, ms`, 'slowest'], seen.map(([n, ...rest]) => [n.toLocaleString('en'), ...rest])],
                [['home timelines', 'p99 ms'], [['nobody writes', alone.toFixed(2)], [`${few} notes by a member with ${20 + READERS} followers meanwhile`, besideSmall.toFixed(2)],
                                               [`${many} notes by the three with most meanwhile`, besideLarge.toFixed(2)],
                                               ['a small note meanwhile, on all timelines after', behind[Math.floor(ROUNDS / 2)].toFixed(2)]]]];
}
