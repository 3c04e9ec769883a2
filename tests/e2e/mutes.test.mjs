// Muting: whose notes are left out of which lists, and where they are still visible.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, must, readAll, register, registerMany } from './shared.mjs';

const all = async (member, path) => ids(await readAll((p) => member.get(p), path));

test('your own renote of a muted member\'s note stays on your home timeline', async () => {
        const [me, muted] = await registerMany(2);
        const note = await muted.note('loud but right');
        await me.react(note.id, 'renote');
        await me.relate(muted, 'mute');
        const [renote, ...rest] = await me.home();
        assert.deepEqual([renote.author.id, renote.renote_of.id, rest.length], [me.id, note.id, 0]);
        await me.unreact(note.id, 'renote');
        assert.deepEqual(await me.home(), []);
});

test('muted members are left out of the muting member\'s hashtag timelines', async () => {
        const [me, muted, other] = await registerMany(3);
        const tag = `quiet${me.username.replaceAll('_', '')}`;
        const posted = [];
        for (let i = 0; i < 6; i++) {
                posted.unshift((await [muted, other, me][i % 3].note(`${i} #${tag}`)).id);
        }
        const path = `/v1/timelines/hashtags/${tag}`;
        const expected = posted.filter((_, i) => (5 - i) % 3 !== 0);
        await me.relate(muted, 'mute');
        assert.deepEqual(await all(me, path), expected);
        for (const limit of [1, 2]) {
                assert.deepEqual(ids(await readAll((p) => me.get(p), path, { limit })), expected);
        }
        assert.deepEqual(await all(other, path), posted);
        assert.deepEqual(await all(muted, path), posted, 'the muted one is not told');
        assert.deepEqual(ids(await readAll((p) => api('GET', p), path)), posted);
        await me.unrelate(muted, 'mute');
        assert.deepEqual(await all(me, path), posted);
});

test('replies by muted members are left out of comments and threads, but not when requested by ID', async () => {
        const [me, muted, other] = await registerMany(3);
        const note = await other.note('what do you think?');
        const loud = await muted.comment(note.id, 'I KNOW');
        const calm = await other.comment(note.id, 'well');
        const below = await other.comment(loud.id, 'do you?');
        await me.relate(muted, 'mute');
        assert.deepEqual(await all(me, `/v1/notes/${note.id}/comments`), [calm.id]);
        assert.deepEqual(await all(me, `/v1/notes/${note.id}/thread`), [calm.id, below.id]);
        assert.deepEqual(await all(muted, `/v1/notes/${note.id}/thread`), [loud.id, calm.id, below.id]);
        assert.equal((await me.read(loud.id)).text, 'I KNOW');
        const thread = must(await me.get(`/v1/notes/${loud.id}/thread`));
        assert.deepEqual([thread.note.id, ids(thread.ancestors), ids(thread.items)], [loud.id, [note.id], [below.id]]);
        assert.deepEqual(ids(must(await me.get(`/v1/notes/${below.id}/thread`)).ancestors), [note.id, loud.id], 'an answer keeps what it answers');
});

test('opening a muted member\'s note shows their comments on it', async () => {
        const [me, muted, louder] = await registerMany(3);
        const note = await muted.note('1/2');
        const second = await muted.comment(note.id, '2/2');
        const reply = await louder.comment(note.id, 'LOUDER');
        await me.relate(muted, 'mute');
        await me.relate(louder, 'mute');
        assert.deepEqual(await all(me, `/v1/notes/${note.id}/comments`), [second.id]);
        assert.deepEqual(await all(me, `/v1/notes/${note.id}/thread`), [second.id]);
        assert.deepEqual(await all(muted, `/v1/notes/${note.id}/thread`), [second.id, reply.id]);
});

test('a muted member\'s own timeline, the muting member\'s bookmarks and the counts do not change', async () => {
        const [me, muted] = await registerMany(2);
        const note = await muted.note('kept');
        await me.react(note.id, 'bookmark');
        await me.relate(muted, 'mute');
        assert.deepEqual(await all(me, `/v1/timelines/users/${muted.id}`), [note.id]);
        assert.deepEqual(await all(me, '/v1/bookmarks'), [note.id]);
        await muted.comment(note.id, 'more');
        assert.equal((await me.read(note.id)).counts.comments, 1);
});

test('a followed member\'s renote of a muted member\'s note is left out of the home timeline, but their own timeline shows it', async () => {
        const [me, muted, friend] = await registerMany(3);
        await me.follow(friend);
        const note = await muted.note('by the muted one');
        await friend.react(note.id, 'renote');
        const after = await friend.note('and then');
        await me.relate(muted, 'mute');
        await eventually('the friend\'s note arrives', async () => assert.deepEqual(await me.homeIds(), [after.id]));
        assert.equal((await all(me, `/v1/timelines/users/${friend.id}`)).length, 2);
});
