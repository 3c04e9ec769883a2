// What is stored of events that are sent while processes are killed: all that was acknowledged, and each of them once, whatever is sent again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { eventually } from './client.mjs';
import { mode, signal, sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const VICTIMS = { single: ['serve', 'postmaster', 'serve'], split: ['analytics', 'postmaster', 'gateway', 'analytics'], mixed: ['media', 'postmaster', 'gateway'] }[mode];
const BATCH = 200, SENDERS = 3;

const it = ownServer({ env: { SONET_RATE_LIMITS: 'off' } });
const sql = (text) => psql(it.server, 'analytics_service', text);

const batch = () => Array.from({ length: BATCH }, () => ({ id: randomUUID(), name: 'page_view', at: new Date().toISOString(), properties: { path: '/killed' } }));

async function post(events) {
        try {
                return (await it.api('POST', '/v1/analytics/events', { body: { events } })).status;
        } catch {
                return 0; // the connection was lost: nobody knows whether they were taken
        }
}

// Sends each batch until it is acknowledged, as clients do; the ids of all of them.
async function sendUntil(stop) {
        const acknowledged = [];
        while (!stop.now) {
                const events = batch();
                while (await post(events) !== 202) {
                        await sleep(20);
                }
                acknowledged.push(...events.map((e) => e.id));
        }
        return acknowledged;
}

async function kill() {
        for (const role of VICTIMS) {
                await sleep(1000 + Math.random() * 1000);
                await eventually(`${role} runs`, () => it.server.pids(role).length > 0, 60_000);
                it.server.pids(role).forEach((pid) => signal(pid, 'SIGKILL'));
                await eventually('ready again', async () => (await it.api('GET', '/readyz')).status === 200, 60_000);
        }
}

test('of what is sent while processes are killed all that was acknowledged is stored, and once', { timeout: 300_000 }, async () => {
        const stop = { now: false };
        const senders = Array.from({ length: SENDERS }, () => sendUntil(stop));
        await kill();
        stop.now = true;
        const acknowledged = (await Promise.all(senders)).flat();
        assert.ok(acknowledged.length >= BATCH * SENDERS);
        const stored = async () => (await sql('select id from user_events')).map(([id]) => id);
        await eventually('all that was acknowledged is stored', async () => {
                const there = new Set(await stored());
                return acknowledged.every((id) => there.has(id));
        }, 60_000);
        const ids = await stored();
        assert.equal(new Set(ids).size, ids.length); // none twice
        assert.equal(ids.length, acknowledged.length); // each batch was sent until it was acknowledged
        const [rolled] = await sql(`select (select sum(value) from business_metrics where grain = 'day'), (select sum(value) from business_metrics where grain = 'hour'),
                (select sum(events) from user_sessions)`);
        assert.deepEqual(rolled.map(Number), Array(3).fill(ids.length));
});
