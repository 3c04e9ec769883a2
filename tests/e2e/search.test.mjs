// Search: what is found by whom, and that hidden things are not found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admin, registerWithRole } from './operator.mjs';
import { form, png } from './pictures.mjs';
import { found, nobody, notes, path, rare, until, write } from './searching.mjs';
import { PASSWORD, eventually, must, problem, register, registerMany } from './shared.mjs';

test('a note is found by its words, after an edit by the new ones, and not after deletion', async () => {
        const [ada, word, other] = [await register(), rare(), rare()];
        const id = await write(ada, `Running with ${word} through the Café!`);
        await until(nobody, word, [id]);
        for (const query of [word.toUpperCase(), `${word} cafe`, `"with ${word}"`, `${word.slice(0, 8)}*`, `run ${word}`, `${word} -${other}`, `(${other} OR ${word}) through`, `from:${ada.username} ${word}`]) {
                assert.deepEqual(await found(nobody, query), [id], query);
        }
        for (const query of [`"${word} with"`, `${word} ${other}`, `-running ${word}`, `${word} lang:de`]) {
                assert.deepEqual(await found(nobody, query), [], query);
        }
        must(await ada.patch(`/v1/notes/${id}`, { text: `now ${other}` }));
        await until(nobody, other, [id]);
        assert.deepEqual(await found(nobody, word), []);
        must(await ada.del(`/v1/notes/${id}`), 204);
        assert.deepEqual(await found(nobody, other), [], 'gone at once');
});

test('hidden notes are not found: for followers, private, or by members who block, are suspended or left', async () => {
        const [[ada, bob, eve], word] = [await registerMany(3), rare()];
        must(await bob.put(`/v1/users/${ada.id}/follow`));
        const open = await write(ada, `${word} for all`);
        const followers = await write(ada, `${word} for followers`, 'followers');
        await write(ada, `${word} for me`, 'only_me');
        await until(bob, word, [open, followers]);
        assert.deepEqual(await found(eve, word), [open]);
        assert.deepEqual(await found(nobody, word), [open]);
        must(await ada.put(`/v1/users/${eve.id}/block`));
        assert.deepEqual(await found(eve, word), [], 'blocked');
        must(await bob.del(`/v1/users/${ada.id}/follow`));
        assert.deepEqual(await found(bob, word), [open], 'follows no more');
});

test('suspended members and their notes are not found until reinstated; former members are not found', async () => {
        const [[ada, bob], word] = [await registerMany(2), rare()];
        const [by, from] = [await write(ada, `${word} by one`), await write(bob, `${word} by another`)];
        const users = async () => must(await nobody.get(path(word, { type: 'users' }))).items.map((item) => item.user.id);
        must(await ada.patch('/v1/users/me', { display_name: word }));
        await until(nobody, word, [by, from]);
        await eventually('ada is found by name', async () => (await users()).length === 1, 20_000);
        assert.equal((await admin('user', 'suspend', ada.username, 'spam')).code, 0);
        await until(nobody, word, [from]);
        await eventually('ada is not found by name', async () => (await users()).length === 0, 20_000);
        assert.equal((await admin('user', 'unsuspend', ada.username)).code, 0);
        await until(nobody, word, [by, from]);
        await eventually('ada is found by name again', async () => (await users()).length === 1, 20_000);
        await eventually('bob has left', async () => [204, 401].includes((await bob.del('/v1/users/me', { body: { password: PASSWORD } })).status)); // 401: a busy machine answered 504, and did it
        assert.deepEqual(await found(nobody, word), [by]);
});

test('the best visible match is found after many better hidden ones', async () => {
        const [[ada, bob, eve], word] = [await registerMany(3), rare()];
        const far = await write(ada, `${word} ${'and many other words '.repeat(20)}`);
        const near = [];
        for (let i = 0; i < 30; i++) {
                near.push(await write(bob, word));
        }
        await until(nobody, word, [far, ...near], { limit: 100 });
        must(await bob.put(`/v1/users/${eve.id}/block`));
        await until(eve, word, [far], { limit: 1 });
});

test('members can opt out of being found by their notes, except by themselves', async () => {
        const [ada, word] = [await register(), rare()];
        const id = await write(ada, `${word} is here`);
        await until(nobody, word, [id]);
        must(await ada.patch('/v1/users/me/settings', { privacy: { searchable: false } }));
        await until(nobody, word, []);
        assert.deepEqual(await found(ada, word), [id]);
        must(await ada.patch('/v1/users/me/settings', { privacy: { searchable: true } }));
        await until(nobody, word, [id]);
});

test('members are found by name unless they opt out or there is a block', async () => {
        const [[ada, eve], name] = [await registerMany(2), rare()];
        const users = async (who, query) => must(await who.get(path(query, { type: 'users' }))).items.map((item) => item.user.id);
        must(await ada.patch('/v1/users/me', { display_name: `Zoë ${name}` }));
        await eventually('ada is found', async () => (await users(eve, name))[0] === ada.id, 20_000);
        assert.equal((await users(eve, ada.username))[0], ada.id);
        assert.ok((await users(eve, `zoe ${name.slice(0, -1)}`)).includes(ada.id), 'with a letter missing');
        must(await ada.put(`/v1/users/${eve.id}/block`));
        assert.ok(!(await users(eve, name)).includes(ada.id));
        must(await ada.patch('/v1/users/me/settings', { privacy: { discoverable: false } }));
        await eventually('ada is not found', async () => !(await users(nobody, name)).includes(ada.id), 20_000);
});

test('hashtags are found by prefix, and only those of visible notes', async () => {
        const [[ada, bob], tag] = [await registerMany(2), rare()];
        const tags = async (who) => must(await who.get(path(`#${tag.slice(0, -2)}`, { type: 'hashtags' }))).items.map((item) => item.hashtag);
        await write(ada, `#${tag}One #${tag}Two`);
        await write(bob, `secret #${tag}Three`, 'followers');
        await eventually('both are found', async () => (await tags(nobody)).length === 2, 20_000);
        assert.deepEqual((await tags(nobody)).sort(), [`${tag}one`, `${tag}two`]);
        must(await ada.put(`/v1/users/${bob.id}/block`));
        assert.deepEqual(await tags(bob), []);
        const all = must(await nobody.get(path(`#${tag}one`))).items;
        assert.deepEqual(all.map((item) => item.type), ['hashtag', 'note']);
});

test('pages continue where they stopped in every order, and contain every note once', async () => {
        const [ada, word] = [await register(), rare()];
        const written = [];
        for (let i = 0; i < 7; i++) {
                written.push(await write(ada, `${word} ${'again '.repeat(i)}`));
        }
        must(await ada.put(`/v1/notes/${written[2]}/like`));
        await until(nobody, word, written);
        await eventually('the liked one is first', async () => (await found(nobody, word, { sort: 'engaged' }))[0] === written[2], 20_000);
        for (const sort of ['relevance', 'newest', 'engaged']) {
                const seen = [];
                for (let cursor = ''; cursor !== undefined;) {
                        const page = await notes(nobody, word, { sort, limit: 3, ...(cursor && { cursor }) });
                        seen.push(...page.items.map((item) => item.note.id));
                        cursor = page.next_cursor;
                }
                assert.deepEqual([...seen].sort(), [...written].sort(), sort);
                if (sort === 'newest') {
                        assert.deepEqual(seen, [...written].reverse());
                }
        }
});

test('a page continues after the last item although the scores have changed meanwhile', async () => {
        const [[ada, bob], word] = [await registerMany(2), rare()];
        const written = [];
        for (let i = 0; i < 7; i++) {
                written.push(await write(ada, `${word} ${i}`)); // of one length, so that only likes and time rank them
        }
        const liked = written.slice(4);
        for (const id of liked) {
                must(await bob.put(`/v1/notes/${id}/like`));
        }
        await until(nobody, word, written);
        const scores = async () => Object.fromEntries((await notes(nobody, word)).items.map((item) => [item.note.id, item.score]));
        await eventually('the liked ones are first', async () => {
                const all = await scores();
                return liked.every((id) => written.slice(0, 4).every((other) => all[id] > all[other]));
        }, 20_000);
        const [before, first] = [await scores(), await notes(nobody, word, { limit: 3 })];
        assert.deepEqual(first.items.map((item) => item.note.id).sort(), [...liked].sort());
        for (const id of liked) {
                must(await bob.del(`/v1/notes/${id}/like`));
        }
        await eventually('their scores are lower', async () => {
                const all = await scores();
                return liked.every((id) => all[id] < before[id]);
        }, 20_000);
        const next = await found(nobody, word, { limit: 7, cursor: first.next_cursor });
        assert.deepEqual(next.filter((id) => liked.includes(id)), []);
});

test('exact words rank before mistyped ones, and a score is the sum of its explanation', async () => {
        const [ada, word] = [await register(), rare()];
        const typo = `${word.slice(0, 3)}${word.slice(4)}`;
        const exact = await write(ada, word);
        const near = await write(ada, typo);
        await until(nobody, word, [exact, near]);
        assert.deepEqual(await found(nobody, word), [exact, near]);
        assert.deepEqual(await found(nobody, `"${word}"`), [exact], 'none in quotation marks');
        for (const item of (await notes(nobody, word, { explain: true })).items) {
                assert.ok(item.explanation.length >= 5);
                assert.equal(item.explanation.reduce((sum, part) => sum + part.value, 0), item.score);
        }
});

test('corrections come only from visible notes', async () => {
        const [[ada, bob, eve], meant] = [await registerMany(3), rare()];
        const typed = `${meant.slice(0, 3)}${meant.slice(4)}`;
        const corrected = async (who, query, more) => (await notes(who, query, more)).corrected;
        must(await bob.put(`/v1/users/${ada.id}/follow`));
        const hidden = await write(ada, `${meant} among us`, 'followers');
        await until(bob, meant, [hidden]);
        assert.equal(await corrected(bob, typed), meant);
        assert.equal(await corrected(eve, typed), undefined, 'nothing of a note that one may not see');
        assert.equal(await corrected(bob, `(${typed.toUpperCase()} OR nowhere) among -${meant}z from:${ada.username}`), `(${meant} OR nowhere) among -${meant}z from:${ada.username}`);
        const open = await write(bob, `${meant} for all`);
        const exact = await write(ada, `${typed} among us`, 'followers');
        await until(eve, meant, [open]);
        await until(bob, typed, [hidden, open, exact]);
        assert.equal(await corrected(eve, typed), meant, 'as if there were no note with the word as typed');
        assert.equal(await corrected(bob, typed), undefined, 'one has the word as typed');
        assert.equal(await corrected(bob, typed, { limit: 1 }), undefined, 'and it comes first');
        for (const query of [meant, `"${typed}"`, `${typed}*`, meant.slice(0, -2)]) {
                assert.equal(await corrected(eve, query), undefined, query);
        }
        assert.equal(await corrected(eve, typed, { sort: 'newest' }), undefined, 'by relevance alone');
        assert.equal(must(await eve.get(path(typed, { type: 'users' }))).corrected, undefined);
});

test('highlights give the positions of words in code points', async () => {
        const [ada, word] = [await register(), rare()];
        const text = `😀 Jumping ${word}, 東京都に住む`;
        const id = await write(ada, text);
        await until(nobody, word, [id]);
        const marked = async (query) => (await notes(nobody, query, { highlight: true })).items[0].highlights
                .map(({ start, length }) => [...text].slice(start, start + length).join(''));
        assert.deepEqual(await marked(word), [word]);
        assert.deepEqual(await marked(`jumps ${word} 東京都`), ['Jumping', word, '東京都']);
        assert.deepEqual(await marked(`"jumping ${word}"`), ['Jumping', word]);
        assert.deepEqual(await marked(`😀 ${word}`), ['😀', word]);
});

test('invalid queries are rejected with the position of the error', async () => {
        const refused = async (query, at, wants) => {
                const { detail } = problem(await nobody.get(path(query)), 400, { code: 'query_invalid', field: 'query' });
                assert.ok(detail.startsWith(`at character ${at}: expected ${wants}`), `${query}: ${detail}`);
        };
        await refused('a "b', 5, 'a closing quotation mark');
        await refused('(a OR b', 8, 'a closing parenthesis');
        await refused('a ) b', 3, 'an opening parenthesis');
        await refused('OR a', 1, 'a word before OR');
        await refused('a from:', 8, 'a value right after the colon');
        await refused('a since:2026-02-30', 3, 'a day of the calendar');
        await refused('a during:2026-13', 3, 'a day of the calendar');
        await refused('a has:cats', 3, 'has:link, has:media');
        await refused('a OR since:2026-02-03', 6, 'this filter outside');
        await refused('日本 ‮evil', 4, 'no control characters');
        await refused(`a tag:${'\u{10400}'.repeat(600)}`, 3, 'a shorter value');
        await refused(`a #${'\u{10400}'.repeat(600)}`, 3, 'a shorter value');
        await refused(`a url:${'\u{10400}'.repeat(600)}.org`, 3, 'a shorter value');
        await refused('-a', 1, 'a word besides the excluded ones');
        await refused('...', 1, 'a word with a letter');
        await refused('a '.repeat(51), 101, 'the end');
        await refused(`${'('.repeat(20)}a`, 11, 'no more than ten nested groups');
        await refused(`a "${'b '.repeat(50)}"`, 3, 'the end: a query has at most 50 words, those of phrases included');
        await refused(`a ${'x'.repeat(500)}`, 3, 'a shorter word');
        await refused('a \u202Eb', 3, 'no control characters');
        for (const long of ['x'.repeat(1001), '('.repeat(1001)]) {
                problem(await nobody.get(path(long)), 422, { field: 'query' });
        }
        problem(await nobody.get(path('a '.repeat(10_000))), 414);
        problem(await nobody.get(path('a\u0000b')), 422, { field: 'query' });
        for (const query of ['(a+)+$ .*', '[a-z]{1,99}', "a'b|c&d", '%s%n', "x';drop table search_index--"]) { // just words
                must(await nobody.get(path(query)));
        }
        problem(await nobody.get(path('')), 422, { field: 'query' });
        problem(await nobody.get(path('a in:mine')), 401);
        problem(await nobody.get(path('a in:bookmarks')), 401);
});

test('punctuation alone in a query means nothing', async () => {
        const [ada, word] = [await register(), rare()];
        const id = await write(ada, `${word} & more`);
        await until(nobody, word, [id]);
        for (const [query, understood] of [[`${word} & more`, `${word} more`], [`${word} -& more`, `${word} more`], [`(+ OR ${word}) | "..."`, word],
                [`${word} -(-more OR !)`, `${word} more`], [`${word} -(-more !)`, `${word} more`], [`- ${word} more`, `${word} more`], [`${word} .*`, word], [`${word} (more (&) $*)`, `${word} more`]]) {
                const page = await notes(nobody, query);
                assert.deepEqual([page.query, page.items.map((item) => item.note.id)], [understood, [id]], query);
        }
        const { detail } = problem(await nobody.get(path(' & (+ OR -"...")')), 400, { code: 'query_invalid' });
        assert.ok(detail.startsWith('at character 2: expected a word with a letter'), detail);
});

test('the words of a page of long notes can be highlighted', async () => {
        const people = await registerMany(10);
        const word = rare();
        const written = await Promise.all(people.flatMap((who) => [0, 1, 2].map((i) => write(who, `${word} ${'日本東京大阪京都奈良神戸'.repeat(410)}${i}`))));
        await until(nobody, word, written, { limit: 100 });
        const page = await notes(nobody, word, { limit: 100, highlight: true });
        assert.deepEqual(page.items.map((item) => item.highlights), written.map(() => [{ start: 0, length: word.length }]));
});

test('filters find by author, mention, hashtag, link, comment, day and likes', async () => {
        const [[ada, bob], word] = [await registerMany(2), rare()];
        const plain = await write(ada, `${word} plain`);
        const rich = await write(bob, `${word} @${ada.username} #Tag${word} https://www.Example.org/path`);
        const comment = must(await ada.post(`/v1/notes/${rich}/comments`, { text: `${word} indeed` }), 201).id;
        must(await ada.put(`/v1/notes/${plain}/like`));
        must(await ada.put(`/v1/notes/${rich}/bookmark`));
        await until(nobody, word, [plain, rich, comment]);
        const today = new Date().toISOString().slice(0, 10);
        for (const [query, expected] of [[`from:${bob.username}`, [rich]], [`mentions:${ada.username}`, [rich]], [`tag:tag${word}`, [rich]], [`#TAG${word}`, [rich]],
                ['has:link', [rich]], ['url:example.org', [rich]], ['url:https://www.example.org/x', [rich]], ['is:comment', [comment]], [`to:${bob.username}`, [comment]], [`to:${ada.id}`, []], [`-to:${bob.username}`, [plain, rich]], ['-is:comment', [plain, rich]],
                ['since:2020-01-01', [plain, rich, comment]], ['until:2020-01-01', []], [`since:${today}`, [plain, rich, comment]], [`during:${today.slice(0, 4)}`, [plain, rich, comment]], [`during:${today.slice(0, 7)} until:${today}`, [plain, rich, comment]],
                ['during:2020-02', []], [`during:${today} during:2020`, []], ['has:media', []], ['from:nobody_of_that_name', []]]) {
                for (const sort of ['relevance', 'newest', 'engaged']) {
                        assert.deepEqual((await found(nobody, `${word} ${query}`, { sort })).sort(), [...expected].sort(), `${query}, ${sort}`);
                }
        }
        await until(nobody, `${word} min_likes:1`, [plain]);
        await until(ada, `${word} in:mine`, [plain, comment]);
        assert.deepEqual(await found(ada, `${word} in:bookmarks`), [rich]);
        assert.deepEqual(await found(bob, `${word} in:bookmarks`), []);
        assert.deepEqual(await found(bob, `${word} to:me`), [comment]);
        await until(ada, `${word} in:following`, []);
        must(await ada.put(`/v1/users/${bob.id}/follow`));
        await until(ada, `${word} in:following`, [rich]);
        must(await bob.put(`/v1/users/${ada.id}/block`));
        assert.deepEqual(await found(ada, `${word} to:${bob.username}`), [], 'nothing about who blocks one');
        assert.deepEqual(await found(ada, `${word} in:bookmarks`), []);
});

test('facets count only visible notes, and return the filters that narrow the query', async () => {
        const [[ada, bob, eve], word] = [await registerMany(3), rare()];
        const counts = async (who, query, facets) => Object.fromEntries((await notes(who, query, { facets, limit: 1 })).facets
                .map(({ kind, values }) => [kind, Object.fromEntries(values.map(({ filter, count }) => [filter, count]))]));
        const all = [await write(ada, `${word} #Cats and #cats, we have them and they are here`), await write(ada, `${word} #cats #dogs`),
                await write(bob, `${word} https://example.org/ #cats`), await write(bob, `${word} among us #secret${word}`, 'followers')];
        await until(nobody, word, all.slice(0, 3));
        await until(bob, word, all);
        const month = `during:${new Date().toISOString().slice(0, 7)}`;
        assert.deepEqual(await counts(nobody, word, 'author,hashtag,has,month'), { author: { [`from:${ada.username}`]: 2, [`from:${bob.username}`]: 1 },
                hashtag: { 'tag:cats': 3, 'tag:dogs': 1 }, has: { 'has:link': 1 }, month: { [month]: 3 } });
        assert.equal((await counts(nobody, word, 'language')).language['lang:en'], 1);
        assert.deepEqual(await counts(bob, `${word} from:me`, 'hashtag,hashtag'), { hashtag: { 'tag:cats': 1, [`tag:secret${word}`]: 1 } });
        must(await bob.put(`/v1/users/${eve.id}/block`));
        assert.deepEqual(await counts(eve, word, 'author'), { author: { [`from:${ada.username}`]: 2 } }, 'nothing of who blocks one');
        must(await ada.patch(`/v1/notes/${all[1]}`, { text: `${word} #birds` }));
        await until(nobody, `${word} #birds`, [all[1]]);
        assert.deepEqual(await counts(nobody, word, 'hashtag'), { hashtag: { 'tag:birds': 1, 'tag:cats': 2 } });
        assert.deepEqual((await notes(nobody, word)).facets, [], 'only when asked');
        problem(await nobody.get(path(word, { facets: 'colour' })), 422);
});

test('a rebuild of the index by the operator loses nothing, neither meanwhile nor afterwards', async () => {
        const [ada, word] = [await register(), rare()];
        const id = await write(ada, `${word} stays`);
        await until(nobody, word, [id]);
        const asked = await admin('search', 'rebuild');
        assert.equal(asked.code, 0, asked.stderr);
        await eventually('both kinds are done', async () => {
                assert.deepEqual(await found(nobody, word), [id]);
                return ((await admin('search', 'progress')).stdout.match(/ checked, done$/gm) ?? []).length === 2;
        }, 60_000);
        assert.deepEqual(await found(nobody, word), [id]);
        assert.equal((await admin('search', 'swim')).code, 2);
});

test('synonyms find each other in notes of their language, ranked after the word itself, until an administrator removes them', async () => {
        const [ada, root, one, two, three] = [await register(), await registerWithRole('administrator'), rare(), rare(), rare()];
        const set = async (items) => must(await root.put('/v1/admin/search/synonyms', { body: { items } }));
        const [self, english, german] = [await write(ada, `${one} is the word that we have`), await write(ada, `${two} is the other that they have`), await write(ada, `${two} ist das andere und nicht dieses`)];
        const any = await write(ada, three);
        await until(nobody, one, [self]);
        await until(nobody, two, [english, german]);
        await until(nobody, three, [any]);
        await eventually('each finds the others', async () => { // another test file may change them meanwhile
                assert.deepEqual(await set([{ language: 'en', words: [one.toUpperCase(), two] }, { words: [one, three] }]),
                        { items: [{ language: 'en', words: [one, two] }, { language: '', words: [one, three] }] });
                assert.equal(must(await root.get('/v1/admin/search/synonyms')).items.length, 2);
                assert.equal((await found(nobody, one))[0], self, 'the word itself first');
                assert.deepEqual((await found(nobody, one)).sort(), [self, english, any].sort());
                assert.deepEqual((await found(nobody, two)).sort(), [english, german, self].sort(), 'both ways');
                assert.deepEqual(await found(nobody, `"${one}"`), [self], 'none in quotation marks');
                assert.deepEqual((await notes(nobody, `${one} from:${ada.username}`, { highlight: true })).items.find((i) => i.note.id === any).highlights, [{ start: 0, length: three.length }]);
                return true;
        });
        problem(await ada.put('/v1/admin/search/synonyms', { body: { items: [] } }), 403);
        problem(await root.put('/v1/admin/search/synonyms', { body: { items: [{ words: [one] }] } }), 422, { field: 'items[0].words' });
        problem(await root.put('/v1/admin/search/synonyms', { body: { items: [{ words: [one, 'two words'] }] } }), 422, { field: 'items[0].words' });
        problem(await root.put('/v1/admin/search/synonyms', { body: { items: [{ language: 'xx', words: [one, two] }] } }), 422, { field: 'items[0].language' });
        must(await root.del('/v1/admin/search/synonyms'), 204);
        assert.deepEqual(await found(nobody, one), [self]);
});

test('notes are found by the kind of their media', async () => {
        const [ada, word] = [await register(), rare()];
        const picture = must(await ada.api('POST', '/v1/media', { token: ada.token, ...form(png(8, 8)) }), 202);
        const id = must(await ada.post('/v1/notes', { text: word, media_ids: [picture.id] }), 201).id;
        await write(ada, `${word} without`);
        await until(nobody, `${word} has:media`, [id]);
        assert.deepEqual(await found(nobody, `${word} has:image`), [id]);
        assert.deepEqual(await found(nobody, `${word} has:video`), []);
});

test('only moderators can hide hashtags, links and notes from the trends', async () => {
        const [ada, moderator, tag] = [await register(), await registerWithRole('moderator'), rare()];
        const id = await write(ada, tag);
        for (const type of ['hashtags', 'notes', 'links']) {
                assert.ok(Array.isArray(must(await nobody.get(`/v1/trends?type=${type}`)).items));
        }
        for (const trend of [tag, encodeURIComponent(`https://example.org/${tag}`), id]) {
                problem(await ada.put(`/v1/admin/trends/${trend}/hidden`), 403);
                must(await moderator.put(`/v1/admin/trends/${trend}/hidden`), 204);
                must(await moderator.put(`/v1/admin/trends/${trend}/hidden`), 204);
                must(await moderator.del(`/v1/admin/trends/${trend}/hidden`), 204);
        }
});
