// More events than may wait while the database stores none: events are answered with 503 and all else is served; nothing acknowledged is lost.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventually, must, problem } from './client.mjs';
import { ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const BATCHES_MAX = 100; // of 500 events of more than 200 bytes: far more than the journal may hold

const it = ownServer({ env: { SONET_RATE_LIMITS: 'off', ANALYTICS_JOURNAL_BYTES: '1048576' } });
const sql = (text) => psql(it.server, 'analytics_service', text);
const batch = () => Array.from({ length: 500 }, () => ({ id: randomUUID(), name: 'page_view', at: new Date().toISOString(), properties: { path: `/${'p'.repeat(199)}` } }));
const post = (events) => it.api('POST', '/v1/analytics/events', { body: { events } });

// Until the journal is full: the ids that were acknowledged, and what was refused.
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

test('a full journal refuses events, and only these; when there is room again they are taken', { timeout: 180_000 }, async () => {
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
