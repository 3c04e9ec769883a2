// Members' own media: uploading by form, reading, describing, listing, deleting, quotas.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { PASSWORD, api, eventually, ids, must, problem, readAll, register, registerMany } from './shared.mjs';
import { form, png, processed } from './pictures.mjs';
import { Stream } from './streams.mjs';

let owner;
let other;

before(async () => {
        [owner, other] = await registerMany(2);
});

const bring = (member, file, fields, name) => api('POST', '/v1/media', { token: member.token, ...form(file, fields, name) });
const usage = async (member) => must(await member.get('/v1/media/usage'));

// Returns bytes, whereas api() reads text.
async function download(path, { token, headers = {} } = {}) {
        const answer = await fetch(new URL(path, process.env.SONET_URL), { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } });
        return { status: answer.status, headers: Object.fromEntries(answer.headers), bytes: Buffer.from(await answer.arrayBuffer()) };
}

test('a picture is uploaded by a form, and readable by its owner only', async () => {
        const picture = png(40, 30, undefined, []);
        const media = must(await bring(owner, picture, { alt_text: 'two cats', focus_x: '-0.5', focus_y: '0.25' }, 'cats.txt'), 202);
        assert.deepEqual([media.kind, media.mime_type, media.size_bytes, media.alt_text, media.focus_x, media.focus_y],
                         ['image', 'image/png', picture.length, 'two cats', -0.5, 0.25]);
        assert.equal(must(await owner.get(`/v1/media/${media.id}`)).id, media.id);
        problem(await other.get(`/v1/media/${media.id}`), 404);
        problem(await other.patch(`/v1/media/${media.id}`, { alt_text: 'x' }), 404);
        problem(await other.del(`/v1/media/${media.id}`), 404);
        const ready = await processed(owner, media.id);
        assert.deepEqual([ready.status, ready.width, ready.height], ['ready', 40, 30]);
        assert.ok(ready.url.startsWith(`/media/${media.id}/original?expires=`), ready.url); // for an <img>, which sends no token
        const file = await download(ready.url, { token: owner.token });
        assert.equal(file.status, 200);
        assert.deepEqual(file.bytes, picture);
        assert.equal(file.headers.etag, `"${createHash('sha256').update(picture).digest('hex')}"`);
        assert.equal(file.headers['cache-control'], 'private, max-age=300, immutable');
        assert.equal(file.headers['x-content-type-options'], 'nosniff');
        assert.match(file.headers['content-security-policy'], /sandbox/);
        assert.equal((await download(`/media/${media.id}/original`, { token: owner.token, headers: { range: 'bytes=1-3' } })).bytes.toString(), 'PNG');
        const part = async (headers) => {
                const { status, bytes } = await download(`/media/${media.id}/original`, { token: owner.token, headers: { range: 'bytes=1-3', ...headers } });
                return [status, bytes.length];
        };
        assert.deepEqual(await part({ 'if-range': file.headers.etag }), [206, 3]);
        assert.deepEqual(await part({ 'if-range': '"of another one"' }), [200, picture.length]);
        assert.equal((await download(`/media/${media.id}/original`, { token: owner.token, headers: { 'if-none-match': file.headers.etag } })).status, 304);
        assert.match(file.headers['content-disposition'], /^inline/);
        assert.equal((await download(`/media/${media.id}/thumb`, { token: owner.token })).headers['cache-control'], 'private, max-age=300'); // it follows the focus
        assert.equal((await download(`/media/${media.id}/original`, { token: other.token })).status, 404);
        assert.equal((await download(`/media/${media.id}/original`)).status, 404);
        assert.equal((await download(`/media/${media.id}/nothing`, { token: owner.token })).status, 404);
});

test('the type is determined from the first bytes and never from the name; invalid fields are rejected', async () => {
        problem(await bring(owner, Buffer.from('<html><script>alert(1)</script></html>'), {}, 'cat.png'), 415, { code: 'unsupported_media_type', field: 'file' });
        problem(await bring(owner, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), {}, 'cat.png'), 415, { field: 'file' });
        problem(await bring(owner, Buffer.alloc(0)), 422, { field: 'file' });
        problem(await bring(owner, null), 422, { field: 'file' });
        problem(await bring(owner, png(2, 2), { focus_x: '1.01' }), 422, { field: 'focus_x' });
        problem(await bring(owner, png(2, 2), { focus_y: 'nan' }), 422, { field: 'focus_y' });
        problem(await bring(owner, png(2, 2), { alt_text: 'x'.repeat(1501) }), 422, { field: 'alt_text' });
        problem(await api('POST', '/v1/media', form(png(2, 2))), 401);
});

test('updating a media changes only the given fields', async () => {
        const media = must(await bring(owner, png(3, 3), { alt_text: 'before', focus_x: '0.5' }), 202);
        assert.equal(must(await owner.patch(`/v1/media/${media.id}`, { alt_text: '' })).alt_text, '');
        const changed = must(await owner.patch(`/v1/media/${media.id}`, { focus_y: -1 }));
        assert.deepEqual([changed.alt_text, changed.focus_x, changed.focus_y], ['', 0.5, -1]);
        problem(await owner.patch(`/v1/media/${media.id}`, { focus_y: -1.5 }), 422, { field: 'focus_y' });
        assert.deepEqual(must(await owner.patch(`/v1/media/${media.id}`, { tags: ['Cats', ' Garden'] })).tags, ['cats', 'garden']);
        const again = must(await owner.patch(`/v1/media/${media.id}`, { alt_text: 'after' }));
        assert.deepEqual([again.alt_text, again.tags], ['after', ['cats', 'garden']]);
        problem(await owner.patch(`/v1/media/${media.id}`, { alt_text: 'never', tags: ['fine', ' '] }), 422, { field: 'tags[1]' });
        problem(await other.patch(`/v1/media/${media.id}`, { tags: ['mine'] }), 404);
        assert.deepEqual([must(await owner.get(`/v1/media/${media.id}`)).alt_text, must(await owner.get(`/v1/media/${media.id}`)).tags], ['after', ['cats', 'garden']]);
});

test('members list their own media, newest first, in pages and by kind', async () => {
        const member = await register();
        const made = [];
        for (let i = 0; i < 5; i++) {
                made.unshift(must(await bring(member, png(2, 2)), 202).id);
        }
        assert.deepEqual(ids(await readAll((path) => member.get(path), '/v1/media', { limit: 2 })), made);
        assert.deepEqual(ids(must(await member.get('/v1/media?kind=image&limit=3')).items), made.slice(0, 3));
        assert.deepEqual(must(await member.get('/v1/media?kind=audio')).items, []);
        problem(await member.get('/v1/media?kind=smell'), 422, { field: 'kind' });
});

test('the same content counts once per owner, until its last media is deleted', async () => {
        const member = await register();
        const picture = png(20, 21, undefined, []);
        const first = must(await bring(member, picture), 202);
        assert.deepEqual({ ...await usage(member), quota_bytes: 0 }, { used_bytes: picture.length, reserved_bytes: 0, quota_bytes: 0, files: 1 });
        const second = must(await bring(member, picture), 202);
        const foreign = must(await bring(other, picture), 202);
        await processed(member, first.id);
        await processed(member, second.id);
        await processed(other, foreign.id);
        assert.deepEqual([(await usage(member)).used_bytes, (await usage(member)).files], [picture.length, 2]);
        must(await member.del(`/v1/media/${first.id}`), 204);
        assert.equal((await usage(member)).used_bytes, picture.length);
        assert.deepEqual((await download(`/media/${second.id}/original`, { token: member.token })).bytes, picture);
        must(await member.del(`/v1/media/${second.id}`), 204);
        assert.deepEqual([(await usage(member)).used_bytes, (await usage(member)).files], [0, 0]);
        problem(await member.get(`/v1/media/${second.id}`), 404);
        assert.equal((await download(`/media/${second.id}/original`, { token: member.token })).status, 404);
        assert.deepEqual((await download(`/media/${foreign.id}/original`, { token: other.token })).bytes, picture);
});

const publicStatus = async (path) => (await download(path)).status;

test('avatars and headers are shown to everybody wherever the member appears, and are deleted when replaced', async () => {
        const [member, follower] = await registerMany(2);
        const picture = must(await bring(member, png(30, 30)), 202).id;
        const header = must(await bring(member, png(60, 20)), 202).id;
        const me = must(await member.put('/v1/users/me/avatar', { body: { media_id: picture } }));
        assert.deepEqual([me.avatar_url, me.header_url], [`/media/${picture}/thumb`, null]);
        assert.equal(must(await member.put('/v1/users/me/header', { body: { media_id: header } })).header_url, `/media/${header}/large`);
        await follower.follow(member);
        const note = await member.note('hello');
        const shown = must(await follower.get(`/v1/users/${member.id}`));
        assert.deepEqual([shown.avatar_url, shown.header_url], [`/media/${picture}/thumb`, `/media/${header}/large`]);
        const login = must(await api('POST', '/v1/auth/login', { body: { login: member.username, password: PASSWORD } }));
        assert.deepEqual([login.user.avatar_url, login.user.header_url], [shown.avatar_url, shown.header_url]);
        assert.equal(must(await api('POST', '/v1/auth/refresh', { body: { refresh_token: login.refresh_token } })).user.avatar_url, shown.avatar_url);
        assert.equal(must(await follower.get(`/v1/users?query=${member.username}`)).items[0].avatar_url, shown.avatar_url);
        assert.equal((await follower.read(note.id)).author.avatar_url, `/media/${picture}/thumb`);
        assert.equal(must(await follower.get(`/v1/users/${follower.id}/following`)).items[0].avatar_url, `/media/${picture}/thumb`);
        await eventually('they are there', async () => await publicStatus(me.avatar_url) === 200 && await publicStatus(`/media/${header}/large`) === 200, 60_000);

        const next = must(await bring(member, png(31, 31)), 202).id;
        must(await member.put('/v1/users/me/avatar', { body: { media_id: next } }));
        await eventually('the one before is gone', async () => (await member.get(`/v1/media/${picture}`)).status === 404);
        assert.equal((await follower.read(note.id)).author.avatar_url, `/media/${next}/thumb`);
        must(await member.del('/v1/users/me/header'), 204);
        await eventually('the header is gone', async () => (await member.get(`/v1/media/${header}`)).status === 404);
        must(await member.del(`/v1/media/${next}`), 204);
        await eventually('it is taken off', async () => (await follower.read(note.id)).author.avatar_url === null);
        assert.equal(must(await member.get('/v1/users/me')).avatar_url, null);
});

test('only one’s own picture can be an avatar, and one that fails is removed', async () => {
        const [member, stranger] = await registerMany(2);
        const foreign = must(await bring(stranger, png(4, 4)), 202).id;
        problem(await member.put('/v1/users/me/avatar', { body: { media_id: foreign } }), 422, { field: 'media_id' });
        problem(await member.put('/v1/users/me/header', { body: { media_id: '01890000-0000-7000-8000-000000000000' } }), 422, { field: 'media_id' });
        const broken = must(await bring(member, png(300, 300).subarray(0, 400)), 202).id;
        await Promise.all([member.put('/v1/users/me/avatar', { body: { media_id: broken } }), processed(member, broken)]);
        problem(await member.put('/v1/users/me/avatar', { body: { media_id: broken } }), 422, { field: 'media_id' });
        await eventually('it is taken off', async () => must(await member.get('/v1/users/me')).avatar_url === null);
});

test('collections are nested, have unique names within their parent, and are private to their owner', async () => {
        const [member, stranger] = await registerMany(2);
        const make = async (name, parent_id) => member.post('/v1/media/collections', { name, ...(parent_id ? { parent_id } : {}) });
        const travels = must(await make('Travels'), 201);
        assert.deepEqual([travels.name, travels.parent_id], ['Travels', null]);
        const rome = must(await make('Rome', travels.id), 201);
        problem(await make('ＴＲＡＶＥＬＳ'), 409, { code: 'collection_exists', field: 'name' });
        problem(await make('rome', travels.id), 409, { code: 'collection_exists' });
        const other = must(await make('rome'), 201);
        problem(await make(' '), 422, { field: 'name' });
        problem(await stranger.post('/v1/media/collections', { name: 'x', parent_id: travels.id }), 422, { field: 'parent_id' });
        const listed = async (query = '') => must(await member.get(`/v1/media/collections${query}`)).items.map((c) => c.name);
        assert.deepEqual(await listed(), ['rome', 'Travels']);
        assert.deepEqual(await listed(`?parent_id=${travels.id}`), ['Rome']);
        assert.deepEqual(must(await stranger.get(`/v1/media/collections?parent_id=${travels.id}`)).items, []);

        problem(await member.patch(`/v1/media/collections/${travels.id}`, { parent_id: rome.id }), 422, { field: 'parent_id' });
        problem(await member.patch(`/v1/media/collections/${travels.id}`, { parent_id: travels.id }), 422, { field: 'parent_id' });
        problem(await member.patch(`/v1/media/collections/${other.id}`, { parent_id: travels.id }), 409, { code: 'collection_exists' });
        assert.equal(must(await member.patch(`/v1/media/collections/${other.id}`, { parent_id: travels.id, name: 'Oslo' })).parent_id, travels.id);
        assert.deepEqual(await listed(`?parent_id=${travels.id}`), ['Oslo', 'Rome']);

        const [first, second] = [must(await bring(member, png(2, 2)), 202).id, must(await bring(member, png(2, 2)), 202).id];
        const foreign = must(await bring(stranger, png(2, 2)), 202).id;
        const put = (id, who = member) => who.put(`/v1/media/collections/${rome.id}/items/${id}`);
        for (const id of [first, second, first]) {
                must(await put(id), 204);
        }
        problem(await put(foreign), 404);
        problem(await put(foreign, stranger), 404);
        const inside = async (who = member) => ids(await readAll((path) => who.get(path), `/v1/media?collection_id=${rome.id}`, { limit: 1 }));
        assert.deepEqual(await inside(), [second, first]);
        assert.deepEqual(await inside(stranger), []);
        must(await member.del(`/v1/media/collections/${rome.id}/items/${first}`), 204);
        assert.deepEqual(await inside(), [second]);
        for (const [method, path] of [['get', ''], ['del', ''], ['del', `/items/${second}`]]) {
                problem(await stranger[method](`/v1/media/collections/${rome.id}${path}`), 404);
        }
        must(await member.del(`/v1/media/collections/${travels.id}`), 204);
        problem(await member.get(`/v1/media/collections/${rome.id}`), 404);
        assert.equal(must(await member.get(`/v1/media/${second}`)).id, second);
});

test('tags are case-folded, can be searched for, and are private to the owner', async () => {
        const member = await register();
        const [first, second] = [must(await bring(member, png(2, 2)), 202).id, must(await bring(member, png(2, 2)), 202).id];
        assert.deepEqual(must(await member.put(`/v1/media/${first}/tags`, { body: { tags: ['Cats', 'cats', ' Summer 2026'] } })).tags, ['cats', 'summer 2026']);
        must(await member.put(`/v1/media/${second}/tags`, { body: { tags: ['CATS'] } }));
        const tagged = async (query) => ids(await readAll((path) => member.get(path), `/v1/media?${new URLSearchParams(query)}`, { limit: 1 }));
        assert.deepEqual(await tagged({ tag: 'cAts' }), [second, first]);
        assert.deepEqual(await tagged({ tag: 'summer 2026' }), [first]);
        assert.deepEqual(await tagged({ tag: 'cats', kind: 'audio' }), []);
        const box = must(await member.post('/v1/media/collections', { name: 'box' }), 201).id;
        must(await member.put(`/v1/media/collections/${box}/items/${first}`), 204);
        assert.deepEqual(await tagged({ tag: 'cats', collection_id: box }), [first]);
        assert.deepEqual(must(await member.put(`/v1/media/${second}/tags`, { body: { tags: [] } })).tags ?? [], []);
        assert.deepEqual(await tagged({ tag: 'cats' }), [first]);
        problem(await member.put(`/v1/media/${second}/tags`, { body: { tags: ['two\nlines'] } }), 422, { field: 'tags[0]' });
        problem(await other.put(`/v1/media/${first}/tags`, { body: { tags: ['x'] } }), 404);
        const note = must(await member.post('/v1/notes', { text: 'look', media_ids: [first] }), 201);
        assert.deepEqual([note.media[0].tags ?? [], (await other.read(note.id)).media[0].tags ?? []], [[], []]);
});

test('the live stream reports changes of media to their owner only', async () => {
        const [member, stranger] = await registerMany(2);
        const [stream, foreign] = [new Stream(process.env.SONET_URL, { token: member.token }), new Stream(process.env.SONET_URL, { token: stranger.token })];
        for (const one of [stream, foreign]) {
                assert.equal((await one.next()).type, 'authenticated');
                assert.equal((await one.subscribe('media')).type, 'subscribed');
        }
        const told = (one, what, id) => one.find(what, (m) => m.type === 'event' && m.event === what && m.data.id === id);
        const good = must(await bring(member, png(7, 5)), 202).id;
        const broken = must(await bring(member, png(300, 300).subarray(0, 400)), 202).id;
        const { data } = await told(stream, 'media.ready', good);
        assert.deepEqual([data.status, data.width, data.height], ['ready', 7, 5]);
        assert.equal((await fetch(new URL(data.preview_url, process.env.SONET_URL))).status, 200);
        assert.notEqual((await told(stream, 'media.failed', broken)).data.reason, '');
        must(await member.del(`/v1/media/${good}`), 204);
        await told(stream, 'media.deleted', good);
        const own = must(await bring(stranger, png(3, 3)), 202).id;
        await told(foreign, 'media.ready', own);
        assert.deepEqual(foreign.events().map((m) => m.data.id), [own]);
        await Promise.all([stream.close(), foreign.close()]);
});
