// Profiles: your own, others', and finding members.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, eventually, ids, inBatches, must, problem, randomKey, randomName, readAll, register } from './shared.mjs';

test('only the owner\'s profile shows the address', async () => {
        const [alice, bob] = [await register(), await register()];
        const me = must(await alice.get('/v1/users/me'));
        assert.equal(me.email, `${alice.username}@example.org`);
        for (const answer of [await bob.get(`/v1/users/${alice.id}`), await api('GET', `/v1/users/${alice.id}`),
                              await bob.get(`/v1/users?query=${alice.username}`)]) {
                must(answer);
                assert.ok(!answer.text.toLowerCase().includes('@example.org'), answer.text);
        }
});

test('a profile is found by ID, and by username regardless of case', async () => {
        const alice = await register({ username: randomName('Find') });
        for (const name of [alice.id, alice.id.toUpperCase(), alice.username, alice.username.toLowerCase(), alice.username.toUpperCase()]) {
                const user = must(await api('GET', `/v1/users/${name}`));
                assert.equal(user.id, alice.id);
                assert.deepEqual(user.counts, { notes: 0, followers: 0, following: 0 });
        }
        problem(await api('GET', `/v1/users/${randomName('nobody')}`), 404);
        problem(await api('GET', '/v1/users/01890000-0000-7000-8000-000000000000'), 404);
});

test('changing a profile changes the given fields and leaves the rest', async () => {
        const alice = await register();
        const before = must(await alice.get('/v1/users/me'));
        const named = must(await alice.patch('/v1/users/me', { display_name: 'Алиса ✨' }));
        assert.equal(named.display_name, 'Алиса ✨');
        const told = must(await alice.patch('/v1/users/me', { bio: 'Line one\nline two' }));
        assert.deepEqual([told.display_name, told.bio], ['Алиса ✨', 'Line one\nline two']);
        assert.equal(must(await alice.patch('/v1/users/me', {})).bio, 'Line one\nline two');
        assert.equal(must(await alice.patch('/v1/users/me', { bio: '' })).bio, '');
        const after = must(await alice.get('/v1/users/me'));
        assert.deepEqual({ ...after, display_name: before.display_name }, before);
});

test('a new name is shown with old notes at once', async () => {
        const alice = await register();
        const note = await alice.note('before the change');
        must(await alice.patch('/v1/users/me', { display_name: 'Renamed' }));
        assert.equal((await alice.read(note.id)).author.display_name, 'Renamed');
        assert.equal((await alice.home())[0].author.display_name, 'Renamed');
});

test('an invalid change of a profile is rejected and changes nothing', async () => {
        const alice = await register();
        const before = must(await alice.get('/v1/users/me'));
        problem(await alice.patch('/v1/users/me', { display_name: 'é'.repeat(101) }), 422, { field: 'display_name' });
        problem(await alice.patch('/v1/users/me', { bio: '字'.repeat(501) }), 422, { field: 'bio' });
        problem(await alice.patch('/v1/users/me', { bio: 7 }), 422, { field: 'bio' });
        problem(await alice.patch('/v1/users/me', { username: 'other' }), 422, { field: 'username' });
        problem(await alice.patch('/v1/users/me', { bio: 'fine', id: alice.id }), 422, { field: 'id' });
        problem(await api('PATCH', '/v1/users/me', { body: { bio: 'x' } }), 401);
        assert.deepEqual(must(await alice.get('/v1/users/me')), before);
        must(await alice.patch('/v1/users/me', { display_name: '🎈'.repeat(100), bio: '字'.repeat(500) }));
});

test('members are found by the beginning of their username, in order, page by page', async () => {
        const prefix = randomName('Pf').slice(0, 12);
        const names = ['c', 'a', 'b', 'e', 'd'].map((end) => prefix + end);
        await inBatches(names, 4, (username) => register({ username }));
        const path = `/v1/users?query=${prefix.toLowerCase()}`;
        const found = await readAll((p) => api('GET', p), path, { limit: 2 });
        assert.deepEqual(found.map((u) => u.username), [...names].sort());
        const one = must(await api('GET', `/v1/users?query=${names[0].toUpperCase()}`));
        assert.deepEqual(one.items.map((u) => u.username), [names[0]]);
        assert.deepEqual(must(await api('GET', `/v1/users?query=${randomName('zz')}`)), { items: [] });
});

const newWord = () => `w${randomKey().slice(0, 12)}`;
const find = (query, limit = 100) => readAll((p) => api('GET', p), `/v1/users?query=${encodeURIComponent(query)}`, { limit });

test('members are found by the words of their display name, each once, in order of the match', async () => {
        const word = newWord();
        const ada = await register({ display_name: `Ada ${word} King` });
        const zoe = await register({ username: `${word}_z`, display_name: `${word.toUpperCase()} ${word}` });
        const accented = await register({ display_name: `✨ É${word}é` });
        for (const limit of [1, 2, 100]) {
                assert.deepEqual(ids(await find(word, limit)), [zoe.id, ada.id], `"${word}" before "${word} king"`);
        }
        for (const query of [`ada ${word}`, `ADA  ${word} k`, `${word} KING`, `Ａda ${word}`]) {
                assert.deepEqual(ids(await find(query)), [ada.id], query);
        }
        assert.deepEqual(ids(await find(`é${word}É`)), [accented.id]);
        assert.deepEqual(await find(`${word} ada`), []);
        assert.equal((await find(word)).some((u) => 'email' in u), false);
});

test('members are found with a leading @', async () => {
        const member = await register();
        for (const query of [`@${member.username}`, `＠${member.username.toUpperCase()}`, ` @${member.username} `]) {
                assert.deepEqual(ids(await find(query)), [member.id], query);
        }
        problem(await api('GET', '/v1/users?query=@'), 422, { field: 'query' });
        problem(await api('GET', '/v1/users?query=%20'), 422, { field: 'query' });
});

test('a changed display name is found at once, and the previous one is not', async () => {
        const [before, after] = [newWord(), newWord()];
        const member = await register({ display_name: `Dr. ${before}` });
        assert.deepEqual(ids(await find(before)), [member.id]);
        must(await member.patch('/v1/users/me', { display_name: `${after}-${before}` }));
        assert.deepEqual(ids(await find(after)), [member.id]);
        assert.deepEqual(ids(await find(before)), [member.id]);
        must(await member.patch('/v1/users/me', { bio: 'the name stays' }));
        assert.deepEqual(ids(await find(after)), [member.id]);
        must(await member.patch('/v1/users/me', { display_name: '' }));
        assert.deepEqual([await find(before), await find(after)], [[], []]);
        assert.deepEqual(ids(await find(member.username)), [member.id]);
});

for (const rest of ['', ' überaus lange Namen ']) {
        test(`no member is skipped when one at a page boundary is renamed${rest && ', however long the names'}`, async () => {
                const word = newWord();
                const members = await inBatches(Array.from({ length: 6 }), 3, (_, i) => register({ display_name: `${word}${rest}${'abcdef'[i]}` }));
                assert.deepEqual(ids(await find(word, 1)), ids(members));
                for (const renamed of ['elsewhere', `${word}zz`]) {
                        const border = members[2];
                        must(await border.patch('/v1/users/me', { display_name: `${word}${rest}c` }));
                        const first = must(await api('GET', `/v1/users?query=${word}&limit=3`));
                        assert.deepEqual(ids(first.items), ids(members.slice(0, 3)));
                        must(await border.patch('/v1/users/me', { display_name: renamed }));
                        const left = must(await api('GET', `/v1/users?query=${word}&limit=100&cursor=${first.next_cursor}`)).items;
                        assert.ok(members.slice(3).every((m) => ids(left).includes(m.id)), renamed);
                }
        });
}

test('characters with a meaning in SQL are ordinary characters', async () => {
        const stem = randomName('lk').slice(0, 10);
        const [under, other] = [await register({ username: `${stem}_y` }), await register({ username: `${stem}xy` })];
        const found = must(await api('GET', `/v1/users?query=${stem}_`)).items.map((u) => u.username);
        assert.deepEqual(found, [under.username]);
        assert.notEqual(under.id, other.id);
        for (const query of ['%25', "'%3B--", '%5C', `${stem}%25`]) {
                assert.deepEqual(must(await api('GET', `/v1/users?query=${query}`)).items, [], query);
        }
});

test('a search without a query, or with a very long one, is rejected', async () => {
        problem(await api('GET', '/v1/users'), 422, { field: 'query' });
        problem(await api('GET', '/v1/users?query='), 422, { field: 'query' });
        problem(await api('GET', `/v1/users?query=${'a'.repeat(31)}`), 422, { field: 'query' });
});

test('a profile counts notes, followers and following', async () => {
        const [alice, bob] = [await register(), await register()];
        await alice.note('one');
        const gone = await alice.note('two');
        await alice.note('three', 'only_me');
        await bob.follow(alice);
        must(await alice.del(`/v1/notes/${gone.id}`), 204);
        await eventually('the counts of alice', async () => {
                const { counts } = must(await bob.get(`/v1/users/${alice.id}`));
                assert.ok(counts.notes >= 1 && counts.notes <= 2, `notes: ${counts.notes}`);
                assert.deepEqual([counts.followers, counts.following], [1, 0]);
        });
        await eventually('the counts of bob', async () => {
                assert.deepEqual(must(await alice.get(`/v1/users/${bob.id}`)).counts, { notes: 0, followers: 0, following: 1 });
        });
        await bob.unrelate(alice, 'follow');
        await eventually('the counts return to their previous values', async () => {
                assert.equal(must(await bob.get(`/v1/users/${alice.id}`)).counts.followers, 0);
        });
});

test('a display name is one line with visible characters, or the username', async () => {
        const member = await register();
        const rename = (display_name) => member.patch('/v1/users/me', { display_name });
        for (const bad of ['line\nbreak', 'bell\u0007', '\u202eevil', '\u2066x', 'a\u2028b']) {
                problem(await rename(bad), 422, { field: 'display_name' });
        }
        assert.equal(must(await rename('  Zoë 北京 👩‍👩‍👧 ')).display_name, 'Zoë 北京 👩‍👩‍👧');
        assert.equal(must(await rename('\u2003Ada   King \u00a0 of\u2003Lovelace\u3000')).display_name, 'Ada King of\u2003Lovelace');
        assert.equal(must(await rename('山田\u3000太郎')).display_name, '山田\u3000太郎');
        for (const blank of ['', '   ', '\u200b']) {
                assert.equal(must(await rename(blank)).display_name, member.username);
        }
        assert.equal((await member.note('by whom?')).author.display_name, member.username);
        assert.equal((await register({ display_name: '\u3000' })).login.user.display_name.startsWith('m_'), true);
});

test('only_me notes are not counted', async () => {
        const member = await register();
        const hidden = await member.note('to myself', 'only_me');
        await member.note('to all');
        await eventually('one note is counted', async () => assert.equal(must(await api('GET', `/v1/users/${member.id}`)).counts.notes, 1));
        must(await member.del(`/v1/notes/${hidden.id}`), 204);
        await member.note('to all again');
        await eventually('two notes are counted', async () => assert.equal(must(await api('GET', `/v1/users/${member.id}`)).counts.notes, 2));
});
