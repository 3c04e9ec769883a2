// SMS and pushes to apps: requests to providers, the meaning of their responses, and how members register telephone
// numbers and devices.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { eventually, must, problem } from './client.mjs';
import { query } from './database.mjs';
import { adminOf, ownServer } from './own.mjs';
import { Providers, claimsOf } from './providers.mjs';
import { PushService } from './pushreceiver.mjs';

// As long as real ones, so that no id in a log contains it.
const APNS_TOKEN = 'ab12'.repeat(16);

const providers = await new Providers().open();
const pushes = await new PushService().open();
providers.env.PUSH_NETWORKS = '127.0.0.1';
const net = ownServer({ env: providers.env });
after(() => Promise.all([providers.close(), pushes.close()]));

const PHONE = '/v1/notifications/phone', DEVICES = '/v1/push/devices';
const sql = (words) => query(net.server.dir, 'notification', words);
const hurry = (member) => sql(`update notification_queue set due_at = now() where user_id = '${member.id}'`);
const waiting = (member, channel) => Number(sql(`select count(*) from notification_queue where user_id = '${member.id}' and channel = ${{ push: 1, email: 2, sms: 3, mobile: 4 }[channel]}`));
const form = (request) => Object.fromEntries(new URLSearchParams(request.text));
let numbers = 0;
const newNumber = () => `+4917012345${String(++numbers).padStart(3, '0')}`;
const encoded = (number) => encodeURIComponent(number);
const device = async (member, provider, token) => must(await member.post(DEVICES, { provider, token }), 201);
const attempts = async (member) => {
        const [item] = must(await member.get('/v1/notifications')).items;
        return item ? must(await member.get(`/v1/notifications/${item.id}/deliveries`)).items : [];
};
const tried = (member, channel, ...outcomes) => eventually(`${channel}: ${outcomes}`, async () =>
        (await attempts(member)).filter((a) => a.channel === channel).map((a) => a.outcome).join() === outcomes.join(), 60_000);
async function verified(member, number = newNumber()) {
        must(await member.put(PHONE, { body: { number } }));
        const code = form(await providers.wait(encoded(number))).Body.match(/\d{6}$/)[0];
        return must(await member.post(`${PHONE}/verify`, { code }));
}
const wantSms = async (member) => must(await member.put('/v1/notifications/preferences', { body: { types: [{ type: 'like', sms: 'immediate' }] } }));

test('a telephone number is verified by a code sent to it, and nothing else is sent before', async () => {
        const [member, fan, other] = await net.registerMany(3);
        const number = newNumber();
        assert.equal(must(await member.get(PHONE)).number, '');
        for (const bad of ['01701234567', '+0170123456', '+49 170 1234567', '+4917012345678901', '+1\r\nX: y']) {
                const answer = await member.put(PHONE, { body: { number: bad } });
                problem(answer, 422, { field: 'number' });
                assert.match(answer.body.detail, /must be a number with country code, like "\+491701234567"$/);
        }
        await wantSms(member);
        assert.deepEqual(must(await member.put(PHONE, { body: { number } })), { number, verified_at: null });
        const sent = await providers.wait(encoded(number));
        const { To, From, Body, ValidityPeriod } = form(sent);
        assert.deepEqual([To, From, sent.headers.authorization], [number, '+15005550006', `Basic ${Buffer.from('AC0:tw-secret').toString('base64')}`]);
        assert.ok(Number(ValidityPeriod) > 500 && Number(ValidityPeriod) <= 600);
        const code = Body.match(/^SoNet: (\d{6})$/)[1];
        await fan.react((await member.note('Before')).id, 'like');
        await eventually('what came before is told in the list, and waits for no number', async () => must(await member.get('/v1/notifications')).items.length === 1 && waiting(member, 'sms') === 0, 60_000);
        problem(await member.post(`${PHONE}/verify`, { code: code === '000000' ? '000001' : '000000' }), 401, { code: 'code_wrong' });
        problem(await other.post(`${PHONE}/verify`, { code }), 409, { code: 'code_exhausted' });
        const done = must(await member.post(`${PHONE}/verify`, { code }));
        assert.ok(done.verified_at && done.number === number);
        problem(await member.post(`${PHONE}/verify`, { code }), 409, { code: 'code_exhausted' });
        await fan.react((await member.note('After')).id, 'like');
        const sms = form(await providers.wait(encoded(number), 2));
        assert.equal(sms.Body, `SoNet: Member ${fan.username} likes your note`, 'never what a note says');
        await tried(member, 'sms', 'sent');
        assert.deepEqual([(await attempts(member))[0].provider, (await attempts(member))[0].templates], ['sms', ['like/sms/en@0']]);
        assert.equal(providers.to(encoded(number)).length, 2);
        assert.deepEqual(must(await member.put(PHONE, { body: { number } })), done, 'the same number stays verified');
        assert.equal(must(await member.put(PHONE, { body: { number: newNumber() } })).verified_at, null);
        must(await member.del(PHONE), 204);
        assert.equal(must(await member.get(PHONE)).number, '');
});

test('codes allow five guesses, and are sent at most five times a day per member and per number', async () => {
        const [member, ...others] = await net.registerMany(6);
        const number = newNumber();
        must(await member.put(PHONE, { body: { number } }));
        const code = form(await providers.wait(encoded(number))).Body.match(/\d{6}$/)[0];
        const wrong = code === '000000' ? '000001' : '000000';
        for (let i = 0; i < 5; i++) {
                problem(await member.post(`${PHONE}/verify`, { code: wrong }), 401, { code: 'code_wrong' });
        }
        problem(await member.post(`${PHONE}/verify`, { code }), 409, { code: 'code_exhausted' });
        for (let i = 0; i < 4; i++) {
                must(await member.put(PHONE, { body: { number: newNumber() } }));
        }
        problem(await member.put(PHONE, { body: { number: newNumber() } }), 429, { code: 'too_many_sms' });
        for (const other of others.slice(0, 4)) {
                must(await other.put(PHONE, { body: { number } }));
        }
        problem(await others[4].put(PHONE, { body: { number } }), 429, { code: 'too_many_sms' });
});

test('while the provider fails repeatedly, a code waits without using attempts, and is sent once it works', async () => {
        const path = '/2010-04-01/Accounts/AC0/Messages.json';
        providers.answers[path] = () => [503, {}];
        const asked = async () => {
                const [member, number] = [await net.register(), newNumber()];
                must(await member.put(PHONE, { body: { number } }));
                return { member, number };
        };
        const row = ({ member }) => sql(`select attempts, due_at > created_at from phone_codes where user_id = '${member.id}'`).split('|');
        const tried = await Promise.all(Array.from({ length: 5 }, asked));
        await eventually('five failed', () => tried.every(({ number }) => providers.to(encoded(number)).length > 0), 60_000);
        let waiting;
        for (let i = 0; i < 10 && !waiting; i++) { // one may be tried after each pause, and the next pause is longer
                const next = await asked();
                const [attempts] = await eventually('it is tried, or put off', () => row(next)[1] === 't' && row(next), 60_000);
                if (attempts === '0') {
                        waiting = next;
                } else {
                        tried.push(next);
                }
        }
        assert.equal(providers.to(encoded(waiting.number)).length, 0, 'the provider is not asked meanwhile');
        delete providers.answers[path];
        await eventually('the codes come', () => {
                sql('update phone_codes set due_at = now() where due_at > now()');
                return [waiting, ...tried].every(({ member }) => sql(`select due_at is null from phone_codes where user_id = '${member.id}'`) === 't');
        }, 120_000);
        assert.equal(row(waiting)[0], '1', 'it lost no attempt by waiting');
        assert.equal(providers.to(encoded(waiting.number)).length, 1);
        const code = form(providers.to(encoded(waiting.number))[0]).Body.match(/\d{6}$/)[0];
        assert.ok(must(await waiting.member.post(`${PHONE}/verify`, { code })).verified_at);
});

test('a number that cannot get SMS is deleted; a deferred SMS is sent later; a misconfigured provider loses nothing', async () => {
        const [gone, later, fan] = await net.registerMany(3);
        const path = '/2010-04-01/Accounts/AC0/Messages.json';
        for (const member of [gone, later]) {
                await verified(member);
                await wantSms(member);
        }
        const answers = [[400, { code: 21610, message: 'unsubscribed' }]];
        providers.answers[path] = () => answers.shift();
        await fan.react((await gone.note('One')).id, 'like');
        await tried(gone, 'sms', 'gone');
        assert.equal(must(await gone.get(PHONE)).number, '');
        answers.push([429, { code: 20429 }, { 'retry-after': '1' }], [401, { code: 20003 }]);
        await fan.react((await later.note('Two')).id, 'like');
        await tried(later, 'sms', 'later');
        hurry(later);
        await tried(later, 'sms', 'later', 'later');
        hurry(later);
        await tried(later, 'sms', 'sent', 'later', 'later');
        delete providers.answers[path];
});

test('Android apps get pushes with an access token of the service account, which is renewed', async () => {
        const [member, fan] = await net.registerMany(2);
        const { id } = await device(member, 'fcm', 'fcm-token:1');
        const note = await member.note('Grüße "an" alle');
        await fan.react(note.id, 'like');
        const sent = await providers.wait('fcm-token:1');
        assert.equal(sent.path, '/v1/projects/x-1/messages:send');
        const { message } = JSON.parse(sent.text);
        assert.deepEqual([message.token, message.notification], ['fcm-token:1', { title: `Member ${fan.username} likes your note`, body: 'Grüße "an" alle' }]);
        assert.ok(message.android.ttl === '86400s' && message.android.collapse_key.length === 32 && !message.android.collapse_key.includes(note.id));
        const asked = await providers.wait('/token');
        const { grant_type: grant, assertion } = form(asked);
        const { claims } = claimsOf(assertion, providers.google.publicKey, 'RS256');
        assert.equal(grant, 'urn:ietf:params:oauth:grant-type:jwt-bearer');
        assert.deepEqual([claims.iss, claims.aud, claims.scope], ['sonet@x.example', `${providers.url}/token`, 'https://www.googleapis.com/auth/firebase.messaging']);
        assert.ok(claims.exp - claims.iat === 3600 && Math.abs(claims.iat - Date.now() / 1000) < 60);
        await tried(member, 'mobile', 'sent');
        providers.tokens++; // invalidates the issued token
        await fan.react((await member.note('Two')).id, 'like');
        await tried(member, 'mobile', 'later');
        hurry(member);
        await tried(member, 'mobile', 'sent', 'later');
        providers.answers['/v1/projects/x-1/messages:send'] = () => [404, { error: { status: 'NOT_FOUND', details: [{ '@type': 'x' }, { errorCode: 'UNREGISTERED' }] } }];
        assert.deepEqual(must(await member.get(DEVICES)).items.map((d) => [d.id, d.provider]), [[id, 'fcm']]);
        await fan.react((await member.note('Three')).id, 'like');
        await tried(member, 'mobile', 'gone');
        assert.deepEqual(must(await member.get(DEVICES)).items, []);
        delete providers.answers['/v1/projects/x-1/messages:send'];
});

test('iOS apps get pushes over HTTP/2 with our signed token; for messages only the sender is named', async () => {
        const [member, fan] = await net.registerMany(2);
        await device(member, 'apns', APNS_TOKEN);
        await fan.react((await member.note('Hello')).id, 'like');
        const sent = await providers.wait(`/3/device/${APNS_TOKEN}`);
        assert.ok(sent.http2 && sent.method === 'POST');
        const { head, claims } = claimsOf(sent.headers.authorization.replace(/^bearer /, ''), providers.apple.publicKey, 'ES256');
        assert.deepEqual([head.kid, claims.iss], ['KEY0', 'TEAM0']);
        assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
        assert.deepEqual(['apns-topic', 'apns-push-type', 'apns-priority'].map((name) => sent.headers[name]), ['example.app', 'alert', '10']);
        assert.ok(sent.headers['apns-collapse-id'].length <= 64 && Number(sent.headers['apns-expiration']) > Date.now() / 1000);
        assert.deepEqual(JSON.parse(sent.text).aps.alert, { title: `Member ${fan.username} likes your note`, body: 'Hello' });
        const chat = must(await fan.post('/v1/chats', { kind: 'direct', user_ids: [member.id] }), 201);
        must(await fan.post(`/v1/chats/${chat.id}/messages`, { client_id: crypto.randomUUID(), text: 'Between us' }), 201);
        const message = await providers.wait(`/3/device/${APNS_TOKEN}`, 2);
        assert.ok(!message.text.includes('Between us') && message.text.includes(fan.username));
        providers.answers[`/3/device/${APNS_TOKEN}`] = () => [403, { reason: 'ExpiredProviderToken' }];
        await fan.react((await member.note('Two')).id, 'like');
        await tried(member, 'mobile', 'later');
        providers.answers[`/3/device/${APNS_TOKEN}`] = () => [410, { reason: 'Unregistered', timestamp: 1 }];
        hurry(member);
        await tried(member, 'mobile', 'gone', 'later');
        assert.deepEqual(must(await member.get(DEVICES)).items, []);
});

test('any other provider is described by a file; names cannot inject into its URLs, headers or texts', async () => {
        const [member, fan] = await net.registerMany(2);
        must(await fan.patch('/v1/users/me', { display_name: 'Bob "\\" {secret} & Co' }));
        await device(member, 'other', 'a.b~c:d');
        await fan.react((await member.note('Line\n"two" {secret}')).id, 'like');
        const sent = await providers.wait('/send?to=a.b~c%3Ad');
        assert.deepEqual([sent.headers['x-key'], JSON.parse(sent.text)], ['other-secret', { say: 'Bob "\\" {secret} & Co likes your note|Line\n"two" {secret}' }]);
        assert.match(sent.headers['idempotency-key'], /^[\w-]{32}$/);
        providers.answers[sent.path] = () => [400, { error: { code: 'bad_text' } }];
        await fan.react((await member.note('Refused')).id, 'like');
        await tried(member, 'mobile', 'refused');
        const dead = await adminOf(net.server, providers.env, 'deadletters', 'list', '--service', 'notification');
        assert.match(dead.stdout, /mobile\.like/);
        for (const [body, field] of [[{ provider: 'nobody', token: 'x' }, 'provider'], [{ provider: 'other', token: 'a/../b' }, 'token'], [{ provider: 'other', token: 'a\r\nb' }, 'token'], [{ provider: 'other', token: 'x'.repeat(4097) }, 'token']]) {
                problem(await member.post(DEVICES, body), 422, { field });
        }
});

test('a device is removed with its session, and there are at most 20', async () => {
        const [member, fan] = await net.registerMany(2);
        const phone = await net.logIn(member.username);
        await device(phone, 'other', 'phone-1');
        await device(fan, 'other', 'phone-1');
        assert.deepEqual(must(await phone.get(DEVICES)).items, [], 'who logs in on it takes it over');
        const { id } = await device(phone, 'other', 'phone-2');
        problem(await fan.del(`${DEVICES}/${id}`), 404, { field: 'id' });
        must(await phone.post('/v1/auth/logout', {}), 204);
        await eventually('it is gone', async () => must(await member.get(DEVICES)).items.length === 0);
        for (let i = 0; i < 20; i++) {
                await device(member, 'other', `many-${i}`);
        }
        problem(await member.post(DEVICES, { provider: 'other', token: 'one-more' }), 409);
});

test('operators can send a sample to a member’s browsers and devices or to a number, and see the providers’ responses', async () => {
        const member = await net.register();
        const notify = (...words) => adminOf(net.server, providers.env, 'notify', 'test', ...words);
        const nothing = await notify('like', 'mobile', 'en', member.username);
        assert.ok(nothing.code === 1 && /has no device with a push token/.test(nothing.stderr), nothing.stderr);
        await device(member, 'apns', 'cd34');
        await device(member, 'fcm', 'fcm-token:2');
        const subscription = pushes.subscription();
        must(await member.post('/v1/push/subscriptions', subscription.body), 201);
        const mobile = await notify('like', 'mobile', 'de', member.username);
        assert.deepEqual(mobile.stdout.trim().split('\n').sort(), ['apns: sent, HTTP 200', 'fcm: sent, HTTP 200'], mobile.stderr);
        assert.equal(JSON.parse((await providers.wait('/3/device/cd34')).text).aps.alert.title, 'Ada Lovelace gefällt deine Notiz');
        assert.equal((await notify('like', 'push', 'en', member.id)).stdout, `${pushes.url}: sent, HTTP 201\n`);
        assert.equal((await pushes.wait(subscription)).text.title, 'Ada Lovelace likes your note');
        assert.equal((await notify('like', 'sms', 'en', '+15550001111')).stdout, 'sms: sent, HTTP 201\n');
        assert.equal(form(await providers.wait(encoded('+15550001111'))).Body, 'SoNet: Ada Lovelace likes your note');
        providers.answers['/3/device/cd34'] = () => [400, { reason: 'BadDeviceToken' }];
        const failed = await notify('like', 'mobile', 'en', member.username);
        assert.match(failed.stdout, /apns: gone, HTTP 400 BadDeviceToken/);
        assert.ok(failed.code === 1 && /1 of 2 were not sent/.test(failed.stderr), failed.stderr);
        delete providers.answers['/3/device/cd34'];
        const [silent, closed] = [await new PushService().open(), await new PushService().open()];
        await closed.close();
        silent.hang('/send?to=ef56');
        const withOther = (url) => providers.write('elsewhere.json', { name: 'elsewhere', url: `${url}/send?to={to}`, type: 'text/plain', body: '{title}' });
        const elsewhere = (url) => ({ ...providers.env, MOBILE_PROVIDERS: `${providers.env.MOBILE_PROVIDERS},${withOther(url)}` });
        sql(`insert into push_subscriptions (id, user_id, endpoint, endpoint_hash, p256dh, auth, provider) values (gen_random_uuid(), '${member.id}', 'ef56', 'ef56', '', '', 'elsewhere')`);
        for (const [url, reason] of [[silent.url, /^elsewhere: later, no response within 3\d\d\d ms$/m], [closed.url, /^elsewhere: later, Couldn't connect to server: Connection refused$/m]]) {
                const answer = await adminOf(net.server, elsewhere(url), 'notify', 'test', 'like', 'mobile', 'en', member.username);
                assert.match(answer.stdout, reason);
                assert.match(answer.stdout, /^apns: sent, HTTP 200$/m);
                assert.ok(answer.code === 1 && /1 of 3 were not sent/.test(answer.stderr), answer.stderr);
        }
        await silent.close();
        providers.answers['/token'] = () => [400, { error: 'invalid_grant' }];
        assert.match((await notify('like', 'mobile', 'en', member.username)).stdout, /^fcm: later, no access token: HTTP 400 invalid_grant$/m);
        delete providers.answers['/token'];
        sql(`delete from push_subscriptions where provider = 'elsewhere'`);
        const refused = await adminOf(net.server, { ...providers.env, PUSH_NETWORKS: '' }, 'notify', 'test', 'like', 'push', 'en', member.id);
        assert.ok(refused.code === 1 && /refused, its endpoint must be .*https/.test(refused.stdout), refused.stdout);
        assert.equal((await notify('sneeze', 'sms', 'en', '+15550001111')).code, 2);
        assert.equal((await notify('new_device', 'sms', 'en', '+15550001111')).code, 2, 'what concerns the account is not sent by SMS');
});

test('attempts per channel are counted for operators, consistently with the delivery log', async () => {
        const channels = { push: 1, sms: 3, mobile: 4 };
        const [role] = Object.keys(net.server.httpAddresses()).filter((r) => net.server.mode === 'single' || r.includes('notification'));
        const counted = async () => {
                const text = await (await fetch(`${net.server.httpAddresses()[role]}/metrics`)).text();
                return Object.fromEntries([...text.matchAll(/^sonet_pushes_total\{channel="(\w+)",outcome="(\w+)"\} (\d+)$/gm)].map(([, channel, outcome, n]) => [`${channel} ${outcome}`, Number(n)]));
        };
        const logged = () => Object.fromEntries(sql('select channel, outcome, count(*) from notification_delivery_logs group by 1, 2').split('\n').map((row) => row.split('|'))
                .map(([channel, outcome, n]) => [`${Object.keys(channels).find((name) => channels[name] === Number(channel))} ${outcome}`, Number(n)]));
        await eventually('nothing is on its way', () => sql('select count(*) from notification_queue where due_at <= now() + interval \'1 minute\'') === '0', 60_000);
        const [metric, log] = [await counted(), logged()];
        assert.deepEqual(Object.keys(metric).sort(), Object.keys(channels).flatMap((c) => ['gone', 'later', 'refused', 'sent'].map((o) => `${c} ${o}`)).sort());
        assert.ok(log['sms sent'] > 0 && log['mobile sent'] > 0 && log['sms later'] > 0 && log['mobile gone'] > 0, JSON.stringify(log));
        for (const [name, n] of Object.entries(metric)) {
                assert.equal(n, log[name] ?? 0, name);
        }
});

// Two hundred are on their way at once at most.
test('any number of push services that never answer hold up nobody whose push service does', { timeout: 300_000 }, async (t) => {
        const [author, ...strangers] = await Promise.all(Array.from({ length: 12 }, () => net.register()));
        const silent = await Promise.all(Array.from({ length: 220 }, () => new PushService().open()));
        t.after(() => Promise.all(silent.map((s) => s.close())));
        const subscription = pushes.subscription();
        must(await author.post('/v1/push/subscriptions', subscription.body), 201);
        const fan = await net.register();
        for (let n = 1; n <= 25; n++) { // it is known for its answers
                await fan.react((await author.note(`Note ${n}`)).id, 'like');
                await pushes.wait(subscription, n);
        }
        await eventually('all is written down', () => sql(`select count(*) from notification_delivery_logs where user_id = '${author.id}' and outcome = 'sent'`) === '25', 60_000);
        const [role] = Object.keys(net.server.httpAddresses()).filter((r) => net.server.mode === 'single' || r.includes('notification'));
        net.server.kill(role); // it stays known
        await eventually('ready again', async () => (await net.api('GET', '/readyz', { timeoutMs: 5000 })).status === 200, 120_000);
        for (const [i, service] of silent.entries()) {
                const unheard = service.subscription();
                service.hang(unheard.path);
                must(await strangers[i % 11].post('/v1/push/subscriptions', unheard.body), 201);
        }
        for (const stranger of strangers) {
                await fan.react((await stranger.note('Nobody is there')).id, 'like');
        }
        const asked = () => silent.reduce((n, s) => n + s.pushes.length, 0);
        await eventually('they are asked', () => asked() >= 50, 60_000);
        await fan.react((await author.note('Somebody is')).id, 'like');
        await pushes.wait(subscription, 26);
        assert.ok(asked() <= 50, `${asked()} were asked before any of them was given up`);
        assert.equal(sql(`select count(*) from notification_delivery_logs where user_id in (${strangers.map((s) => `'${s.id}'`)})`), '0');
        sql(`delete from notification_queue where user_id in (${strangers.map((s) => `'${s.id}'`)})`);
});

// Each answers too soon to be slow, and not soon enough for all the others.
test('deliveries to any number of unknown push services do not keep the queue from others', { timeout: 300_000 }, async (t) => {
        const [author, fan, ...strangers] = await Promise.all(Array.from({ length: 8 }, () => net.register()));
        const drowsy = await Promise.all(Array.from({ length: 40 }, () => new PushService().open()));
        t.after(() => Promise.all(drowsy.map((s) => s.close())));
        const subscription = pushes.subscription(); // of a service that is known from the tests above
        must(await author.post('/v1/push/subscriptions', subscription.body), 201);
        for (const [i, service] of drowsy.entries()) {
                const unknown = service.subscription();
                service.hanging[unknown.path] = { then: (resolve) => setTimeout(resolve, 1500) };
                must(await strangers[i % strangers.length].post('/v1/push/subscriptions', unknown.body), 201);
        }
        sql(`with given as (insert into notifications (id, user_id, type, group_key, latest_at) select gen_random_uuid(), u, 'follow', 'follow:' || n, now()
                from unnest(array['${strangers.map((s) => s.id).join('\',\'')}']::uuid[]) u, generate_series(1, 80) n returning id, user_id),
                actors as (insert into notification_actors (notification_id, actor_id, created_at) select id, '${fan.id}', now() from given)
                insert into notification_queue (id, notification_id, user_id, channel, hold, due_at) select gen_random_uuid(), id, user_id, 1, 0, now() from given`);
        const asked = () => drowsy.reduce((n, s) => n + s.pushes.length, 0);
        await eventually('they are asked', () => asked() >= 40, 60_000);
        await fan.follow(author);
        await pushes.wait(subscription);
        assert.ok(asked() < 120, `${asked()} were asked before it was its turn`);
        sql(`delete from notification_queue where user_id in (${strangers.map((s) => `'${s.id}'`)})`);
});

test('the log contains no secrets of providers', async () => {
        const log = fs.readFileSync(net.server.log, 'utf8');
        for (const secret of ['tw-secret', 'other-secret', 'granted-', 'PRIVATE KEY', APNS_TOKEN, 'fcm-token', '+4917012345']) {
                assert.ok(!log.includes(secret), secret);
        }
        const codes = providers.to((r) => /Body=SoNet%3A%20\d{6}/.test(r.text)).map((r) => form(r).Body.slice(-6)).filter((code) => code > '100000');
        for (const code of codes) {
                assert.doesNotMatch(log, new RegExp(`(?<![0-9a-f])${code}(?![0-9a-f])`)); // not as part of a time or an id
        }
});
