// Events sent while processes are killed: everything acknowledged is stored, and once each, whatever is sent again. An
// export running meanwhile is complete, with each row once.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, must } from './client.mjs';
import { mode, signal, sleep } from './harness.mjs';
import { adminOf, ownServer } from './own.mjs';
import { psql } from './psql.mjs';

const VICTIMS = { single: ['serve', 'postmaster', 'serve'], split: ['analytics', 'postmaster', 'gateway', 'analytics'], mixed: ['media', 'postmaster', 'gateway'] }[mode];
const BATCH = 200, SENDERS = 3;

const faults = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-faults-'));
fs.chmodSync(faults, 0o777); // servers started by root run under another account
const it = ownServer({ env: { SONET_RATE_LIMITS: 'off', SONET_FAULT_DIR: faults } });
after(() => fs.rmSync(faults, { recursive: true }));
const sql = (text) => psql(it.server, 'analytics_service', text);

const batch = () => Array.from({ length: BATCH }, () => ({ id: randomUUID(), name: 'page_view', at: new Date().toISOString(), properties: { path: '/killed' } }));

async function post(events) {
        try {
                return (await it.api('POST', '/v1/analytics/events', { body: { events } })).status;
        } catch {
                return 0; // the connection was lost; it is unknown whether they were accepted
        }
}

// Sends each batch until it is acknowledged, like clients do. Returns all ids.
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

async function killOne(role) {
        await eventually(`${role} runs`, () => it.server.pids(role).length > 0, 60_000);
        it.server.pids(role).forEach((pid) => signal(pid, 'SIGKILL'));
        await eventually('ready again', async () => (await it.api('GET', '/readyz')).status === 200, 60_000);
}

async function kill() {
        for (const role of VICTIMS) {
                await sleep(1000 + Math.random() * 1000);
                await killOne(role);
        }
}

test('events acknowledged while processes are killed are all stored, once each', { timeout: 300_000 }, async () => {
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

const DAY_MS = 86_400_000, EXPORTS = '/v1/admin/analytics/exports';

async function administrator() {
        const member = await it.register();
        assert.equal((await adminOf(it.server, {}, 'user', 'role', member.username, 'administrator')).code, 0);
        return eventually('tokens of the role', async () => {
                const again = await it.logIn(member.username);
                return (await again.get(EXPORTS)).status === 200 && again;
        });
}

// What seven people did on five pages in each hour of fifty days. The paths are so long that there are at least three parts, however fast they are made.
const FILL = `select analytics_make_months((current_date - 60)::date, 3);
        insert into user_events (id, at, name, visitor, member, properties) select gen_random_uuid(), date_trunc('day', now()) - h * interval '1 hour', 'page_view',
                ('00000000-0000-4000-8000-00000000000' || v)::uuid, false, jsonb_build_object('path', '/exported/' || p || repeat('x', 180))
        from generate_series(1, 1200) h, generate_series(1, 7) v, generate_series(1, 5) p`;

// Where the process is killed, how many parts there are then, and what else is killed.
const KILLED_AT = [['export_part_0_made', 0], ['export_part_1_kept', 2], ['export_part_2_made', 2, 'postmaster']];

test('an export whose process is killed is completed, without gaps or duplicates', { timeout: 400_000, skip: mode === 'mixed' && 'release builds have no fault points' }, async () => {
        const analyst = await administrator();
        await sql(FILL);
        const to = Math.floor(Date.now() / DAY_MS) * DAY_MS;
        const ask = { kind: 'events', names: ['page_view'], from: new Date(to - 366 * DAY_MS).toISOString(), to: new Date(to).toISOString() };
        const begin = async () => must(await analyst.post(EXPORTS, ask), 202).id;
        const ready = (id) => eventually('it is ready', async () => { const made = (await analyst.get(`${EXPORTS}/${id}`)).body ?? {}; return made.ready_at ? made : false; }, 200_000);
        const armed = ([point]) => path.join(faults, point);
        KILLED_AT.forEach((step) => fs.writeFileSync(armed(step), ''));
        const killed = await begin();
        for (const step of KILLED_AT) {
                await eventually(`it is killed at ${step[0]}`, () => !fs.existsSync(armed(step)), 120_000);
                if (step[2]) {
                        await killOne(step[2]);
                }
                const [parts, readyAt] = await eventually('the database answers', async () => (await sql(`select parts, ready_at from analytics_exports where id = '${killed}'`))[0], 60_000);
                assert.deepEqual([Number(parts), readyAt], [step[1], '']);
                await sql(`update analytics_exports set tried_at = now() - interval '2 minutes' where id = '${killed}'`); // the lease of the killed process ends now
        }
        const made = await ready(killed), undisturbed = await ready(await begin());
        const [text, whole] = await Promise.all([made.id, undisturbed.id].map(async (id) => (await analyst.get(`${EXPORTS}/${id}/file`)).text));
        assert.ok(text === whole, 'it differs from one that nothing disturbed');
        const rows = text.trim().split('\r\n').slice(1);
        assert.deepEqual([rows.length, made.rows, made.size_bytes, new Set(rows).size], [undisturbed.rows, rows.length, Buffer.byteLength(text), rows.length]);
        assert.ok(rows.length >= 5900, `${rows.length}`);
});
