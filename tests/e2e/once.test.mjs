// A note with several renotes appears once on a home timeline, with all renoters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, inBatches, must, readAll, register, registerMany } from './shared.mjs';

const homeOf = (reader, limit = 100) => readAll((p) => reader.get(p), '/v1/timelines/home', { limit });
const shown = (item) => (item.renote_of ?? item).id;
const names = (item) => ids(item.renoted_by?.items ?? []);

// Each renotes the note, in this order; returns the IDs of the renotes.
async function passOn(note, members) {
        const renotes = [];
        for (const member of members) {
                await member.react(note.id, 'renote');
                renotes.push(must(await api('GET', `/v1/timelines/users/${member.id}?limit=1`)).items[0].id);
        }
        return renotes;
}

const arrives = (reader, id) => eventually('it arrives', async () => assert.ok(ids(await reader.home()).includes(id)));

test('a note with two renotes appears once, at the newer one, with both renoters', async () => {
        const [reader, author, bob, carol] = await registerMany(4);
        await reader.follow(bob);
        await reader.follow(carol);
        const note = await author.note('pass me on');
        const [first, second] = await passOn(note, [bob, carol]);
        await arrives(reader, second);
        const [item, ...rest] = await reader.home();
        assert.deepEqual([item.id, item.author.id, item.renote_of.id, rest], [second, carol.id, note.id, []]);
        assert.deepEqual(item.renoted_by, { items: [item.author, (await bob.home())[0].author], count: 2 });
        const own = must(await api('GET', `/v1/timelines/users/${bob.id}`)).items;
        assert.deepEqual([own[0].id, names(own[0]), own[0].renoted_by.count], [first, [bob.id], 1], 'a member\'s own timeline says what they did');
        await carol.unreact(note.id, 'renote');
        const [left, ...none] = await reader.home();
        assert.deepEqual([left.id, names(left), left.renoted_by.count, none], [first, [bob.id], 1, []], 'on the very next request');
});

test('a renote replaces the note itself, which reappears when it is undone', async () => {
        const [reader, author, bob] = await registerMany(3);
        await reader.follow(author);
        await reader.follow(bob);
        const note = await author.note('an original');
        const after = await author.note('and a later one');
        const [renote] = await passOn(note, [bob]);
        await arrives(reader, renote);
        assert.deepEqual(ids(await reader.home()), [renote, after.id]);
        await bob.unreact(note.id, 'renote');
        assert.deepEqual(ids(await reader.home()), [after.id, note.id]);
        assert.equal((await reader.home())[1].renoted_by, null);
});

test('across pages each note appears once', async () => {
        const [reader, author, bob, carol] = await registerMany(4);
        for (const member of [author, bob, carol]) {
                await reader.follow(member);
        }
        const notes = [];
        for (let i = 0; i < 6; i++) {
                notes.push(await author.note(`note ${i}`));
        }
        await passOn(notes[0], [bob]);
        await bob.note('between');
        await passOn(notes[3], [carol, bob]);
        const [last] = await passOn(notes[0], [carol]);
        await arrives(reader, last);
        const expected = [notes[0].id, notes[3].id];
        for (const limit of [1, 2, 3, 100]) {
                const items = await homeOf(reader, limit);
                assert.deepEqual(items.map(shown).slice(0, 2), expected, `limit ${limit}`);
                assert.equal(items.length, 7, `limit ${limit}: ${items.map((i) => i.text || i.renote_of.text)}`);
                assert.equal(new Set(items.map(shown)).size, 7);
                assert.deepEqual(items.slice(0, 2).map(names), [[carol.id, bob.id], [bob.id, carol.id]]);
        }
});

test('only renotes on the reader\'s home timeline count: by members followed, not muted, not blocked by the author; and by the reader', async () => {
        const [reader, author, bob, muted, stranger, blocked] = await registerMany(6);
        for (const member of [bob, muted, blocked]) {
                await reader.follow(member);
        }
        const note = await author.note('many pass it on');
        const [first, , , , own] = await passOn(note, [bob, muted, stranger, blocked, reader]);
        await reader.relate(muted, 'mute');
        await author.relate(blocked, 'block');
        await arrives(reader, own);
        const [item, ...rest] = await reader.home();
        assert.deepEqual([item.id, names(item), item.renoted_by.count, rest], [own, [reader.id, bob.id], 2, []]);
        await reader.unreact(note.id, 'renote');
        assert.deepEqual((await reader.home()).map((i) => [i.id, names(i)]), [[first, [bob.id]]]);
        await reader.unrelate(muted, 'mute');
        await author.unrelate(blocked, 'block');
        assert.deepEqual((await reader.home()).map(names), [[blocked.id, muted.id, bob.id]]);
        await reader.unrelate(bob, 'follow');
        assert.deepEqual((await reader.home()).map(names), [[blocked.id, muted.id]]);
});

test('your own renote of a muted member\'s note keeps its place, whoever renotes the note later', async () => {
        const [reader, muted, bob] = await registerMany(3);
        await reader.follow(bob);
        await reader.relate(muted, 'mute');
        const note = await muted.note('kept from home, but for one\'s own renote');
        const [own, theirs] = await passOn(note, [reader, bob]);
        const later = await bob.note('what was delivered after it');
        await arrives(reader, later.id);
        assert.deepEqual((await reader.home()).map((item) => [item.id, names(item), item.renoted_by?.count]), [[later.id, [], undefined], [own, [reader.id], 1]]);
        await reader.unrelate(muted, 'mute');
        assert.deepEqual((await reader.home()).map((item) => [item.id, names(item)]), [[later.id, []], [theirs, [bob.id, reader.id]]]);
});

test('the newest ten are listed, and all are counted', async () => {
        const reader = await register();
        const fans = await registerMany(12);
        await inBatches(fans, 4, (fan) => reader.follow(fan));
        const note = await reader.note('twelve pass it on');
        const renotes = await passOn(note, fans);
        await arrives(reader, renotes.at(-1));
        const [item, ...rest] = await reader.home();
        assert.deepEqual([item.id, rest], [renotes.at(-1), []]);
        assert.deepEqual([names(item), item.renoted_by.count], [ids(fans.slice(2)).reverse(), 12]);
});

test('renotes during paging remove nothing from the following pages', async () => {
        const [reader, author, bob] = await registerMany(3);
        await reader.follow(author);
        await reader.follow(bob);
        const notes = [];
        for (let i = 0; i < 5; i++) {
                notes.unshift(await author.note(`note ${i}`));
        }
        await arrives(reader, notes[0].id);
        const first = must(await reader.get('/v1/timelines/home?limit=2'));
        assert.deepEqual(ids(first.items), ids(notes.slice(0, 2)));
        const [renote] = await passOn(notes[3], [bob]);
        await arrives(reader, renote);
        const rest = must(await reader.get(`/v1/timelines/home?limit=100&cursor=${first.next_cursor}`));
        assert.deepEqual(ids(rest.items), ids(notes.slice(2)), 'the reader has not been above the first page again');
        assert.deepEqual((await homeOf(reader, 2)).map(shown), [notes[3].id, notes[0].id, notes[1].id, notes[2].id, notes[4].id]);
});

test('the original of a renote that has been shown is not shown separately when an older note arrives', async () => {
        const [reader, author] = await registerMany(2);
        const note = await reader.note('passed on by its author');
        const older = [await author.note('one'), await author.note('two'), await author.note('three')];
        const [renote] = await passOn(note, [reader]);
        const page = must(await reader.get('/v1/timelines/home?limit=1'));
        assert.deepEqual(ids(page.items), [renote]);
        await reader.follow(author); // their notes are between the note and its renote
        const newer = [];
        for (let after = page.prev_cursor, items; items === undefined || items.length > 0; newer.push(...items)) {
                ({ items, prev_cursor: after } = must(await reader.get(`/v1/timelines/home?limit=1&after=${after}`)));
        }
        assert.deepEqual(newer.filter((item) => !ids(older).includes(item.id)), []);
});

test('newer items include a note again if it was renoted again, and only then', async () => {
        const [reader, author, bob, carol] = await registerMany(4);
        for (const member of [author, bob, carol]) {
                await reader.follow(member);
        }
        const note = await author.note('again and again');
        const [first] = await passOn(note, [bob]);
        await arrives(reader, first);
        const page = must(await reader.get('/v1/timelines/home'));
        assert.deepEqual(ids(page.items), [first]);
        assert.deepEqual(must(await reader.get(`/v1/timelines/home?after=${page.prev_cursor}`)).items, [], 'the original was below it');
        const [second] = await passOn(note, [carol]);
        await arrives(reader, second);
        const newer = must(await reader.get(`/v1/timelines/home?after=${page.prev_cursor}`));
        assert.deepEqual(newer.items.map((i) => [i.id, names(i)]), [[second, [carol.id, bob.id]]]);
        assert.deepEqual(must(await reader.get(`/v1/timelines/home?after=${newer.prev_cursor}`)).items, []);
});
