// Notifications: one event for many members, and its effect on others; pages of the list among a million, compared with the home timeline; pushes per
// second, compared with OpenSSL's time for their keys alone; mails over persistent connections, compared with a client that only sends mails. The table goes to standard output.
import http from 'node:http';
import crypto from 'node:crypto';
import { inBatches } from '../tests/e2e/client.mjs';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { Load, entry, request, run } from './load.mjs';
import { cpuBetween, cpuNow, describeMachine } from './machine.mjs';
import { Members, must } from './network.mjs';
import { options } from './options.mjs';
import { postgresql } from './references.mjs';
import { table } from './report.mjs';
import { Sink } from './smtp.mjs';

const { watchers: WATCHERS, mails: MAILS, notifications: NOTIFICATIONS, seconds: SECONDS } = options;
const MEMBERS = 50, ORIGINS = 4;
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const whole = (n) => Math.round(n).toLocaleString('en');
const ms = (us) => (us / 1000).toFixed(2);
const seconds = (since) => (performance.now() - since) / 1000;
const WATCHER = (n) => `('01900000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const sql = async (server, database, text) => (await postgresql(server, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text)).trim();

// ---- Data ----

// After the members, who are not notified of earlier notes.
async function fillWatchers(server, author, origins) {
        const numbers = `generate_series(1, ${WATCHERS}) n`;
        const key = crypto.createECDH('prime256v1').generateKeys('base64url');
        await sql(server, 'user_service', `insert into users (id, username, username_key, email, email_key, password_hash, display_name, email_verified_at)
                select ${WATCHER('n')}, 'b' || n, 'b' || n, 'b' || n || '@example.org', 'b' || n || '@example.org', 'x', 'B', now() from ${numbers};
                insert into user_stats (user_id) select ${WATCHER('n')} from ${numbers}`);
        await sql(server, 'notification_service', `insert into watched_members (author_id, user_id) select '${author.id}', ${WATCHER('n')} from ${numbers};
                insert into push_subscriptions (id, user_id, endpoint, endpoint_hash, p256dh, auth) select ${WATCHER('n')}, ${WATCHER('n')}, (array['${origins.join("','")}'])[1 + n % ${ORIGINS}] || '/' || n, int4send(n),
                        '${key}', '${'A'.repeat(22)}' from ${numbers}`);
        await prefer(server, `generate_series(1, ${WATCHERS}) n`, 4, 1);
}

// How watchers are notified of new notes: a value of enum delivery.
const prefer = (server, numbers, push, email) => sql(server, 'notification_service', `insert into notification_preferences (user_id, type, in_app, push, email, sms)
        select ${WATCHER('n')}, 'new_note', 0, ${push}, ${email}, 0 from ${numbers} on conflict (user_id, type) do update set push = excluded.push, email = excluded.email`);

// Each member follows ten others, writes twenty notes, and has as many notifications of likes as needed.
async function fillMembers(server, members) {
        await inBatches(members, 8, async (m, i) => {
                for (let k = 1; k <= 10; k++) {
                        await must(server, 'PUT', `/v1/users/${members[(i + k) % members.length].id}/follow`, { token: m.token });
                }
                m.notes = [];
                for (let k = 0; k < 20; k++) {
                        m.notes.push(JSON.parse(await must(server, 'POST', '/v1/notes', { token: m.token, json: { text: `Note ${k} of ${m.username}, to be liked` } })).id);
                }
        });
        const each = NOTIFICATIONS / members.length;
        for (const m of members) {
                await sql(server, 'notification_service', `set synchronous_commit = off; with made as (insert into notifications (id, user_id, type, group_key, note_id, open, latest_at, created_at, sole_actor_id)
                        select gen_random_uuid(), '${m.id}', 'like', 'bench:' || n, (array['${m.notes.join("','")}']::uuid[])[1 + n % 20], false, now() - n * interval '1 second', now(), ${WATCHER(`1 + n % ${WATCHERS}`)} from generate_series(1, ${each}) n
                        returning id, sole_actor_id) insert into notification_actors (notification_id, actor_id, created_at) select id, sole_actor_id, now() from made`);
        }
}

async function analyze(server) {
        for (const database of ['notification_service', 'user_service', 'note_service', 'follow_service']) {
                await sql(server, database, 'vacuum analyze');
        }
}

// ---- One event ----

const inboxes = (members) => members.map((m) => entry('inbox', request('GET', '/v1/notifications', { token: m.token }), { minBytes: 2000, items: [20, 20] }));
const homes = (members) => members.map((m) => entry('home', request('GET', '/v1/timelines/home', { token: m.token }), { minBytes: 4000, items: [20, 20] }));

async function until(what) {
        while (!await what()) {
                await sleep(20);
        }
}

// Until the consumer of new notes has gone past a note: then all its watchers' rows are committed. Looks at one row, in short
// transactions: counting twenty thousand rows again and again, or a snapshot held so long that no dead rows can be skipped, would slow down what is measured.
async function untilHandled(server, id) {
        await sql(server, 'notification_service', `do $$ begin while not exists (select from consumer_positions where source = 'note' and consumer = 'new_notes' and position >= ${await positionOf(server, id)})
                loop commit; perform pg_sleep(0.02); end loop; end $$`);
}

async function checkStored(server, id) {
        const rows = await sql(server, 'notification_service', `select count(*), count(q.id) from notifications n left join notification_queue q on q.notification_id = n.id where n.group_key = 'new_note:${id}'`);
        if (rows !== `${WATCHERS}|${WATCHERS}`) {
                throw new Error(`notifications and deliveries: ${rows}`);
        }
}

// The position of the event in the log, once it has one.
async function positionOf(server, id) {
        let position = '';
        await until(async () => (position = await sql(server, 'note_service', `select coalesce(position::text, '') from outbox where type = 'note.created' and aggregate_id = '${id}'`)) !== '');
        return position;
}

async function measureEvent(server, load, author, others) {
        const busy = { connections: 2, seconds: SECONDS };
        const before = await load.run(server.port, homes(others), busy);
        const meanwhile = load.run(server.port, homes(others), busy);
        const start = performance.now();
        const { id } = JSON.parse(await must(server, 'POST', '/v1/notes', { token: author.token, json: { text: 'For everybody who watches' } }));
        await untilHandled(server, id);
        const queued = seconds(start);
        await checkStored(server, id);
        return { id, queued, before, during: await meanwhile };
}

// The same rows with one statement each, and nothing else: PostgreSQL's share.
async function measureRows(server, id) {
        const start = performance.now();
        await sql(server, 'notification_service', `begin; create temporary table made on commit drop as select gen_random_uuid() as id, user_id from notifications where note_id = '${id}' and type = 'new_note';
                insert into notifications (id, user_id, type, group_key, note_id, open, latest_at, sole_actor_id) select id, user_id, 'new_note', 'rows:${id}', '${id}', false, now(), user_id from made;
                insert into notification_actors (notification_id, actor_id, created_at) select id, user_id, now() from made;
                insert into notification_queue (id, notification_id, user_id, channel, hold, due_at) select gen_random_uuid(), id, user_id, 1, 1, now() + interval '1 day' from made; rollback`);
        return seconds(start);
}

// ---- Pushes ----

async function openPushServices() {
        const counted = { pushes: 0, servers: [], origins: [] };
        for (let i = 0; i < ORIGINS; i++) {
                const server = http.createServer((asked, answer) => {
                        asked.resume();
                        asked.on('end', () => {
                                counted.pushes++;
                                answer.writeHead(201).end();
                        });
                });
                await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
                counted.servers.push(server);
                counted.origins.push(`http://127.0.0.1:${server.address().port}`);
        }
        return counted;
}

async function measurePushes(server, service) {
        const cpu = cpuNow(server);
        await sql(server, 'notification_service', 'update notification_queue set due_at = now(), hold = 0 where channel = 1');
        await until(() => service.pushes > 0);
        const [start, first] = [performance.now(), service.pushes];
        await until(() => service.pushes >= WATCHERS);
        const taken = seconds(start);
        return { per_s: (WATCHERS - first) / taken, cpu: cpuBetween(cpu, cpuNow(server)) };
}

// Operations per second on one core: ECDH, and signatures, which generate as many keys.
async function opensslSpeed() {
        const out = await run('openssl', ['speed', '-seconds', '2', '-mr', 'ecdhp256', 'ecdsap256'], { stdio: ['ignore', 'pipe', 'pipe'] });
        const of = (line) => Number(out.split('\n').find((l) => l.startsWith(line)).split(':').at(-1));
        const sign = out.split('\n').find((l) => l.startsWith('+F4:')).split(':');
        const perS = (n) => (n < 1 ? 1 / n : n);
        return { ecdh: perS(of('+F5:')), sign: perS(Number(sign[4])) };
}

// ---- Mails ----

async function measureMails(server, sink, author) {
        await prefer(server, `generate_series(1, ${MAILS}) n`, 1, 2);
        const cpu = cpuNow(server);
        const start = performance.now();
        await must(server, 'POST', '/v1/notes', { token: author.token, json: { text: 'For everybody who reads mails' } });
        await until(() => sink.mails > 0);
        const first = performance.now();
        await until(() => sink.mails >= MAILS);
        return { all: seconds(start), per_s: MAILS / seconds(first), connections: sink.connections, cpu: cpuBetween(cpu, cpuNow(server)) };
}

async function measureWire(sink) {
        const mail = `Subject: x\r\n\r\n${'A line of a mail that is as long as those are.\r\n'.repeat(60)}`;
        const start = performance.now();
        await Promise.all([sink.send(mail, MAILS / 2), sink.send(mail, MAILS / 2)]);
        return MAILS / seconds(start);
}

// ---- Main ----

const sink = await new Sink().open();
const service = await openPushServices();
const server = await startServer({ mode: 'single', env: { SMTP_URL: sink.url, MAIL_FROM: 'Bench <no-reply@social.example>', PUSH_NETWORKS: '127.0.0.1', SONET_RATE_LIMITS: 'off' } });
try {
        const machine = describeMachine();
        const load = new Load(options.out), all = new Members(MEMBERS);
        say('making members and notifications');
        await all.register(load, server);
        const [author, ...others] = all.members;
        await fillMembers(server, all.members);
        await fillWatchers(server, author, service.origins);
        await analyze(server);
        const rows = [];
        const add = (...row) => { rows.push(row); say(row.join(', ')); };

        await load.run(server.port, [...inboxes(others), ...homes(others)], { connections: 8, seconds: 2 });
        for (const connections of [8, 16]) {
                const inbox = await load.run(server.port, inboxes(others), { connections, seconds: SECONDS });
                const home = await load.run(server.port, homes(others), { connections, seconds: SECONDS });
                add(`pages of 20 among ${whole(NOTIFICATIONS)}, a second, over ${connections} connections`, whole(inbox.per_s), '3,000', `${whole(home.per_s)}: home timeline`);
                add('their p99, ms', ms(inbox.p99_us), '5', `${ms(home.p99_us)}: home timeline`);
        }
        const event = await measureEvent(server, load, author, others);
        const plain = await measureRows(server, event.id);
        add(`a note for ${whole(WATCHERS)} watchers: queued, and in their lists, after s`, event.queued.toFixed(2), '2 and 5', `${plain.toFixed(2)}: the rows by one statement for each table`);
        add('others’ home timeline meanwhile, p99 ms', ms(event.during.p99_us), `${ms(2 * event.before.p99_us)}: twice`, `${ms(event.before.p99_us)}: before`);
        const pushes = await measurePushes(server, service);
        const limit = await opensslSpeed();
        add('pushes to a local service, a second', whole(pushes.per_s), '1,000', `${whole(1 / (1 / limit.ecdh + 1 / limit.sign))}: an ECDH and a key by openssl speed (${whole(limit.ecdh)}, ${whole(limit.sign)})`);
        add('their CPU, µs each: sonet, PostgreSQL', `${whole((pushes.cpu.sonet * 1e6) / WATCHERS)}, ${whole((pushes.cpu.postgresql * 1e6) / WATCHERS)}`, '1,000', '–');
        const mails = await measureMails(server, sink, author);
        const wire = await measureWire(sink);
        add(`${whole(MAILS)} mails, a second from the first on`, whole(mails.per_s), '–', `${whole(wire)}: a client that sends one text over two connections`);
        add('all of them after s, over so many connections', `${mails.all.toFixed(1)}, ${mails.connections}`, '–', '–');
        console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
        console.log(table(['', 'measured', 'aim', 'reference'], rows));
} catch (error) {
        console.error(`bench: ${error.stack}\n${server.logTail(15)}`);
        process.exitCode = 1;
} finally {
        service.servers.forEach((s) => { s.closeAllConnections(); s.close(); });
        await Promise.all([server.stop(), sink.close()]);
}
process.exit();
