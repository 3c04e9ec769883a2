// Messages: the time from when a message is due until it is on every stream of the chat, compared with ejabberd in the
// same run under the same load; the cost of idle streams subscribed to `messages`; a device that returns to a thousand
// chats. The tables go to standard output.
import { inBatches } from '../tests/e2e/client.mjs';
import { startServer } from '../tests/e2e/harness.mjs';
import { ROOMS, DOMAIN, startEjabberd } from './ejabberd.mjs';
import { fanOut, post, registerSteps, stanza, streamSteps, xmppSteps } from './fanout.mjs';
import { Load } from './load.mjs';
import { describeMachine } from './machine.mjs';
import { Members, must } from './network.mjs';
import { options } from './options.mjs';
import { median, table } from './report.mjs';
import { idleStreams } from './streams.mjs';

const SECONDS = options.seconds, ROUNDS = options.rounds, WARM = 3, IDLE = options.idle, MEMBERS = options.members;
const LIMITS = { CONNECTIONS_PER_ADDRESS: '20000', STREAMS_PER_ADDRESS: '20000', STREAMS_PER_MEMBER: '1000' };
const SYNCED = options.synced; // chats
// {chat size, number of chats, total messages per second}: except for chats of two, the number of deliveries per second is the same for all sizes.
const LARGE = (options.long ? [5000, 25000] : [5000]).flatMap((deliveries) => [{ size: 50, chats: Math.min(10, MEMBERS / 50) }, { size: MEMBERS, chats: 1 }].map((l) => ({ ...l, rate: deliveries / l.size })));
const LOADS = [{ size: 2, chats: 50, rate: 500 }, ...LARGE];
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const numbers = (n) => Array.from({ length: n }, (_, i) => i);

// ---- SoNet ----

const ask = async (server, member, method, url, json) => JSON.parse((await must(server, method, url, { token: member.token, json })) || 'null');

async function beginChat(server, [owner, ...others], fields) {
        const ids = others.map((m) => m.id);
        const chat = await ask(server, owner, 'POST', '/v1/chats', { ...fields, user_ids: ids.slice(0, 100) });
        for (let at = 100; at < ids.length; at += 100) {
                await ask(server, owner, 'POST', `/v1/chats/${chat.id}/participants`, { user_ids: ids.slice(at, at + 100) });
        }
        return chat.id;
}

async function chatsOf(server, members, { size, chats }) {
        return inBatches(numbers(chats), 4, async (i) => {
                const people = members.slice(i * size, (i + 1) * size);
                return { id: await beginChat(server, people, size === 2 ? { kind: 'direct' } : { kind: 'group', title: `Chat ${i}` }), people };
        });
}

function measureSonet(server, chats, load) {
        const messages = chats.flatMap(({ id, people }) => people.map((m) => ({ stream: -1, deliveries: load.size, text: post(m.token, id) })));
        return fanOut(options.out, server, { streams: chats.flatMap(({ people }) => people.map((m) => streamSteps(m.token))), messages, rate: load.rate, seconds: SECONDS, warm: WARM });
}

// A member in many groups, each with a message: the cost of fetching everything, and of the next request if nothing has changed.
async function measureSync(server, [member, ...others]) {
        await inBatches(numbers(SYNCED), 4, async (i) => {
                const owner = others[i % others.length];
                const id = await beginChat(server, [owner, member], { kind: 'group', title: `Number ${i}` });
                await must(server, 'POST', `/v1/chats/${id}/messages`, { token: owner.token, json: { client_id: crypto.randomUUID(), text: `Hello from ${i}` } });
        });
        const round = async (since) => {
                const start = performance.now();
                let [chats, answers, next] = [0, 0, since];
                for (let more = true; more; answers++) {
                        const page = await ask(server, member, 'GET', `/v1/chats/sync?limit=100${next ? `&since=${encodeURIComponent(next)}` : ''}`);
                        chats += page.items.length;
                        ({ more, next } = page);
                }
                return { chats, answers, next, ms: performance.now() - start };
        };
        const first = await round();
        const second = await round(first.next);
        return [first, second, await round(second.next)];
}

// ---- ejabberd ----

const nameOf = (i) => `member${i}`;

async function measureEjabberd(server, load) {
        const { size, chats, rate } = load;
        const roomOf = (i) => (size === 2 ? undefined : `room${Math.floor(i / size)}-${size}-${rate}`);
        const messages = numbers(size * chats).map((i) => (size === 2 ? { stream: i, deliveries: 1, text: stanza('chat', `${nameOf(i ^ 1)}@${DOMAIN}`) }
                : { stream: i, deliveries: size, text: stanza('groupchat', `${roomOf(i)}@${ROOMS}`) }));
        return fanOut(options.out, server, { streams: numbers(size * chats).map((i) => xmppSteps(nameOf(i), roomOf(i))), messages, rate, seconds: SECONDS, warm: WARM });
}

// ---- Rounds ----

// Of the rounds of one server: the sums, and the medians of the times. A machine may be half as fast for half a minute: each server is measured in each round.
function combine(rounds) {
        const of = (field) => rounds.map((r) => r[field]);
        const out = { p99s: of('delivery_p99_us'), trouble: of('trouble').join(' ') };
        for (const field of Object.keys(rounds[0]).filter((f) => typeof rounds[0][f] === 'number')) {
                out[field] = field.endsWith('_us') ? median(of(field)) : of(field).reduce((a, b) => a + b, 0);
        }
        return out;
}

// {name: result}, without servers that were not measured in any round.
async function measureInTurn(ways) {
        const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
        for (let round = 0; round < ROUNDS; round++) {
                for (const [name, way] of Object.entries(ways)) {
                        found[name].push(await way());
                }
        }
        return Object.fromEntries(Object.entries(found).map(([name, rounds]) => [name, rounds.filter(Boolean)]).filter(([, rounds]) => rounds.length > 0).map(([name, rounds]) => [name, combine(rounds)]));
}

// ejabberd's rooms may not open in time.
const waysOf = (server, chats, load) => ({ SoNet: () => measureSonet(server, chats, load),
        ...Object.fromEntries(Object.entries(others).map(([name, it]) => [name, () => measureEjabberd(it, load).catch((error) => say(`${name}: ${error.message}`))])) });

// ---- The tables ----

const ms = (us) => (us / 1000).toFixed(2);
const percent = (share) => `${Math.round(100 * share)} %`;
const whole = (n) => Math.round(n).toLocaleString('en');
const perS = (r) => r.delivered / r.seconds;

function row(load, name, r) {
        if (r.trouble.trim()) {
                say(r.trouble);
        }
        return [`${load.size === 2 ? 'direct chats' : `chats of ${load.size}`}, ${load.rate} messages/s`, name, whole(perS(r)), ms(r.delivery_p50_us), ms(r.delivery_p99_us), `${ms(Math.min(...r.p99s))} to ${ms(Math.max(...r.p99s))}`,
                r.acked ? ms(r.ack_p50_us) : '–', r.acked ? ms(r.ack_p99_us) : '–', percent(r.server_s / r.seconds), percent(r.cpu_s / r.seconds), ms(r.late_p99_us),
                r.expected - r.delivered + r.failed, r.doubled];
}

const ratioRow = (load, name, ours, theirs) => [`${load.size}, ${load.rate}/s, to ${name}`, ...[['delivery_p50_us'], ['delivery_p99_us']].map(([f]) => (ours[f] / theirs[f]).toFixed(2)),
        (perS(ours) / perS(theirs)).toFixed(2), (ours.server_s / ours.delivered / (theirs.server_s / theirs.delivered)).toFixed(2)];

const server = await startServer({ mode: 'single', env: LIMITS });
const others = {
        'ejabberd, archive in Mnesia': await startEjabberd({ archive: 'mnesia' }),
        'ejabberd, archive in PostgreSQL': await startEjabberd({ archive: 'postgresql' }),
        'ejabberd, no archive': await startEjabberd({ archive: '' }),
};
try {
        const machine = describeMachine();
        say('making members');
        const tool = new Load(options.out);
        const all = new Members(MEMBERS);
        await all.register(tool, server);
        for (const ejabberd of Object.values(others)) {
                await fanOut(options.out, ejabberd, { streams: numbers(MEMBERS).map((i) => registerSteps(nameOf(i))) });
        }
        const [rows, ratios] = [[], []];
        for (const load of LOADS) {
                say(`chats of ${load.size}, ${load.rate} messages a second`);
                await all.keepFresh(tool, server);
                const { SoNet: ours, ...theirs } = await measureInTurn(waysOf(server, await chatsOf(server, all.members, load), load));
                for (const [name, r] of Object.entries({ SoNet: ours, ...theirs })) {
                        rows.push(row(load, name, r));
                        say(rows.at(-1).join(', '));
                }
                ratios.push(...Object.entries(theirs).map(([name, r]) => ratioRow(load, name, ours, r)));
        }
        say(`${IDLE} idle streams`);
        const idle = await idleStreams(server, all.members, IDLE, 'messages');
        say(`sync of ${SYNCED} chats`);
        const synced = await measureSync(server, all.members);
        console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
        console.log(table(['', '', 'deliveries a second', 'on streams, p50 ms', 'p99 ms', 'of the rounds', 'answered, p50 ms', 'p99 ms', 'of a core, server', 'of a core, client', 'client late, p99 ms', 'missing', 'twice'], rows));
        console.log(`\n${table(['SoNet in chats of', 'p50', 'p99', 'deliveries a second', 'CPU of a delivery'], ratios)}`);
        console.log(`\nidle streams that follow messages: ${IDLE}, ${whole(idle.bytes)} bytes each`);
        console.log(`sync: ${synced.map((s) => `${s.chats} chats in ${s.answers} answers, ${s.ms.toFixed(0)} ms`).join('; then ')}`);
} finally {
        await Promise.all([server, ...Object.values(others)].map((s) => s.stop()));
}
