// Erasing an account: no trace of its member remains in any database or in Redis. Checked in dumps of all tables.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { PASSWORD, connect, eventually, ids, must, problem, randomKey, randomName } from './client.mjs';
import { keyOf } from './database.mjs';
import { SERVICES, findBinary, freePort } from './harness.mjs';
import { form, png } from './pictures.mjs';
import { Servers } from './servers.mjs';

const run = promisify(execFile);
let servers;
let child;
let it;

before(async () => {
        servers = await new Servers().start();
        const keyFile = path.join(servers.dir, 'key');
        fs.writeFileSync(keyFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
        const env = { ...process.env, SONET_KEY_FILE: keyFile, REDIS_URL: servers.redisUrl, SONET_RATE_LIMITS: 'off', DATABASE_ADMIN_URL: servers.adminUrl,
                      DATABASE_URL: `postgresql://{service_name}@/{service_name}?host=${servers.dir}`, ACCOUNT_GRACE_DAYS: '0', MAIL_DIR: path.join(servers.dir, 'mail'), MEDIA_DIR: path.join(servers.dir, 'media') };
        await run(findBinary(), ['migrate'], { env });
        const port = await freePort(1);
        const log = fs.openSync(path.join(servers.dir, 'sonet.log'), 'a');
        child = spawn(findBinary(), ['serve', '--port', String(port), 'all'], { env, stdio: ['ignore', log, log] });
        it = connect(`http://127.0.0.1:${port}`);
        await eventually('it is ready', async () => (await it.api('GET', '/readyz')).status === 200, 60_000);
});
after(async () => {
        if (child) {
                const ended = new Promise((resolve) => child.once('exit', resolve));
                child.kill('SIGTERM');
                await ended;
        }
        it?.close();
        await servers?.stop();
});

const sql = async (service, text) => (await run('psql', ['-h', servers.dir, '-U', 'sonet_admin', '-d', `${service}_service`, '-Atc', text], { maxBuffer: 1 << 26 })).stdout;

// Every row of every table, as text: ["note.notes: (…)"].
async function dump() {
        const rows = await Promise.all(SERVICES.map(async (service) => {
                const { stdout } = await run('pg_dump', ['-h', servers.dir, '-U', 'sonet_admin', '--data-only', '--inserts', `${service}_service`], { maxBuffer: 1 << 28 });
                return stdout.split('\n').filter((line) => line.startsWith('INSERT')).map((line) => `${service}: ${line}`);
        }));
        return rows.flat();
}

// The whole of Redis, uncompressed, as one byte string.
async function dumpRedis() {
        const ask = (...words) => new Promise((resolve, reject) => {
                const socket = net.connect(path.join(servers.dir, 'redis.sock'));
                socket.once('data', (data) => { socket.destroy(); resolve(String(data)); }).on('error', reject);
                socket.write(`*${words.length}\r\n${words.map((w) => `$${w.length}\r\n${w}\r\n`).join('')}`);
        });
        await ask('CONFIG', 'SET', 'rdbcompression', 'no');
        assert.match(await ask('SAVE'), /OK/);
        return fs.readFileSync(path.join(servers.dir, 'dump.rdb'), 'latin1');
}

const bytesOf = (id) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('latin1');
const traces = (lines, marks) => lines.filter((line) => marks.some((mark) => line.toLowerCase().includes(mark)));

// Ada, who will be erased; a friend; and one whom she muted.
async function makeMembers(word, name) {
        const ada = await it.register({ username: name, display_name: `Ada ${word}` });
        const fan = await it.register();
        const foe = await it.register();
        must(await ada.patch('/v1/users/me', { bio: `I am ${word}` }));
        must(await ada.patch('/v1/users/me/settings', { privacy: { private: true }, language: 'de' }));
        await fan.follow(ada);
        must(await ada.put(`/v1/follow_requests/${fan.id}`));
        await foe.follow(ada);
        await ada.relate(foe, 'mute');
        await ada.follow(fan);
        return { ada, fan };
}

// What she wrote, and what others wrote to her.
async function makeNotes(ada, fan, word, name) {
        const note = must(await ada.post('/v1/notes', { text: `${word} one #${word}`, visibility: 'public' }, { headers: { 'idempotency-key': randomKey() } }), 201);
        const closed = await ada.note(`${word} for followers`);
        const deleted = await ada.note(`${word} deleted`);
        must(await ada.del(`/v1/notes/${deleted.id}`), 204);
        const theirs = await fan.note('ask away');
        const mention = await fan.note(`hello @${name}`);
        const comment = await ada.comment(theirs.id, `${word} commented`);
        const answer = await fan.comment(comment.id, 'I see');
        const under = await fan.comment(closed.id, 'among us');
        const removed = await fan.comment(note.id, 'rude');
        must(await ada.del(`/v1/notes/${note.id}/comments/${removed.id}`), 204);
        await ada.react(theirs.id, 'like');
        await ada.react(theirs.id, 'bookmark');
        await ada.react(theirs.id, 'renote');
        await fan.react(note.id, 'renote');
        return { note, closed, theirs, mention, answer, under };
}

async function makeFilesAndSearches(ada, word) {
        const picture = must(await it.api('POST', '/v1/media', { token: ada.token, ...form(png(8, 8), { alt_text: word }, `${word}.png`) }), 202);
        await sql('media', `insert into media_access_logs select gen_random_uuid(), gen_random_uuid(), case n % 2 when 0 then '${ada.id}'::uuid else gen_random_uuid() end, case n % 2 when 1 then '${ada.id}'::uuid end, 'small', true, 1, now() from generate_series(1, 120) n`);
        await eventually('her search history is stored', async () => { must(await ada.get(`/v1/search?query=${word}`)); return must(await ada.get('/v1/search/history')).items.length === 1; });
        must(await ada.post('/v1/search/saved', { query: word }), 201);
        must(await ada.post('/v1/notes', { text: `${word} looks`, media_ids: [picture.id] }), 201);
        must(await it.api('POST', '/v1/uploads', { token: ada.token, headers: { 'tus-resumable': '1.0.0', 'upload-length': '1000' } }), 201);
}

async function makeChats(ada, fan, word) {
        const say = (member, chat, text) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), text });
        const chats = await Promise.all([{ kind: 'direct', user_ids: [fan.id] }, { kind: 'group', title: word, user_ids: [fan.id] }, { kind: 'group', title: `${word} alone` }]
                .map(async (chat) => must(await ada.post('/v1/chats', chat), 201)));
        const said = [];
        for (const chat of chats.slice(0, 2)) {
                const mine = must(await say(ada, chat, `${word} said`), 201);
                said.push(must(await say(fan, chat, 'To be liked'), 201));
                must(await ada.put(`/v1/chats/${chat.id}/messages/${said.at(-1).id}/reactions/${encodeURIComponent('👍')}`), 204);
                must(await ada.patch(`/v1/chats/${chat.id}/messages/${mine.id}`, { text: `${word} said again` }));
                must(await fan.put(`/v1/chats/${chat.id}/messages/${mine.id}/reactions/${encodeURIComponent('👍')}`), 204);
                must(await ada.del(`/v1/chats/${chat.id}/messages/${said.at(-1).id}`), 204);
                must(await ada.put(`/v1/chats/${chat.id}/draft`, { body: { text: word } }), 204);
        }
        must(await ada.patch(`/v1/chats/${chats[1].id}`, { title: 'Ours' }));
        return { chats, said };
}

async function assertChats(fan, chats, said) {
        for (const [i, chat] of chats.slice(0, 2).entries()) {
                const { items } = must(await fan.get(`/v1/chats/${chat.id}/messages`));
                assert.deepEqual(items.map((m) => [m.text, m.deleted, m.sender?.id, m.reactions]), [['', true, undefined, []], ['To be liked', false, fan.id, []]]);
                assert.equal(items[1].id, said[i].id);
        }
        assert.deepEqual([must(await fan.get(`/v1/chats/${chats[0].id}`)).peer, must(await fan.get(`/v1/chats/${chats[1].id}`)).role], [null, 'owner']);
}

async function assertNotes(fan, { theirs, answer, under, mention }) {
        const seen = await fan.read(theirs.id);
        assert.deepEqual([seen.counts.likes, seen.counts.renotes, seen.counts.bookmarks], [0, 0, 0]);
        assert.deepEqual(ids(must(await fan.get(`/v1/notes/${theirs.id}/thread`)).items), [answer.id], 'what was answered to her stays');
        assert.equal((await fan.read(under.id)).text, 'among us');
        assert.deepEqual((await fan.read(mention.id)).mentions, []);
        await eventually('the counts are right', async () => {
                const { counts } = must(await fan.get('/v1/users/me'));
                assert.deepEqual([counts.followers, counts.following], [0, 0]);
        });
}

async function assertIndex(ada, fan) {
        // As if the index had been compared with the members during her erasure.
        await sql('search', `insert into search_members (user_id, username_key, names, discoverable, searchable) values ('${ada.id}', 'x', 'x', true, true);
                update search_rebuild set after_id = '00000000-0000-0000-0000-000000000000', done_at = null`);
        await eventually('the index no longer contains her', async () => await sql('search', `select count(*) from search_members where user_id = '${ada.id}'`) === '0\n', 60_000);
        assert.equal(await sql('search', `select count(*) from search_unlisted where user_id = '${ada.id}'`), '0\n');
        assert.equal(await sql('search', `select count(*) from search_members where user_id = '${fan.id}'`), '1\n');
}

test('an erased member leaves no trace: ID, name, address, text', { timeout: 240_000 }, async () => {
        const word = randomName('zq').replace('_', '');
        const name = `${word}name`.slice(0, 25);
        const { ada, fan } = await makeMembers(word, name);
        const made = await makeNotes(ada, fan, word, name);
        const { note, closed, mention } = made;
        await makeFilesAndSearches(ada, word);
        const { chats, said } = await makeChats(ada, fan, word);
        await eventually('timelines', async () => (await fan.homeIds()).includes(closed.id) && (await ada.homeIds()).includes(mention.id));
        await eventually('counts', async () => must(await fan.get('/v1/users/me')).counts.followers === 1);
        // More than a consumer could handle in the attempts after which it would give up if it did not report progress.
        await sql('notification', `insert into notifications (id, user_id, type, group_key, latest_at) select gen_random_uuid(), '${ada.id}', 'like', 'like:' || n, now() from generate_series(1, 12000) n`);
        const marks = [ada.id, word, name, bytesOf(ada.id)];
        assert.ok(traces(await dump(), marks).length > 20, 'the search finds what is there');
        const inRedis = await dumpRedis();
        assert.ok([bytesOf(ada.id), ada.id].every((id) => inRedis.includes(id)), 'also in Redis: in timelines and in streams');

        // The text of another member's note, and its words in the index.
        const isTheirs = (line) => !line.includes(ada.id) && (/hello @/.test(line) || (line.includes(mention.id) && /INTO public\.search_index /.test(line)) ||
                new RegExp(`INTO public\\.search_words .*\\('(~[a-z]+:|@)?${name.slice(0, -1)}`).test(line));
        must(await ada.del('/v1/users/me', { body: { password: PASSWORD } }), 204);
        await eventually('she is gone from all notifications', async () => await sql('notification', `select count(*) from notifications where user_id = '${ada.id}'`) === '0\n', 240_000); // in portions
        await eventually('it is erased', async () => {
                const left = traces(await dump(), marks).filter((line) => !/INTO public\.outbox/.test(line) && !isTheirs(line));
                assert.deepEqual(left, []);
        }, 120_000);
        await eventually('her picture is gone', () => fs.readdirSync(path.join(servers.dir, 'media'), { recursive: true }).every((name) => !/[0-9a-f]{64}|chunks\//.test(name)));
        assert.ok(!(await dumpRedis()).includes(bytesOf(ada.id)), 'no cached timeline names her');

        // Events contain IDs for seven days, in the log.
        for (const service of SERVICES) {
                await sql(service, 'update outbox set assigned_at = assigned_at - interval \'8 days\', occurred_at = occurred_at - interval \'8 days\'; select cleanup_old_data(10000)');
        }
        // A link in an old mail stores nothing of its reader again.
        const mac = createHmac('sha256', keyOf(servers.dir, 'unsubscribe')).update(ada.id).digest().subarray(0, 18).toString('base64url');
        problem(await it.api('POST', `/v1/notifications/unsubscribe/${ada.id}.${mac}`), 404);
        const left = traces(await dump(), marks);
        assert.deepEqual(left.filter((line) => !isTheirs(line)), []);
        assert.deepEqual(left.filter((line) => line.startsWith('note:')).map((line) => /hello @/.test(line)), [true], 'what others wrote in their own words is theirs');

        await assertIndex(ada, fan);
        await assertChats(fan, chats, said);
        await assertNotes(fan, made);
        problem(await it.api('POST', '/v1/auth/login', { body: { login: name, password: PASSWORD } }), 401, { code: 'credentials_wrong' });
        await eventually('no event stream in Redis contains her ID', async () => !(await dumpRedis()).includes(ada.id), 240_000);
        const again = await it.register({ username: name });
        assert.notEqual(again.id, ada.id, 'the name is free again');
        assert.ok((await fan.homeIds()).every((id) => id !== note.id));
});
