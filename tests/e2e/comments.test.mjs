// Comments and threads: a comment is itself a note, with a parent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, ids, must, problem, readAll, register, registerMany } from './shared.mjs';

const listComments = (id, who) => (who ? who.get(`/v1/notes/${id}/comments`) : api('GET', `/v1/notes/${id}/comments`));
const thread = async (id, query = '') => must(await api('GET', `/v1/notes/${id}/thread${query}`));

test('a comment is a note with a parent, whose count includes it', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('say something');
        const comment = await bob.comment(note.id, 'something #said');
        assert.equal(comment.parent_id, note.id);
        assert.equal(comment.author.id, bob.id);
        assert.equal(comment.visibility, 'public');
        assert.deepEqual(comment.hashtags, ['said']);
        assert.deepEqual(must(await api('GET', `/v1/notes/${comment.id}`)), comment);
        assert.equal((await alice.read(note.id)).counts.comments, 1);
        assert.deepEqual(must(await listComments(note.id)).items, [comment]);
});

test('comments are listed oldest first, direct ones only, page by page', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('discuss');
        const direct = [];
        for (let i = 0; i < 7; i++) {
                direct.push((await (i % 2 ? alice : bob).comment(note.id, `comment ${i}`)).id);
        }
        await alice.comment(direct[0], 'a reply to a comment');
        for (const limit of [1, 3, 7, 100]) {
                assert.deepEqual(ids(await readAll((p) => api('GET', p), `/v1/notes/${note.id}/comments`, { limit })), direct);
        }
        const seen = await alice.read(note.id);
        assert.equal(seen.counts.comments, 7, 'direct comments count');
        assert.equal((await alice.read(direct[0])).counts.comments, 1);
});

test('a thread shows a note\'s ancestors, the note, and all replies to it', async () => {
        const [alice, bob] = await registerMany(2);
        const top = await alice.note('top');
        const a = await bob.comment(top.id, 'a');
        const b = await alice.comment(top.id, 'b');
        const a1 = await alice.comment(a.id, 'a1');
        const a11 = await bob.comment(a1.id, 'a11');
        const whole = await thread(top.id);
        assert.deepEqual(whole.ancestors, []);
        assert.equal(whole.note.id, top.id);
        assert.deepEqual(ids(whole.items), [a.id, b.id, a1.id, a11.id]);
        const middle = await thread(a1.id);
        assert.deepEqual(ids(middle.ancestors), [top.id, a.id]);
        assert.equal(middle.note.id, a1.id);
        assert.deepEqual(ids(middle.items), [a11.id]);
        const leaf = await thread(a11.id);
        assert.deepEqual(ids(leaf.ancestors), [top.id, a.id, a1.id]);
        assert.deepEqual(leaf.items, []);
});

test('paging through a thread has no duplicates or gaps', async () => {
        const alice = await register();
        const top = await alice.note('long');
        const all = [];
        for (let i = 0; i < 9; i++) {
                all.push((await alice.comment(i % 3 && all.length ? all[i - 1] : top.id, `c${i}`)).id);
        }
        for (const limit of [2, 4, 100]) {
                assert.deepEqual(ids(await readAll((p) => alice.get(p), `/v1/notes/${top.id}/thread`, { limit })), all);
        }
});

test('a conversation may have any depth; a comment shows, and its author can remove, replies up to 100 levels below it', async () => {
        const [alice, bob] = await registerMany(2);
        const top = await alice.note('top');
        const chain = [top.id]; // by level
        for (let level = 1; level <= 104; level++) {
                chain.push((await (level === 1 ? bob : alice).comment(chain[level - 1], `level ${level}`)).id);
        }
        const below = async (id) => ids(await readAll((p) => alice.get(p), `/v1/notes/${id}/thread`, { limit: 60 }));
        assert.deepEqual(await below(top.id), chain.slice(1), 'of the note that began it, everything');
        assert.deepEqual(await below(chain[1]), chain.slice(2, 102));
        assert.deepEqual(await below(chain[3]), chain.slice(4, 104));
        assert.deepEqual(await below(chain[50]), chain.slice(51));
        assert.deepEqual(ids((await thread(chain[100])).ancestors), chain.slice(0, 100));
        assert.deepEqual(ids((await thread(chain[104])).ancestors), chain.slice(4, 104), 'the nearest 100');
        problem(await bob.del(`/v1/notes/${chain[1]}/comments/${chain[102]}`), 404, { field: 'comment_id' });
        must(await bob.del(`/v1/notes/${chain[1]}/comments/${chain[101]}`), 204);
        must(await alice.del(`/v1/notes/${top.id}/comments/${chain[104]}`), 204);
        assert.deepEqual(await below(top.id), chain.slice(1, 104), 'its maker keeps it');
        const others = ids(await readAll((p) => bob.get(p), `/v1/notes/${top.id}/thread`));
        assert.deepEqual(others, chain.slice(1, 104).filter((id) => id !== chain[101]));
});

test('comments do not appear on user and home timelines', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('note');
        await bob.comment(note.id, 'comment');
        assert.deepEqual(must(await api('GET', `/v1/timelines/users/${bob.id}`)).items, []);
        assert.deepEqual(await bob.homeIds(), []);
});

test('a comment can be liked, edited and deleted like any note', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('note');
        const comment = await bob.comment(note.id, 'frist');
        assert.equal((await alice.react(comment.id, 'like')).counts.likes, 1);
        assert.equal(must(await bob.patch(`/v1/notes/${comment.id}`, { text: 'first' })).parent_id, note.id);
        problem(await alice.patch(`/v1/notes/${comment.id}`, { text: 'mine' }), 403);
        must(await bob.del(`/v1/notes/${comment.id}`), 204);
        assert.deepEqual(must(await listComments(note.id)).items, []);
        assert.equal((await alice.read(note.id)).counts.comments, 0);
        problem(await alice.get(`/v1/notes/${comment.id}`), 404);
});

test('the comments of a deleted note are still available by ID, and new ones are refused', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('note');
        const comment = await bob.comment(note.id, 'comment');
        must(await alice.del(`/v1/notes/${note.id}`), 204);
        assert.equal((await bob.read(comment.id)).text, 'comment');
        problem(await bob.post(`/v1/notes/${note.id}/comments`, { text: 'late' }), 404);
        const rest = await thread(comment.id);
        assert.ok(!ids(rest.ancestors).includes(note.id));
        assert.equal(rest.note.id, comment.id);
});

test('a comment has the audience of its note', async () => {
        const [author, fan, otherFan, fanOfFan] = await registerMany(4);
        await fan.follow(author);
        await otherFan.follow(author);
        await fanOfFan.follow(fan);
        const note = await author.note('among us', 'followers');
        const comment = await fan.comment(note.id, 'yes');
        assert.equal((await otherFan.read(comment.id)).id, comment.id);
        assert.equal((await author.read(comment.id)).id, comment.id);
        const reply = await otherFan.comment(comment.id, 'indeed');
        for (const id of [comment.id, reply.id]) {
                problem(await fanOfFan.get(`/v1/notes/${id}`), 404);
                problem(await api('GET', `/v1/notes/${id}`), 404);
                problem(await api('GET', `/v1/notes/${id}/thread`), 404);
        }
        problem(await fanOfFan.post(`/v1/notes/${note.id}/comments`, { text: 'may I?' }), 404);
        const mine = await author.note('to myself', 'only_me');
        assert.equal((await author.comment(mine.id, 'hm')).parent_id, mine.id);
        problem(await fan.post(`/v1/notes/${mine.id}/comments`, { text: 'hello?' }), 404);
});

test('invalid comments are rejected and not counted', async () => {
        const alice = await register();
        const note = await alice.note('note');
        const path = `/v1/notes/${note.id}/comments`;
        problem(await alice.post(path, { text: '' }), 422, { field: 'text' });
        problem(await alice.post(path, {}), 422, { field: 'text' });
        problem(await alice.post(path, { text: '字'.repeat(5001) }), 422, { field: 'text' });
        problem(await alice.post(path, { text: 'x', visibility: 'only_me' }), 422, { field: 'visibility' });
        problem(await alice.post(path, { text: 'x', parent_id: note.id }), 422, { field: 'parent_id' });
        problem(await api('POST', path, { body: { text: 'x' } }), 401);
        problem(await alice.post('/v1/notes/01890000-0000-7000-8000-000000000000/comments', { text: 'x' }), 404);
        problem(await alice.post('/v1/notes/nonsense/comments', { text: 'x' }), 422, { field: 'id' });
        assert.deepEqual(must(await listComments(note.id)).items, []);
        assert.equal((await alice.read(note.id)).counts.comments, 0);
});
