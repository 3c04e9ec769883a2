// The cost of a chat that has grown for years: one with ten thousand messages and one with ten million, both created by SQL over three months,
// measured alternately: the time of a request, the PostgreSQL pages that it reads and the memory of the process. The table goes to standard output.
import { startServer } from '../tests/e2e/harness.mjs';
import { describeMachine, memoryNow } from './machine.mjs';
import { must } from './network.mjs';
import { options } from './options.mjs';
import { postgresql } from './references.mjs';
import { median, table } from './report.mjs';

const SIZES = [10_000, options.messages], ROUNDS = 100, UNREAD = 1234;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const count = (n) => n.toLocaleString('en');
const sql = async (server, database, text) => (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text)).trim();

// When the n-th of all messages was sent: over 90 days, up to an hour ago.
const at = (messages, now) => `(${now - 3600000} - (${messages} - n) * (7776000000 / ${messages}))`;

const PART = (chat, sender, messages, from, to, now) => `
        set synchronous_commit = off;
        insert into messages (id, chat_id, seq, n, kind, sender_id, text, client_id, created_at)
                select (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid, '${chat}', n, n, 1, '${sender}',
                       'A message of the growth benchmark, number ' || n, null, timestamptz 'epoch' + ms * interval '1 millisecond'
                from (select n, ${at(messages, now)} as ms from generate_series(${from}::bigint, ${to}) n) x;`;
const REST = (chat, messages, now) => `
        insert into chat_months (chat_id, first_seq, first_n, from_id, before_id)
                select '${chat}', min(n), min(n), first_id_of(month), first_id_of(month_after(month))
                from (select n, month_of(timestamptz 'epoch' + ${at(messages, now)} * interval '1 millisecond') as month from generate_series(1::bigint, ${messages}) n) x group by month;
        update chats set last_seq = ${messages}, last_n = ${messages}, last_ms = (select ${at(messages, now)} from (select ${messages}::bigint as n) x), active_at = now() where id = '${chat}';
        update chat_participants set read_seq = ${messages - UNREAD}, read_n = ${messages - UNREAD} where chat_id = '${chat}';`;

async function register(server, username) {
        const body = JSON.parse(await must(server, 'POST', '/v1/auth/register', { json: { username, email: `${username}@example.org`, password: 'correct horse battery' } }));
        return { id: body.user.id, token: body.access_token };
}

async function begin(server, reader, messages) {
        const other = await register(server, `other_${messages}`);
        const chat = JSON.parse(await must(server, 'POST', '/v1/chats', { token: reader.token, json: { kind: 'direct', user_ids: [other.id] } }));
        if (chat.last_seq !== 0) {
                throw new Error('a chat begins with nothing in it');
        }
        const start = performance.now();
        const now = Date.now(), half = Math.floor(messages / 2);
        await sql(server, 'messaging_service', "select create_message_months(now() - interval '100 days', 6)");
        await Promise.all([[1, half], [half + 1, messages]].map(([from, to]) => sql(server, 'messaging_service', PART(chat.id, other.id, messages, from, to, now))));
        await sql(server, 'messaging_service', REST(chat.id, messages, now));
        say(`${count(messages)} messages in ${((performance.now() - start) / 1000).toFixed(0)} s`);
        return { id: chat.id, messages };
}

const ROADS = {
        'the last page': ({ id }) => [`/v1/chats/${id}/messages?limit=20`, (page) => page.items.length === 20],
        'a page around the middle': ({ id, messages }) => [`/v1/chats/${id}/messages?limit=20&around_seq=${messages / 2}`, (page) => page.items.some((m) => m.seq === messages / 2)],
        'the first page': ({ id }) => [`/v1/chats/${id}/messages?limit=20&after_seq=0`, (page) => page.items[0].seq === 1],
        'the log behind the middle': ({ id, messages }) => [`/v1/chats/${id}/changes?limit=20&after_seq=${messages / 2}`, (page) => page.count === messages / 2],
        'the chat, with how many are unread': ({ id }) => [`/v1/chats/${id}`, (chat) => chat.unread === UNREAD],
};

const blocks = async (server) => Number(await sql(server, 'postgres', `select coalesce(sum(shared_blks_hit + shared_blks_read), 0) from pg_stat_statements s
        join pg_database d on d.oid = s.dbid where d.datname like '%_service'`));

async function get(server, reader, [path, isRight]) {
        const start = performance.now();
        const answer = JSON.parse(await must(server, 'GET', path, { token: reader.token }));
        if (!isRight(answer)) {
                throw new Error(`${path} answers something else`);
        }
        return performance.now() - start;
}

async function touched(server, step) {
        await sql(server, 'postgres', 'select pg_stat_statements_reset()');
        await step();
        return blocks(server);
}

// Both chats alternately, so that other load affects both equally.
async function compare(server, name, chats, step) {
        const times = chats.map(() => []);
        for (let round = 0; round < ROUNDS; round++) {
                for (const [i, chat] of chats.entries()) {
                        times[i].push(await step(chat));
                }
        }
        const pages = [];
        for (const chat of chats) {
                const found = [];
                for (let i = 0; i < 9; i++) {
                        found.push(await touched(server, () => step(chat)));
                }
                pages.push(median(found));
        }
        return [name, ...chats.flatMap((_, i) => [median(times[i]).toFixed(2), count(pages[i])]), (median(times[1]) / median(times[0])).toFixed(2)];
}

async function send(server, reader, { id }) {
        const start = performance.now();
        await must(server, 'POST', `/v1/chats/${id}/messages`, { token: reader.token, json: { client_id: crypto.randomUUID(), text: 'One more' } });
        return performance.now() - start;
}

const server = await startServer({ mode: 'single' });
try {
        const machine = describeMachine();
        const reader = await register(server, 'reader');
        const chats = [];
        for (const messages of SIZES) {
                chats.push(await begin(server, reader, messages));
        }
        await sql(server, 'messaging_service', 'vacuum analyze');
        await sql(server, 'postgres', 'create extension if not exists pg_stat_statements');
        const before = memoryNow(server).sonet.rss;
        const rows = [];
        for (const [name, road] of Object.entries(ROADS)) {
                rows.push(await compare(server, name, chats, (chat) => get(server, reader, road(chat))));
        }
        rows.push(await compare(server, 'one more message', chats, (chat) => send(server, reader, chat)));
        console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
        console.log(table(['', ...chats.flatMap(({ messages }) => [`${count(messages)}: ms`, 'pages']), 'ratio'], rows));
        console.log(`\nresident memory of sonet: ${before.toFixed(1)} MiB before, ${memoryNow(server).sonet.rss.toFixed(1)} MiB behind it`);
} finally {
        await server.stop();
}
