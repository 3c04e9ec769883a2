// Events, who is counted and who is not, and metrics for administrators.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { api, eventually, must, problem, register, registerMany } from './shared.mjs';
import { query, sharedDir } from './database.mjs';
import { event, send } from './events.mjs';
import { root } from './harness.mjs';
import { registerWithRole } from './operator.mjs';

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
let analyst;

before(async () => {
        analyst = await registerWithRole('administrator');
});

const metric = async (name, from_ms, to_ms, interval) => must(await analyst.get(
        `/v1/admin/analytics/metrics?name=${name}&from=${new Date(from_ms).toISOString()}&to=${new Date(to_ms).toISOString()}&interval=${interval}`)).points;

// The number of events with a name, published or not.
const stored = (name, ms = Date.now()) => Number(query(sharedDir(), 'analytics', `select coalesce(sum(value), 0) from business_metrics where name = '${name}' and grain = 'day'
        and bucket = date_trunc('day', to_timestamp(${ms / 1000}), 'UTC')`));

// Today's value; undefined if there are too few people or none.
async function today(name, interval = 'day') {
        const from = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const points = await metric(name, from, from + DAY_MS, interval);
        return interval === 'day' ? points.at(-1)?.value : points;
}

test('events of enough people are counted soon, and once each however often they are sent', async () => {
        const people = await registerMany(5);
        const before = stored('search');
        const batches = people.map(() => [event('search', { results: 3 }), event('search', { results: 0 })]);
        for (let round = 0; round < 2; round++) {
                for (const [i, member] of people.entries()) {
                        assert.deepEqual(must(await send(batches[i], { token: member.token }), 202), { accepted: 2, problems: [] });
                }
        }
        await eventually('ten searches', () => stored('search') === before + 10);
        assert.ok(await today('search') >= 5);
        // Events with the same ids but another time are the same events.
        must(await send(batches[0].map((e) => ({ ...e, at: new Date(Date.now() - 60_000).toISOString() })), { token: people[0].token }), 202);
        const marker = event('search');
        must(await send([marker], { token: people[0].token }), 202);
        await eventually('eleven searches', () => stored('search') === before + 11);
        assert.ok(await today('dau') >= 5);
});

test('invalid events are reported one by one, and the others are accepted', async () => {
        const good = event('page_view', { path: '/home', referrer: 'example.org' });
        const at = (ms) => new Date(Date.now() + ms).toISOString();
        const bad = [
                [event('no_such_event'), 'name'],
                [event('page_view', { path: '/', colour: 'red' }), 'properties.colour'],
                [event('page_view', { path: '/search?q=secret' }), 'properties.path'],
                [event('page_view', { referrer: 'https://example.org/a' }), 'properties.referrer'],
                [event('page_view', { path: `/${'x'.repeat(1 << 20)}` }), undefined],
                [event('page_view', { path: 7 }), 'properties.path'],
                [event('search', { results: -1 }), 'properties.results'],
                [event('search', { results: 1.5 }), 'properties.results'],
                [event('note_view', { note_id: 'x' }), 'properties.note_id'],
                [event('search', null, { at: '1970-01-01T00:00:00Z' }), 'at'],
                [event('search', null, { at: '2100-01-01T00:00:00Z' }), 'at'],
                [event('search', null, { at: at(-8 * DAY_MS) }), 'at'],
                [event('search', null, { at: 'yesterday' }), 'at'],
                [event('search', null, { id: 'forged' }), 'id'],
                [event('search', null, { id: 7 }), 'id'],
                [event('search', null, { user_id: randomUUID() }), 'user_id'],
                [event('search', null, { properties: [] }), 'properties'],
                [event('note.created'), 'name'],
                [7, undefined],
                [null, undefined],
        ];
        const answer = must(await send([good, ...bad.map(([e]) => e), good]), 202);
        assert.equal(answer.accepted, 2);
        assert.deepEqual(answer.problems.map((p) => [p.index, p.field]), bad.map(([, field], i) => [i + 1, field]));
        assert.ok(answer.problems.every((p) => p.detail.length > 10), JSON.stringify(answer.problems));
        assert.equal(answer.problems[0].id, bad[0][0].id);
});

test('a request that is not a batch is rejected as a whole', async () => {
        const raw = (text) => api('POST', '/v1/analytics/events', { raw: text });
        for (const text of ['', '{', '[]', '{}', '{"events": 7}', '{"events": "x"}', '{"events": [}', '{"events": [1,]}', '{"events": [{"a": "]}', '{"events": []} x', '{"other": []}']) {
                problem(await raw(text), 422, { code: 'validation_failed', field: 'events' });
        }
        problem(await send(Array.from({ length: 501 }, () => event('search'))), 422, { code: 'validation_failed', field: 'events' });
        problem(await api('POST', '/v1/analytics/events', { raw: 'x'.repeat(4194305) }), 413);
        assert.equal(must(await send(Array.from({ length: 500 }, () => event('app_open', { platform: 'web' }))), 202).accepted, 500);
        assert.equal(problem(await send([]), 422, { code: 'validation_failed', field: 'events' }).detail, 'give 1 to 500 events');
});

test('deeply nested, enormous and truncated events do not affect the others', async () => {
        const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`;
        const good = JSON.stringify(event('app_open'));
        // Not by api(), which would read what it sends.
        const body = `{"events": [${nested}, {"id": nothing}, ${good}, {"x": "${'y'.repeat(3 << 20)}"}]}`;
        const taken = await fetch(`${process.env.SONET_URL}/v1/analytics/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        assert.equal(taken.status, 202);
        const answer = await taken.json();
        assert.deepEqual([answer.accepted, answer.problems.map((p) => p.index)], [1, [0, 1, 3]]);
});

test('a note that one cannot see is not there for one\'s events either: neither its author nor its views change hands', async () => {
        const [author, stranger, friend] = await registerMany(3);
        const hidden = must(await author.post('/v1/notes', { text: 'for nobody else', visibility: 'only_me' }), 201), open = await author.note('for all');
        const view = (note_id) => event('note_view', { note_id });
        const sent = async (events, who) => must(await send(events, who && { token: who.token }), 202);
        for (const who of [stranger, undefined]) {
                const answer = await sent([view(hidden.id), view(open.id), view(randomUUID()), event('search')], who);
                assert.equal(answer.accepted, 2);
                assert.deepEqual(answer.problems.map((p) => [p.index, p.field, p.detail]), [0, 2].map((i) => [i, 'properties.note_id', 'there is no note with this id']));
        }
        assert.equal((await sent([view(hidden.id)], author)).accepted, 1);
        must(await author.put(`/v1/users/${friend.id}/block`));
        assert.equal((await sent([view(open.id)], friend)).accepted, 0);
        await eventually('the profile of who sees one of them', async () => must(await stranger.get('/v1/users/me/engagement')).items.some((i) => i.user_id === author.id));
        assert.deepEqual(must(await friend.get('/v1/users/me/engagement')).items, []);
        assert.equal(query(sharedDir(), 'analytics', `select count(*) from user_events e join analytics_people p using (visitor) where e.object_id = '${hidden.id}' and e.name = 'note_view' and p.user_id <> '${author.id}'`), '0');
});

test('who does not want to be counted is not', async () => {
        const member = await register();
        const declined = async (options, why) => assert.deepEqual(must(await send([event('app_open')], options), 202), { accepted: 0, problems: [], declined: why });
        await declined({ headers: { dnt: '1' } }, 'do_not_track');
        await declined({ headers: { 'sec-gpc': '1' } }, 'global_privacy_control');
        await declined({ token: member.token, headers: { 'sec-gpc': '1' } }, 'global_privacy_control');
        assert.equal(must(await send([event('app_open')], { token: member.token, headers: { dnt: '0' } }), 202).accepted, 1);
        must(await member.patch('/v1/users/me/settings', { privacy: { analytics: false } }));
        await declined({ token: member.token }, 'setting');
        const [other] = await registerMany(1);
        const [mine, theirs] = [await member.note('not counted'), await other.note('counted')];
        must(await member.put(`/v1/notes/${theirs.id}/like`));
        must(await member.put(`/v1/users/${other.id}/follow`));
        must(await member.del(`/v1/users/${other.id}/follow`));
        const [follower] = await registerMany(1);
        must(await follower.put(`/v1/users/${other.id}/follow`));
        const after = await other.note('counted after them');
        const kept = (id) => query(sharedDir(), 'analytics', `select coalesce(string_agg(name, ' ' order by name), '') from user_events where object_id = '${id}'`);
        await eventually('the last one is stored', () => kept(after.id) === 'note.created');
        assert.deepEqual([kept(mine.id), kept(theirs.id)], ['', 'note.created']);
        const followers = () => query(sharedDir(), 'analytics', `select coalesce(string_agg(name, ' ' order by e.at), '') from user_events e join analytics_people p on p.visitor = e.object_id where p.user_id = '${other.id}'`);
        await eventually('the follower who is counted', () => followers().includes('follow.created'));
        assert.equal(followers(), 'follow.created');
        must(await member.patch('/v1/users/me/settings', { privacy: { analytics: true } }));
        assert.equal(must(await send([event('app_open')], { token: member.token }), 202).accepted, 1);
});

test('nothing is published about fewer than five people', async () => {
        const [one] = await registerMany(1);
        const before = stored('click');
        must(await send([event('click', { path: '/', target: 'rare' })], { token: one.token }), 202);
        await eventually('it is stored', () => stored('click') > before);
        assert.deepEqual([await today('click'), await today('click', 'hour')], [undefined, []]);
});

test('neither a single hour nor the rest of a total reveals a single member', async () => {
        const day = (Math.floor(Date.now() / DAY_MS) - 3) * DAY_MS;
        const opened = (at) => event('app_open', null, { at: new Date(at).toISOString() });
        const [newcomer, ...others] = await registerMany(6);
        must(await send([opened(day + HOUR_MS)], { token: newcomer.token }), 202);
        for (const { token } of others) {
                must(await send([opened(day - HOUR_MS), opened(day + 2 * HOUR_MS)], { token }), 202);
        }
        const values = async (...asked) => (await metric(...asked)).map((p) => p.value);
        await eventually('all are stored', () => stored('app_open', day) === 6);
        assert.deepEqual(await values('app_open', day, day + DAY_MS, 'day'), [5]); // the sixth waits for four more
        assert.deepEqual(await values('app_open', day + HOUR_MS, day + 2 * HOUR_MS, 'hour'), []);
        assert.ok((await values('app_open', day, day + DAY_MS, 'hour')).every((value) => value === 5));
        assert.deepEqual(await values('app_open', day - HOUR_MS, day, 'hour'), [5]);
        assert.deepEqual(await values('dau', day - DAY_MS, day + DAY_MS, 'day'), [5, 5]);
        assert.deepEqual(await values('new_members', day - DAY_MS, day + DAY_MS, 'day'), [5]);
        assert.deepEqual(await values('returning_members', day - DAY_MS, day + DAY_MS, 'day'), [5]);
        for (const name of ['wau', 'mau']) {
                assert.ok((await values(name, day - DAY_MS, day + DAY_MS, 'day')).every((value) => value >= 5 && value % 5 === 0), name);
        }
});

test('actions in other services are counted from their events', async () => {
        const people = await registerMany(5);
        const before = stored('note.created');
        for (const member of people) {
                await member.note('counted');
        }
        await eventually('five notes more', () => stored('note.created') >= before + 5);
        assert.ok(await today('note.created') >= 5);
        assert.ok(await today('new_members') >= 5);
});

test('messages are counted, and nothing about their chats is stored', async () => {
        const people = await registerMany(6);
        const before = stored('message.created');
        const chat = must(await people[0].post('/v1/chats', { kind: 'group', title: 'counted', user_ids: people.slice(1).map((p) => p.id) }), 201);
        for (const member of people.slice(1)) {
                must(await member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text: 'not counted by its words' }), 201);
        }
        await eventually('five messages more', () => stored('message.created') >= before + 5);
        assert.equal(query(sharedDir(), 'analytics', "select count(*) from user_events where name = 'message.created' and (object_id is not null or properties is not null)"), '0');
});

test('the median time to the first note is published for a day once enough of its new members have written one', async () => {
        const day = (Math.floor(Date.now() / DAY_MS) - 5) * DAY_MS;
        const people = await registerMany(5);
        for (const [i, { token }] of people.entries()) {
                must(await send([event('app_open', null, { at: new Date(day + i * HOUR_MS).toISOString() })], { token }), 202);
        }
        await eventually('all were there', async () => (await metric('dau', day, day + DAY_MS, 'day'))[0]?.value === 5);
        const median = async () => (await metric('time_to_first_note', day, day + DAY_MS, 'day')).map((p) => p.value);
        const wrote = (n) => Number(query(sharedDir(), 'analytics', `select count(*) from first_notes join analytics_people using (visitor) where first_day = date '${new Date(day).toISOString().slice(0, 10)}'`)) === n;
        const since = Date.now();
        for (const member of people.slice(1)) {
                await member.note('the first');
        }
        await eventually('four have written', () => wrote(4));
        assert.deepEqual(await median(), []);
        await people[0].note('the first');
        await eventually('five have written', () => wrote(5));
        await people[0].note('the second changes nothing');
        const [least, most] = [since, Date.now()].map((ms) => (ms - day - 2 * HOUR_MS) / 1000);
        const [value] = await median();
        assert.ok(value % 60 === 0 && value >= least - 60 && value <= most + 60, `${value} of ${least} to ${most}`);
});

test('metrics require permission, and reject invalid queries', async () => {
        const member = await register();
        const from = '2026-01-01T00:00:00Z';
        problem(await member.get(`/v1/admin/analytics/metrics?name=dau&from=${from}&to=2026-01-02T00:00:00Z`), 403, { code: 'scope_missing' });
        problem(await analyst.get(`/v1/admin/analytics/metrics?name=dau&from=${from}&to=${from}`), 422, { field: 'to' });
        problem(await analyst.get(`/v1/admin/analytics/metrics?name=dau&from=never&to=${from}`), 422, { field: 'from' });
        problem(await analyst.get(`/v1/admin/analytics/metrics?name=dau&from=${from}&to=2026-01-02T00:00:00Z&interval=hour`), 422, { field: 'interval' });
        const unknown = problem(await analyst.get(`/v1/admin/analytics/metrics?name=daus&from=${from}&to=2026-01-02T00:00:00Z`), 422, { field: 'name' });
        assert.match(unknown.detail, /^is not a metric; the metrics are .*schema, .*note\.created.*, dau, wau/);
        assert.deepEqual(must(await analyst.get(`/v1/admin/analytics/metrics?name=search&from=${from}&to=2026-01-02T00:00:00Z`)), { name: 'search', points: [], min_group: 5 });
        for (const name of ['wau', 'mau', 'stickiness', 'returning_members', 'visitors', 'time_to_first_note']) {
                must(await analyst.get(`/v1/admin/analytics/metrics?name=${name}&from=${from}&to=2026-01-02T00:00:00Z`));
        }
});

test('the OpenAPI document says which bodies and lists are required', async () => {
        const { paths, components } = must(await api('GET', '/openapi.json'));
        assert.equal(paths['/v1/analytics/events'].post.requestBody.required, true);
        const body = (path) => components.schemas[paths[path].post.requestBody.content['application/json'].schema.$ref.split('/').at(-1)];
        const required = (path) => body(path).required;
        assert.ok(required('/v1/admin/analytics/funnels').includes('steps'));
        assert.ok(required('/v1/admin/experiments').includes('variants'));
});

test('the OpenAPI document describes each event and property of the schema', async () => {
        const { paths, components } = must(await api('GET', '/openapi.json'));
        const resolve = ({ $ref }) => components.schemas[$ref.split('/').at(-1)];
        const batch = resolve(paths['/v1/analytics/events'].post.requestBody.content['application/json'].schema);
        const { events } = batch.properties;
        assert.deepEqual([batch.required, batch.additionalProperties, events.minItems, events.maxItems], [['events'], false, 1, 500]);
        const described = resolve(events.items);
        assert.deepEqual([described.required, Object.keys(described.properties)], [['id', 'name', 'at'], ['id', 'name', 'at', 'properties']]);
        const { items } = must(await api('GET', '/v1/analytics/schema'));
        const wanted = Object.fromEntries(items.flatMap((e) => e.properties).map((p) => [p.name,
                p.kind === 'number' ? [0, p.limit] : p.kind === 'id' ? 'uuid' : p.limit]));
        const { properties } = resolve(described.properties.properties.allOf[0]);
        assert.deepEqual(Object.fromEntries(Object.entries(properties).map(([name, p]) =>
                [name, p.type === 'integer' ? [p.minimum, p.maximum] : p.format ?? p.maxLength])), wanted);
        assert.ok(items.every((e) => new RegExp(described.properties.name.pattern).test(e.name) && e.name.length <= described.properties.name.maxLength));
});

test('the schema describes the accepted events', async () => {
        const { items } = must(await api('GET', '/v1/analytics/schema'));
        const view = items.find((e) => e.name === 'page_view');
        assert.deepEqual(view.properties.map((p) => [p.name, p.kind, p.limit]), [['path', 'path', 200], ['referrer', 'host', 100]]);
});

test('a metric is also available as CSV and as lines of JSON', async () => {
        const day = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const query = `name=app_open&from=${new Date(day - DAY_MS).toISOString()}&to=${new Date(day + DAY_MS).toISOString()}`;
        for (const member of await registerMany(5)) {
                must(await send([event('app_open')], { token: member.token }), 202);
        }
        await eventually('five were there', async () => await today('app_open') >= 5);
        const csv = await analyst.get(`/v1/admin/analytics/export?${query}`);
        assert.deepEqual([csv.status, csv.headers['content-type']], [200, 'text/csv; charset=utf-8']);
        assert.match(csv.headers['content-disposition'], /app_open\.csv/);
        assert.match(csv.text, /^at,name,value\r\n(\d{4}-\d\d-\d\dT00:00:00\.000Z,app_open,\d+\r\n)+$/);
        const lines = (await analyst.get(`/v1/admin/analytics/export?${query}&format=json_lines`)).text.trim().split('\n').map((line) => JSON.parse(line));
        assert.ok(lines.at(-1).name === 'app_open' && lines.at(-1).value >= 5);
        const since = (days) => query.replace(/from=[^&]*/, `from=${new Date(day + (1 - days) * DAY_MS).toISOString()}`);
        assert.ok((await analyst.get(`/v1/admin/analytics/export?${since(3000)}`)).text.includes(`${new Date(day).toISOString()},app_open,`));
        problem(await analyst.get(`/v1/admin/analytics/export?${since(3001)}`), 422, { field: 'to' });
        problem(await analyst.get(`/v1/admin/analytics/export?${query.replace('app_open', 'dau')}&interval=hour`), 422, { field: 'interval' });
        problem(await (await register()).get(`/v1/admin/analytics/export?${query}`), 403);
});

// --- background exports ---

const EXPORTS = '/v1/admin/analytics/exports';
const ready = (id) => eventually('the file is ready', async () => {
        const made = must(await analyst.get(`${EXPORTS}/${id}`));
        return made.ready_at !== null && made;
}, 60_000);
const isoDay = (ms) => new Date(Math.floor(ms / DAY_MS) * DAY_MS).toISOString();

test('an export of all metrics of ten years runs in the background, and equals the individual answers', async () => {
        for (const member of await registerMany(5)) {
                must(await send([event('app_open')], { token: member.token }), 202);
        }
        await eventually('five were there', async () => await today('app_open') >= 5);
        const [from, to] = [isoDay(Date.now() - 3658 * DAY_MS), isoDay(Date.now() - DAY_MS)];
        const key = randomUUID();
        const ask = () => analyst.post(EXPORTS, { kind: 'metrics', from, to }, { headers: { 'idempotency-key': key } });
        const begun = must(await ask(), 202);
        assert.equal(must(await ask(), 202).id, begun.id);
        const made = await ready(begun.id);
        assert.deepEqual([made.kind, made.format, made.interval, made.progress, made.from, made.to].map(String), ['metrics', 'csv', 'day', '100', from, to].map(String));
        assert.ok(made.names.includes('dau') && made.names.includes('app_open'));
        assert.equal(Math.round((Date.parse(made.expires_at) - Date.parse(made.created_at)) / DAY_MS), 7);
        const file = await analyst.get(`${EXPORTS}/${begun.id}/file`);
        assert.deepEqual([file.status, file.headers['content-type']], [200, 'text/csv; charset=utf-8']);
        assert.match(file.headers['content-disposition'], /metrics-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv/);
        const [head, ...rows] = file.text.trim().split('\r\n');
        assert.deepEqual([head, rows.length, Buffer.byteLength(file.text)], ['at,name,value', made.rows, made.size_bytes]);
        const told = [];
        for (const name of made.names) {
                told.push(...(await metric(name, Date.parse(to) - 2000 * DAY_MS, Date.parse(to), 'day')).map((p) => `${new Date(p.at).toISOString()},${name},${Number(p.value.toPrecision(15))}`));
        }
        assert.deepEqual([...rows].sort(), told.sort());
        assert.ok(must(await analyst.get(EXPORTS)).items.some((e) => e.id === begun.id));
        must(await analyst.del(`${EXPORTS}/${begun.id}`), 204);
        problem(await analyst.get(`${EXPORTS}/${begun.id}/file`), 404, { field: 'id' });
});

test('events are exported by hour and properties, only for enough people', async () => {
        const people = await registerMany(7);
        const target = `t${randomUUID().slice(0, 8)}`;
        const day = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS, at = new Date(day + 5 * HOUR_MS).toISOString();
        for (const [i, { token }] of people.entries()) {
                must(await send([event('click', { path: '/"quoted", too', target }, { at }), event('click', { target: i < 4 ? `${target}-few` : `${target}-fewer` }, { at })], { token }), 202);
        }
        const groups = () => Number(query(sharedDir(), 'analytics', `select count(*) from user_events where properties->>'target' like '${target}%'`));
        await eventually('they are stored', () => groups() === 14);
        const make = async (format) => {
                const { id } = must(await analyst.post(EXPORTS, { kind: 'events', names: ['click'], from: isoDay(day), to: isoDay(day + DAY_MS), format }), 202);
                await ready(id);
                const { text } = await analyst.get(`${EXPORTS}/${id}/file`);
                must(await analyst.del(`${EXPORTS}/${id}`), 204);
                return text;
        };
        const rows = (await make('json_lines')).trim().split('\n').map((line) => JSON.parse(line)).filter((row) => row.properties.target.startsWith(target));
        assert.deepEqual(rows, [{ at: new Date(day + 5 * HOUR_MS).toISOString(), name: 'click', properties: { path: '/"quoted", too', target }, people: 5 }]);
        const csv = await make('csv');
        assert.ok(csv.startsWith('at,name,properties,people\r\n'));
        assert.ok(csv.includes(`,click,"{""path"": ""/\\""quoted\\"", too"", ""target"": ""${target}""}",5\r\n`), csv);
        for (const text of people.flatMap(({ id, username }) => [id, username])) {
                assert.ok(!csv.includes(text));
        }
});

test('invalid exports are rejected, at most twenty exist, and only administrators may request them', async () => {
        const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-03T00:00:00Z' };
        const refused = async (body, field) => problem(await analyst.post(EXPORTS, { kind: 'metrics', ...range, ...body }), 422, { field });
        await refused({ kind: 'other' }, 'kind');
        await refused({ kind: 'events', names: ['click', 'dau'] }, 'names[1]');
        await refused({ names: ['dau'], interval: 'hour' }, 'names[0]');
        await refused({ names: ['nothing'] }, 'names[0]');
        await refused({ kind: 'events', names: ['deliveries'] }, 'names[0]');
        await refused({ names: ['DROP TABLE'] }, 'names[0]');
        await refused({ to: range.from }, 'to');
        await refused({ kind: 'events', to: '2027-02-01T00:00:00Z' }, 'to');
        await refused({ from: '2000-01-01T00:00:00Z' }, 'to');
        const member = await register();
        problem(await member.post(EXPORTS, { kind: 'metrics', ...range }), 403);
        problem(await member.get(EXPORTS), 403);
        problem(await analyst.get(`${EXPORTS}/${randomUUID()}`), 404, { field: 'id' });
        problem(await analyst.get(`${EXPORTS}/${randomUUID()}/file`), 404, { field: 'id' });
        let answer, ids = [];
        while ((answer = await analyst.post(EXPORTS, { kind: 'metrics', names: ['dau'], ...range })).status === 202) {
                ids.push(answer.body.id);
        }
        problem(answer, 409);
        assert.equal(ids.length, 20);
        for (const id of ids) {
                must(await analyst.del(`${EXPORTS}/${id}`), 204);
        }
});

// --- queries ---

test('funnels, paths, cohorts and breakdowns show only enough people, rounded to the group size', async () => {
        const people = await registerMany(7);
        const platform = `p${randomUUID().slice(0, 8)}`;
        for (const [i, member] of people.entries()) {
                const at = (s) => ({ at: new Date(Date.now() - 60_000 + s * 1000).toISOString() });
                const events = [event('app_open', { platform }, at(0)), event('page_view', { path: `/${platform}/a` }, at(1)), event('page_view', { path: `/${platform}/b` }, at(2)),
                        event('click', { target: i < 3 ? `${platform}-few` : platform }, at(3))];
                must(await send(events, { token: member.token }), 202);
        }
        const day = Math.floor((Date.now() - 60_000) / DAY_MS) * DAY_MS;
        const days = { from: new Date(day).toISOString(), to: new Date(day + 2 * DAY_MS).toISOString() };
        const ask = (what, body) => analyst.post(`/v1/admin/analytics/${what}`, { ...days, ...body });
        const platforms = async () => must(await ask('breakdown', { name: 'app_open', property: 'platform' })).items.find((i) => i.value === platform)?.people;
        await eventually('five of the seven', async () => await platforms() === 5);
        const targets = must(await ask('breakdown', { name: 'click', property: 'target' })).items.map((i) => i.value);
        assert.ok(!targets.includes(`${platform}-few`) && !targets.includes(platform)); // three and four of them
        const paths = async (from) => must(await ask('paths', { from }));
        const edges = ({ items }) => items.filter((e) => e.page.startsWith(`/${platform}`));
        assert.deepEqual(edges(await paths(days.from)), []); // a day is counted once it is over
        query(sharedDir(), 'analytics', `update user_events set at = at - interval '2 days', created_at = created_at - interval '2 days' where properties->>'path' like '/${platform}/%'`);
        const counted = await paths(new Date(day - 2 * DAY_MS).toISOString());
        assert.deepEqual(edges(counted), [{ page: `/${platform}/a`, next: `/${platform}/b`, people: 5 }]);
        assert.ok(Date.parse(counted.to) >= day - DAY_MS && Date.parse(counted.to) <= day && Date.parse(counted.to) % DAY_MS === 0, counted.to);
        const { steps } = must(await ask('funnels', { steps: ['app_open', 'click', 'app_open'] }));
        assert.deepEqual(steps.map((s) => s.name), ['app_open', 'click', 'app_open']);
        assert.ok(steps[0].people >= steps[1].people && steps[1].people >= 5 && steps[2].people === 0 && steps.every((s) => s.people % 5 === 0));
        const { items: [cohort] } = must(await ask('cohorts', { period_days: 2 }));
        assert.ok(cohort.people >= 5 && cohort.people % 5 === 0 && cohort.retained.length === 1);
        problem(await ask('breakdown', { name: 'click', property: 'platform' }), 422, { field: 'property' });
        problem(await ask('funnels', { steps: ['click'] }), 422, { field: 'steps' });
        problem(await ask('funnels', { steps: ['click', 'clack'] }), 422, { field: 'steps[1]' });
        assert.match(problem(await ask('paths', { to: days.from }), 422, { field: 'to' }).detail, /^must be 1 to 92 days after 'from'$/);
        const old = { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' };
        for (const [what, body] of [['paths', {}], ['funnels', { steps: ['click', 'search'] }], ['breakdown', { name: 'click', property: 'target' }]]) {
                assert.match(problem(await ask(what, { ...body, ...old }), 422, { field: 'from' }).detail, /^must not be before \d{4}-\d\d-01: older events are no longer kept$/);
        }
        problem(await ask('cohorts', { to: '2100-01-01T00:00:00Z' }), 422, { field: 'to' });
        problem(await people[0].post('/v1/admin/analytics/paths', days), 403);
});

// --- personal data ---

test('insights are private to the author, and exclude the current hour', async () => {
        const [author, other] = await registerMany(2);
        const note = await author.note('seen by few');
        must(await send([event('note_view', { note_id: note.id, from: 'home' })], { token: other.token }), 202);
        assert.deepEqual(must(await author.get(`/v1/notes/${note.id}/insights`)),
                { note_id: note.id, views: null, reach: null, engagements: null, half_life_s: null, points: [], sources: [] });
        problem(await other.get(`/v1/notes/${note.id}/insights`), 404, { field: 'id' });
        problem(await author.get(`/v1/notes/${randomUUID()}/insights`), 404, { field: 'id' });
        must(await other.put(`/v1/users/${author.id}/follow`));
        await eventually('the follower', async () => must(await author.get('/v1/users/me/insights?days=7')).followers.at(-1)?.gained === 1);
        const { best_hours: hours, best_notes: notes } = must(await author.get('/v1/users/me/insights'));
        assert.deepEqual([hours, notes], [[], []]);
        problem(await author.get('/v1/users/me/insights?days=91'), 422, { field: 'days' });
});

test('members can see, reset and disable their own engagement profile', async () => {
        const [author, reader] = await registerMany(2);
        const note = await author.note('liked');
        const mine = async () => must(await reader.get('/v1/users/me/engagement'));
        assert.deepEqual(await mine(), { enabled: true, items: [] });
        must(await reader.put(`/v1/notes/${note.id}/like`));
        await eventually('the like', async () => (await mine()).items[0]?.likes > 0.99);
        must(await send([event('note_view', { note_id: note.id })], { token: reader.token }), 202);
        await eventually('the view', async () => (await mine()).items[0].reads > 0.99);
        assert.deepEqual((await mine()).items.map((i) => i.user_id), [author.id]);
        must(await reader.del('/v1/users/me/engagement'), 204);
        assert.deepEqual(await mine(), { enabled: true, items: [] });
        assert.deepEqual(must(await reader.patch('/v1/users/me/engagement', { enabled: false })), { enabled: false, items: [] });
        assert.equal(problem(await reader.patch('/v1/users/me/engagement', {}), 422, { field: 'enabled' }).detail, 'is required');
        const before = stored('page_leave');
        must(await send([event('note_view', { note_id: note.id }), event('page_leave', { path: '/' })], { token: reader.token }), 202);
        await eventually('they are stored', () => stored('page_leave') > before);
        assert.deepEqual(await mine(), { enabled: false, items: [] });
});

test('distributions are limited to past days and to numbers', async () => {
        const ask = (query) => analyst.get(`/v1/admin/analytics/distributions?from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z&${query}`);
        assert.deepEqual(must(await ask('name=note.created')), { people: 0, people_error_percent: 1.625, percentiles: [] });
        const { percentiles } = must(await ask('name=page_leave&property=visible_ms'));
        assert.deepEqual(percentiles.map((p) => [p.percent, p.value]), [5, 25, 50, 75, 95, 99].map((p) => [p, null]));
        problem(await ask('name=page_leave&property=path'), 422, { field: 'property' });
        problem(await ask('name=search&property=visible_ms'), 422, { field: 'property' });
        problem(await ask('name=searches'), 422, { field: 'name' });
        problem(await analyst.get('/v1/admin/analytics/distributions?name=search&from=2025-01-01T00:00:00Z&to=2026-01-08T00:00:00Z'), 422, { field: 'to' });
        problem(await (await register()).get('/v1/admin/analytics/distributions?name=search&from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z'), 403);
});

test('every query of the Grafana dashboard returns data', async () => {
        const { panels, templating } = JSON.parse(fs.readFileSync(path.join(root, 'deploy/grafana-analytics.json'), 'utf8'));
        const queries = [...panels.flatMap((p) => p.targets.map((t) => t.rawSql)), ...templating.list.filter((v) => v.type === 'query').map((v) => v.query)];
        assert.equal(queries.length, 6);
        for (const sql of queries) {
                const text = sql.replaceAll('$__timeFilter(at)', `at between now() - interval '90 days' and now()`).replaceAll('${event}', 'app_open');
                assert.ok(!text.includes('$'), text);
                query(sharedDir(), 'analytics', `explain ${text}`);
        }
});

// --- experiments ---
