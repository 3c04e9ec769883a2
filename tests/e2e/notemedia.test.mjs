// Pictures in notes: visible to those who may see the note, by URLs that nobody else can use, and deleted with the
// note.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { PASSWORD, api, eventually, logIn, must, problem, randomKey, readAll, register, registerMany } from './shared.mjs';
import { form, png, processed } from './pictures.mjs';
import { admin, registerWithRole } from './operator.mjs';

let author;
let follower;
let stranger;

before(async () => {
        [author, follower, stranger] = await registerMany(3);
        await follower.follow(author);
});

const bring = async (member = author) => must(await api('POST', '/v1/media', { token: member.token, ...form(png(20, 10), { alt_text: 'a cat' }) }), 202).id;
const fetchStatus = async (url) => (await fetch(new URL(url, process.env.SONET_URL))).status;
const write = async (ids, visibility = 'public') => must(await author.post('/v1/notes', { text: 'look', media_ids: ids, visibility }), 201);

test('a public note shows its pictures in order, by plain URLs', async () => {
        const ids = [await bring(), await bring()];
        const note = await write(ids);
        assert.deepEqual(note.media.map((m) => m.id), ids);
        await Promise.all(ids.map((id) => processed(author, id)));
        await eventually('it is public', async () => (await fetchStatus(`/media/${ids[1]}/original`)) === 200);
        for (const reader of [author, follower, stranger]) {
                const { media } = await reader.read(note.id);
                assert.deepEqual(media.map((m) => [m.id, m.status, m.alt_text, m.width, m.height, m.url]),
                                 ids.map((id) => [id, 'ready', 'a cat', 20, 10, `/media/${id}/original`]));
                const shown = await fetch(new URL(media[0].url, process.env.SONET_URL));
                assert.deepEqual([shown.status, shown.headers.get('cache-control')], [200, 'public, max-age=300, immutable']);
                await shown.arrayBuffer();
                assert.equal(await fetchStatus(media[0].preview_url), 200);
        }
        await eventually('it is on the home timeline', async () => (await follower.home()).some((n) => n.id === note.id && n.media.length === 2));
        must(await stranger.put(`/v1/notes/${note.id}/renote`));
        const timeline = must(await follower.get(`/v1/timelines/users/${stranger.id}`)).items;
        assert.deepEqual(timeline[0].renote_of.media.map((m) => m.id), ids);
});

test('pictures of a note for followers are served by signed URLs only', async () => {
        const id = await bring();
        await processed(author, id);
        const note = await write([id], 'followers');
        assert.match(note.media[0].url, new RegExp(`&viewer=${author.id}$`));
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

test('only administrators can see who fetched or was refused a picture that is not public', async () => {
        const id = await bring();
        const note = await write([id], 'followers');
        await processed(author, id);
        const shown = (await follower.read(note.id)).media[0].url;
        const asStranger = { headers: { authorization: `Bearer ${stranger.token}` } };
        assert.equal(await fetchStatus(shown), 200);
        assert.equal(await fetchStatus(shown), 200);
        assert.equal((await fetch(`${process.env.SONET_URL}/media/${id}/small`, asStranger)).status, 404);
        assert.equal(await fetchStatus(`/media/${id}/original`), 404);
        assert.equal(await fetchStatus(`/media/${id}/nonsense`), 404); // is not recorded
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

test('a note can show at most four media, only the author’s own and none that failed', async () => {
        const foreign = await bring(stranger);
        problem(await author.post('/v1/notes', { text: 'x', media_ids: [foreign] }), 422, { field: 'media_ids' });
        problem(await author.post('/v1/notes', { text: 'x', media_ids: ['01890000-0000-7000-8000-000000000000'] }), 422, { field: 'media_ids' });
        problem(await author.post('/v1/notes', { text: 'x', media_ids: await Promise.all([1, 2, 3, 4, 5].map(() => bring())) }), 422, { field: 'media_ids' });
        const broken = must(await api('POST', '/v1/media', { token: author.token, ...form(png(9, 9).subarray(0, 60)) }), 202).id;
        assert.equal((await processed(author, broken)).status, 'failed');
        problem(await author.post('/v1/notes', { text: 'x', media_ids: [broken] }), 422, { field: 'media_ids' });
});

test('a deleted media disappears from its note; media that only a note showed are deleted with it', async () => {
        const [first, second, shared] = [await bring(), await bring(), await bring()];
        const note = await write([first, second, shared]);
        const other = await write([shared]);
        await Promise.all([first, second, shared].map((id) => processed(author, id)));
        await eventually('they are public', async () => (await Promise.all([first, second, shared].map((id) => fetchStatus(`/media/${id}/original`)))).every((status) => status === 200));
        assert.equal(await fetchStatus(`/media/${first}/original`), 200); // recently served files are cached
        must(await author.del(`/v1/media/${first}`), 204);
        assert.deepEqual((await stranger.read(note.id)).media.map((m) => m.id), [second, shared]);
        assert.equal(await fetchStatus(`/media/${first}/original`), 404);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await eventually('it is gone', async () => (await author.get(`/v1/media/${second}`)).status === 404);
        assert.equal(await fetchStatus(`/media/${second}/original`), 404);
        assert.equal(await fetchStatus(`/media/${shared}/original`), 200);
        assert.deepEqual((await stranger.read(other.id)).media.map((m) => m.id), [shared]);
});

test('media deleted while they are being attached, tagged or collected are either there or not found', async () => {
        const member = await register();
        const collection = must(await member.post('/v1/media/collections', { name: 'all' }), 201).id;
        for (let i = 0; i < 8; i++) {
                const id = await bring(member);
                const [gone, ...others] = await Promise.all([member.del(`/v1/media/${id}`), member.post('/v1/notes', { text: 'look', media_ids: [id] }), member.put('/v1/users/me/avatar', { body: { media_id: id } }),
                                                             member.put(`/v1/media/${id}/tags`, { body: { tags: ['a', 'b'] } }), member.put(`/v1/media/collections/${collection}/items/${id}`)]);
                must(gone, 204);
                others.forEach((answer) => assert.ok([200, 201, 204, 404, 422].includes(answer.status), `${answer.status} ${JSON.stringify(answer.body)}`));
        }
});

test('a rejected note publishes none of its pictures, which stay with their owner', async () => {
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

test('a private note shows its pictures to its author only, and they are deleted with it', async () => {
        const id = await bring();
        const note = await write([id], 'only_me');
        await processed(author, id);
        assert.match((await author.read(note.id)).media[0].url, /signature=/);
        assert.equal(await fetchStatus(`/media/${id}/original`), 404);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await eventually('it is gone', async () => (await author.get(`/v1/media/${id}`)).status === 404);
});

test('while a member is deactivated or suspended, nothing of theirs is served by a plain URL', async () => {
        const member = await register(), ids = [await bring(member), await bring(member)];
        await Promise.all(ids.map((id) => processed(member, id)));
        must(await member.put('/v1/users/me/avatar', { body: { media_id: ids[0] } }));
        must(await member.post('/v1/notes', { text: 'look', media_ids: [ids[1]] }), 201);
        const urls = ids.flatMap((id) => ['original', 'thumb'].map((variant) => `/media/${id}/${variant}`));
        const become = (status) => eventually(`all are ${status}`, async () => (await Promise.all(urls.map(fetchStatus))).every((s) => s === status));
        await become(200);
        assert.equal((await admin('user', 'suspend', member.username, 'a test')).code, 0);
        await become(404);
        assert.equal((await admin('user', 'unsuspend', member.username)).code, 0);
        await become(200);
        const again = await logIn(member.username);
        must(await again.del('/v1/users/me', { body: { password: PASSWORD } }), 204);
        await become(404);
        await logIn(member.username);
        await become(200);
});

// --- random steps, compared with what should be visible ---

// Makes the same choices for the same seed.
function randomOf(seed) {
        let state = seed;
        const below = (n) => {
                state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
                return Math.floor(state / 2 ** 32 * n);
        };
        return { below, pick: (list) => list[below(list.length)] };
}

const pairOf = (a, b) => `${a.username} ${b.username}`;

// The expected state: members, {id, owner, gone} media, {id, author, visibility, media, gone} notes, and who follows
// and blocks whom.
class Reference {
        constructor(members, media) {
                Object.assign(this, { members, media, notes: [], follows: new Set(), blocks: new Set() });
        }

        areApart(a, b) { return this.blocks.has(pairOf(a, b)) || this.blocks.has(pairOf(b, a)); }

        sees(viewer, note) {
                if (note.gone || (note.author !== viewer && (note.visibility === 'only_me' || this.areApart(viewer, note.author)))) {
                        return false;
                }
                return note.author === viewer || note.visibility === 'public' || this.follows.has(pairOf(viewer, note.author));
        }

        isPublic(media) { return !media.gone && this.notes.some((n) => !n.gone && n.visibility === 'public' && n.media.includes(media)); }

        // Media that only this note showed are deleted with it.
        drop(note) {
                note.gone = true;
                for (const m of note.media) {
                        m.gone ||= !this.notes.some((n) => !n.gone && n.media.includes(m));
                }
        }
}

const STEPS = {
        async write(world, random) {
                const author = random.pick(world.members);
                const media = world.media.filter((m) => m.owner === author && !m.gone).slice(0, 1 + random.below(3));
                const visibility = random.pick(['public', 'followers', 'followers', 'only_me']);
                const note = must(await author.post('/v1/notes', { text: 'look', media_ids: media.map((m) => m.id), visibility }), 201);
                world.notes.push({ id: note.id, author, visibility, media, gone: false });
        },
        async remove(world, random) {
                const note = random.pick(world.notes.filter((n) => !n.gone));
                if (note) {
                        must(await note.author.del(`/v1/notes/${note.id}`), 204);
                        world.drop(note);
                }
        },
        async removeMedia(world, random) {
                const media = random.pick(world.media.filter((m) => !m.gone && m.owner === world.members[0]));
                if (media && world.notes.length > 4) {
                        must(await media.owner.del(`/v1/media/${media.id}`), 204);
                        media.gone = true;
                }
        },
        async follow(world, random) {
                const [a, b] = [random.pick(world.members), random.pick(world.members)];
                if (a !== b && !world.areApart(a, b)) {
                        await a.follow(b);
                        world.follows.add(pairOf(a, b));
                }
        },
        async block(world, random) {
                const [a, b] = [random.pick(world.members), random.pick(world.members)];
                if (a !== b) {
                        await a.relate(b, 'block');
                        world.blocks.add(pairOf(a, b));
                        world.follows.delete(pairOf(a, b));
                        world.follows.delete(pairOf(b, a));
                }
        },
        async unblock(world, random) {
                const [a, b] = [random.pick(world.members), random.pick(world.members)];
                if (world.blocks.delete(pairOf(a, b))) {
                        await a.unrelate(b, 'block');
                }
        },
};

// Checks who sees which note with which media. Each URL works for its recipient, and is remembered.
async function look(world, given) {
        for (const viewer of world.members) {
                for (const note of world.notes) {
                        const what = `${viewer === note.author ? 'the author' : 'another'} reads a note for ${note.visibility}`;
                        const answer = await viewer.get(`/v1/notes/${note.id}`);
                        assert.equal(answer.status, world.sees(viewer, note) ? 200 : 404, what);
                        assert.deepEqual(answer.body.media?.map((m) => m.id) ?? [], world.sees(viewer, note) ? note.media.filter((m) => !m.gone).map((m) => m.id) : [], what);
                        for (const [i, m] of (answer.body.media ?? []).entries()) {
                                given.set(m.url, { viewer, media: note.media.filter((x) => !x.gone)[i] });
                        }
                }
        }
        for (const media of world.media) {
                const expected = world.isPublic(media) ? 200 : 404;
                assert.equal(await fetchStatus(`/media/${media.id}/original`), expected, 'a plain address');
                for (const viewer of world.members) {
                        const answer = await fetch(new URL(`/media/${media.id}/small`, process.env.SONET_URL), { headers: { authorization: `Bearer ${viewer.token}` } });
                        assert.equal(answer.status, viewer === media.owner && !media.gone ? 200 : expected, `a plain address with the token of ${viewer === media.owner ? 'its owner' : 'another'}`);
                }
        }
}

// A signed URL works until it expires or the media is deleted, and never for another viewer or media.
async function useGiven(world, given) {
        for (const [url, { viewer, media }] of given) {
                const [other, foreign] = [world.members.find((m) => m !== viewer), world.media.find((m) => m.owner !== media.owner)];
                const isSigned = url.includes('signature=');
                assert.equal(await fetchStatus(url), !media.gone && (isSigned || world.isPublic(media)) ? 200 : 404, url);
                if (isSigned) {
                        assert.equal(await fetchStatus(url.replace(viewer.id, other.id)), world.isPublic(media) ? 200 : 404, 'for another viewer');
                        assert.equal(await fetchStatus(url.replace(media.id, foreign.id)), world.isPublic(foreign) ? 200 : 404, 'for another media');
                        assert.equal(await fetchStatus(url.replace(/expires=\d+/, `expires=${Math.floor(Date.now() / 1000) - 1}`)), world.isPublic(media) ? 200 : 404, 'expired');
                }
        }
}

const SEED = Number(process.env.SONET_MEDIA_SEED ?? 10);

test(`random steps: pictures are only ever visible to those who may see them (seed ${SEED})`, async () => {
        const members = await registerMany(3);
        const media = (await Promise.all(members.flatMap((owner) => [0, 1].map(async () => ({ id: await bring(owner), owner, gone: false })))));
        await Promise.all(media.map((m) => processed(m.owner, m.id)));
        const [world, random, given] = [new Reference(members, media), randomOf(SEED), new Map()];
        const names = ['write', 'write', 'write', 'follow', 'follow', 'follow', 'remove', 'removeMedia', 'block', 'unblock', 'unblock'];
        for (let i = 1; i <= 40; i++) {
                await STEPS[random.pick(names)](world, random);
                if (i % 8 === 0) {
                        await eventually('it is as it ought to be', () => look(world, given).then(() => true));
                }
        }
        await useGiven(world, given);
        assert.ok([...given.keys()].filter((url) => url.includes('signature=')).length > 5, 'too little happened');
});
