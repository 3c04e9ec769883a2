// Many concurrent members: counters are exact, and no follow remains across a block.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, ids, inBatches, must, problem, readAll, register, registerMany } from './shared.mjs';

const MEMBERS = 50;
let crowd;

before(async () => {
        crowd = await registerMany(MEMBERS);
});

test('concurrent likes, unlikes, renotes, bookmarks and comments by fifty members are counted exactly', async () => {
        const author = await register();
        const note = await author.note('the famous one');
        // Everyone likes, a third unlikes, half renote, some bookmark, each comments once; all interleaved, some of it twice.
        await Promise.all(crowd.map(async (member, i) => {
                await Promise.all([
                        member.react(note.id, 'like').then(() => i % 3 === 0 && member.unreact(note.id, 'like')),
                        i % 2 === 0 && member.react(note.id, 'renote'),
                        i % 5 === 0 && member.react(note.id, 'bookmark').then(() => member.react(note.id, 'bookmark')),
                        member.comment(note.id, `comment ${i}`),
                        i % 3 !== 0 && member.react(note.id, 'like'),
                ]);
        }));
        const expected = {
                likes: crowd.filter((_, i) => i % 3 !== 0).length, renotes: MEMBERS / 2, comments: MEMBERS, bookmarks: MEMBERS / 5,
        };
        assert.deepEqual((await author.read(note.id)).counts, expected);
        const comments = await readAll((p) => api('GET', p), `/v1/notes/${note.id}/comments`, { limit: 20 });
        assert.deepEqual(comments.map((c) => c.text).sort(), crowd.map((_, i) => `comment ${i}`).sort());
        await inBatches(crowd, 10, async (member, i) => {
                assert.deepEqual((await member.read(note.id)).viewer, { liked: i % 3 !== 0, renoted: i % 2 === 0, bookmarked: i % 5 === 0 });
        });
});

test('concurrent likes and unlikes by one member result in 0 or 1', async () => {
        const [author, bob] = [await register(), crowd[0]];
        const note = await author.note('indecision');
        await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? bob.react(note.id, 'like') : bob.unreact(note.id, 'like'))));
        const seen = await bob.read(note.id);
        assert.equal(seen.counts.likes, seen.viewer.liked ? 1 : 0);
        assert.equal((await bob.react(note.id, 'like')).counts.likes, 1);
        assert.equal((await bob.unreact(note.id, 'like')).counts.likes, 0);
});

test('concurrent renotes by one member result in one renote', async () => {
        const [author, bob] = [await register(), await register()];
        const note = await author.note('once is enough');
        await Promise.all(Array.from({ length: 20 }, () => bob.react(note.id, 'renote')));
        assert.equal((await author.read(note.id)).counts.renotes, 1);
        assert.equal(must(await api('GET', `/v1/timelines/users/${bob.id}`)).items.length, 1);
});

test('a note that is deleted during concurrent reactions is gone for everyone', async () => {
        for (let round = 0; round < 5; round++) {
                const author = await register();
                const note = await author.note('short');
                const answers = await Promise.all([
                        ...crowd.slice(0, 10).map((m) => m.put(`/v1/notes/${note.id}/like`)),
                        ...crowd.slice(10, 20).map((m) => m.put(`/v1/notes/${note.id}/renote`)),
                        author.del(`/v1/notes/${note.id}`),
                        ...crowd.slice(20, 30).map((m) => m.post(`/v1/notes/${note.id}/comments`, { text: 'x' })),
                ]);
                const done = { PUT: 200, DELETE: 204, POST: 201 };
                answers.forEach((a) => assert.ok(a.status === done[a.request.split(' ')[0]] || a.status === 404, `${a.request}: ${a.status} ${a.text}`));
                must(answers[20], 204);
                for (const member of crowd.slice(10, 20)) {
                        const items = must(await api('GET', `/v1/timelines/users/${member.id}?limit=100`)).items;
                        assert.ok(!items.some((n) => n.renote_of?.id === note.id));
                }
                problem(await author.get(`/v1/notes/${note.id}`), 404);
        }
});

test('after concurrent follows and blocks, no follow exists across a block', async () => {
        await inBatches(Array.from({ length: 12 }), 3, async (_, round) => {
                const [a, b] = [crowd[2 * round], crowd[2 * round + 1]];
                const answers = await Promise.all([
                        a.put(`/v1/users/${b.id}/follow`), b.put(`/v1/users/${a.id}/follow`), b.put(`/v1/users/${a.id}/block`),
                        a.put(`/v1/users/${b.id}/follow`), b.put(`/v1/users/${a.id}/follow`), a.put(`/v1/users/${b.id}/mute`),
                ]);
                answers.forEach((r) => assert.ok(r.status < 500, `${r.request}: ${r.status} ${r.text}`));
                must(answers[2]);
                for (const [x, y] of [[a, b], [b, a]]) {
                        const [r] = must(await x.get(`/v1/relationships?user_ids=${y.id}`)).items;
                        assert.deepEqual([r.following, r.followed_by], [false, false]);
                        assert.ok(!ids(await readAll((p) => api('GET', p), `/v1/users/${x.id}/followers`)).includes(y.id));
                }
        });
});

test('concurrent blocks and unblocks from both sides never deadlock, and the last ones take effect', async () => {
        const [a, b] = [crowd[30], crowd[31]];
        const storm = ['block', 'follow', 'mute', 'block', 'follow'].flatMap((what) => [
                a.put(`/v1/users/${b.id}/${what}`), b.put(`/v1/users/${a.id}/${what}`), a.del(`/v1/users/${b.id}/${what}`), b.del(`/v1/users/${a.id}/${what}`)]);
        (await Promise.all(storm)).forEach((r) => assert.ok(r.status < 500, `${r.request}: ${r.status} ${r.text}`));
        for (const [x, y] of [[a, b], [b, a]]) {
                for (const what of ['block', 'mute', 'follow']) {
                        await x.unrelate(y, what);
                }
        }
        const [r] = must(await a.get(`/v1/relationships?user_ids=${b.id}`)).items;
        assert.deepEqual(r, { user_id: b.id, following: false, followed_by: false, blocking: false, blocked_by: false, muting: false, requested: false, requested_by: false });
});

test('fifty concurrent followers of one member are all counted and listed, and get the next note', async () => {
        const star = await register();
        await Promise.all(crowd.map((m) => m.follow(star)));
        const followers = await readAll((p) => api('GET', p), `/v1/users/${star.id}/followers`, { limit: 20 });
        assert.deepEqual(ids(followers).sort(), ids(crowd).sort());
        await eventually('the count', async () => assert.equal(must(await api('GET', `/v1/users/${star.id}`)).counts.followers, MEMBERS));
        const note = await star.note('hello to fifty');
        await inBatches(crowd, 10, (m) => eventually('arrival', async () => (await m.homeIds()).includes(note.id)));
});

test('concurrent posts by members are all listed, each once and in one order', async () => {
        const alice = await register();
        const posted = await Promise.all(Array.from({ length: 40 }, (_, i) => alice.note(`burst ${i}`)));
        const listed = ids(await readAll((p) => alice.get(p), `/v1/timelines/users/${alice.id}`, { limit: 15 }));
        assert.deepEqual([...listed].sort(), ids(posted).sort());
        assert.deepEqual(listed, [...listed].sort().reverse(), 'newest first');
        assert.deepEqual(await alice.homeIds(), listed);
});
