// Deleting your account: it is hidden from everyone until its member logs in again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { mailsTo, verifyEmail } from './operator.mjs';
import { form, png } from './pictures.mjs';
import { PASSWORD, api, assertTokenIsRefused, eventually, ids, logIn, must, problem, randomName, register, registerMany } from './shared.mjs';

const remove = (member, body = { password: PASSWORD }) => member.del('/v1/users/me', { body });

// Ada with everything that others can see of a member, and its routes: [those that must be not found, those that must not mention her].
async function known() {
        const word = randomName('w').replace('_', '');
        const ada = await register({ display_name: `Ada ${word}` });
        const [fan, other] = await registerMany(2);
        await fan.follow(ada);
        await ada.follow(fan);
        const note = await ada.note(`${word} #${word}`);
        const of = await fan.note(`what does @${ada.username} say?`);
        const comment = await ada.comment(of.id, `${word} says`);
        await ada.react(of.id, 'renote');
        await fan.react(note.id, 'bookmark');
        await eventually('it arrives', async () => (await fan.homeIds()).includes(note.id));
        const gone = [`/v1/users/${ada.id}`, `/v1/users/${ada.username}`, `/v1/notes/${note.id}`, `/v1/notes/${comment.id}`, `/v1/timelines/users/${ada.id}`,
                      `/v1/users/${ada.id}/followers`, `/v1/users/${ada.username}/following`];
        const silent = [`/v1/users?query=${word}`, `/v1/users?query=${ada.username}`, `/v1/timelines/hashtags/${word}`, `/v1/notes/${of.id}/comments`, `/v1/notes/${of.id}/thread`,
                        `/v1/users/${fan.id}/followers`, `/v1/users/${fan.id}/following`, '/v1/timelines/home', '/v1/bookmarks'];
        // Everything that names her, except in texts by others.
        const says = (answer) => [ada.id, word, note.id, comment.id].some((s) => answer.text.includes(s)) ||
                answer.text.replaceAll(`@${ada.username}`, '').includes(ada.username);
        return { ada, fan, other, note, of, word, gone, silent, says };
}

test('a deleted account is immediately hidden from everyone, on every route', async () => {
        const { ada, fan, other, note, of, gone, silent, says } = await known();
        for (const path of silent) {
                await eventually(`${path} names her`, async () => says(await fan.get(path)));
        }
        must(await remove(ada), 204);
        await assertTokenIsRefused(ada.token);
        problem(await api('POST', '/v1/auth/refresh', { body: { refresh_token: ada.refreshToken } }), 401);
        for (const reader of [fan, other]) {
                for (const path of gone) {
                        problem(await reader.get(path), 404);
                }
                for (const path of silent) {
                        const answer = await reader.get(path);
                        must(answer);
                        assert.ok(!says(answer), `${path}: ${answer.text}`);
                }
        }
        assert.deepEqual((await fan.read(of.id)).mentions, []);
        for (const what of ['follow', 'block', 'mute']) {
                problem(await other.put(`/v1/users/${ada.id}/${what}`), 404);
        }
        problem(await fan.put(`/v1/notes/${note.id}/like`), 404);
        problem(await fan.post(`/v1/notes/${note.id}/comments`, { text: 'where are you?' }), 404);
        const relation = must(await fan.get(`/v1/relationships?user_ids=${ada.id}`)).items[0];
        assert.deepEqual([relation.following, relation.followed_by], [false, false]);
        const later = await fan.note(`@${ada.username} left`);
        assert.deepEqual(later.mentions, []);
        problem(await api('POST', '/v1/auth/register', { body: { username: ada.username, email: `x${ada.username}@example.org`, password: PASSWORD } }), 409, { code: 'username_taken' });
});

test('logging in again restores everything', async () => {
        const { ada, fan, note, of, gone, silent, says } = await known();
        const before = await Promise.all([...gone, ...silent].map(async (path) => says(await fan.get(path))));
        must(await remove(ada), 204);
        problem(await api('POST', '/v1/auth/login', { body: { login: ada.username, password: 'not the password' } }), 401, { code: 'credentials_wrong' });
        problem(await fan.get(`/v1/users/${ada.id}`), 404);
        const back = await logIn(ada.username);
        assert.equal(back.id, ada.id);
        assert.deepEqual(await Promise.all([...gone, ...silent].map(async (path) => says(await fan.get(path)))), before);
        assert.deepEqual(ids((await fan.read(of.id)).mentions), [ada.id]);
        assert.deepEqual((await back.home()).map((item) => item.renote_of?.id ?? item.id), [of.id, note.id], 'her renote stands for the original');
        assert.equal((await back.read(note.id)).author.id, ada.id);
        await assertTokenIsRefused(ada.token);
});

test('counts that include a deleted account do not change while it can be restored', async () => {
        const [ada, bob] = await registerMany(2);
        const note = await bob.note('who likes this?');
        await ada.react(note.id, 'like');
        await ada.react(note.id, 'renote');
        await ada.comment(note.id, 'I do');
        await ada.follow(bob);
        const counts = async () => [(await bob.read(note.id)).counts, must(await bob.get(`/v1/users/${bob.id}`)).counts];
        const before = await eventually('it is counted', async () => {
                const [of, own] = await counts();
                return of.likes === 1 && of.renotes === 1 && of.comments === 1 && own.followers === 1 ? [of, own] : false;
        });
        must(await remove(ada), 204);
        assert.deepEqual(await counts(), before);
        assert.deepEqual(must(await bob.get(`/v1/notes/${note.id}/comments`)).items, []);
        await logIn(ada.username);
        assert.deepEqual(await counts(), before);
});

test('deleting an account requires its password', async () => {
        const ada = await register();
        problem(await remove(ada, { password: 'wrong password' }), 401, { code: 'credentials_wrong', field: 'password' });
        problem(await remove(ada, {}), 422, { field: 'password' });
        problem(await ada.del('/v1/users/me'), 422, { field: 'password' });
        problem(await ada.del(`/v1/users/me?password=${PASSWORD.replaceAll(' ', '+')}`), 400);
        problem(await api('DELETE', '/v1/users/me', { body: { password: PASSWORD } }), 401);
        must(await ada.get('/v1/users/me'));
});

test('concurrent deletions delete once', async () => {
        const ada = await register();
        const answers = await Promise.all([remove(ada), remove(ada), remove(ada)]);
        const refused = answers.filter((a) => a.status !== 204);
        assert.equal(refused.length, 2);
        refused.forEach((a) => problem(a, 401));
        assert.equal((await logIn(ada.username)).id, ada.id);
});

const exportPath = '/v1/users/me/export';
const inPart = (archive, service, kind) => archive.items.filter((i) => i.service === service && i.kind === kind).map((i) => i.item);
const ready = (member, id) => eventually('the archive is ready', async () => {
        const answer = must(await member.get(`${exportPath}/${id}`));
        return answer.progress === 100 && answer.ready_at ? answer : false;
}, 60_000);

// The text of a mail, without the line breaks of quoted-printable.
const plain = (mail) => mail.replaceAll(/=\r?\n/g, '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

test('a member can export the data that every service stores about them, without anything that others wrote', async () => {
        const [ada, bob] = await registerMany(2);
        await verifyEmail(ada, `${ada.username}@example.org`);
        const [mine, theirs] = [await ada.note('what "ada" wrote'), await bob.note('what bob wrote')];
        await ada.react(theirs.id, 'like');
        await bob.react(mine.id, 'like');
        await ada.follow(bob);
        await bob.follow(ada);
        const chat = must(await ada.post('/v1/chats', { kind: 'direct', user_ids: [bob.id] }), 201);
        const sent = must(await ada.post(`/v1/chats/${chat.id}/messages`, { text: 'a word of ada', client_id: randomUUID() }), 201);
        must(await bob.post(`/v1/chats/${chat.id}/messages`, { text: 'a word of bob', client_id: randomUUID() }), 201);
        const file = must(await api('POST', '/v1/media', { token: ada.token, ...form(png(4, 4)) }), 202);
        await eventually('ada is told', async () => must(await ada.get('/v1/notifications')).items.length > 0);
        await ada.homeIds();
        const begun = must(await ada.post(exportPath), 202);
        assert.ok(begun.id && !begun.url && !begun.ready_at);
        assert.equal(must(await ada.post(exportPath), 202).id, begun.id);
        const done = await ready(ada, begun.id);
        assert.equal(done.id, begun.id);
        const { url } = must(await ada.post(exportPath), 202);
        const mailed = await eventually('the link is mailed', () => mailsTo(`${ada.username}@example.org`).map((m) => plain(m).match(/https?:\S+\/exports\/[^\s"<]+/)?.[0]).find(Boolean) ?? false);
        assert.equal(mailed.replaceAll('&amp;', '&'), url);
        const fetched = await fetch(url);
        assert.equal(fetched.status, 200);
        assert.match(fetched.headers.get('content-disposition'), new RegExp(`attachment.*${ada.username}\\.json`));
        const text = await fetched.text();
        assert.equal(Buffer.byteLength(text), done.size_bytes);
        const archive = JSON.parse(text);
        assert.equal(archive.items.length, done.items);
        assert.equal(archive.member_id, ada.id);
        assert.deepEqual(inPart(archive, 'note', 'notes').map((n) => n.text), ['what "ada" wrote']);
        assert.deepEqual(inPart(archive, 'messaging', 'messages').map((m) => [m.id, m.text]), [[sent.id, 'a word of ada']]);
        assert.deepEqual(inPart(archive, 'messaging', 'chats').map((x) => [x.id, x.peer_id]), [[chat.id, bob.id]]);
        assert.deepEqual(inPart(archive, 'media', 'files').map((f) => f.id), [file.id]);
        assert.deepEqual(inPart(archive, 'follow', 'following').map((f) => f.user_id), [bob.id]);
        assert.ok(inPart(archive, 'notification', 'notifications').some((n) => n.actor_ids.includes(bob.id)));
        assert.deepEqual(new Set(archive.items.map((i) => i.service)).has('timeline'), true);
        assert.ok(!text.includes('bob wrote') && !text.includes('of bob') && !/argon2|refresh_salt|password_hash/.test(text));
});

test('the link of an export only opens that export, and stops working once it is deleted', async () => {
        const [ada, bob] = await registerMany(2);
        for (const member of [ada, bob]) {
                await ready(member, must(await member.post(exportPath), 202).id);
        }
        const [of, other] = [new URL(must(await ada.post(exportPath), 202).url), new URL(must(await bob.post(exportPath), 202).url)];
        const later = new URL(of);
        later.searchParams.set('expires', Number(of.searchParams.get('expires')) + 1);
        const swapped = new URL(other);
        swapped.search = of.search;
        const bare = new URL(of.origin + of.pathname);
        for (const url of [later, swapped, bare]) {
                problem(await api('GET', url.pathname + url.search), 404, { code: 'not_found' });
        }
        problem(await bob.get(of.pathname), 404);
        must(await remove(bob), 204);
        problem(await api('GET', other.pathname + other.search), 404, { code: 'not_found' });
        assert.equal((await logIn(bob.username)).id, bob.id);
        assert.equal((await fetch(other)).status, 200);
        const own = of.pathname.replace('/exports', exportPath);
        const his = other.pathname.replace('/exports', exportPath);
        problem(await ada.get(his), 404);
        must(await ada.del(his), 204); // she has none with that ID
        assert.equal((await fetch(other)).status, 200);
        must(await ada.del(own), 204);
        problem(await api('GET', of.pathname + of.search), 404, { code: 'not_found' });
        problem(await ada.get(own), 404);
        const again = must(await ada.post(exportPath), 202);
        assert.ok(!of.pathname.endsWith(again.id));
});
