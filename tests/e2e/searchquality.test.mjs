// The quality of results on a judged set (search-quality.json): ranking by nDCG@10, mistyped words, and texts in twelve
// scripts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { before, test } from 'node:test';
import { api, eventually, must, register } from './shared.mjs';

// Slightly below the current scores of this set; raise them when search improves.
const NDCG_AT_LEAST = 0.93;
const RECALL_AT_LEAST = 0.9;

const set = JSON.parse(fs.readFileSync(new URL('search-quality.json', import.meta.url)));
let author;
const ids = new Map();

// The results in order, by their names in the set.
async function found(query) {
        const asked = new URLSearchParams({ query: `from:${author.username} ${query}`, type: 'notes', limit: 10 });
        const page = await eventually(`ranking ${query} ends in time`, async () => {
                const answer = must(await api('GET', `/v1/search?${asked}`));
                return !answer.partial && answer;
        }, 60_000);
        return page.items.map((item) => ids.get(item.note.id));
}

const gain = (grades) => grades.reduce((sum, grade, i) => sum + (2 ** grade - 1) / Math.log2(i + 2), 0);
const ndcg = (names, judged) => gain(names.map((name) => judged[name] ?? 0)) / gain(Object.values(judged).sort((a, b) => b - a).slice(0, 10));

before(async () => {
        author = await register();
        const all = [...Object.entries(set.notes), ...Object.entries(set.scripts).flatMap(([script, { notes }]) => Object.entries(notes).map(([name, text]) => [`${script} ${name}`, text]))];
        for (const [name, text] of all) {
                ids.set(must(await author.post('/v1/notes', { text }), 201).id, name);
        }
        await eventually('all are indexed', async () => (await found('Book')).length > 0 && (await found('友達')).length === 1, 60_000);
});

test('the best matches come first: nDCG@10 of the judged set', async (t) => {
        const scores = [];
        for (const [query, judged] of Object.entries(set.queries)) {
                scores.push([query, ndcg(await found(query), judged)]);
        }
        const mean = scores.reduce((sum, [, score]) => sum + score, 0) / scores.length;
        t.diagnostic(`nDCG@10 ${mean.toFixed(3)} of ${scores.length} queries; below 1: ${scores.filter(([, score]) => score < 0.999).map(([query, score]) => `${query} ${score.toFixed(2)}`).join(', ')}`);
        assert.ok(mean >= NDCG_AT_LEAST, `nDCG@10 is ${mean}`);
});

test('mistyped words find the intended ones', async (t) => {
        const missed = [];
        for (const [typed, name] of Object.entries(set.mistyped)) {
                if (!(await found(typed)).includes(name)) {
                        missed.push(typed);
                }
        }
        const recall = 1 - missed.length / Object.keys(set.mistyped).length;
        t.diagnostic(`recall ${recall.toFixed(3)} of ${Object.keys(set.mistyped).length} mistyped words; not found: ${missed.join(', ') || 'none'}`);
        assert.ok(recall >= RECALL_AT_LEAST, `recall is ${recall}, without ${missed}`);
});

for (const [script, { queries }] of Object.entries(set.scripts)) {
        test(`${script}: sentences are found by their words, and no others`, async () => {
                for (const [query, expected] of Object.entries(queries)) {
                        assert.deepEqual((await found(query)).sort(), expected.map((name) => `${script} ${name}`), query);
                }
        });
}
