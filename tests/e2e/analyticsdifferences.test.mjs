// People come one at a time while an operator, and an author, ask for everything after each of them: no number tells of fewer than five people, and
// neither does the difference between two, of one answer or of two that were given one after the other. Distributions come from sketches that are made
// in the background: services/test_distributions.c does the same with them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventually, must } from './client.mjs';
import { adminOf, ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const PEOPLE = 18, LEAST = 5, HOUR_MS = 3_600_000, DAY_MS = 86_400_000;
const it = ownServer({ env: { SONET_RATE_LIMITS: 'off' } });
const sql = (text) => psql(it.server, 'analytics_service', text);

async function administrator() {
        const member = await it.register();
        assert.equal((await adminOf(it.server, {}, 'user', 'role', member.username, 'administrator')).code, 0);
        return eventually('tokens of the role', async () => {
                const again = await it.logIn(member.username);
                return (await again.get('/v1/admin/experiments')).status === 200 && again;
        });
}

// The days before yesterday, on which everybody does each thing once, at an hour that depends on the person.
const day = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS;
const range = { from: new Date(day - DAY_MS).toISOString(), to: new Date(day + 2 * DAY_MS).toISOString() };
const event = (name, at, properties) => ({ id: randomUUID(), name, at: new Date(at).toISOString(), properties });
const eventsOf = (i) => [
        ...(i % 3 === 0 ? [event('app_open', day - HOUR_MS, { platform: 'web' })] : []), // already active the day before
        event('app_open', day + i % 4 * HOUR_MS, { platform: i % 4 === 0 ? 'ios' : 'web' }),
        event('page_view', day + i % 4 * HOUR_MS + 1000, { path: '/a' }),
        event('page_view', day + i % 4 * HOUR_MS + 2000, { path: i % 2 ? '/b' : '/c' }),
        event('click', day + i % 4 * HOUR_MS + 3000, { target: i % 5 === 0 ? 'rare' : 'common' }),
        ...(i % 6 === 5 ? [event('search', day - 4 * HOUR_MS, { results: i })] : []), // late, and before what others did first
];

// In between the two page views above, and too late to count for paths: nobody's step may be replaced by it.
const lateOf = (i) => event('page_view', day + i % 4 * HOUR_MS + 1500, { path: '/between' });

const EVENTS = ['app_open', 'click', 'note.created'], PEOPLE_METRICS = ['dau', 'wau', 'mau', 'visitors', 'new_members', 'returning_members'];
const DECLARED = ['app_open', 'click', 'search']; // by clients, with a property
const PROPERTY = { app_open: 'platform', click: 'target', search: 'results' };

// Every answer of the contract that has figures of people, and how it is asked for here. Others have none, or only the caller's own.
const ASKED = ['GET /v1/admin/analytics/metrics', 'GET /v1/admin/analytics/export', 'POST /v1/admin/analytics/exports', 'GET /v1/admin/analytics/exports/{id}',
        'GET /v1/admin/analytics/exports/{id}/file', 'POST /v1/admin/analytics/funnels', 'POST /v1/admin/analytics/paths', 'POST /v1/admin/analytics/cohorts',
        'POST /v1/admin/analytics/breakdown', 'GET /v1/admin/experiments/{id}/results', 'GET /v1/notes/{id}/insights', 'GET /v1/users/me/insights'];
const ELSEWHERE = ['GET /v1/admin/analytics/distributions']; // services/test_distributions.c
const WITHOUT = ['POST /v1/analytics/events', 'GET /v1/analytics/schema', 'GET /v1/admin/analytics/exports', 'DELETE /v1/admin/analytics/exports/{id}',
        'POST /v1/admin/experiments', 'GET /v1/admin/experiments', 'GET /v1/admin/experiments/{id}', 'PATCH /v1/admin/experiments/{id}', // plans and states
        'POST /v1/admin/experiments/{id}/start', 'POST /v1/admin/experiments/{id}/stop', 'GET /v1/admin/experiments/sample-size', 'GET /v1/experiments/assignments',
        'GET /v1/users/me/engagement', 'PATCH /v1/users/me/engagement', 'DELETE /v1/users/me/engagement'];

// ---- Asking for everything ----

// Numbers of people and of events, by a name for each; and other figures (medians, means), which change only after enough people.
function collect() {
        const numbers = new Map(), others = new Map();
        return { numbers, others, note: (name, value) => numbers.set(name, (numbers.get(name) ?? 0) + Number(value)), other: (name, value) => others.set(name, JSON.stringify(value)) };
}

async function askMetrics(analyst, { note, other }) {
        const metric = async (name, interval) => must(await analyst.get(`/v1/admin/analytics/metrics?${new URLSearchParams({ name, interval, ...range })}`)).points;
        for (const name of [...EVENTS, ...PEOPLE_METRICS]) {
                (await metric(name, 'day')).forEach((p) => note(`${name} day ${p.at.slice(0, 13)}`, p.value));
        }
        for (const name of EVENTS) {
                (await metric(name, 'hour')).forEach((p) => note(`${name} hour ${p.at.slice(0, 13)}`, p.value));
        }
        other('time_to_first_note', await metric('time_to_first_note', 'day'));
        const csv = (await analyst.get(`/v1/admin/analytics/export?${new URLSearchParams({ name: 'click', ...range })}`)).text;
        csv.trim().split('\r\n').slice(1).forEach((line) => note(`csv ${line.slice(0, 10)}`, line.split(',')[2]));
        return metric('stickiness', 'day');
}

async function askQuestions(analyst, { note }) {
        const ask = async (what, body = {}) => must(await analyst.post(`/v1/admin/analytics/${what}`, { ...range, ...body }));
        for (const name of DECLARED) {
                (await ask('breakdown', { name, property: PROPERTY[name] })).items.forEach((item) => note(`breakdown ${name} ${item.value}`, item.people));
        }
        (await ask('paths')).items.forEach((edge) => note(`path ${edge.page} ${edge.next}`, edge.people));
        for (const steps of [['app_open', 'page_view', 'click'], ['page_view', 'click'], ['search', 'app_open']]) {
                (await ask('funnels', { steps, within_hours: 48 })).steps.forEach((step, i) => note(`funnel ${steps} ${i}`, step.people));
        }
        for (const period_days of [1, 2]) {
                (await ask('cohorts', { period_days })).items.forEach((c) => c.retained.forEach((n, i) => note(`cohort ${period_days} ${c.first_day} ${i}`, n)));
        }
}

// Files made in the background: all metrics, and all events.
async function askExports(analyst, { note }) {
        for (const kind of ['metrics', 'events']) {
                const { id } = must(await analyst.post('/v1/admin/analytics/exports', { kind, format: 'json_lines', ...range }), 202);
                const done = await eventually('an export is made', async () => {
                        const now = must(await analyst.get(`/v1/admin/analytics/exports/${id}`));
                        return now.ready_at !== null && now;
                });
                const lines = (await analyst.get(`/v1/admin/analytics/exports/${id}/file`)).text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
                assert.equal(lines.length, done.rows);
                lines.filter((line) => !['stickiness', 'time_to_first_note'].includes(line.name))
                        .forEach((line) => note(`export ${kind} ${line.at} ${line.name} ${JSON.stringify(line.properties ?? '')}`, line.people ?? line.value));
                must(await analyst.del(`/v1/admin/analytics/exports/${id}`), 204);
        }
}

// What a program with the role for reports reads.
async function askViews({ note }) {
        for (const [at, name, events, people] of await sql('select at, name, events, coalesce(people, 0) from report_events')) {
                note(`view ${at} ${name}`, events);
                note(`view ${at} ${name} people`, people);
        }
        (await sql('select at, kind, people from report_people')).forEach(([at, kind, people]) => note(`view ${at} ${kind}`, people));
}

async function askAuthor(author, noteId, { note, other }) {
        const insights = must(await author.get(`/v1/notes/${noteId}/insights`)), mine = must(await author.get('/v1/users/me/insights'));
        note('insights views', insights.views ?? 0);
        note('insights reach', insights.reach);
        insights.points.forEach((p) => note(`insights ${p.from}`, p.views));
        insights.sources.forEach((s) => note(`insights from ${s.name}`, s.views));
        note('insights not from these sources', (insights.views ?? 0) - insights.sources.reduce((sum, s) => sum + s.views, 0));
        note('best note', mine.best_notes[0]?.views ?? 0);
        other('engagements', [insights.engagements, mine.best_notes[0]?.engagements]);
        other('half-life and hours', [insights.half_life_s, mine.best_hours]);
}

const MEASURES = ['mean', 'cuped', 'ratio&per=page_view', 'proportion', 'quantile', 'quantile&percent=75', 'mean&metric=search', 'proportion&metric=app_open'];

async function askResults(analyst, experiment, { note, other }) {
        for (const measure of MEASURES) {
                const { variants, sample_ratio_p: ratio } = must(await analyst.get(`/v1/admin/experiments/${experiment}/results?measure=${measure}`));
                variants.forEach((v) => note(`${measure} of ${v.name}`, v.people ?? 0));
                other(`results ${measure}`, [variants, ratio]);
        }
}

// ---- What they tell ----

const tells = (n) => n === 0 || Math.abs(n) >= LEAST;

// Within one answer: what hours, new and returning members leave of a day.
function checkOne(numbers, stickiness) {
        const value = (name) => numbers.get(name) ?? 0;
        numbers.forEach((n, name) => assert.ok(tells(n), `${name} is ${n}`));
        for (const at of [day - DAY_MS, day].map((ms) => new Date(ms).toISOString().slice(0, 10))) {
                for (const name of EVENTS) {
                        const hours = [...numbers].filter(([key]) => key.startsWith(`${name} hour ${at}`)).reduce((sum, [, n]) => sum + n, 0);
                        assert.ok(tells(value(`${name} day ${at}T00`) - hours), `${name} of ${at} without its hours`);
                }
                const rest = value(`dau day ${at}T00`) - value(`new_members day ${at}T00`) - value(`returning_members day ${at}T00`);
                assert.ok(tells(rest), `dau of ${at} without new and returning members: ${rest}`);
        }
        stickiness.forEach(({ at, value: share }) => assert.equal(share, value(`dau day ${at.slice(0, 13)}`) / value(`mau day ${at.slice(0, 13)}`)));
}

function checkDifferences(before, now, who) {
        let changes = 0;
        for (const name of new Set([...now.numbers.keys(), ...before.numbers.keys()])) {
                const difference = (now.numbers.get(name) ?? 0) - (before.numbers.get(name) ?? 0);
                assert.ok(tells(difference), `${name} went from ${before.numbers.get(name)} to ${now.numbers.get(name)} with member ${who}`);
                // Nobody can be taken out again; but results of which too few did something are not shown.
                assert.ok(difference >= 0 || / of [ab]$/.test(name), `${name} fell to ${now.numbers.get(name) ?? 0} with member ${who}`);
                changes += difference === 0 ? 0 : 1;
        }
        return changes;
}

test('each answer of the contract with figures of people is asked for here', async () => {
        const { paths } = must(await it.api('GET', '/openapi.json'));
        const routes = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
                .filter((route) => /analytics|experiments|insights|engagement/.test(route) && !route.includes('/search/')).sort(); // search_service has its own
        assert.deepEqual(routes, [...ASKED, ...ELSEWHERE, ...WITHOUT].sort());
});

test('people who come one at a time are told in groups, however often an operator or an author asks', { timeout: 600_000 }, async () => {
        const analyst = await administrator(), author = await it.register();
        const { id: noteId } = must(await author.post('/v1/notes', { text: 'seen by others' }), 201);
        const { id: experiment } = must(await analyst.post('/v1/admin/experiments', { name: 'differences', layer: 'l', to_percent: 100, variants: ['a', 'b'], metric: 'click' }), 201);
        must(await analyst.post(`/v1/admin/experiments/${experiment}/start`, {}));
        let before = collect(), changes = 0;
        const moves = new Map(), members = [], variants = [];
        for (let i = 0; i < PEOPLE; i++) {
                const member = await it.register();
                const stored = async (what) => Number((await sql(`select count(*) from user_events where ${what}`))[0][0]);
                const send = async (events, { token } = member) => {
                        assert.deepEqual(must(await it.api('POST', '/v1/analytics/events', { token, body: { events } }), 202).problems, []);
                        await eventually('they are stored', async () => await stored(`id = '${events.at(-1).id}'`) === 1);
                };
                members.push(member);
                await send(eventsOf(i)); // their first day, before they ask for assignments today
                await sql("update user_events set created_at = at where name = 'page_view' and properties->>'path' <> '/between'"); // in time for paths
                if (i > 0) {
                        await send([lateOf(i - 1)], members[i - 1]);
                }
                variants.push(must(await member.get('/v1/experiments/assignments')).items.find((a) => a.experiment_id === experiment).variant);
                await send([event('experiment_seen', Date.now(), { experiment_id: experiment }), event('note_view', Date.now(), { note_id: noteId, from: i % 4 === 0 ? 'home' : 'profile' })]);
                must(await member.post('/v1/notes', { text: 'hello' }), 201);
                must(await member.put(`/v1/notes/${noteId}/like`));
                await eventually('what they do in other services is, too', async () => await stored("name = 'note.created'") === i + 2 && await stored("name = 'note.liked'") === i + 1);
                // Hours are told once they are over.
                await sql(`update user_events set created_at = created_at - interval '${30 - i} hours' where object_id = '${noteId}' and created_at > now() - interval '10 minutes'`);
                const now = collect(), stickiness = await askMetrics(analyst, now);
                await askQuestions(analyst, now);
                await askExports(analyst, now);
                await askViews(now);
                await askAuthor(author, noteId, now);
                await askResults(analyst, experiment, now);
                checkOne(now.numbers, stickiness);
                changes += checkDifferences(before, now, i);
                for (const [name, value] of now.others) {
                        moves.set(name, (moves.get(name) ?? 0) + (before.others.has(name) && before.others.get(name) !== value ? 1 : 0));
                        assert.ok(moves.get(name) <= Math.floor((i + 1) / LEAST), `${name} changed with fewer than five people since: ${value}`);
                }
                before = now;
        }
        // It can tell: the numbers did move.
        assert.ok(changes > 40, `${changes}`);
        assert.ok(before.numbers.get(`dau day ${new Date(day).toISOString().slice(0, 13)}`) === 15 && [...before.numbers.keys()].some((name) => name.startsWith('app_open hour')));
        const told = PEOPLE - PEOPLE % LEAST, both = ['a', 'b'].every((name) => variants.slice(0, told).filter((v) => v === name).length >= LEAST);
        ['time_to_first_note', 'engagements', ...(both ? ['results mean'] : [])].forEach((name) => assert.ok(moves.get(name) > 0, `${name} never changed`)); // chance decides who is in a variant
        ['insights views', 'insights reach', 'best note'].forEach((name) => assert.ok(before.numbers.get(name) >= LEAST, name));
        ['export metrics', 'export events', 'breakdown search', 'path /a', 'cohort 2', 'view'].forEach((begin) => assert.ok([...before.numbers.keys()].some((name) => name.startsWith(begin)) || begin === 'breakdown search', begin));
});
