// What an author can remove: a comment under their note, and by a block the blocked member's renotes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, inBatches, must, problem, readAll, register, registerMany } from './shared.mjs';

const GONE = '01890000-0000-7000-8000-000000000000';
const comments = async (reader, note) => ids(await readAll((p) => (reader ? reader.get(p) : api('GET', p)), `/v1/notes/${note.id}/comments`));
const thread = async (reader, note) => ids(await readAll((p) => (reader ? reader.get(p) : api('GET', p)), `/v1/notes/${note.id}/thread`));
const remove = (member, note, comment) => member.del(`/v1/notes/${note.id}/comments/${comment.id}`);

test('a removed comment is hidden from everyone but its author, on every route', async () => {
        const [author, maker, other] = await registerMany(3);
        const tag = `removed${author.username.replaceAll('_', '')}`;
        const note = await author.note('say something');
        const bad = await maker.comment(note.id, `something bad #${tag}`);
        const good = await other.comment(note.id, 'something good');
        await other.react(bad.id, 'bookmark');
        await other.react(bad.id, 'renote');
        const [renote] = must(await api('GET', `/v1/timelines/users/${other.id}`)).items;
        for (let i = 0; i < 2; i++) {
                assert.equal(must(await remove(author, note, bad), 204), null);
        }
        for (const reader of [author, other, undefined]) {
                assert.deepEqual(await comments(reader, note), [good.id]);
                assert.deepEqual(await thread(reader, note), [good.id]);
                const get = (path) => (reader ? reader.get(path) : api('GET', path));
                for (const path of [`/v1/notes/${bad.id}`, `/v1/notes/${bad.id}/thread`, `/v1/notes/${bad.id}/comments`, `/v1/notes/${renote.id}`]) {
                        problem(await get(path), 404);
                }
                assert.deepEqual(must(await get(`/v1/timelines/hashtags/${tag}`)).items, []);
                assert.deepEqual(must(await get(`/v1/timelines/users/${other.id}`)).items, []);
                assert.equal(must(await get(`/v1/notes/${note.id}`)).counts.comments, 1);
        }
        assert.deepEqual(must(await other.get('/v1/bookmarks')).items, []);
        assert.equal(must(await other.del(`/v1/notes/${bad.id}/bookmark`), 204), null, 'what one did can be undone');
        assert.deepEqual(await comments(maker, note), [bad.id, good.id]);
        assert.deepEqual(await thread(maker, note), [bad.id, good.id]);
        assert.equal((await maker.read(bad.id)).text, bad.text);
        for (const reader of [author, other]) {
                problem(await reader.post(`/v1/notes/${bad.id}/comments`, { text: 'x' }), 404);
                problem(await reader.put(`/v1/notes/${bad.id}/like`), 404);
        }
});

test('a removed comment is subtracted from the count once, whether it is then deleted or not', async () => {
        const [author, maker] = await registerMany(2);
        const note = await author.note('count me');
        const [first, second] = [await maker.comment(note.id, '1'), await maker.comment(note.id, '2')];
        must(await remove(author, note, first), 204);
        assert.equal((await author.read(note.id)).counts.comments, 1);
        must(await maker.del(`/v1/notes/${first.id}`), 204);
        assert.equal((await author.read(note.id)).counts.comments, 1);
        problem(await remove(author, note, first), 404);
        must(await maker.del(`/v1/notes/${second.id}`), 204);
        problem(await remove(author, note, second), 404);
        assert.equal((await author.read(note.id)).counts.comments, 0);
});

test('a comment that is concurrently removed and deleted is subtracted from the count once', async () => {
        const [author, maker] = await registerMany(2);
        const note = await author.note('a race');
        const made = [];
        for (let i = 0; i < 12; i++) {
                made.push(await maker.comment(note.id, `${i}`));
        }
        await inBatches(made, 4, (c) => Promise.all([remove(author, note, c), maker.del(`/v1/notes/${c.id}`), remove(author, note, c)]));
        assert.equal((await author.read(note.id)).counts.comments, 0);
        assert.deepEqual(await comments(maker, note), []);
});

test('an author can remove comments at any depth below their note, and replies to these stay', async () => {
        const [author, maker, other] = await registerMany(3);
        const note = await author.note('deep');
        const first = await other.comment(note.id, 'one');
        const bad = await maker.comment(first.id, 'two');
        const below = await other.comment(bad.id, 'three');
        must(await remove(author, note, bad), 204);
        assert.deepEqual(await thread(other, note), [first.id, below.id]);
        assert.equal((await other.read(first.id)).counts.comments, 0);
        assert.deepEqual(ids(must(await other.get(`/v1/notes/${below.id}/thread`)).ancestors), [note.id, first.id]);
        must(await remove(other, first, below), 204);
        problem(await author.get(`/v1/notes/${below.id}`), 404);
});

test('only the author of a note can remove comments below it, and only existing ones', async () => {
        const [author, maker, other] = await registerMany(3);
        const note = await author.note('mine');
        const elsewhere = await author.note('mine too');
        const hidden = await author.note('for me', 'only_me');
        const comment = await maker.comment(note.id, 'a comment');
        for (const member of [maker, other]) {
                problem(await remove(member, note, comment), 403, { field: 'id' });
                problem(await remove(member, hidden, comment), 404, { field: 'id' });
        }
        problem(await api('DELETE', `/v1/notes/${note.id}/comments/${comment.id}`), 401);
        problem(await remove(author, { id: GONE }, comment), 404, { field: 'id' });
        for (const wrong of [{ id: GONE }, note, elsewhere]) {
                problem(await remove(author, note, wrong), 404, { field: 'comment_id' });
        }
        problem(await remove(author, elsewhere, comment), 404, { field: 'comment_id' });
        problem(await remove(author, comment, comment), 403, { field: 'id' });
        problem(await author.del(`/v1/notes/${note.id}/comments/nonsense`), 422, { field: 'comment_id' });
        assert.deepEqual(await comments(other, note), [comment.id]);
        assert.equal((await author.read(note.id)).counts.comments, 1);
});

test('removing your own comment deletes it', async () => {
        const author = await register();
        const note = await author.note('mine');
        const own = await author.comment(note.id, 'mine as well');
        must(await remove(author, note, own), 204);
        problem(await author.get(`/v1/notes/${own.id}`), 404);
        assert.equal((await author.read(note.id)).counts.comments, 0);
});

test('a blocked member\'s comment can be removed, too, although the author no longer sees it', async () => {
        const [author, maker, other] = await registerMany(3);
        const note = await author.note('open to all');
        const bad = await maker.comment(note.id, 'still here for others');
        await author.relate(maker, 'block');
        problem(await author.get(`/v1/notes/${bad.id}`), 404);
        assert.deepEqual(await comments(other, note), [bad.id]);
        must(await remove(author, note, bad), 204);
        assert.deepEqual(await comments(other, note), []);
});

test('blocking a member hides their renotes of your notes from everyone, until they are unblocked', async () => {
        const [author, renoter, fan, friend] = await registerMany(4);
        await fan.follow(renoter);
        await fan.follow(friend);
        const note = await author.note('not by you');
        const theirs = await friend.note('by a friend');
        await renoter.react(note.id, 'renote');
        await renoter.react(theirs.id, 'renote');
        await friend.react(note.id, 'renote');
        const [otherRenote, renote] = must(await api('GET', `/v1/timelines/users/${renoter.id}`)).items;
        await eventually('everything arrives', async () => assert.ok((await fan.home()).length > 0 && ids(await fan.home()).includes(otherRenote.id)));
        await author.relate(renoter, 'block');
        for (const reader of [fan, friend, undefined]) {
                const get = (path) => (reader ? reader.get(path) : api('GET', path));
                problem(await get(`/v1/notes/${renote.id}`), 404);
                assert.deepEqual(ids(must(await get(`/v1/timelines/users/${renoter.id}`)).items), [otherRenote.id]);
                assert.equal(must(await get(`/v1/timelines/users/${friend.id}`)).items[0].renote_of.id, note.id, 'a friend\'s renote stays');
        }
        assert.ok(!(await fan.homeIds()).includes(renote.id));
        assert.ok((await fan.homeIds()).includes(otherRenote.id));
        await author.unrelate(renoter, 'block');
        assert.equal((await fan.read(renote.id)).renote_of.id, note.id);
});
