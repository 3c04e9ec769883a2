// What taking events costs, and what questions about ten million of them: events a second until they are acknowledged and until they are stored,
// how long until a metric shows one, bytes of an event on the disk, and the time of each question. Tables go to standard output.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { adminOf } from '../tests/e2e/own.mjs';
import { ask, must } from './network.mjs';
import { postgresql } from './references.mjs';
import { table } from './report.mjs';

const { values: options } = parseArgs({ options: { events: { type: 'string', default: '10000000' }, seconds: { type: 'string', default: '60' } } });
const EVENTS = Number(options.events), SECONDS = Number(options.seconds);
const SENDERS = 4, BATCH = 500, ROUNDS = 5;
const DAY_MS = 86_400_000;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const sql = async (server, text) => (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', 'analytics_service', '-c', text)).trim();
const iso = (ms) => new Date(ms).toISOString();
const count = (n) => Math.round(n).toLocaleString('en');
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function account(server, username, role) {
        const json = { username, email: `${username}@example.org`, password: 'correct horse battery' };
        const { access_token: token } = JSON.parse(await must(server, 'POST', '/v1/auth/register', { json }));
        if (!role) {
                return token;
        }
        await adminOf(server, {}, 'user', 'role', username, role);
        for (;;) {
                const login = JSON.parse(await must(server, 'POST', '/v1/auth/login', { json: { login: username, password: json.password } }));
                if (JSON.parse(Buffer.from(login.access_token.split('.')[1], 'base64url')).scope.includes('analytics')) {
                        return login.access_token;
                }
                await sleep(200);
        }
}

// ---- taking ---------------------------------------------------------------------------------------------------------------------

const event = () => ({ id: randomUUID(), name: 'page_view', at: iso(Date.now()), properties: { path: `/p/${Math.floor(Math.random() * 50)}` } });
const stored = async (server) => Number(await sql(server, 'select count(*) from user_events'));

// From closed loops, for so long: how many were acknowledged, in how long.
async function send(server, tokens, each, seconds) {
        const start = performance.now();
        let sent = 0;
        await Promise.all(tokens.map(async (token) => {
                while (performance.now() - start < seconds * 1000) {
                        const { status } = await ask(server, 'POST', '/v1/analytics/events', { token, json: { events: Array.from({ length: each }, event) } });
                        sent += status === 202 ? each : 0;
                        await (status === 202 ? undefined : sleep(100)); // 503: the journal is full
                }
        }));
        return { sent, took_s: (performance.now() - start) / 1000 };
}

async function taking(server, tokens, each) {
        const before = await stored(server), start = performance.now();
        const { sent, took_s: took } = await send(server, tokens, each, SECONDS);
        while (await stored(server) < before + sent) {
                await sleep(100);
        }
        return [`${each} at a time`, count(sent / took), count(sent / ((performance.now() - start) / 1000))];
}

async function lag(server, analyst, token) {
        const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const value = async () => JSON.parse(await must(server, 'GET', `/v1/admin/analytics/metrics?name=search&from=${iso(today)}&to=${iso(today + 2 * DAY_MS)}`, { token: analyst }))
                .points.reduce((sum, p) => sum + (p.value ?? 0), 0);
        const times = [];
        for (let i = 0; i < 20; i++) {
                const before = await value(), start = performance.now();
                await must(server, 'POST', '/v1/analytics/events', { token, json: { events: [{ id: randomUUID(), name: 'search', at: iso(Date.now()) }] } });
                while (await value() === before) {
                        await sleep(20);
                }
                times.push(performance.now() - start);
        }
        return times.sort((a, b) => a - b);
}

// ---- asking ---------------------------------------------------------------------------------------------------------------------

// Events of the last 60 days: 100,000 people, of whom few do much, and the roll-ups that storing them would have made.
const FILL = (n) => `
        set local synchronous_commit = off;
        select analytics_make_months((current_date - 90)::date, 4);
        insert into analytics_people (visitor, user_id, first_day) select ('00000000-0000-4000-8000-' || lpad(to_hex(v), 12, '0'))::uuid, gen_random_uuid(), current_date - (v % 60)::integer
                from generate_series(0, 99999) v;
        insert into user_events (id, at, name, visitor, member, properties)
                select gen_random_uuid(), now() - n * (interval '60 days' / ${n}), (array['page_view', 'page_view', 'page_view', 'search', 'click', 'app_open', 'note_view', 'note.created'])[1 + n % 8],
                       ('00000000-0000-4000-8000-' || lpad(to_hex((100000 * power(((n * 2654435761) % 1000003) / 1000003.0, 2))::bigint % 100000), 12, '0'))::uuid, true,
                       case when n % 8 < 3 then jsonb_build_object('path', '/p/' || (n * 7919) % 50) end
                from generate_series(1::bigint, ${n}) n;
        insert into user_sessions (day, visitor, member, first_at, last_at, events)
                select (at at time zone 'UTC')::date, visitor, true, min(at), max(at), count(*) from user_events where visitor is not null group by 1, 2 on conflict do nothing;
        insert into business_metrics (name, grain, bucket, value, people)
                select name, grain, date_trunc(grain, at, 'UTC'), count(*), count(distinct visitor) from user_events, (values ('hour'), ('day')) g (grain) group by 1, 2, 3 on conflict do nothing;`;

const QUESTIONS = {
        'an event by days, 30 days': 'metrics?name=page_view&interval=day',
        'an event by hours, 30 days': 'metrics?name=page_view&interval=hour',
        dau: 'metrics?name=dau',
        wau: 'metrics?name=wau',
        mau: 'metrics?name=mau',
        'new members': 'metrics?name=new_members',
        'a funnel of three steps, one day': ['funnels', { steps: ['app_open', 'search', 'click'] }, 1],
        'a breakdown, one day': ['breakdown', { name: 'page_view', property: 'path' }, 1],
        'paths, one day': ['paths', {}, 1],
        'cohorts by week, 28 days': ['cohorts', {}, 28],
};

async function time(server, analyst, question) {
        const to = Math.floor(Date.now() / DAY_MS) * DAY_MS, times = [];
        const range = (days) => ({ from: iso(to - days * DAY_MS), to: iso(to) });
        for (let i = 0; i < ROUNDS; i++) {
                const start = performance.now();
                if (typeof question === 'string') {
                        const { from, to: end } = range(30);
                        await must(server, 'GET', `/v1/admin/analytics/${question}&from=${from}&to=${end}`, { token: analyst });
                } else {
                        const [name, body, days] = question;
                        await must(server, 'POST', `/v1/admin/analytics/${name}`, { token: analyst, json: { ...range(days), ...body } });
                }
                times.push(performance.now() - start);
        }
        return times;
}

const server = await startServer({ env: { SONET_RATE_LIMITS: 'off', ANALYTICS_MIN_GROUP: '1' } });
try {
        const analyst = await account(server, 'analyst', 'administrator');
        const tokens = await Promise.all(Array.from({ length: SENDERS }, (_, i) => account(server, `sender${i}`)));
        say('taking events');
        const rates = [await taking(server, tokens, BATCH), await taking(server, tokens, 1)];
        const lags = await lag(server, analyst, tokens[0]);
        console.log(table(['events', 'acknowledged a second', 'stored a second'], rates));
        console.log(`\nuntil a metric shows an event: median ${Math.round(median(lags))} ms, the longest of 20 ${Math.round(lags.at(-1))} ms\n`);
        say(`filling in ${count(EVENTS)} events`);
        await sql(server, `begin; ${FILL(EVENTS)} commit;`);
        await sql(server, 'vacuum analyze');
        const bytes = await sql(server, `select sum(pg_total_relation_size(inhrelid)) / (select count(*) from user_events) from pg_inherits where inhparent = 'user_events'::regclass`);
        const rows = [];
        for (const [name, question] of Object.entries(QUESTIONS)) {
                say(`  ${name}`);
                const times = await time(server, analyst, question).catch((error) => { say(`    ${error.message}`); return [NaN]; });
                rows.push([name, Math.round(median(times)), Math.round(Math.max(...times))]);
        }
        console.log(table([`question, of ${count(EVENTS)} events`, 'median, ms', 'longest of 5, ms'], rows));
        console.log(`\nbytes of an event with its indexes: ${Math.round(Number(bytes))}`);
} finally {
        await server.stop();
}
