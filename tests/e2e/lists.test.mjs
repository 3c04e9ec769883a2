// Properties of all lists: limits, cursors that cannot be forged or used elsewhere, Link headers.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { api, eventually, ids, inBatches, logIn, must, problem, register, registerMany } from './shared.mjs';

let alice; // owns 5 notes, 5 bookmarks, 5 comments, 5 followers, 5 followed
let bob; // the same
let lists; // name → [path, member]: lists with a second page

before(async () => {
        const [a, b, ...others] = await registerMany(7);
        [alice, bob] = [a, b];
        const own = {};
        for (const m of [alice, bob]) {
                const posted = [];
                for (let i = 0; i < 5; i++) {
                        posted.push(await m.note(`note ${i} #lists${m.username.replace('_', '')}`));
                        await m.react(posted[i].id, 'bookmark');
                        await m.comment(posted[0].id, `comment ${i}`);
                }
                own[m.id] = posted[0];
                await inBatches(others, 5, async (o) => {
                        await o.follow(m);
                        await m.follow(o);
                });
        }
        const of = (m) => ({
                home: '/v1/timelines/home',
                user: `/v1/timelines/users/${m.id}`,
                hashtag: `/v1/timelines/hashtags/lists${m.username.replace('_', '')}`,
                bookmarks: '/v1/bookmarks',
                comments: `/v1/notes/${own[m.id].id}/comments`,
                thread: `/v1/notes/${own[m.id].id}/thread`,
                followers: `/v1/users/${m.id}/followers`,
                following: `/v1/users/${m.id}/following`,
                people: '/v1/users?query=m_',
        });
        lists = { alice: of(alice), bob: of(bob) };
});

// Lists that are newest first: newer items can be requested.
const NEWEST_FIRST = ['home', 'user', 'hashtag', 'bookmarks', 'followers', 'following'];
const withQuery = (path, query) => `${path}${path.includes('?') ? '&' : '?'}${query}`;
const cursorOf = async (member, path) => must(await member.get(withQuery(path, 'limit=2'))).next_cursor;

test('the default limit applies if none is given; a limit is from 1 to 100', async () => {
        for (const [name, path] of Object.entries(lists.alice)) {
                must(await alice.get(path));
                if (name !== 'people') {
                        must(await alice.get(withQuery(path, 'limit=100')));
                }
                for (const limit of ['0', '101', '-1', '1.5', 'ten', '4294967297', '99999999999999999999', '0x10', '+5', '%205']) {
                        problem(await alice.get(withQuery(path, `limit=${limit}`)), 422, { field: 'limit' });
                }
        }
});

test('a list with more items has the next page in the body and in a Link header', async () => {
        for (const [name, path] of Object.entries(lists.alice)) {
                const answer = await alice.get(withQuery(path, 'limit=2'));
                const { next_cursor: cursor } = must(answer);
                assert.ok(cursor, name);
                const link = answer.headers.link?.match(/<([^>]+)>\s*;\s*rel="?next"?/);
                assert.ok(link, `${name}: ${answer.headers.link}`);
                const target = new URL(link[1], process.env.SONET_URL);
                assert.equal(target.searchParams.get('cursor'), cursor, name);
                assert.equal(target.searchParams.get('limit'), '2', name);
                const byLink = must(await alice.get(target.pathname + target.search));
                const byCursor = must(await alice.get(withQuery(path, `limit=2&cursor=${encodeURIComponent(cursor)}`)));
                assert.deepEqual(ids(byLink.items), ids(byCursor.items), name);
                assert.notDeepEqual(ids(byLink.items), ids(answer.body.items), name);
        }
});

test('the last page has neither', async () => {
        for (const [name, path] of Object.entries(lists.alice).filter(([n]) => n !== 'people')) {
                const answer = await alice.get(withQuery(path, 'limit=100'));
                assert.equal('next_cursor' in must(answer), false, name);
                assert.ok(!/rel="?next"?/.test(answer.headers.link ?? ''), name);
        }
});

test('an altered or invented cursor is rejected', async () => {
        for (const [name, path] of Object.entries(lists.alice)) {
                const good = await cursorOf(alice, path);
                const flip = (i) => good.slice(0, i) + (good[i] === 'A' ? 'B' : 'A') + good.slice(i + 1);
                const bad = [flip(0), flip(Math.floor(good.length / 2)), flip(good.length - 2), good.slice(0, -1), `${good}A`, `A${good}`, 'x', '!!!',
                             '0', 'null', Buffer.from('{"id":1}').toString('base64url'), 'A'.repeat(512), '%00', '%ff', '../..', good.split('').reverse().join('')];
                for (const cursor of bad) {
                        problem(await alice.get(withQuery(path, `limit=2&cursor=${cursor}`)), /^[\w-]+$/.test(cursor) ? 400 : 422, { field: 'cursor' });
                }
                problem(await alice.get(withQuery(path, `cursor=${'A'.repeat(513)}`)), 400, { field: 'cursor' });
                must(await alice.get(withQuery(path, `limit=2&cursor=${encodeURIComponent(good)}`)));
                assert.ok(name);
        }
});

test('a cursor of another list is rejected', async () => {
        const cursors = {};
        for (const [name, path] of Object.entries(lists.alice)) {
                cursors[name] = await cursorOf(alice, path);
        }
        for (const [name, path] of Object.entries(lists.alice)) {
                for (const [from, cursor] of Object.entries(cursors).filter(([f]) => f !== name)) {
                        const answer = await alice.get(withQuery(path, `cursor=${encodeURIComponent(cursor)}`));
                        problem(answer, 400, { code: 'cursor_invalid', field: 'cursor' });
                }
        }
});

test('a cursor of another member, or of another owner\'s list, is rejected', async () => {
        for (const [name, path] of Object.entries(lists.alice)) {
                const mine = encodeURIComponent(await cursorOf(alice, path));
                problem(await bob.get(withQuery(path, `cursor=${mine}`)), 400, { field: 'cursor' });
                if (!['home', 'bookmarks', 'people'].includes(name)) {
                        problem(await alice.get(withQuery(lists.bob[name], `cursor=${mine}`)), 400, { field: 'cursor' });
                        problem(await api('GET', withQuery(path, `cursor=${mine}`)), 400, { field: 'cursor' });
                }
        }
        problem(await alice.get(`/v1/users?query=m&cursor=${encodeURIComponent(await cursorOf(alice, lists.alice.people))}`), 400, { field: 'cursor' });
});

test('an empty cursor starts at the beginning', async () => {
        for (const [name, path] of Object.entries(lists.alice).filter(([n]) => n !== 'people')) {
                assert.deepEqual(ids(must(await alice.get(withQuery(path, 'limit=2&cursor='))).items),
                                 ids(must(await alice.get(withQuery(path, 'limit=2'))).items), name);
        }
});

test('unknown and repeated parameters are rejected', async () => {
        for (const path of Object.values(lists.alice)) {
                for (const query of ['limt=2', 'limit=2&limit=3', 'offset=5']) {
                        const answer = await alice.get(withQuery(path, query));
                        problem(answer, 422);
                }
        }
});

test('a home cursor works after the tokens change', async () => {
        const cursor = await cursorOf(alice, lists.alice.home);
        const login = must(await api('POST', '/v1/auth/refresh', { body: { refresh_token: alice.refreshToken } }));
        alice.take(login);
        must(await alice.get(`/v1/timelines/home?cursor=${encodeURIComponent(cursor)}`));
});

test('a newest-first list has the position for newer items in the body and in a Link header', async () => {
        for (const [name, path] of Object.entries(lists.alice)) {
                const answer = await alice.get(withQuery(path, 'limit=2'));
                const { prev_cursor: cursor } = must(answer);
                assert.equal(cursor !== undefined, NEWEST_FIRST.includes(name), name);
                const link = answer.headers.link.match(/<([^>]+)>\s*;\s*rel="prev"/);
                assert.equal(link !== null, NEWEST_FIRST.includes(name), name);
                if (link) {
                        const target = new URL(link[1], process.env.SONET_URL);
                        assert.equal(target.searchParams.get('after'), cursor, name);
                        assert.equal(target.searchParams.get('limit'), '2', name);
                        assert.equal(target.searchParams.get('cursor'), null, name);
                        const { items, prev_cursor: next, ...rest } = must(await alice.get(target.pathname + target.search));
                        assert.deepEqual(items, [], name);
                        assert.ok(next, name);
                        assert.deepEqual(rest, {}, name);
                }
        }
});

test('items newer than an ID or a page are returned oldest first, and once', async () => {
        for (const name of NEWEST_FIRST) {
                const path = lists.alice[name];
                const all = ids(must(await alice.get(withQuery(path, 'limit=100'))).items);
                const newer = all.slice(0, 3).reverse();
                assert.deepEqual(ids(must(await alice.get(withQuery(path, `after=${all[3]}`))).items), newer, name);
                const first = must(await alice.get(withQuery(path, `limit=2&after=${all[3]}`)));
                const second = must(await alice.get(withQuery(path, `limit=2&after=${first.prev_cursor}`)));
                const third = must(await alice.get(withQuery(path, `limit=2&after=${second.prev_cursor}`)));
                assert.deepEqual([first, second, third].map((page) => ids(page.items)), [newer.slice(0, 2), newer.slice(2), []], name);
                const older = must(await alice.get(withQuery(path, `limit=2&cursor=${must(await alice.get(withQuery(path, 'limit=2'))).next_cursor}`)));
                assert.deepEqual(ids(must(await alice.get(withQuery(path, `after=${older.prev_cursor}`))).items), all.slice(0, 2).reverse(), name);
        }
});

test('cursor and after together are rejected, and so is an unknown after', async () => {
        for (const name of NEWEST_FIRST) {
                const path = lists.alice[name];
                const { next_cursor: next, prev_cursor: prev } = must(await alice.get(withQuery(path, 'limit=2')));
                problem(await alice.get(withQuery(path, `cursor=${next}&after=${prev}`)), 422, { field: 'after' });
                problem(await alice.get(withQuery(path, `after=${prev}&cursor=${next}`)), 422, { field: 'cursor' });
                problem(await alice.get(withQuery(path, 'after=')), 422, { field: 'after' });
                for (const after of ['x', prev.slice(0, -1), `${prev}A`, 'A'.repeat(2048)]) {
                        problem(await alice.get(withQuery(path, `after=${after}`)), 400, { code: 'cursor_invalid', field: 'after' });
                }
                problem(await alice.get(withQuery(path, `after=${'A'.repeat(2049)}`)), 422, { field: 'after' });
                problem(await bob.get(withQuery(path, `after=${prev}`)), 400, { code: 'cursor_invalid', field: 'after' });
        }
        for (const name of ['bookmarks', 'followers', 'following']) { // their order does not follow from the IDs
                problem(await alice.get(`${lists.alice[name]}?after=01890000-0000-7000-8000-000000000000`), 422, { field: 'after' });
        }
        for (const name of ['comments', 'thread', 'people']) {
                problem(await alice.get(withQuery(lists.alice[name], 'after=x')), 422, { field: 'after' });
        }
});

test('sessions support newer items, too', async () => {
        const carol = await register();
        const { prev_cursor: before } = must(await carol.get('/v1/sessions'));
        const later = [];
        for (let i = 0; i < 3; i++) {
                later.push((await logIn(carol.username)).session);
        }
        assert.deepEqual(ids(must(await carol.get(`/v1/sessions?after=${before}`)).items), later);
        assert.deepEqual(ids(must(await carol.get(`/v1/sessions?after=${later[0]}`)).items), later.slice(1));
});

test('polling with after returns every note exactly once during concurrent writes', async () => {
        const [reader, ...writers] = await registerMany(4);
        await inBatches(writers, 3, (w) => reader.follow(w));
        const name = `poll${reader.username.replace('_', '')}`;
        await writers[0].note(`first #${name}`);
        await eventually('the fan-out', async () => (await reader.homeIds()).length === 1);
        const polled = ['/v1/timelines/home', `/v1/timelines/hashtags/${name}`, `/v1/timelines/users/${writers[0].id}`].map((path) => ({ path, seen: [] }));
        for (const list of polled) {
                list.after = must(await reader.get(list.path)).prev_cursor;
        }
        const poll = async (list) => {
                const page = must(await reader.get(`${list.path}?limit=7&after=${list.after}`));
                list.after = page.prev_cursor;
                list.seen.push(...ids(page.items));
                return page.items.length;
        };
        const posted = new Map(writers.map((w) => [w, []]));
        let writing = true;
        const polls = polled.map(async (list) => {
                while (writing) {
                        await poll(list);
                }
        });
        await Promise.all(writers.flatMap((w) => [0, 1].map(async () => {
                for (let i = 0; i < 25; i++) {
                        posted.get(w).push((await w.note(`note ${i} #${name}`)).id);
                }
        })));
        writing = false;
        await Promise.all(polls);
        for (const list of polled) {
                const expected = list === polled[2] ? posted.get(writers[0]) : [...posted.values()].flat();
                await eventually(`all of ${list.path}`, async () => {
                        while (await poll(list) > 0) {
                                // more at once
                        }
                        return list.seen.length >= expected.length;
                });
                assert.deepEqual([...list.seen].sort(), [...expected].sort(), list.path);
        }
});
