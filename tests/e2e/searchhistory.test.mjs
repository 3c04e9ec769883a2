// Queries that members made: their history, suggestions, saved searches with alerts, and counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerWithRole } from './operator.mjs';
import { found, nobody, notes, rare, until, write } from './searching.mjs';
import { api, eventually, ids, must, problem, registerMany } from './shared.mjs';

const history = async (who) => must(await who.get('/v1/search/history')).items.map((item) => item.query);
const suggestions = async (who, query, more) => must(await who.get(`/v1/search/suggestions?${new URLSearchParams({ query, ...more })}`)).items;
const keepHistory = async (who, on) => must(await who.patch('/v1/users/me/settings', { privacy: { search_history: on } }));
// Waits until the index knows the member, who may just have registered.
const searchUntilKept = (who, query) => eventually(`${query} is kept`, async () => { await notes(who, query); return (await history(who)).includes(query); }, 20_000);

test('the search history is private, has each query once, and can be deleted or turned off', async () => {
        const [[ada, bob], one, two] = [await registerMany(2), rare(), rare()];
        await searchUntilKept(ada, one);
        await notes(ada, `  ${two}   ${one}`);
        await notes(ada, one, { limit: 5 });
        await notes(ada, two, { limit: 1 });
        assert.deepEqual(await history(ada), [two, one, `${two} ${one}`], 'the last one first');
        assert.deepEqual(await history(bob), []);
        problem(await api('GET', '/v1/search/history'), 401);
        const page = must(await ada.get('/v1/search/history?limit=2'));
        assert.deepEqual(must(await ada.get(`/v1/search/history?limit=2&cursor=${page.next_cursor}`)).items.map((i) => i.query), [`${two} ${one}`]);
        problem(await bob.del(`/v1/search/history/${page.items[0].id}`), 404, { field: 'id' });
        must(await ada.del(`/v1/search/history/${page.items[0].id}`), 204);
        assert.deepEqual(await history(ada), [one, `${two} ${one}`]);
        must(await ada.del('/v1/search/history'), 204);
        assert.deepEqual(await history(ada), []);
        await notes(ada, one);
        await keepHistory(ada, false);
        await eventually('what was kept is deleted', async () => (await history(ada)).length === 0, 20_000);
        await notes(ada, two);
        assert.deepEqual(await history(ada), []);
        await keepHistory(ada, true);
        await searchUntilKept(ada, two);
});

test('suggestions: own queries first, queries of enough people, members and hashtags, never those of four people', async () => {
        const [[ada, bob, ...others], word] = [await registerMany(14), rare()];
        must(await bob.patch('/v1/users/me', { display_name: word }));
        await write(bob, `#${word}tag`);
        await searchUntilKept(ada, `${word} mine`);
        await eventually('all are suggested', async () => (await suggestions(ada, word)).length === 3, 20_000);
        assert.deepEqual((await suggestions(ada, word.toUpperCase())).map(({ type, query, user }) => [type, query, user?.id]),
                [['history', `${word} mine`, undefined], ['user', `@${bob.username}`, bob.id], ['hashtag', `#${word}tag`, undefined]]);
        assert.deepEqual((await suggestions(nobody, word)).map((s) => s.type), ['user', 'hashtag']);
        assert.deepEqual((await suggestions(ada, '')).map((s) => s.query), [`${word} mine`], 'without a query what one asked last');
        assert.deepEqual((await suggestions(nobody, `#${word}`)).map((s) => s.query), [`#${word}tag`]);
        assert.deepEqual((await suggestions(ada, word, { limit: 1 })).map((s) => s.type), ['history']);
        const ofOthers = async () => (await suggestions(nobody, word)).filter((s) => s.type === 'query').map((s) => s.query);
        const [asked, shown] = [`${word.toUpperCase()} Commón OR ${word}`, `${word} common OR ${word}`];
        for (const other of others.slice(0, 4)) {
                await searchUntilKept(other, asked);
        }
        assert.deepEqual(await ofOthers(), [], 'four are too few');
        for (const other of others.slice(4)) { // twelve are always enough
                await searchUntilKept(other, asked);
        }
        assert.deepEqual(await ofOthers(), [shown], 'not in the spelling of the one who asked first');
        assert.deepEqual((await suggestions(nobody, `${word} common OR`)).filter((s) => s.type === 'query').map((s) => s.query), [shown]);
        assert.deepEqual((await suggestions(others[0], word)).filter((s) => s.query !== `#${word}tag` && s.query !== `@${bob.username}`), [{ type: 'history', query: asked, user: null }], 'once');
        for (const other of others) {
                must(await other.del('/v1/search/history'), 204);
        }
        assert.deepEqual(await ofOthers(), [shown], 'for a while, so that nobody sees when one more or less asks');
        assert.deepEqual(await suggestions(nobody, '"("( OR -'), [], 'anything may be typed');
        must(await ada.put(`/v1/users/${bob.id}/block`));
        assert.ok(!(await suggestions(bob, `@${ada.username}`)).some((s) => s.user?.id === ada.id), 'who blocks one is not suggested');
});

test('saved searches can be created, listed and deleted by their owner', async () => {
        const [ada, bob] = await registerMany(2);
        const plain = must(await ada.post('/v1/search/saved', { query: ' cats   OR dogs ' }), 201);
        assert.deepEqual([plain.name, plain.query, plain.type, plain.sort], ['cats OR dogs', 'cats OR dogs', 'all', 'relevance']);
        const named = must(await ada.post('/v1/search/saved', { name: 'Birds', query: 'bird*', type: 'notes', sort: 'newest' }), 201);
        const list = must(await ada.get('/v1/search/saved')).items;
        assert.deepEqual(list, [named, plain]);
        problem(await ada.post('/v1/search/saved', { query: '"open' }), 400, { code: 'query_invalid', field: 'query' });
        assert.deepEqual(must(await bob.get('/v1/search/saved')).items, []);
        problem(await bob.del(`/v1/search/saved/${plain.id}`), 404, { field: 'id' });
        must(await ada.del(`/v1/search/saved/${plain.id}`), 204);
        assert.deepEqual(ids(must(await ada.get('/v1/search/saved')).items), [named.id]);
        for (let i = 1; i < 100; i++) {
                must(await ada.post('/v1/search/saved', { query: `number${i}` }), 201);
        }
        problem(await ada.post('/v1/search/saved', { query: 'more' }), 409, { code: 'too_many_saved_searches' });
});

test('saved searches with alerts notify once of each visible new note, and of no other', async () => {
        const [[ada, bob, eve], word] = [await registerMany(3), rare()];
        const told = async (who) => ids(must(await who.get('/v1/notifications?types=saved_search')).items.map((item) => item.note));
        const save = async (who, query, more) => must(await who.post('/v1/search/saved', { query, alerts: true, ...more }), 201);
        const before = await write(bob, `${word} before`);
        await until(nobody, word, [before]);
        const [first] = [await save(ada, `${word} -unwanted`), await save(ada, `from:${bob.username} tomatoes`), await save(eve, `${word.slice(0, 8)}* OR (#${word} lang:en)`)];
        must(await bob.post('/v1/search/saved', { query: word }), 201);
        assert.equal(must(await ada.get('/v1/search/saved')).items.every((item) => item.alerts), true);
        const secret = await write(bob, `${word} among us`, 'followers');
        await write(bob, `${word} unwanted`);
        const both = await write(bob, `${word}, a tomato`);
        const answer = must(await eve.post(`/v1/notes/${both}/comments`, { text: `${word} indeed` }), 201).id;
        await eventually('ada is told', async () => (await told(ada)).includes(answer));
        assert.deepEqual(await told(ada), [answer, both]);
        await eventually('eve is told', async () => (await told(eve)).includes(both));
        assert.equal((await told(eve)).length, 2, 'not of what is for followers, nor of what she wrote');
        must(await bob.patch(`/v1/notes/${before}`, { text: `${word} now` }));
        must(await ada.del(`/v1/search/saved/${first.id}`), 204);
        must(await eve.put(`/v1/users/${bob.id}/follow`));
        const last = await write(bob, `${word} tomatoes for followers`, 'followers');
        await eventually('eve is told of what she may see now', async () => (await told(eve)).includes(last));
        assert.deepEqual(await told(ada), [answer, both]);
        assert.deepEqual(await told(bob), [], 'nobody is told what they wrote');
        assert.ok(!(await told(eve)).includes(secret), 'what came before is not told later');
        const refused = async (query, at, alerts) => {
                const { detail } = problem(await ada.post('/v1/search/saved', { query, alerts }), 400, { code: 'query_invalid', field: 'query' });
                assert.ok(detail.startsWith(`at character ${at}: `), `${query}: ${detail}`);
        };
        await refused('a OR lang:de', 1, true);
        for (const query of ['a in:mine', 'a in:bookmarks', 'a from:me', `a from:${ada.id}`, 'a min_likes:3', 'a until:2020', 'a b during:2020', 'a from:nobody_of_that_name']) {
                await refused(query, query.startsWith('a b') ? 5 : 3, true);
                must(await ada.post('/v1/search/saved', { query }), 201);
        }
        await refused(`a "${'b '.repeat(50)}"`, 3, false); // could never run
        await refused('a has:cats', 3, false);
        problem(await ada.post('/v1/search/saved', { query: 'a', type: 'users', alerts: true }), 422, { field: 'alerts' });
});

test('queries are counted with click positions once enough people have used them, and not before', async () => {
        const [people, analyst, word] = [await registerMany(12), await registerWithRole('administrator'), rare()];
        const row = async (more = '') => must(await analyst.get(`/v1/admin/search/analytics?limit=100${more}`)).items.find((item) => item.query === word);
        for (const person of people.slice(0, 4)) {
                await searchUntilKept(person, word);
        }
        assert.equal((await notes(nobody, word)).search_id, undefined);
        assert.equal(await row(), undefined);
        for (const person of people.slice(4)) {
                await searchUntilKept(person, word);
        }
        await write(people[0], word);
        await eventually('it is found', async () => (await found(nobody, word)).length === 1);
        const before = await row();
        const id = (await notes(nobody, word)).search_id;
        assert.deepEqual([(await row()).searches, (await row()).no_results], [before.searches + 1, before.no_results]);
        for (const position of [1, 4]) {
                must(await api('POST', '/v1/search/clicks', { body: { search_id: id, position } }), 204);
        }
        assert.deepEqual([(await row('&no_results=true')).clicks, (await row('&days=1')).position_thousandths], [2, 2500]);
        problem(await api('POST', '/v1/search/clicks', { body: { search_id: id, position: 0 } }), 422, { field: 'position' });
        problem(await people[0].get('/v1/admin/search/analytics'), 403);
});
