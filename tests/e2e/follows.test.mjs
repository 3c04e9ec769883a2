// Following, blocking, muting, and the lists of followers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, ids, inBatches, must, problem, randomName, readAll, register, registerMany } from './shared.mjs';

const NONE = { following: false, followed_by: false, blocking: false, blocked_by: false, muting: false, requested: false, requested_by: false };
const relation = async (a, b) => must(await a.get(`/v1/relationships?user_ids=${b.id}`)).items[0];
const STRANGER = '01890000-0000-7000-8000-000000000000';

test('a relationship is described from the caller\'s side', async () => {
        const [alice, bob] = [await register(), await register()];
        assert.deepEqual(await alice.follow(bob), { user_id: bob.id, ...NONE, following: true });
        assert.deepEqual(await relation(bob, alice), { user_id: alice.id, ...NONE, followed_by: true });
        assert.deepEqual(await bob.follow(alice), { user_id: alice.id, ...NONE, following: true, followed_by: true });
        assert.deepEqual(await alice.unrelate(bob, 'follow'), { user_id: bob.id, ...NONE, followed_by: true });
        assert.deepEqual(await relation(bob, alice), { user_id: alice.id, ...NONE, following: true });
});

test('all actions are idempotent', async () => {
        const [alice, bob] = [await register(), await register()];
        for (const what of ['follow', 'mute', 'block']) {
                const once = await alice.relate(bob, what);
                assert.deepEqual(await alice.relate(bob, what), once);
        }
        for (const what of ['follow', 'mute', 'block']) {
                const once = await alice.unrelate(bob, what);
                assert.deepEqual(await alice.unrelate(bob, what), once);
        }
        assert.deepEqual(await relation(alice, bob), { user_id: bob.id, ...NONE });
});

test('a block ends both follows, and removing it restores neither', async () => {
        const [alice, bob] = [await register(), await register()];
        await alice.follow(bob);
        await bob.follow(alice);
        assert.deepEqual(await alice.relate(bob, 'block'), { user_id: bob.id, ...NONE, blocking: true });
        const seen = await relation(bob, alice);
        assert.deepEqual([seen.following, seen.followed_by], [false, false]);
        assert.deepEqual(must(await api('GET', `/v1/users/${alice.id}/followers`)).items, []);
        assert.deepEqual(must(await api('GET', `/v1/users/${alice.id}/following`)).items, []);
        assert.deepEqual(await alice.unrelate(bob, 'block'), { user_id: bob.id, ...NONE });
        assert.deepEqual(await relation(bob, alice), { user_id: alice.id, ...NONE });
});

test('neither side of a block can follow the other', async () => {
        const [alice, bob] = [await register(), await register()];
        await alice.relate(bob, 'block');
        problem(await bob.put(`/v1/users/${alice.id}/follow`), 403, { code: 'blocked' });
        problem(await alice.put(`/v1/users/${bob.id}/follow`), 403, { code: 'blocked' });
        assert.equal((await relation(alice, bob)).following, false);
        assert.equal((await relation(bob, alice)).following, false);
        await alice.unrelate(bob, 'block');
        assert.equal((await bob.follow(alice)).following, true);
});

test('only the muting member can see a mute', async () => {
        const [alice, bob] = [await register(), await register()];
        await alice.follow(bob);
        assert.deepEqual(await alice.relate(bob, 'mute'), { user_id: bob.id, ...NONE, following: true, muting: true });
        assert.deepEqual(await relation(bob, alice), { user_id: alice.id, ...NONE, followed_by: true });
        assert.deepEqual(await alice.unrelate(bob, 'mute'), { user_id: bob.id, ...NONE, following: true });
});

test('relationships with yourself are rejected', async () => {
        const alice = await register();
        for (const what of ['follow', 'block', 'mute']) {
                problem(await alice.put(`/v1/users/${alice.id}/${what}`), 422, { field: 'user_id' });
        }
        assert.deepEqual(must(await api('GET', `/v1/users/${alice.id}/followers`)).items, []);
});

test('unknown members and invalid IDs are rejected', async () => {
        const alice = await register();
        for (const what of ['follow', 'block', 'mute']) {
                problem(await alice.put(`/v1/users/${STRANGER}/${what}`), 404);
                problem(await alice.put(`/v1/users/${randomName('nobody')}/${what}`), 404, { field: 'user_id' });
                problem(await alice.put(`/v1/users/${'a'.repeat(37)}/${what}`), 422, { field: 'user_id' });
                problem(await api('PUT', `/v1/users/${alice.id}/${what}`), 401);
                problem(await api('DELETE', `/v1/users/${alice.id}/${what}`), 401);
        }
});

test('relationships are returned in the requested order, in every list syntax, including duplicates and unknown members', async () => {
        const [alice, bob, carol] = await registerMany(3);
        await alice.follow(bob);
        await carol.follow(alice);
        const asked = [carol.id, bob.id, STRANGER, carol.id, alice.id];
        const { items } = must(await alice.get(`/v1/relationships?user_ids=${asked.join(',')}`));
        assert.deepEqual(items.map((r) => r.user_id), asked);
        assert.deepEqual(items.map((r) => [r.following, r.followed_by]), [[false, true], [true, false], [false, false], [false, true], [false, false]]);
        for (const query of [asked.map((id) => `user_ids=${id}`), asked.map((id) => `user_ids[]=${id}`), asked.map((id) => `user_ids%5B%5D=${id}`),
                             [`user_ids=${asked.slice(0, 2)}`, `user_ids[]=${asked.slice(2)}`]]) {
                assert.deepEqual(must(await alice.get(`/v1/relationships?${query.join('&')}`)).items, items, query[0]);
        }
});

test('relationships accept 1 to 100 IDs', async () => {
        const alice = await register();
        const many = (n) => Array.from({ length: n }, () => STRANGER).join(',');
        assert.equal(must(await alice.get(`/v1/relationships?user_ids=${many(100)}`)).items.length, 100);
        problem(await alice.get(`/v1/relationships?${Array.from({ length: 101 }, () => `user_ids=${STRANGER}`).join('&')}`), 422, { field: 'user_ids' });
        problem(await alice.get(`/v1/relationships?user_ids=${STRANGER}&user_ids=x`), 422, { field: 'user_ids[1]' });
        problem(await alice.get(`/v1/relationships?user_ids=${STRANGER}&limit[]=2`), 422, { field: 'limit[]' });
        problem(await alice.get(`/v1/relationships?user_ids=${many(101)}`), 422, { field: 'user_ids' });
        problem(await alice.get('/v1/relationships'), 422, { field: 'user_ids' });
        const bad = problem(await alice.get(`/v1/relationships?user_ids=${STRANGER},x`), 422);
        assert.match(bad.field, /^user_ids/);
        problem(await api('GET', `/v1/relationships?user_ids=${STRANGER}`), 401);
});

test('followers and following are listed newest first, page by page, for everyone', async () => {
        const [star, ...fans] = await registerMany(8);
        for (const fan of fans) {
                await fan.follow(star);
                await star.follow(fan);
        }
        const newestFirst = ids(fans).reverse();
        for (const list of ['followers', 'following']) {
                const path = `/v1/users/${star.id}/${list}`;
                for (const limit of [1, 3, 7, 100]) {
                        assert.deepEqual(ids(await readAll((p) => api('GET', p), path, { limit })), newestFirst, `${list} by ${limit}`);
                }
                assert.deepEqual(ids(await readAll((p) => fans[0].get(p), path, { limit: 3 })), newestFirst);
        }
        const [author] = must(await api('GET', `/v1/users/${star.id}/followers?limit=1`)).items;
        assert.deepEqual(author, { id: fans.at(-1).id, username: fans.at(-1).username, display_name: `Member ${fans.at(-1).username}`, avatar_url: null, private: false });
        problem(await api('GET', `/v1/users/${STRANGER}/followers`), 404);
});

test('after unfollowing, both lists are updated on the next request', async () => {
        const [star, ...fans] = await registerMany(4);
        await inBatches(fans, 3, (fan) => fan.follow(star));
        await fans[1].unrelate(star, 'follow');
        const left = ids(must(await api('GET', `/v1/users/${star.id}/followers`)).items);
        assert.deepEqual([...left].sort(), [fans[0].id, fans[2].id].sort());
        assert.deepEqual(must(await api('GET', `/v1/users/${fans[1].id}/following`)).items, []);
});

test('usernames are accepted wherever member IDs are, with and without @, regardless of case and width', async () => {
        const [alice, bob] = await registerMany(2);
        const names = [bob.username, bob.username.toUpperCase(), `@${bob.username}`, encodeURIComponent(`＠${bob.username}`), bob.id.toUpperCase()];
        for (const name of names) {
                for (const [what, mark] of [['follow', 'following'], ['mute', 'muting'], ['block', 'blocking']]) {
                        assert.deepEqual(must(await alice.put(`/v1/users/${name}/${what}`)), { user_id: bob.id, ...NONE, [mark]: true }, `${what} ${name}`);
                        assert.deepEqual(must(await alice.del(`/v1/users/${name}/${what}`)), { user_id: bob.id, ...NONE }, `${what} ${name}`);
                }
        }
        await alice.follow(bob);
        const note = await bob.note('by name');
        for (const name of names) {
                assert.deepEqual(ids(must(await api('GET', `/v1/users/${name}/followers`)).items), [alice.id]);
                assert.deepEqual(ids(must(await api('GET', `/v1/timelines/users/${name}`)).items), [note.id]);
                assert.equal(must(await api('GET', `/v1/users/${name}`)).id, bob.id);
        }
        assert.deepEqual(ids(must(await api('GET', `/v1/users/@${alice.username}/following`)).items), [bob.id]);
        problem(await bob.put(`/v1/users/@${bob.username}/follow`), 422, { field: 'user_id' });
        problem(await api('GET', `/v1/timelines/users/${randomName('nobody')}`), 404, { field: 'user_id' });
});

test('a list that was started by ID can be continued by username', async () => {
        const [star, ...fans] = await registerMany(4);
        for (const fan of fans) {
                await fan.follow(star);
        }
        const first = must(await api('GET', `/v1/users/${star.id}/followers?limit=2`));
        const rest = must(await api('GET', `/v1/users/${star.username}/followers?limit=2&cursor=${first.next_cursor}`));
        assert.deepEqual([...ids(first.items), ...ids(rest.items)], ids(fans).reverse());
});
