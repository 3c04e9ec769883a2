// Hashtags and mentions, in many scripts, and hashtag timelines.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { api, ids, must, problem, readAll, register, registerMany } from './shared.mjs';

const tagged = async (tag, query = '?limit=100') => must(await api('GET', `/v1/timelines/hashtags/${encodeURIComponent(tag)}${query}`)).items;
const letters = () => [...randomBytes(8)].map((b) => String.fromCharCode(97 + (b % 26))).join(''); // a tag that nobody else uses
const folded = (tags) => tags.map((t) => t.normalize('NFKC').toLowerCase());

const FOUND = [
        ['ascii', '#cats and #Dogs_2', ['cats', 'dogs_2']],
        ['at the start, the end, and in brackets', '#one (#two) "#three", #four!', ['one', 'two', 'three', 'four']],
        ['French', "l'#été à #noël", ['été', 'noël']],
        ['Greek', '#Ελλάδα', ['ελλάδα']],
        ['Cyrillic', '#Привет, #мир', ['привет', 'мир']],
        ['Arabic', '#السلام عليكم', ['السلام']],
        ['Hebrew', '#שלום', ['שלום']],
        ['Hindi, with vowel signs', '#हिन्दी #नमस्ते', ['हिन्दी', 'नमस्ते']],
        ['Tamil', '#தமிழ்', ['தமிழ்']],
        ['Thai', '#ภาษาไทย', ['ภาษาไทย']],
        ['Chinese', '#北京 很大', ['北京']],
        ['Japanese', '#東京タワー #ひらがな', ['東京タワー', 'ひらがな']],
        ['Korean', '#한국어', ['한국어']],
        ['Georgian, Armenian, Ethiopic', '#საქართველო #Հայաստան #አማርኛ', ['საქართველო', 'հայաստան', 'አማርኛ']],
        ['letters beyond the first plane', '#𐌰𐌱𐌲', ['𐌰𐌱𐌲']],
        ['doubles once', '#same #SAME #Same', ['same']],
];
const NOT_FOUND = [
        ['inside a word', 'a#b issue#tag été#x'],
        ['inside links', 'see https://example.org/#anchor and http://example.org/a?b=c#d'],
        ['a lone sign', '# #, #! ##'],
        ['an HTML entity', '&#123; &#x41;'],
        ['digits alone', '#1 #2024'],
];

for (const [script, text, expected] of FOUND) {
        test(`hashtags are found: ${script}`, async () => {
                const alice = await register();
                const note = await alice.note(text);
                assert.deepEqual(folded(note.hashtags), folded(expected));
                assert.ok(ids(await tagged(expected[0])).includes(note.id));
        });
}

for (const [what, text] of NOT_FOUND) {
        test(`no hashtag: ${what}`, async () => {
                const alice = await register();
                assert.deepEqual((await alice.note(text)).hashtags, []);
        });
}

test('case, width and composition of a tag do not matter', async () => {
        const alice = await register();
        const stem = letters();
        const wide = [...stem].map((c) => String.fromCodePoint(c.codePointAt(0) + 0xfee0)).join('');
        const written = [`#${stem}é`, `#${stem.toUpperCase()}É`, `#${wide}é`, `#${stem}e\u0301`];
        const posted = [];
        for (const text of written) {
                posted.unshift((await alice.note(text)).id);
        }
        for (const tag of [`${stem}é`, `${stem.toUpperCase()}E\u0301`, `${wide}É`]) {
                assert.deepEqual(ids(await tagged(tag)), posted, tag);
        }
        const sharp = letters();
        const note = await alice.note(`#${sharp}straße`);
        assert.deepEqual(ids(await tagged(`${sharp.toUpperCase()}STRASSE`)), [note.id]);
        assert.deepEqual(await tagged(`${stem}`), [], 'a longer tag is another tag');
});

test('an edit removes and adds a tag', async () => {
        const alice = await register();
        const [before, after] = [letters(), letters()];
        const note = await alice.note(`#${before}`);
        assert.deepEqual(ids(await tagged(before)), [note.id]);
        must(await alice.patch(`/v1/notes/${note.id}`, { text: `#${after}` }));
        assert.deepEqual(await tagged(before), []);
        assert.deepEqual(ids(await tagged(after)), [note.id]);
        must(await alice.del(`/v1/notes/${note.id}`), 204);
        assert.deepEqual(await tagged(after), []);
});

test('a hashtag timeline is paged, newest first, and holds public notes only', async () => {
        const alice = await register();
        const tag = letters();
        const all = [];
        for (let i = 0; i < 7; i++) {
                all.unshift((await alice.note(`${i} #${tag}`)).id);
                await alice.note(`hidden ${i} #${tag}`, i % 2 ? 'followers' : 'only_me');
        }
        for (const limit of [1, 3, 100]) {
                assert.deepEqual(ids(await readAll((p) => api('GET', p), `/v1/timelines/hashtags/${tag}`, { limit })), all);
                assert.deepEqual(ids(await readAll((p) => alice.get(p), `/v1/timelines/hashtags/${tag}`, { limit })), all);
        }
});

test('an invalid tag is rejected with the reason', async () => {
        const reasons = [['a'.repeat(101), /at most 100/], ['a/b', /must not contain "\/"/], ['AC/DC', /must not contain "\/"/], ['a#b', /must not contain "#"/],
                         ["';--", /must not contain "'"/], ['🎈', /must not contain "🎈"/], [' ', /white space/], ['two words', /white space/],
                         ['#', /a letter/], ['2024', /a letter/]];
        for (const [tag, reason] of reasons) {
                const answer = await api('GET', `/v1/timelines/hashtags/${encodeURIComponent(tag)}`);
                problem(answer, 422, { code: 'validation_failed', field: 'tag' });
                assert.match(answer.body.detail, reason, tag);
        }
        problem(await api('GET', '/v1/timelines/hashtags/%ff%fe'), 422, { field: 'tag' });
        problem(await api('GET', '/v1/timelines/hashtags/a%00b'), 400, { code: 'malformed_request' });
});

test('a wave dash joins a hashtag like a middle dot, in both its code points', async () => {
        const alice = await register();
        const stem = letters();
        const posted = [];
        for (const dash of ['〜', '～', '・', '']) {
                posted.unshift((await alice.note(`#夏${stem}${dash}秋`)).id);
        }
        for (const dash of ['〜', '～', '・', '']) {
                assert.deepEqual(ids(await tagged(`夏${stem}${dash}秋`)), posted);
        }
});

test('mentions contain existing members, with their username, once each', async () => {
        const [alice, bob, carol] = await registerMany(3);
        const note = await alice.note(`@${bob.username.toUpperCase()} and @${carol.username}, (@${bob.username}) @nobody_${letters()} @${alice.username}.`);
        assert.deepEqual(note.mentions.map((m) => [m.id, m.username]),
                         [bob, carol, alice].map((m) => [m.id, m.username]));
        assert.deepEqual((await bob.read(note.id)).mentions, note.mentions);
});

test('a mention may be adjacent to words in scripts without spaces', async () => {
        const [alice, bob] = await registerMany(2);
        assert.deepEqual((await alice.note(`谢谢@${bob.username}老师`)).mentions.map((m) => m.id), [bob.id]);
});

test('addresses, links and words contain no mentions', async () => {
        const [alice, bob] = await registerMany(2);
        for (const text of [`mail x@${bob.username}.org`, `mail ${alice.username}@${bob.username}`, `https://example.org/@${bob.username}`,
                            `@${bob.username}@elsewhere.org`, `@${bob.username}x`, '@', '@@', `été@${bob.username}`]) {
                assert.deepEqual((await alice.note(text)).mentions, [], text);
        }
});

test('an edit updates the mentions, too', async () => {
        const [alice, bob, carol] = await registerMany(3);
        const note = await alice.note(`hello @${bob.username}`);
        const edited = must(await alice.patch(`/v1/notes/${note.id}`, { text: `hello @${carol.username}` }));
        assert.deepEqual(edited.mentions.map((m) => m.id), [carol.id]);
});

test('a text full of tags and mentions is stored, with limited lists', async () => {
        const alice = await register();
        const text = Array.from({ length: 300 }, (_, i) => `#t${i}x @u${i}x`).join(' ');
        const note = await alice.note(text);
        assert.equal(note.text, text);
        assert.ok(note.hashtags.length >= 1 && note.hashtags.length <= 30);
        assert.deepEqual(note.mentions, []);
});
