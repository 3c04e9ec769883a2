// Notifications when the process is killed between any two steps: each event notifies once on each channel. A push or a
// mail that was sent but not recorded may be sent twice, with the same topic or Message-ID.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, must, randomKey } from './client.mjs';
import { query } from './database.mjs';
import { mode } from './harness.mjs';
import { untilAcknowledged } from './ledger.mjs';
import { MAIL_FROM, Mailbox, codeIn } from './mailbox.mjs';
import { ownServer } from './own.mjs';
import { Providers } from './providers.mjs';
import { PushService } from './pushreceiver.mjs';

const OPTIONS = { timeout: 600_000, skip: mode === 'mixed' && 'release builds have no fault points' };
const faults = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-faults-'));
fs.chmodSync(faults, 0o777); // servers started by root run under another account
const box = await new Mailbox().open();
const service = await new PushService().open();
const providers = await new Providers().open();
const it = ownServer({ env: { SMTP_URL: box.url, MAIL_FROM, PUSH_NETWORKS: '127.0.0.1', SONET_FAULT_DIR: faults, ...providers.env } });
after(async () => {
        await Promise.all([box.close(), service.close(), providers.close()]);
        fs.rmSync(faults, { recursive: true });
});

// Lets the lease of the killed process expire now. Its other channel may already be running in the next process.
const dueNow = (table, where) => `update ${table} set due_at = now() where ${where}`;
const STEPS = {
        notified: '', portion_notified: '', push_settled: '',
        push_claimed: dueNow('notification_queue', 'channel = 1'), push_sent: dueNow('notification_queue', 'channel = 1'),
        mail_claimed: dueNow('notification_queue', 'channel = 2'), mail_queued: '', mail_sent: dueNow('mail_queue', 'settled_at is null'),
};
const sql = (words) => eventually('the database answers', () => query(it.server.dir, 'notification', words), 60_000);
const distinct = (list) => [...new Set(list)];

// Kills the process at a step caused by `cause`, and waits until everything runs again. In split mode the gateway answers /readyz before it has noticed
// that another process is gone, and when it is ready again, calls to the new one may still fail.
async function killedAt(step, member, cause) {
        const armed = path.join(faults, step), running = it.server.pids(it.server.mode === 'split' ? 'notification' : 'serve');
        assert.equal(running.length, 1);
        fs.writeFileSync(armed, '');
        const caused = await cause();
        await eventually(`${step}: it is killed`, () => !fs.existsSync(armed) && !it.server.processes().some((p) => p.pid === running[0]), 120_000);
        await eventually('ready again', async () => (await it.api('GET', '/readyz', { timeoutMs: 5000 })).status === 200 &&
                (await member.get('/v1/notifications/unread_count', { timeoutMs: 5000 })).status === 200, 120_000);
        return caused;
}

async function listener() {
        const member = await it.register();
        const address = `${member.username}@example.org`;
        must(await member.post('/v1/auth/email/verify', { code: codeIn(await box.wait(address)) }));
        must(await member.patch('/v1/users/me/settings', { notifications: { email: true } }));
        must(await member.put('/v1/notifications/preferences', { body: { types: [{ type: 'message', email: 'immediate' }] } }));
        const subscription = service.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        return { member, subscription, mails: () => box.to(address).slice(1).map((m) => m.messageId) };
}

test('each event causes one notification, one push and one mail, whichever step the process is killed at', OPTIONS, async () => {
        const { member, subscription, mails } = await listener();
        const fan = await it.register();
        const note = await member.note('Say something');
        const chat = must(await fan.post('/v1/chats', { kind: 'direct', user_ids: [member.id] }), 201);
        const cause = async (step) => {
                const [where, body] = step === 'portion_notified' ? [`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text: step }]
                        : [`/v1/notes/${note.id}/comments`, { text: step }];
                const headers = step === 'portion_notified' ? {} : { 'idempotency-key': randomKey() };
                return (await untilAcknowledged(() => fan.post(where, body, { headers, timeoutMs: 10_000 }), [201])).body.id;
        };
        const find = async (id) => must(await member.get('/v1/notifications?limit=100')).items.filter((i) => [i.note?.id, i.chat?.id].includes(id));
        const attempts = async (item) => must(await member.get(`/v1/notifications/${item.id}/deliveries`)).items.map((a) => `${a.channel} ${a.outcome}`).sort();
        const told = [];
        const mailed = () => eventually('all are mailed', () => distinct(mails()).length === told.length, 120_000);
        for (const [step, hurry] of Object.entries(STEPS)) {
                if (step === 'mail_sent') {
                        await mailed(); // first the others, so that the next one is this
                }
                const id = await killedAt(step, member, () => cause(step));
                if (hurry) {
                        await sql(hurry);
                }
                told.push(await eventually(`${step}: one notification, one push`, async () => {
                        const found = await find(step === 'portion_notified' ? chat.id : id);
                        assert.equal(found.length, 1);
                        assert.deepEqual((await attempts(found[0])).filter((a) => a.startsWith('push')), ['push sent']);
                        return found[0];
                }, 120_000));
        }
        await mailed();
        await eventually('nothing is left to send', async () => await sql('select (select count(*) from notification_queue) + (select count(*) from mail_queue where settled_at is null)') === '0', 120_000);
        assert.deepEqual(must(await member.get('/v1/notifications?limit=100')).items.map((i) => i.id).sort(), told.map((i) => i.id).sort());
        for (const item of told) {
                assert.deepEqual(await attempts(item), ['email sent', 'push sent']);
        }
        const pushed = service.to(subscription);
        assert.deepEqual(distinct(pushed.map((p) => subscription.read(p.body).id)).sort(), told.map((i) => i.id).sort());
        assert.equal(distinct(pushed.map((p) => p.headers.topic)).length, told.length);
        assert.equal(distinct(mails()).length, told.length);
});

const encoded = (number) => encodeURIComponent(number);
const codeTo = (number, n) => new URLSearchParams(providers.to(encoded(number))[n].text).get('Body').match(/\d{6}$/)[0];
const reacted = (fan, note) => untilAcknowledged(() => fan.put(`/v1/notes/${note.id}/like`, { timeoutMs: 10_000 }), [200]);

test('undone events are retracted, whichever step the process is killed at, and repeated pushes are identical', OPTIONS, async () => {
        const [member, fan] = await it.registerMany(2);
        const subscription = service.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        const sent = () => service.to(subscription).map((p) => subscription.read(p.body));
        for (const step of ['notified', 'push_claimed', 'push_sent', 'push_settled']) {
                const note = await member.note(`Undone: ${step}`);
                await reacted(fan, note);
                const push = await eventually(`${step}: the push`, () => sent().find((text) => text.note_id === note.id) ?? false, 120_000);
                await eventually('it is written down', async () => await sql(`select count(*) from notification_queue where user_id = '${member.id}'`) === '0', 120_000);
                await killedAt(step, member, () => untilAcknowledged(() => fan.del(`/v1/notes/${note.id}/like`, { timeoutMs: 10_000 }), [200]));
                if (STEPS[step]) {
                        await sql(STEPS[step]); // after the other steps the next process may already be sending: due again, it would go twice
                }
                await eventually(`${step}: the retraction`, async () => sent().some((text) => text.retracted && text.tag === push.tag) &&
                        await sql(`select count(*) from notification_queue where user_id = '${member.id}'`) === '0', 120_000);
        }
        const retractions = sent().filter((text) => text.retracted);
        assert.equal(new Set(retractions.map((text) => JSON.stringify(text))).size, 4);
        assert.ok(retractions.length <= 5, 'only what was sent and not written down goes twice');
        assert.deepEqual(must(await member.get('/v1/notifications')).items, []);
});

test('what is undone and done again when the process was killed during its push is told once, under one topic', OPTIONS, async () => {
        const [member, fan] = await it.registerMany(2);
        const subscription = service.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        for (const step of ['push_claimed', 'push_sent', 'push_settled']) {
                const from = service.to(subscription).length;
                const note = await member.note(`Again: ${step}`);
                const told = async () => must(await member.get('/v1/notifications')).items.filter((i) => i.note.id === note.id).length;
                await killedAt(step, member, () => reacted(fan, note));
                await eventually('it is told', async () => await told() === 1, 60_000);
                await untilAcknowledged(() => fan.del(`/v1/notes/${note.id}/like`, { timeoutMs: 10_000 }), [200]);
                await eventually('it is not', async () => await told() === 0, 60_000);
                await reacted(fan, note);
                await eventually('it is told again', async () => await told() === 1, 60_000);
                await sql(dueNow('notification_queue', `user_id = '${member.id}' and due_at < now() + interval '2 minutes'`)); // once: what is being sent is leased, too
                await eventually(`${step}: nothing is left to send`, async () => await sql(`select count(*) from notification_queue where user_id = '${member.id}'`) === '0', 120_000);
                const pushed = service.to(subscription).slice(from), texts = pushed.map((p) => subscription.read(p.body));
                assert.equal(distinct(pushed.map((p) => p.headers.topic)).length, 1, step);
                assert.ok(texts.filter((text) => text.type === 'like').length <= 2, `${step}: only what was sent and not written down goes twice`);
                assert.ok(texts.some((text) => text.type === 'like'), step);
        }
});

// The channels by name, their set-up, and what was sent on them for a notification.
const LANES = {
        sms: {
                number: 3,
                async setUp(member) {
                        this.to = '+491709876001';
                        must(await member.put('/v1/notifications/phone', { body: { number: this.to } }));
                        await providers.wait(encoded(this.to));
                        must(await member.post('/v1/notifications/phone/verify', { code: codeTo(this.to, 0) }));
                        must(await member.put('/v1/notifications/preferences', { body: { types: [{ type: 'like', sms: 'immediate' }] } }));
                },
                sent() { return providers.to(encoded(this.to)).slice(1).map((r) => new URLSearchParams(r.text).get('Body')); },
        },
        mobile: {
                number: 4,
                async setUp(member) {
                        this.to = 'kill-token:1';
                        must(await member.post('/v1/push/devices', { provider: 'other', token: this.to }), 201);
                },
                sent() { return providers.to(encoded(this.to)).map((r) => r.headers['idempotency-key']); },
        },
};
for (const [channel, lane] of Object.entries(LANES)) {
        test(`each event causes one delivery by ${channel}, whichever step its lane is killed at; repeated ones are identical`, OPTIONS, async () => {
                const [member, ...fans] = await it.registerMany(4);
                await lane.setUp(member);
                for (const [i, step] of ['claimed', 'sent', 'settled'].map((s) => `${channel}_${s}`).entries()) {
                        const note = await member.note(`By ${channel}: ${step}`);
                        await killedAt(step, member, () => reacted(fans[i], note));
                        await sql(dueNow('notification_queue', `channel = ${lane.number}`));
                        const item = await eventually('it is told', async () => must(await member.get('/v1/notifications')).items.find((n) => n.note.id === note.id), 60_000);
                        await eventually(`${step}: one delivery`, async () => {
                                const made = must(await member.get(`/v1/notifications/${item.id}/deliveries`)).items.filter((d) => d.channel === channel);
                                return made.length === 1 && made[0].outcome === 'sent';
                        }, 120_000);
                }
                await eventually('nothing is left to send', async () => await sql(`select count(*) from notification_queue where channel = ${lane.number}`) === '0', 120_000);
                assert.equal(distinct(lane.sent()).length, 3, 'each is the same however often it is sent');
                assert.ok(lane.sent().length <= 4, 'only what was sent and not written down goes twice');
        });
}

test('a verification code arrives whenever its sender is killed, and stays the same', OPTIONS, async () => {
        for (const [i, step] of ['code_claimed', 'code_sent'].entries()) {
                const member = await it.register(), number = `+49170987610${i}`;
                await killedAt(step, member, () => untilAcknowledged(() => member.put('/v1/notifications/phone', { body: { number }, timeoutMs: 10_000 }), [200]));
                await sql(`update phone_codes set due_at = now() where user_id = '${member.id}' and due_at is not null`);
                await eventually('it is sent, and written down', async () => providers.to(encoded(number)).length >= 1 &&
                        await sql(`select count(*) from phone_codes where user_id = '${member.id}' and due_at is not null`) === '0', 120_000);
                const codes = providers.to(encoded(number)).map((_, n) => codeTo(number, n));
                assert.equal(distinct(codes).length, 1);
                must(await member.post('/v1/notifications/phone/verify', { code: codes[0] }));
        }
});
