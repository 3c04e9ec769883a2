// The database of analytics is unreachable, its disk is full, or it stores nothing until the journal is full:
// everything else works, and nothing acknowledged is lost.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventually, must, problem } from './client.mjs';
import { withheld } from './database.mjs';
import { adminOf, ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const BATCHES_MAX = 100; // of 500 events of more than 200 bytes: far more than the journal may hold

const it = ownServer({ env: { SONET_RATE_LIMITS: 'off', ANALYTICS_JOURNAL_BYTES: '1048576' } });
const sql = (text) => psql(it.server, 'analytics_service', text);
const batch = () => Array.from({ length: 500 }, () => ({ id: randomUUID(), name: 'page_view', at: new Date().toISOString(), properties: { path: `/${'p'.repeat(199)}` } }));
const post = (events) => it.api('POST', '/v1/analytics/events', { body: { events } });

// Sends until the journal is full. Returns the acknowledged ids, and the rejection.
async function fill() {
        const acknowledged = [];
        for (let n = 0; n < BATCHES_MAX; n++) {
                const events = batch();
                const answer = await post(events);
                if (answer.status !== 202) {
                        return { acknowledged, refused: events, answer };
                }
                acknowledged.push(...events.map((e) => e.id));
        }
        return assert.fail('the journal was never full');
}

test('a full journal rejects only events, and accepts them once it has room again', { timeout: 180_000 }, async () => {
        const member = await it.register();
        await sql('revoke insert on user_events from analytics_service');
        const { acknowledged, refused, answer } = await fill();
        problem(answer, 503);
        assert.equal(answer.headers['retry-after'], '5');
        assert.ok(acknowledged.length >= 500);
        await member.note('served meanwhile');
        must(await member.get('/v1/timelines/home'));
        must(await member.get('/v1/users/me/insights'));
        problem(await post(refused.slice(0, 500)), 503);
        await sql('grant insert on user_events to analytics_service');
        await eventually('they are taken again', async () => (await post(refused)).status === 202, 60_000);
        const sent = [...acknowledged, ...refused.map((e) => e.id)].sort();
        const stored = async () => (await sql("select id from user_events where name = 'page_view'")).map(([id]) => id).sort();
        await eventually('all are stored', async () => (await stored()).length >= sent.length, 60_000);
        assert.deepEqual(await stored(), sent);
});

// Breaks the database and repairs it: meanwhile events are acknowledged and everything else works; afterwards all are
// stored once.
async function bears(what, noticed, undo) {
        const member = await it.register();
        const home = async () => must(await member.get('/v1/timelines/home'));
        must(await post([batch()[0]]), 202); // today's salt is known
        await eventually('it is stored', async () => Number((await sql('select count(*) from analytics_salts'))[0][0]) === 1);
        await what();
        const sent = [];
        for (let i = 0; i < 3; i++) {
                const events = batch().slice(0, 200).map((e) => ({ ...e, name: 'page_leave', properties: { path: '/away' } }));
                must(await it.api('POST', '/v1/analytics/events', { body: { events }, token: i === 0 ? member.token : undefined }), 202);
                sent.push(...events.map((e) => e.id));
                await member.note('served meanwhile');
                await home();
        }
        await eventually('it was noticed', noticed, 60_000);
        await undo();
        const ids = async () => (await sql(`select id from user_events where id in (${sent.map((id) => `'${id}'`).join()})`)).map(([id]) => id).sort();
        await eventually('all are stored', async () => (await ids()).length === sent.length, 120_000);
        assert.deepEqual(await ids(), sent.sort());
        const counted = async () => Number((await sql("select coalesce(sum(value), 0) from business_metrics where name = 'page_leave' and grain = 'day'"))[0][0]);
        assert.equal(await counted(), Number((await sql("select count(*) from user_events where name = 'page_leave'"))[0][0]));
}

test('a database with a full disk loses nothing acknowledged, and delays nobody', { timeout: 180_000 }, () => bears(
        () => sql(`create sequence full_tries; grant usage on full_tries to analytics_service;
                create function disk_is_full() returns trigger language plpgsql as $$ begin perform nextval('full_tries'); raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
                create trigger full_disk before insert on business_metrics for each statement execute function disk_is_full()`),
        async () => (await sql('select is_called and last_value >= 2 from full_tries'))[0][0] === 't', // and it was retried
        () => sql('drop trigger full_disk on business_metrics')));

test('an unreachable database loses nothing acknowledged, and delays nobody', { timeout: 180_000 }, () => bears(
        async () => {
                await psql(it.server, 'postgres', 'alter database analytics_service allow_connections false');
                await psql(it.server, 'postgres', "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'analytics_service'");
        },
        async () => (await it.api('GET', '/readyz')).status === 503,
        () => psql(it.server, 'postgres', 'alter database analytics_service allow_connections true')));

test('a query that takes too long fails, and suggests a smaller one', { timeout: 120_000 }, async () => {
        const member = await it.register();
        assert.equal((await adminOf(it.server, {}, 'user', 'role', member.username, 'administrator')).code, 0);
        const analyst = await eventually('tokens of the role', async () => {
                const again = await it.logIn(member.username);
                return (await again.get('/v1/admin/experiments')).status === 200 && again;
        });
        const day = (ago) => new Date((Math.floor(Date.now() / 86_400_000) - ago) * 86_400_000).toISOString();
        const range = { from: day(30), to: day(2) };
        const release = await withheld(it.server.dir, 'analytics', 'user_events'); // blocks reads
        const questions = [['funnels', { steps: ['app_open', 'click'] }], ['paths', {}], ['breakdown', { name: 'click', property: 'target' }]];
        const answers = await Promise.all(questions.map(([what, body]) => analyst.post(`/v1/admin/analytics/${what}`, { ...range, ...body })));
        answers.forEach((answer) => problem(answer, 504, { field: 'to' }));
        must(await analyst.get(`/v1/admin/analytics/metrics?${new URLSearchParams({ name: 'dau', ...range })}`)); // a roll-up answers
        await release();
        must(await analyst.post('/v1/admin/analytics/paths', range));
});
