// Private accounts: followers must be accepted, and by default nothing they write reaches others.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, ids, must, problem, randomName, readAll, register, registerMany } from './shared.mjs';

const close = async (member, value = true) => must(await member.patch('/v1/users/me/settings', { privacy: { private: value } }));
const open = (member) => close(member, false);
const requests = async (member) => readAll((p) => member.get(p), '/v1/follow_requests', { limit: 2 });
const relation = async (member, other) => must(await member.get(`/v1/relationships?user_ids=${other.id}`)).items[0];
const accept = async (member, other) => must(await member.put(`/v1/follow_requests/${other.id}`));

let ada; // private
let fan; // accepted by Ada
let stranger;

before(async () => {
        [ada, fan, stranger] = await registerMany(3);
        await close(ada);
        assert.equal((await fan.follow(ada)).requested, true);
        assert.equal((await accept(ada, fan)).followed_by, true);
});

test('follow requests to a private account can be accepted, declined or withdrawn', async () => {
        const [bob, carol, dan, eve] = await registerMany(4);
        await close(bob);
        for (const member of [carol, dan, eve]) {
                const asked = await member.follow(bob);
                assert.deepEqual([asked.following, asked.requested], [false, true]);
                assert.deepEqual(await member.follow(bob), asked, 'asking twice is asking once');
        }
        assert.deepEqual(ids(await requests(bob)), [eve.id, dan.id, carol.id], 'the newest first');
        assert.deepEqual(ids(must(await bob.get(`/v1/follow_requests?after=${carol.id}`)).items), [dan.id, eve.id]);
        assert.equal((await relation(bob, carol)).requested_by, true);
        assert.equal((await accept(bob, carol)).followed_by, true);
        assert.deepEqual(await accept(bob, carol), await relation(bob, carol), 'accepting twice is accepting once');
        assert.deepEqual(must(await bob.del(`/v1/follow_requests/${dan.username}`)).requested_by, false);
        assert.equal((await eve.unrelate(bob, 'follow')).requested, false);
        assert.deepEqual(await requests(bob), []);
        problem(await bob.put(`/v1/follow_requests/${dan.id}`), 404, { field: 'user_id' });
        problem(await bob.put(`/v1/follow_requests/${bob.id}`), 422, { field: 'user_id' });
        problem(await api('GET', '/v1/follow_requests'), 401);
        assert.deepEqual(ids(must(await bob.get(`/v1/users/${bob.id}/followers`)).items), [carol.id]);
        assert.equal((await carol.follow(bob)).following, true, 'who follows need not ask');
        await eventually('the count', async () => must(await bob.get('/v1/users/me')).counts.followers === 1);
        await dan.follow(bob);
        await bob.relate(dan, 'block');
        await bob.unrelate(dan, 'block');
        assert.deepEqual(await requests(bob), [], 'a block ends the request');
        assert.equal((await relation(dan, bob)).requested, false);
});

test('making the account public accepts all requests, and later follows need none', async () => {
        const bob = await register();
        const people = await registerMany(4);
        await close(bob);
        await Promise.all(people.slice(0, 3).map((p) => p.follow(bob)));
        await open(bob);
        assert.equal((await people[3].follow(bob)).following, true);
        await eventually('all are accepted', async () => {
                const followers = ids(must(await api('GET', `/v1/users/${bob.id}/followers`)).items);
                assert.deepEqual(followers.sort(), ids(people).sort());
        });
        assert.deepEqual(await requests(bob), []);
        const note = await bob.note('for all of you');
        assert.equal(note.visibility, 'public');
        await eventually('the note arrives', async () => (await people[0].homeIds()).includes(note.id));
});

test('requests while the account is opened and closed become follows or stay pending, and none is lost', async () => {
        const bob = await register();
        const people = await registerMany(12);
        await close(bob);
        const flip = async () => {
                for (let i = 0; i < 6; i++) {
                        await close(bob, i % 2 === 1);
                }
                await open(bob);
        };
        await Promise.all([flip(), ...people.map((p) => p.follow(bob))]);
        await eventually('all follow', async () => {
                assert.deepEqual(await requests(bob), []);
                assert.deepEqual(ids(must(await bob.get(`/v1/users/${bob.id}/followers`)).items).sort(), ids(people).sort());
        });
});

test('a request to a private account is not accepted by an earlier opening', async () => {
        const [bob, early, late] = await registerMany(3);
        await close(bob);
        await early.follow(bob);
        await open(bob);
        await close(bob);
        assert.equal((await late.follow(bob)).following, false);
        await eventually('the earlier request is accepted', async () => (await relation(bob, early)).followed_by);
        assert.deepEqual(ids(await requests(bob)), [late.id]);
});

// Everything that a reader may request about Ada; null: not logged in.
async function roads(reader, { note, tag, word, of }) {
        const get = (path) => (reader === null ? api('GET', path) : reader.get(path));
        const lists = ['followers', 'following'].map((list) => `/v1/users/${ada.id}/${list}`);
        const answers = await Promise.all([`/v1/notes/${note.id}`, `/v1/timelines/users/${ada.id}`, `/v1/timelines/hashtags/${tag}`, `/v1/notes/${of.id}/comments`,
                                           `/v1/notes/${of.id}/thread`, ...lists, `/v1/users/${fan.id}/following`, ...(reader === null ? [] : ['/v1/timelines/home'])].map(get));
        return answers.filter((a) => [note.id, word, ada.id].some((s) => a.text.includes(s))).map((a) => a.request);
}

test('notes of a private account reach only its followers by default, on every route', async () => {
        const word = randomName('w').replace('_', '');
        const of = await stranger.note('what do you think?');
        await stranger.follow(fan);
        const note = await ada.note(`${word} #${word}`);
        assert.equal(note.visibility, 'followers');
        const comment = await ada.comment(of.id, `${word} I think`);
        assert.equal(comment.visibility, 'followers');
        const other = await fan.note('well said');
        await ada.react(other.id, 'renote');
        await eventually('it arrives', async () => (await fan.homeIds()).includes(note.id));
        for (const reader of [null, stranger]) {
                assert.deepEqual(await roads(reader, { note, tag: word, word, of }), []);
        }
        const seen = await roads(fan, { note, tag: word, word, of });
        assert.ok(seen.includes(`GET /v1/notes/${note.id}`) && seen.includes(`GET /v1/notes/${of.id}/comments`) && seen.includes('GET /v1/timelines/home'));
        assert.equal((await stranger.read(of.id)).counts.comments, 0, 'what others do not see does not count for them');
        assert.equal((await stranger.read(other.id)).counts.renotes, 0);
        assert.deepEqual(ids((await fan.home()).filter((n) => n.renoted_by?.items.some((a) => a.id === ada.id)).map((n) => n.renote_of)), [other.id]);
        must(await ada.del(`/v1/notes/${comment.id}`), 204);
        await ada.unreact(other.id, 'renote');
        const after = [await stranger.read(of.id), await stranger.read(other.id)].map((n) => [n.counts.comments, n.counts.renotes]);
        assert.deepEqual(after, [[0, 0], [0, 0]], 'undone once, counted never');
});

test('a comment on a note for followers is visible to members who follow both', async () => {
        const [bob, both, one] = await registerMany(3);
        for (const [who, whom] of [[ada, bob], [both, bob], [one, bob]]) {
                await who.follow(whom);
        }
        await both.follow(ada);
        await accept(ada, both);
        const note = await bob.note('among friends', 'followers');
        const comment = await ada.comment(note.id, 'between us');
        const seen = async (reader) => ids(must(await reader.get(`/v1/notes/${note.id}/comments`)).items);
        assert.deepEqual(await seen(both), [comment.id]);
        assert.deepEqual(await seen(ada), [comment.id]);
        for (const reader of [one, bob]) {
                assert.deepEqual(await seen(reader), []);
                problem(await reader.get(`/v1/notes/${comment.id}`), 404);
                assert.equal((await reader.read(note.id)).counts.comments, 0);
        }
        must(await bob.del(`/v1/notes/${note.id}/comments/${comment.id}`), 204);
        assert.equal((await bob.read(note.id)).counts.comments, 0, 'removed without having counted');
        assert.deepEqual(await seen(both), []);
});

test('a private account can still write public notes explicitly', async () => {
        const note = await ada.note('hear ye', 'public');
        assert.equal(must(await api('GET', `/v1/notes/${note.id}`)).visibility, 'public');
        assert.equal(must(await api('GET', `/v1/notes/${note.id}`)).author.private, true);
});

test('its counts and lists are visible to itself and its followers', async () => {
        await ada.follow(stranger);
        for (const get of [(p) => api('GET', p), (p) => stranger.get(p)]) {
                const user = must(await get(`/v1/users/${ada.id}`));
                assert.deepEqual([user.private, user.counts], [true, null]);
                assert.deepEqual(must(await get(`/v1/users?query=${ada.username}`)).items[0].counts, null);
                assert.deepEqual(must(await get(`/v1/users/${ada.id}/followers`)), { items: [] });
                assert.deepEqual(must(await get(`/v1/users/${ada.id}/following`)), { items: [] });
        }
        assert.ok(must(await ada.get('/v1/users/me')).counts.followers >= 0);
        assert.ok(ids(must(await fan.get(`/v1/users/${ada.id}/followers`)).items).includes(fan.id));
        assert.ok(ids(must(await fan.get(`/v1/users/${ada.id}/following`)).items).includes(stranger.id));
        assert.ok(!ids(must(await api('GET', `/v1/users/${stranger.id}/followers`)).items).includes(ada.id));
        problem(await api('GET', `/v1/users/${stranger.id}/followers?after=${ada.id}`), 422, { field: 'after' }); // as for members who do not follow
        for (const reader of [fan, stranger]) {
                assert.ok(ids(must(await reader.get(`/v1/users/${stranger.id}/followers`)).items).includes(ada.id));
        }
});
