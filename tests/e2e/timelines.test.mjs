// Home, user and hashtag timelines: additions, removals, and paging.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, inBatches, must, problem, readAll, register, registerMany } from './shared.mjs';

const userTimeline = async (member, who) => ids(must(await (who ? who.get(`/v1/timelines/users/${member.id}?limit=100`)
                                                                : api('GET', `/v1/timelines/users/${member.id}?limit=100`))).items);

test('a new member\'s home timeline is an empty list without a cursor', async () => {
        const alice = await register();
        assert.deepEqual(must(await alice.get('/v1/timelines/home')), { items: [] });
        assert.deepEqual(must(await api('GET', `/v1/timelines/users/${alice.id}`)), { items: [] });
});

test('your own notes appear at once, newest first', async () => {
        const alice = await register();
        const posted = [];
        for (let i = 0; i < 12; i++) {
                posted.unshift((await alice.note(`note ${i}`, ['public', 'followers', 'only_me'][i % 3])).id);
                assert.deepEqual(await alice.homeIds(), posted);
        }
        assert.deepEqual(await userTimeline(alice, alice), posted);
});

test('a note is delivered to every follower and nobody else', async () => {
        const [author, stranger, ...fans] = await registerMany(8);
        await inBatches(fans, 4, (fan) => fan.follow(author));
        const note = await author.note('to all of you');
        for (const fan of fans) {
                const arrived = await eventually('arrival', async () => (await fan.home()).find((n) => n.id === note.id) ?? false);
                assert.deepEqual(arrived, await fan.read(note.id));
        }
        assert.deepEqual(await stranger.homeIds(), []);
});

test('following a member adds their recent notes to the home timeline at once, in order', async () => {
        const [alice, bob, carol] = await registerMany(3);
        const order = [];
        for (let i = 0; i < 6; i++) {
                order.unshift((await [alice, bob, carol][i % 3].note(`note ${i}`)).id);
        }
        await bob.note('not for strangers', 'only_me');
        await alice.follow(bob);
        await alice.follow(carol);
        assert.deepEqual(await alice.homeIds(), order);
});

const INSTANT = [
        ['deleting a note', async ({ author, note }) => must(await author.del(`/v1/notes/${note.id}`), 204)],
        ['unfollowing', async ({ fan, author }) => fan.unrelate(author, 'follow')],
        ['muting', async ({ fan, author }) => fan.relate(author, 'mute')],
        ['blocking', async ({ fan, author }) => fan.relate(author, 'block')],
        ['being blocked', async ({ fan, author }) => author.relate(fan, 'block')],
];
for (const [what, act] of INSTANT) {
        test(`${what} takes effect on the very next request`, async () => {
                for (let round = 0; round < 3; round++) {
                        const [fan, author, other] = await registerMany(3);
                        await fan.follow(author);
                        await fan.follow(other);
                        const note = await author.note('here today');
                        const stays = await other.note('and tomorrow');
                        await eventually('arrival', async () => (await fan.home()).length === 2);
                        await act({ fan, author, note });
                        assert.deepEqual(await fan.homeIds(), [stays.id]);
                        await eventually('it stays so', async () => {
                                assert.deepEqual(await fan.homeIds(), [stays.id]);
                        });
                }
        });
}

test('unmuting and following again restore the notes', async () => {
        const [fan, author] = await registerMany(2);
        await fan.follow(author);
        const first = await author.note('one');
        await fan.relate(author, 'mute');
        const second = await author.note('two, while muted');
        assert.deepEqual(await fan.homeIds(), []);
        assert.deepEqual(await userTimeline(author, fan), [second.id, first.id], 'who asks for a member sees them');
        await fan.unrelate(author, 'mute');
        await eventually('both are back', async () => assert.deepEqual(await fan.homeIds(), [second.id, first.id]));
        await fan.unrelate(author, 'follow');
        assert.deepEqual(await fan.homeIds(), []);
        await fan.follow(author);
        assert.deepEqual(await fan.homeIds(), [second.id, first.id]);
});

test('renotes by a muted member are left out of the home timeline, and so are renotes of their notes', async () => {
        const [fan, muted, renoter] = await registerMany(3);
        await fan.follow(renoter);
        await fan.follow(muted);
        await fan.relate(muted, 'mute');
        const theirs = await muted.note('by the muted one');
        const mine = await renoter.note('by the renoter');
        await renoter.react(theirs.id, 'renote');
        await muted.react(mine.id, 'renote');
        await eventually('the renoter\'s note arrives', async () => (await fan.homeIds()).includes(mine.id));
        const home = await fan.home();
        assert.ok(!home.some((n) => n.author.id === muted.id), 'no renote by the muted one');
        assert.ok(!home.some((n) => n.renote_of?.author.id === muted.id), 'no note of the muted one in a renote');
});

test('paging through the home timeline returns every note once, while new ones arrive', async () => {
        const [reader, ...authors] = await registerMany(4);
        await inBatches(authors, 3, (a) => reader.follow(a));
        const posted = [];
        for (let i = 0; i < 95; i++) {
                posted.unshift((await authors[i % 3].note(`note ${i}`)).id);
        }
        await eventually('the fan-out', async () => (await reader.homeIds())[0] === posted[0]);
        for (const limit of [7, 20, 40, 100]) {
                const late = [];
                const between = async (page) => late.push((await authors[page % 3].note(`late ${page}`)).id);
                const seen = ids(await readAll((p) => reader.get(p), '/v1/timelines/home', { limit, between }));
                assert.equal(new Set(seen).size, seen.length, `doubles by ${limit}`);
                assert.deepEqual(seen.filter((id) => posted.includes(id)), posted, `by ${limit}`);
                posted.unshift(...late.reverse());
                await eventually('the late ones arrive', async () => (await reader.homeIds())[0] === posted[0]);
        }
});

test('paging continues after the last note of a page is deleted', async () => {
        const alice = await register();
        const posted = [];
        for (let i = 0; i < 9; i++) {
                posted.unshift((await alice.note(`note ${i}`)).id);
        }
        for (const path of ['/v1/timelines/home', `/v1/timelines/users/${alice.id}`]) {
                const first = must(await alice.get(`${path}?limit=3`));
                must(await alice.del(`/v1/notes/${first.items.at(-1).id}`), 204);
                const second = must(await alice.get(`${path}?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`));
                const all = posted.filter((id) => id !== first.items.at(-1).id);
                assert.deepEqual(ids(second.items), all.slice(2, 5), path);
                posted.splice(0, posted.length, ...all);
        }
});

test('pages are full although some notes are hidden', async () => {
        const [fan, author] = await registerMany(2);
        await fan.follow(author);
        const open = [];
        for (let i = 0; i < 30; i++) {
                const note = await author.note(`note ${i}`, i % 3 ? 'only_me' : 'followers');
                if (i % 3 === 0) {
                        open.unshift(note.id);
                }
        }
        await eventually('the fan-out', async () => (await fan.homeIds())[0] === open[0]);
        for (const path of ['/v1/timelines/home', `/v1/timelines/users/${author.id}`]) {
                assert.deepEqual(ids(await readAll((p) => fan.get(p), path, { limit: 4 })), open, path);
        }
});

test('blocked and unknown members have no timeline', async () => {
        const [alice, bob] = await registerMany(2);
        await bob.note('x');
        await alice.relate(bob, 'block');
        for (const [who, of] of [[alice, bob], [bob, alice]]) {
                assert.deepEqual(must(await who.get(`/v1/timelines/users/${of.id}`)).items, []);
        }
        problem(await api('GET', '/v1/timelines/users/01890000-0000-7000-8000-000000000000'), 404, { field: 'user_id' });
        problem(await api('GET', '/v1/timelines/users/nobody'), 404, { field: 'user_id' });
});
