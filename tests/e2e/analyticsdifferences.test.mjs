// People arrive one at a time while an operator requests everything after each of them: no number reveals fewer than
// five people, nor does any difference within an answer or between two successive ones.
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
];

const EVENTS = ['app_open', 'click'], PEOPLE_METRICS = ['dau', 'wau', 'mau', 'visitors', 'new_members', 'returning_members'];

// All numbers of people or events, by name.
async function askAll(analyst) {
        const numbers = new Map(), note = (name, value) => numbers.set(name, Number(value));
        const metric = async (name, interval) => must(await analyst.get(`/v1/admin/analytics/metrics?${new URLSearchParams({ name, interval, ...range })}`)).points
                .forEach((p) => note(`${name} ${interval} ${p.at.slice(0, 13)}`, p.value));
        const ask = async (what, body = {}) => must(await analyst.post(`/v1/admin/analytics/${what}`, { ...range, ...body }));
        for (const name of [...EVENTS, ...PEOPLE_METRICS]) {
                await metric(name, 'day');
        }
        for (const name of EVENTS) {
                await metric(name, 'hour');
                const { items } = await ask('breakdown', { name, property: name === 'click' ? 'target' : 'platform' });
                items.forEach((item) => note(`breakdown ${item.value}`, item.people));
        }
        (await ask('paths')).items.forEach((edge) => note(`path ${edge.page} ${edge.next}`, edge.people));
        (await ask('funnels', { steps: ['app_open', 'page_view', 'click'] })).steps.forEach((step) => note(`funnel ${step.name}`, step.people));
        for (const period_days of [1, 2]) {
                (await ask('cohorts', { period_days })).items.forEach((c) => c.retained.forEach((n, i) => note(`cohort ${period_days} ${c.first_day} ${i}`, n)));
        }
        const csv = (await analyst.get(`/v1/admin/analytics/export?${new URLSearchParams({ name: 'click', ...range })}`)).text;
        csv.trim().split('\r\n').slice(1).forEach((line) => note(`csv ${line.slice(0, 10)}`, line.split(',')[2]));
        (await sql('select at, name, events, coalesce(people, 0) from report_events')).forEach(([at, name, events, people]) => { note(`view ${at} ${name}`, events); note(`view ${at} ${name} people`, people); });
        (await sql('select at, kind, people from report_people')).forEach(([at, kind, people]) => note(`view ${at} ${kind}`, people));
        return numbers;
}

const tells = (n) => n === 0 || Math.abs(n) >= LEAST;

// Within one answer: a day minus its hours, and minus new or returning members.
function checkOne(numbers) {
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
}

test('people who arrive one at a time appear only in groups, however often an operator asks', { timeout: 400_000 }, async () => {
        const analyst = await administrator();
        const { id: experiment } = must(await analyst.post('/v1/admin/experiments', { name: 'differences', layer: 'l', to_percent: 100, variants: ['a', 'b'], metric: 'click' }), 201);
        must(await analyst.post(`/v1/admin/experiments/${experiment}/start`, {}));
        const results = async () => must(await analyst.get(`/v1/admin/experiments/${experiment}/results`)).variants;
        let before = new Map(), told = await results(), changes = 0, moves = 0;
        for (let i = 0; i < PEOPLE; i++) {
                const member = await it.register();
                const events = [...eventsOf(i), event('experiment_seen', Date.now(), { experiment_id: experiment })];
                must(await it.api('POST', '/v1/analytics/events', { token: member.token, body: { events } }), 202);
                await eventually('they are stored', async () => Number((await sql(`select count(*) from user_events where id = '${events.at(-1).id}'`))[0][0]) === 1);
                const numbers = await askAll(analyst);
                checkOne(numbers);
                for (const name of new Set([...numbers.keys(), ...before.keys()])) {
                        const difference = (numbers.get(name) ?? 0) - (before.get(name) ?? 0);
                        assert.ok(tells(difference), `${name} went from ${before.get(name)} to ${numbers.get(name)} with member ${i}`);
                        changes += difference === 0 ? 0 : 1;
                }
                before = numbers;
                const now = await results();
                now.forEach((v, n) => assert.ok(tells((v.people ?? 0) - (told[n].people ?? 0)), `${v.name} went from ${told[n].people} to ${v.people}`));
                moves += JSON.stringify(now) === JSON.stringify(told) ? 0 : 1;
                assert.ok(moves <= Math.floor((i + 1) / LEAST), 'results moved with fewer than five');
                told = now;
        }
        // The test is meaningful: the numbers changed.
        assert.ok(changes > 20, `${changes}`);
        assert.ok(before.get(`dau day ${new Date(day).toISOString().slice(0, 13)}`) === 15 && [...before.keys()].some((name) => name.startsWith('app_open hour')));
});
