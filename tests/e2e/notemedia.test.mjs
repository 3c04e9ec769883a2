// Pictures in notes: shown to who may see the note, by addresses that nobody else can use, and gone with the note.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, must, problem, randomKey, readAll, registerMany } from './shared.mjs';
import { form, png, processed } from './pictures.mjs';
import { registerWithRole } from './operator.mjs';

let author;
let follower;
let stranger;

before(async () => {
        [author, follower, stranger] = await registerMany(3);
        await follower.follow(author);
});

const bring = async (member = author) => must(await api('POST', '/v1/media', { token: member.token, ...form(png(20, 10), { alt_text: 'a cat' }) }), 201).id;
const fetchStatus = async (url) => (await fetch(new URL(url, process.env.SONET_URL))).status;
const write = async (ids, visibility = 'public') => must(await author.post('/v1/notes', { text: 'look', media_ids: ids, visibility }), 201);

test('a public note shows its pictures, in order, by plain addresses', async () => {
        const ids = [await bring(), await bring()];
        const note = await write(ids);
        assert.deepEqual(note.media.map((m) => m.id), ids);
        await Promise.all(ids.map((id) => processed(author, id)));
        await eventually('it is public', async () => (await fetchStatus(`/media/${ids[1]}/original`)) === 200);
        for (const reader of [author, follower, stranger]) {
                const { media } = await reader.read(note.id);
                assert.deepEqual(media.map((m) => [m.id, m.status, m.alt_text, m.width, m.height, m.url]),
                                 ids.map((id) => [id, 'ready', 'a cat', 20, 10, `/media/${id}/original`]));
                assert.equal(await fetchStatus(media[0].url), 200);
                assert.equal(await fetchStatus(media[0].preview_url), 200);
        }
        await eventually('it is on the home timeline', async () => (await follower.home()).some((n) => n.id === note.id && n.media.length === 2));
        must(await stranger.put(`/v1/notes/${note.id}/renote`));
        const timeline = must(await follower.get(`/v1/timelines/users/${stranger.id}`)).items;
        assert.deepEqual(timeline[0].renote_of.media.map((m) => m.id), ids);
});

test('pictures of a note for followers are given out by signed addresses alone', async () => {
        const id = await bring();
        const note = await write([id], 'followers');
        await processed(author, id);
        const [media] = (await follower.read(note.id)).media;
        assert.match(media.url, new RegExp(`\\?expires=\\d+&signature=[\\w-]{43}&viewer=${follower.id}$`));
        assert.equal(await fetchStatus(media.url), 200);
        assert.equal(await fetchStatus(media.preview_url), 200);
        problem(await stranger.get(`/v1/notes/${note.id}`), 404);
        const expires = Number(/expires=(\d+)/.exec(media.url)[1]);
        assert.ok(expires > Date.now() / 1000 && expires <= Date.now() / 1000 + 3600, `${expires}`);
        for (const url of [`/media/${id}/original`, media.url.replace(`${expires}`, `${expires + 1}`), media.url.replace(id, await bring()), media.url.replace(follower.id, stranger.id), media.url.replace(/&viewer=.*/, ''),
                           media.url.replace(/signature=./, (s) => (s.endsWith('A') ? 'signature=B' : 'signature=A')), `/media/${id}/original?expires=${expires}&signature=`]) {
                assert.equal(await fetchStatus(url), 404, url);
        }
});

test('who fetched a picture that is not public, and who was refused it, is known to those who look after the network alone', async () => {
        const id = await bring();
        const note = await write([id], 'followers');
        await processed(author, id);
        const shown = (await follower.read(note.id)).media[0].url;
        const asStranger = { headers: { authorization: `Bearer ${stranger.token}` } };
        assert.equal(await fetchStatus(shown), 200);
        assert.equal(await fetchStatus(shown), 200);
        assert.equal((await fetch(`${process.env.SONET_URL}/media/${id}/small`, asStranger)).status, 404);
        assert.equal(await fetchStatus(`/media/${id}/original`), 404);
        const [boss, path] = [await registerWithRole('moderator'), `/v1/admin/media/${id}/accesses`];
        await eventually('they are written', async () => {
                const seen = {};
                for (const access of await readAll((page) => boss.get(page), path, { limit: 1 })) {
                        const key = `${access.viewer_id} ${access.variant} ${access.granted}`;
                        seen[key] = (seen[key] ?? 0) + access.times;
                }
                assert.deepEqual(seen, { [`${follower.id} original true`]: 2, [`${stranger.id} small false`]: 1, 'null original false': 1 });
        }, 60_000);
        problem(await author.get(path), 403, { code: 'scope_missing' });
        const open = await bring();
        await write([open]);
        await processed(author, open);
        await eventually('it is public', async () => (await fetchStatus(`/media/${open}/original`)) === 200);
        assert.deepEqual(must(await boss.get(`/v1/admin/media/${open}/accesses`)).items.filter((access) => access.granted), []);
});

test('only one’s own media can be shown, at most four, none that failed', async () => {
        const foreign = await bring(stranger);
        problem(await author.post('/v1/notes', { text: 'x', media_ids: [foreign] }), 422, { field: 'media_ids' });
        problem(await author.post('/v1/notes', { text: 'x', media_ids: ['01890000-0000-7000-8000-000000000000'] }), 422, { field: 'media_ids' });
        problem(await author.post('/v1/notes', { text: 'x', media_ids: await Promise.all([1, 2, 3, 4, 5].map(() => bring())) }), 422, { field: 'media_ids' });
        const broken = must(await api('POST', '/v1/media', { token: author.token, ...form(png(9, 9).subarray(0, 60)) }), 201).id;
        assert.equal((await processed(author, broken)).status, 'failed');
        problem(await author.post('/v1/notes', { text: 'x', media_ids: [broken] }), 422, { field: 'media_ids' });
});

test('a media that is deleted goes from its note; what a note alone showed goes with the note', async () => {
        const [first, second, shared] = [await bring(), await bring(), await bring()];
        const note = await write([first, second, shared]);
        const other = await write([shared]);
        await Promise.all([first, second, shared].map((id) => processed(author, id)));
        await eventually('it is public', async () => (await fetchStatus(`/media/${shared}/original`)) === 200);
        must(await author.del(`/v1/media/${first}`), 204);
        assert.deepEqual((await stranger.read(note.id)).media.map((m) => m.id), [second, shared]);
        assert.equal(await fetchStatus(`/media/${first}/original`), 404);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await eventually('it is gone', async () => (await author.get(`/v1/media/${second}`)).status === 404);
        assert.equal(await fetchStatus(`/media/${second}/original`), 404);
        assert.equal(await fetchStatus(`/media/${shared}/original`), 200);
        assert.deepEqual((await stranger.read(other.id)).media.map((m) => m.id), [shared]);
});

test('a note that is refused publishes none of its pictures, and leaves them to their owner', async () => {
        const id = await bring();
        const headers = { 'idempotency-key': randomKey() };
        must(await author.post('/v1/notes', { text: 'first' }, { headers }), 201);
        problem(await author.post('/v1/notes', { text: 'second', media_ids: [id], visibility: 'public' }, { headers }), 422);
        await processed(author, id);
        const later = await bring();
        await write([later]);
        await processed(author, later);
        await eventually('what came later is public', async () => (await fetchStatus(`/media/${later}/original`)) === 200);
        assert.equal(await fetchStatus(`/media/${id}/original`), 404);
        assert.equal(must(await author.get(`/v1/media/${id}`)).status, 'ready');
});

test('a note that only its author sees shows its pictures to them alone, which go with it, too', async () => {
        const id = await bring();
        const note = await write([id], 'only_me');
        await processed(author, id);
        assert.match((await author.read(note.id)).media[0].url, /signature=/);
        assert.equal(await fetchStatus(`/media/${id}/original`), 404);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await eventually('it is gone', async () => (await author.get(`/v1/media/${id}`)).status === 404);
});
