// Likes, renotes and bookmarks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, must, problem, readAll, register, registerMany } from './shared.mjs';

const REACTIONS = [['like', 'likes', 'liked'], ['renote', 'renotes', 'renoted'], ['bookmark', 'bookmarks', 'bookmarked']];
const GONE = '01890000-0000-7000-8000-000000000000';

for (const [what, count, mark] of REACTIONS) {
        test(`a ${what} counts once however often it is repeated, and ends with the first undo`, async () => {
                const [alice, bob] = [await register(), await register()];
                const note = await alice.note('react to me');
                for (let i = 0; i < 3; i++) {
                        const answer = await bob.react(note.id, what);
                        assert.equal(answer.id, note.id);
                        assert.deepEqual([answer.counts[count], answer.viewer[mark]], [1, true]);
                }
                const seen = await alice.read(note.id);
                assert.deepEqual([seen.counts[count], seen.viewer[mark]], [1, false]);
                assert.equal((await alice.react(note.id, what)).counts[count], 2);
                for (let i = 0; i < 3; i++) {
                        const answer = await bob.unreact(note.id, what);
                        assert.deepEqual([answer.counts[count], answer.viewer[mark]], [1, false]);
                }
                assert.deepEqual((await api('GET', `/v1/notes/${note.id}`)).body.viewer, { liked: false, renoted: false, bookmarked: false });
        });

        test(`a ${what} requires a member and a note`, async () => {
                const alice = await register();
                const note = await alice.note('x');
                problem(await api('PUT', `/v1/notes/${note.id}/${what}`), 401);
                problem(await api('DELETE', `/v1/notes/${note.id}/${what}`), 401);
                problem(await alice.put(`/v1/notes/${GONE}/${what}`), 404);
                assert.equal(must(await alice.del(`/v1/notes/${GONE}/${what}`), 204), null);
                problem(await alice.put(`/v1/notes/nonsense/${what}`), 422, { field: 'id' });
                problem(await alice.del(`/v1/notes/nonsense/${what}`), 422, { field: 'id' });
                assert.equal((await alice.read(note.id)).counts[count], 0);
        });
}

test('the three reactions are independent', async () => {
        const [alice, bob] = [await register(), await register()];
        const note = await alice.note('x');
        await bob.react(note.id, 'like');
        assert.deepEqual((await bob.react(note.id, 'bookmark')).viewer, { liked: true, renoted: false, bookmarked: true });
        const all = await bob.react(note.id, 'renote');
        assert.deepEqual(all.viewer, { liked: true, renoted: true, bookmarked: true });
        assert.deepEqual(all.counts, { likes: 1, renotes: 1, comments: 0, bookmarks: 1 });
        const less = await bob.unreact(note.id, 'like');
        assert.deepEqual(less.viewer, { liked: false, renoted: true, bookmarked: true });
        assert.deepEqual(less.counts, { likes: 0, renotes: 1, comments: 0, bookmarks: 1 });
});

test('bookmarks are listed newest first, page by page, only for their owner', async () => {
        const [alice, bob] = [await register(), await register()];
        const marked = [];
        for (let i = 0; i < 7; i++) {
                const note = await alice.note(`note ${i}`);
                marked.unshift(note.id);
        }
        for (const id of [...marked].reverse()) {
                await bob.react(id, 'bookmark');
        }
        for (const limit of [1, 3, 100]) {
                assert.deepEqual(ids(await readAll((p) => bob.get(p), '/v1/bookmarks', { limit })), marked);
        }
        await bob.unreact(marked[2], 'bookmark');
        const left = must(await bob.get('/v1/bookmarks')).items;
        assert.deepEqual(ids(left), marked.filter((_, i) => i !== 2));
        assert.ok(left.every((n) => n.viewer.bookmarked));
        assert.deepEqual(must(await alice.get('/v1/bookmarks')).items, []);
        problem(await api('GET', '/v1/bookmarks'), 401);
});

test('a renote delivers the note to the renoter\'s followers', async () => {
        const [author, renoter, fan] = await registerMany(3);
        await fan.follow(renoter);
        const note = await author.note('pass me on #relay');
        await renoter.react(note.id, 'renote');
        const own = must(await api('GET', `/v1/timelines/users/${renoter.id}`)).items;
        assert.equal(own.length, 1);
        assert.equal(own[0].author.id, renoter.id);
        assert.equal(own[0].text, '');
        assert.equal(own[0].renote_of.id, note.id);
        assert.equal(own[0].renote_of.text, 'pass me on #relay');
        assert.equal(own[0].renote_of.author.id, author.id);
        assert.equal(own[0].renote_of.counts.renotes, 1);
        assert.deepEqual(own[0].renoted_by, { items: [own[0].author], count: 1 });
        assert.deepEqual(ids(await renoter.home()), [own[0].id], 'the renoter sees it at once');
        await eventually('the fan sees it', async () => {
                const [first] = await fan.home();
                assert.equal(first?.renote_of?.id, note.id);
                assert.equal(first.renote_of.viewer.renoted, false);
        });
        await renoter.unreact(note.id, 'renote');
        assert.deepEqual(must(await api('GET', `/v1/timelines/users/${renoter.id}`)).items, []);
        assert.deepEqual(await fan.homeIds(), []);
        assert.deepEqual(await renoter.homeIds(), []);
});

test('a renote disappears when its original is deleted', async () => {
        const [author, renoter, fan] = await registerMany(3);
        await fan.follow(renoter);
        const note = await author.note('short life');
        await renoter.react(note.id, 'renote');
        await eventually('the fan sees it', async () => (await fan.home()).length === 1);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        assert.deepEqual(await fan.homeIds(), []);
        assert.deepEqual(await renoter.homeIds(), []);
        assert.deepEqual(must(await api('GET', `/v1/timelines/users/${renoter.id}`)).items, []);
});

test('others can only renote public notes', async () => {
        const [author, fan] = await registerMany(2);
        await fan.follow(author);
        for (const visibility of ['followers', 'only_me']) {
                const note = await author.note('not for all', visibility);
                problem(await fan.put(`/v1/notes/${note.id}/renote`), visibility === 'followers' ? 403 : 404, { field: 'id' });
                assert.equal((await author.read(note.id)).counts.renotes, 0);
        }
        const own = await author.note('to myself', 'only_me');
        problem(await author.put(`/v1/notes/${own.id}/renote`), 403, { field: 'id' });
});

test('the author can renote a followers-only note for the same followers only', async () => {
        const [author, fan, former, stranger] = await registerMany(4);
        await fan.follow(author);
        await former.follow(author);
        const note = await author.note('for the faithful', 'followers');
        const comment = await author.comment(note.id, 'and one thing more');
        for (const { id } of [note, comment]) {
                assert.equal((await author.react(id, 'renote')).counts.renotes, 1);
        }
        await former.unrelate(author, 'follow');
        const [second, first] = must(await author.get(`/v1/timelines/users/${author.id}`)).items;
        assert.deepEqual([second.visibility, second.renote_of.id, first.renote_of.id], ['followers', comment.id, note.id]);
        await eventually('the fan has both', async () => assert.deepEqual(await fan.homeIds(), [second.id, first.id]));
        for (const reader of [former, stranger]) {
                problem(await reader.get(`/v1/notes/${first.id}`), 404);
                assert.deepEqual(must(await reader.get(`/v1/timelines/users/${author.id}`)).items, []);
        }
        problem(await api('GET', `/v1/notes/${first.id}`), 404);
        problem(await fan.put(`/v1/notes/${first.id}/renote`), 403);
        const answer = await fan.comment(note.id, 'of a fan');
        problem(await fan.put(`/v1/notes/${answer.id}/renote`), 403, { field: 'id' });
        problem(await author.put(`/v1/notes/${answer.id}/renote`), 403, { field: 'id' });
        assert.equal((await author.unreact(note.id, 'renote')).counts.renotes, 0);
        problem(await fan.get(`/v1/notes/${first.id}`), 404);
});

test('renoting a renote applies to its original', async () => {
        const [author, first, second] = await registerMany(3);
        const note = await author.note('original');
        await first.react(note.id, 'renote');
        const [renote] = must(await api('GET', `/v1/timelines/users/${first.id}`)).items;
        await second.react(renote.id, 'renote');
        assert.deepEqual(must(await api('GET', `/v1/timelines/users/${second.id}`)).items.map((item) => item.renote_of.id), [note.id]);
});

for (const [why, hide] of [['after a block', (author, fan) => author.relate(fan, 'block')],
                           ['after the note was deleted', async (author, fan, note) => must(await author.del(`/v1/notes/${note.id}`), 204)]]) {
        test(`reactions can be undone ${why}, repeatedly, without revealing anything`, async () => {
                const [author, fan] = await registerMany(2);
                const note = await author.note('seen for now');
                for (const [what] of REACTIONS) {
                        await fan.react(note.id, what);
                }
                await hide(author, fan, note);
                problem(await fan.get(`/v1/notes/${note.id}`), 404);
                for (const [what] of REACTIONS) {
                        for (let i = 0; i < 2; i++) {
                                assert.equal(must(await fan.del(`/v1/notes/${note.id}/${what}`), 204), null);
                        }
                }
                if (why === 'after a block') {
                        assert.deepEqual((await author.read(note.id)).counts, { likes: 0, renotes: 0, comments: 0, bookmarks: 0 });
                }
        });
}

test('your own renote can be deleted after its original has become invisible', async () => {
        const [author, fan] = await registerMany(2);
        const note = await author.note('passed on');
        await fan.react(note.id, 'renote');
        const [renote] = must(await fan.get(`/v1/timelines/users/${fan.id}`)).items;
        await author.relate(fan, 'block');
        problem(await author.del(`/v1/notes/${renote.id}`), 404);
        must(await fan.del(`/v1/notes/${renote.id}`), 204);
        assert.equal((await author.read(note.id)).counts.renotes, 0);
        problem(await api('GET', `/v1/notes/${renote.id}`), 404);
        problem(await fan.del(`/v1/notes/${renote.id}`), 404);
});

// The renote of a public note by a member who blocks the reader: the reader sees the note, but not the renote.
async function hiddenRenote() {
        const [author, renoter, reader] = await registerMany(3);
        const note = await author.note('known to all');
        await renoter.react(note.id, 'renote');
        const [renote] = must(await author.get(`/v1/timelines/users/${renoter.id}`)).items;
        await renoter.relate(reader, 'block');
        problem(await reader.get(`/v1/notes/${renote.id}`), 404);
        return { author, renoter, reader, note, renote };
}

const UNDONE_UNSEEN = [...REACTIONS.map(([what]) => what), 'mute_thread']; // can be undone, whatever happened to the note

test('a hidden renote gives no access to its original, on any route', async () => {
        const { author, reader, note, renote } = await hiddenRenote();
        for (const [what] of REACTIONS) {
                await reader.react(note.id, what);
        }
        const before = await reader.read(note.id);
        const { paths } = must(await api('GET', '/openapi.json'));
        let roads = 0;
        for (const [path, operations] of Object.entries(paths).filter(([p]) => p.startsWith('/v1/notes/{id}'))) {
                for (const verb of Object.keys(operations).map((v) => v.toUpperCase())) {
                        const body = ['POST', 'PATCH'].includes(verb) ? { text: 'x' } : undefined;
                        const ask = (id) => reader.api(verb, path.replace('{id}', id).replace(/{\w+}/, GONE), { token: reader.token, body });
                        const [hidden, unknown] = [await ask(renote.id), await ask(GONE)];
                        assert.deepEqual([hidden.status, hidden.body?.detail], [unknown.status, unknown.body?.detail], `${verb} ${path}`);
                        assert.equal(hidden.status, verb === 'DELETE' && UNDONE_UNSEEN.some((what) => path.endsWith(`/${what}`)) ? 204 : 404, `${verb} ${path}: ${hidden.text}`);
                        assert.ok(!hidden.text.includes(note.id) && !hidden.text.includes(note.text), hidden.text);
                        roads++;
                }
        }
        assert.ok(roads >= 12, `${roads} roads`);
        assert.deepEqual(await reader.read(note.id), before, 'nor did anything happen to it');
        assert.deepEqual((await author.read(note.id)).counts, { likes: 1, renotes: 2, comments: 0, bookmarks: 1 });
});

test('a visible renote, and your own, represent their original, also for undoing', async () => {
        const [author, renoter, fan] = await registerMany(3);
        const note = await author.note('passed on');
        await renoter.react(note.id, 'renote');
        const [renote] = must(await api('GET', `/v1/timelines/users/${renoter.id}`)).items;
        for (const [what, , mark] of REACTIONS) {
                assert.equal((await fan.react(renote.id, what)).id, note.id);
                const undone = await fan.unreact(renote.id, what);
                assert.deepEqual([undone.id, undone.viewer[mark]], [note.id, false]);
        }
        await author.relate(renoter, 'block');
        must(await renoter.del(`/v1/notes/${renote.id}/renote`), 204);
        assert.equal((await author.read(note.id)).counts.renotes, 0);
});
