// Writing, reading, changing and deleting notes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, ids, must, problem, register } from './shared.mjs';

const GONE = '01890000-0000-7000-8000-000000000000';

test('a new note has all fields of the contract', async () => {
        const alice = await register();
        const note = await alice.note('Hello, world');
        assert.deepEqual(Object.keys(note).sort(), ['author', 'counts', 'created_at', 'edited_at', 'hashtags', 'id', 'media', 'mentions', 'parent_id',
                                                    'renote_of', 'renoted_by', 'text', 'viewer', 'visibility']);
        assert.match(note.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.deepEqual(note.author, { id: alice.id, username: alice.username, display_name: `Member ${alice.username}`, avatar_url: null, private: false });
        assert.equal(note.text, 'Hello, world');
        assert.equal(note.visibility, 'public');
        assert.match(note.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.deepEqual(note.counts, { likes: 0, renotes: 0, comments: 0, bookmarks: 0 });
        assert.deepEqual(note.viewer, { liked: false, renoted: false, bookmarked: false });
        assert.deepEqual([note.edited_at, note.parent_id, note.renote_of, note.renoted_by, note.hashtags, note.mentions], [null, null, null, null, [], []]);
        assert.deepEqual(await alice.read(note.id), note);
        assert.deepEqual(must(await api('GET', `/v1/notes/${note.id}`)), note);
        assert.deepEqual(must(await api('GET', `/v1/notes/${note.id.toUpperCase()}`)), note);
});

test('the three visibilities are stored', async () => {
        const alice = await register();
        for (const visibility of ['public', 'followers', 'only_me']) {
                const note = await alice.note(`for ${visibility}`, visibility);
                assert.equal(note.visibility, visibility);
                assert.equal((await alice.read(note.id)).visibility, visibility);
        }
});

test('texts are returned unchanged', async () => {
        const alice = await register();
        const texts = ['"quotes" \\ back/slash', 'tab\there\nnew line\r\nend', '<script>alert(1)</script> &amp;', '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 é',
                       '\u2028 \u2029 \u200b \ufeff \ufffd', '𝕊𝕠ℕ𝕖𝕥 𐍈', 'עברית العربية ไทย हिन्दी 日本語', '{"text":"no"}', "'; drop table notes; --", '%s%n $1 {0}'];
        for (const text of texts) {
                const note = await alice.note(text);
                assert.equal(note.text, text);
                assert.equal((await alice.read(note.id)).text, text);
        }
});

test('5,000 code points fit, however many bytes they take; one more does not', async () => {
        const alice = await register();
        for (const character of ['a', 'é', '字', '🎈']) {
                const note = await alice.note(character.repeat(5000));
                assert.equal(note.text, character.repeat(5000));
                problem(await alice.post('/v1/notes', { text: character.repeat(5001) }), 422, { field: 'text' });
        }
        const escaped = `{"text":"${'\\u00e9'.repeat(5000)}"}`;
        assert.equal(must(await alice.post('/v1/notes', undefined, { raw: escaped }), 201).text, 'é'.repeat(5000));
});

test('an edit changes the text and sets its time', async () => {
        const alice = await register();
        const note = await alice.note('frist');
        const edited = must(await alice.patch(`/v1/notes/${note.id}`, { text: 'first #edited' }));
        assert.match(edited.edited_at, /^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
        assert.deepEqual({ ...edited, edited_at: null, hashtags: [] }, { ...note, text: 'first #edited' });
        assert.deepEqual(edited.hashtags, ['edited']);
        assert.deepEqual(await alice.read(note.id), edited);
        assert.equal((await alice.home())[0].text, 'first #edited');
});

test('an edit changes only the text, and only the author can make it', async () => {
        const [alice, bob] = [await register(), await register()];
        const note = await alice.note('mine');
        const path = `/v1/notes/${note.id}`;
        problem(await alice.patch(path, { text: 'x', visibility: 'only_me' }), 422, { field: 'visibility' });
        problem(await alice.patch(path, { text: 'x', id: note.id }), 422, { field: 'id' });
        problem(await alice.patch(path, { text: '' }), 422, { field: 'text' });
        problem(await alice.patch(path, {}), 422, { field: 'text' });
        problem(await alice.patch(path, { text: '字'.repeat(5001) }), 422, { field: 'text' });
        problem(await bob.patch(path, { text: 'yours' }), 403);
        problem(await bob.del(path), 403);
        problem(await api('PATCH', path, { body: { text: 'whose' } }), 401);
        problem(await api('DELETE', path), 401);
        assert.deepEqual(await alice.read(note.id), note);
});

test('a deleted note immediately disappears everywhere', async () => {
        const [alice, bob] = [await register(), await register()];
        await bob.follow(alice);
        const note = await alice.note('soon gone #vanishing');
        await bob.react(note.id, 'bookmark');
        const answer = await alice.del(`/v1/notes/${note.id}`);
        must(answer, 204);
        assert.equal(answer.text, '');
        for (const who of [alice, bob]) {
                problem(await who.get(`/v1/notes/${note.id}`), 404);
                problem(await who.get(`/v1/notes/${note.id}/thread`), 404);
                problem(await who.get(`/v1/notes/${note.id}/comments`), 404);
                problem(await who.put(`/v1/notes/${note.id}/like`), 404);
                assert.deepEqual(must(await who.get(`/v1/timelines/users/${alice.id}`)).items, []);
                assert.ok(!(await who.homeIds()).includes(note.id));
                assert.ok(!ids(must(await who.get('/v1/timelines/hashtags/vanishing?limit=100')).items).includes(note.id));
        }
        assert.deepEqual(must(await bob.get('/v1/bookmarks')).items, []);
        problem(await alice.patch(`/v1/notes/${note.id}`, { text: 'back' }), 404);
        problem(await alice.del(`/v1/notes/${note.id}`), 404);
});

test('missing notes cannot be read, changed or deleted', async () => {
        const alice = await register();
        problem(await alice.get(`/v1/notes/${GONE}`), 404);
        problem(await alice.patch(`/v1/notes/${GONE}`, { text: 'x' }), 404);
        problem(await alice.del(`/v1/notes/${GONE}`), 404);
        problem(await api('POST', '/v1/notes', { body: { text: 'x' } }), 401);
});

test('IDs of members and sessions are not notes', async () => {
        const alice = await register();
        for (const id of [alice.id, alice.session]) {
                problem(await alice.get(`/v1/notes/${id}`), 404);
                problem(await alice.put(`/v1/notes/${id}/like`), 404);
        }
});

test('setting the same text is not an edit', async () => {
        const alice = await register();
        const note = await alice.note('as it is');
        assert.deepEqual(must(await alice.patch(`/v1/notes/${note.id}`, { text: 'as it is' })), note);
});

test('a text without visible characters is empty', async () => {
        const alice = await register();
        const note = await alice.note('x');
        for (const text of ['\u00a0', '\u3000 \n', '\u200b\u200d', '\u2800', '\u202e', '\u0001', '\ufeff', '\u3164', '\ufe0f']) {
                problem(await alice.post('/v1/notes', { text }), 422, { field: 'text' });
                problem(await alice.patch(`/v1/notes/${note.id}`, { text }), 422, { field: 'text' });
                problem(await alice.post(`/v1/notes/${note.id}/comments`, { text }), 422, { field: 'text' });
        }
        for (const text of ['.', '👩‍👩‍👧', '\u200eא', '\u0301']) {
                assert.equal((await alice.note(text)).text, text);
        }
});
