// The cost of accepting events and of queries on ten million of them: events per second acknowledged and stored, the delay until a metric includes
// one, bytes per event on disk, and the time of each query. Tables go to standard output.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { adminOf } from '../tests/e2e/own.mjs';
import { cpuBetween, cpuNow } from './machine.mjs';
import { ask, must } from './network.mjs';
import { options } from './options.mjs';
import { postgresql } from './references.mjs';
import { median, table } from './report.mjs';

const EVENTS = options.events, SECONDS = options.seconds; // 0 events: no queries; 0 seconds: no events are sent
const SENDERS = 4, VISITORS = 1000, BATCH = 500, WANTED = 20_000, ROUNDS = 5;
const DAY_MS = 86_400_000;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const sql = async (server, text) => (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', 'analytics_service', '-c', text)).trim();
const iso = (ms) => new Date(ms).toISOString();
const count = (n) => Math.round(n).toLocaleString('en');

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

// ---- accepting -------------------------------------------------------------------------------------------------------------------

const lags = [];
const event = () => ({ id: randomUUID(), name: 'page_view', at: iso(Date.now()), properties: { path: `/p/${Math.floor(Math.random() * 50)}` } });
// From the roll-ups, since repeatedly counting millions of rows would affect the measurement; at the end they are checked.
const stored = async (server) => Number(await sql(server, "select coalesce(sum(value), 0) from business_metrics where grain = 'day'"));

// Each request is from one of a thousand visitors.
async function post(server, events) {
        const { status } = await ask(server, 'POST', '/v1/analytics/events', { userAgent: `bench/${Math.floor(Math.random() * VISITORS)}`, json: { events } });
        return status === 202 ? events.length : 0;
}

// Closed loops for the given time, limited to a total of `rate` events per second if it is set: how many were acknowledged, in what time.
async function send(server, each, rate, seconds) {
        const start = performance.now();
        let due = start, sent = 0;
        await Promise.all(Array.from({ length: SENDERS }, async () => {
                while (performance.now() - start < seconds * 1000) {
                        const wait = due - performance.now();
                        due += rate ? each / rate * 1000 : 0;
                        await (rate && wait > 0 ? sleep(wait) : undefined);
                        const taken = await post(server, Array.from({ length: each }, event));
                        sent += taken;
                        await (taken ? undefined : sleep(100)); // 503: the journal is full
                }
        }));
        return { sent, took_s: (performance.now() - start) / 1000 };
}

async function taking(server, { analyst, member }, each, { rate, seconds }) {
        const before = await stored(server), start = performance.now(), cpu = cpuNow(server), until = { stop: false };
        const reading = readHome(server, member, until), lagging = rate ? lag(server, analyst, member, until) : [];
        const { sent, took_s: took } = await send(server, each, rate, seconds);
        until.stop = true;
        const behind = before + sent - await stored(server);
        lags.push(...await lagging);
        while (await stored(server) < before + sent) {
                await sleep(100);
        }
        const all_s = (performance.now() - start) / 1000, { sonet, postgresql: pg } = cpuBetween(cpu, cpuNow(server));
        assert.equal(Number(await sql(server, 'select count(*) from user_events')), await stored(server));
        const each_us = (seconds) => (seconds / sent * 1e6).toFixed(1);
        return [`${each} at a time${rate ? `, ${count(rate)} a second are sent` : ''}`, count(sent / took), count(sent / all_s), count(behind), each_us(sonet), each_us(pg), ...await reading];
}

// Sequential home timelines: median and p99 in ms.
async function readHome(server, token, until) {
        const times = [];
        while (!until.stop) {
                const start = performance.now();
                await must(server, 'GET', '/v1/timelines/home', { token });
                times.push(performance.now() - start);
                await sleep(5);
        }
        times.sort((a, b) => a - b);
        return [median(times), times[Math.floor(times.length * 0.99)]].map((ms) => ms.toFixed(1));
}

// The reference: PostgreSQL's COPY of the same events, in one transaction into a table with the same keys, without roll-ups.
async function copying(server) {
        const file = path.join(server.dir, 'copy.csv'), n = 200_000;
        const line = ({ id, at, name, properties }) => `${id},${at},${name},${randomUUID()},f,,"${JSON.stringify(properties).replaceAll('"', '""')}",${at}\n`;
        await sql(server, 'create table copied (like user_events including all)');
        fs.writeFileSync(file, Array.from({ length: n }, () => line(event())).join(''));
        const start = performance.now();
        await sql(server, `\\copy copied from '${file}' csv`);
        const rate = n / ((performance.now() - start) / 1000);
        await sql(server, 'drop table copied');
        return rate;
}

// Sequential events, each sent once a metric includes the previous one: the delays in ms.
async function lag(server, analyst, token, until) {
        const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const value = async () => JSON.parse(await must(server, 'GET', `/v1/admin/analytics/metrics?name=search&from=${iso(today)}&to=${iso(today + 2 * DAY_MS)}`, { token: analyst }))
                .points.reduce((sum, p) => sum + (p.value ?? 0), 0);
        const times = [];
        while (!until.stop) {
                const before = await value(), start = performance.now();
                await must(server, 'POST', '/v1/analytics/events', { token, json: { events: [{ id: randomUUID(), name: 'search', at: iso(Date.now()) }] } });
                while (await value() === before) {
                        await sleep(20);
                }
                times.push(performance.now() - start);
        }
        return times;
}

// ---- querying -------------------------------------------------------------------------------------------------------------------

// Events of the last 60 days, the same in each run except for the dates: 100,000 people, few of them very active, and the roll-ups that storing them
// would have created.
const FILL = (n) => `
        set synchronous_commit = off; set work_mem = '256MB';
        select analytics_make_months((current_date - 90)::date, 4);
        insert into analytics_people (visitor, user_id, first_day) select ('00000000-0000-4000-8000-' || lpad(to_hex(v), 12, '0'))::uuid, md5('member' || v)::uuid, 'infinity'
                from generate_series(0, 99999) v;
        insert into user_events (id, at, created_at, name, visitor, member, properties)
                select md5('event' || n)::uuid, now() - n * (interval '60 days' / ${n}), now() - n * (interval '60 days' / ${n}), (array['page_view', 'page_view', 'page_view', 'search', 'click', 'app_open', 'note_view', 'note.created'])[1 + n % 8],
                       ('00000000-0000-4000-8000-' || lpad(to_hex((100000 * power(((n * 2654435761) % 1000003) / 1000003.0, 2))::bigint % 100000), 12, '0'))::uuid, true,
                       case when n % 8 < 3 then jsonb_build_object('path', '/p/' || (n * 7919) % 50) end
                from generate_series(1::bigint, ${n}) n;
        insert into user_sessions (day, visitor, member, first_at, last_at, events)
                select (at at time zone 'UTC')::date, visitor, true, min(at), max(at), count(*) from user_events group by 1, 2;
        update analytics_people p set first_day = s.day, first_at = s.at from (select visitor, min(day) as day, min(first_at) as at from user_sessions group by 1) s where s.visitor = p.visitor;
        insert into first_notes (visitor, at, first_at) select e.visitor, min(e.at), p.first_at from user_events e join analytics_people p using (visitor) where name = 'note.created' group by 1, 3;
        insert into first_note_medians (day, people, median_s) select (first_at at time zone 'UTC')::date, count(*),
                percentile_cont(0.5) within group (order by extract(epoch from at - first_at)::float8) from first_notes group by 1 on conflict do nothing;
        insert into cohort_visits (first_day, day, gap, visits) select first_day, day, gap, count(*) from
                (select p.first_day, s.day, least(coalesce(s.day - lag(s.day) over (partition by s.visitor order by s.day), 31), 31) as gap
                 from user_sessions s join analytics_people p on p.visitor = s.visitor) v group by 1, 2, 3 on conflict do nothing;
        insert into new_members (day, people) select first_day, count(*) from analytics_people where first_day < 'infinity' group by 1 on conflict do nothing;
        insert into active_changes (member, days, day, change)
                with visits as (select n as days, day, lead(day) over (partition by visitor, n order by day) as next from user_sessions, unnest(array[1, 7, 28]) n)
                select true, days, day, sum(change) from (select days, day, 1 as change from visits union all select days, least(day + days, next), -1 from visits) c group by days, day
                on conflict (member, days, day) do update set change = active_changes.change + excluded.change;
        insert into business_metrics (name, grain, bucket, value, people, published)
                select name, grain, date_trunc(grain, at, 'UTC'), count(*), count(distinct visitor), count(*) from user_events, (values ('hour'), ('day')) g (grain) group by 1, 2, 3 on conflict do nothing;`;

const QUESTIONS = {
        'an event by days, 90 days': 'metrics?name=page_view&interval=day',
        'an event by hours, 90 days': 'metrics?name=page_view&interval=hour',
        ...Object.fromEntries(['dau', 'wau', 'mau', 'stickiness', 'new_members', 'returning_members', 'visitors', 'time_to_first_note'].map((name) => [`${name}, 90 days`, `metrics?name=${name}`])),
        'a funnel of three steps, one day': ['funnels', { steps: ['app_open', 'search', 'click'] }, 1],
        'a funnel of three steps, five days': ['funnels', { steps: ['app_open', 'search', 'click'] }, 5],
        'a funnel of eight steps, one day': ['funnels', { steps: ['app_open', 'search', 'click', 'app_open', 'search', 'click', 'search', 'click'] }, 1],
        'a breakdown, one day': ['breakdown', { name: 'page_view', property: 'path' }, 1],
        'paths, one day': ['paths', {}, 1],
        'cohorts by week, 28 days': ['cohorts', {}, 28],
        'cohorts by week, 63 days': ['cohorts', {}, 63], // which contain all events
        'cohorts by day, 63 days': ['cohorts', { period_days: 1 }, 63],
};

async function time(server, analyst, question) {
        const to = Math.floor(Date.now() / DAY_MS) * DAY_MS, times = [];
        const range = (days) => ({ from: iso(to - days * DAY_MS), to: iso(to) });
        for (let i = 0; i < ROUNDS; i++) {
                const start = performance.now();
                if (typeof question === 'string') {
                        const { from, to: end } = range(90);
                        await must(server, 'GET', `/v1/admin/analytics/${question}&from=${from}&to=${end}`, { token: analyst });
                } else {
                        const [name, body, days] = question;
                        await must(server, 'POST', `/v1/admin/analytics/${name}`, { token: analyst, json: { ...range(days), ...body } });
                }
                times.push(performance.now() - start);
        }
        return times;
}

async function asking(server, analyst) {
        say(`filling in ${count(EVENTS)} events`);
        const start = performance.now();
        await sql(server, FILL(EVENTS));
        await sql(server, 'vacuum analyze');
        say(`  took ${Math.round((performance.now() - start) / 1000)} s`);
        const bytes = await sql(server, `select sum(pg_total_relation_size(inhrelid)) / (select count(*) from user_events) from pg_inherits where inhparent = 'user_events'::regclass`);
        const rows = [];
        for (const [name, question] of Object.entries(QUESTIONS)) {
                say(`  ${name}`);
                const times = await time(server, analyst, question).catch((error) => { say(`    ${error.message}`); return [NaN]; });
                rows.push([name, Math.round(median(times)), Math.round(Math.max(...times))]);
        }
        console.log(table([`question, of ${count(EVENTS)} events`, 'median, ms', 'longest of 5, ms'], rows));
        console.log(`\nbytes of an event with its indexes: ${Math.round(Number(bytes))}`);
}

async function takeAll(server, people) {
        say('taking events');
        const alone = { stop: false }, home = readHome(server, people.member, alone);
        await sleep(5000);
        alone.stop = true;
        const [p50, p99] = await home, brief = Math.min(SECONDS, 15);
        const rates = [await taking(server, people, BATCH, { rate: WANTED, seconds: SECONDS }), await taking(server, people, BATCH, { seconds: brief }),
                       await taking(server, people, 1, { seconds: brief })];
        console.log(table(['events', 'acknowledged a second', 'stored a second', 'behind at the end', 'CPU of sonet an event, µs', 'of PostgreSQL, µs', 'home timeline: median, ms', 'p99, ms'],
                [['none', '', '', '', '', '', p50, p99], ...rates]));
        console.log(`\nCOPY of the same events without roll-ups: ${count(await copying(server))} a second`);
        console.log(`\nuntil a metric shows an event, while ${count(WANTED)} a second are sent: median ${Math.round(median(lags))} ms, the longest of ${lags.length} ${Math.round(Math.max(...lags))} ms\n`);
}

const server = await startServer({ env: { SONET_RATE_LIMITS: 'off', ANALYTICS_MIN_GROUP: '1' } });
try {
        const people = { analyst: await account(server, 'analyst', 'administrator'), member: await account(server, 'member') };
        if (SECONDS > 0) {
                await takeAll(server, people);
        }
        if (EVENTS > 0) {
                await asking(server, people.analyst);
        }
} finally {
        await server.stop();
}
