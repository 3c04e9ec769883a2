// Idempotency-Key: a repeated POST has one effect and one response.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, ids, must, problem, randomKey, readAll, register, registerMany } from './shared.mjs';

const post = (member, key, body, path = '/v1/notes') => member.post(path, body, { headers: { 'idempotency-key': key } });
const written = async (member) => ids(await readAll((p) => member.get(p), `/v1/timelines/users/${member.id}`));

test('a repeated post returns the first response again and writes nothing', async () => {
        const alice = await register();
        const key = randomKey();
        const first = must(await post(alice, key, { text: 'once' }), 201);
        for (let i = 0; i < 3; i++) {
                assert.deepEqual(must(await post(alice, key, { text: 'once' }), 201), first);
        }
        assert.deepEqual(await written(alice), [first.id]);
});

test('an equivalent request with different JSON syntax is the same request', async () => {
        const alice = await register();
        const key = randomKey();
        const first = must(await post(alice, key, { text: 'é', visibility: 'followers' }), 201);
        const raw = ' { "visibility" : "followers",\n"text":"\\u00e9" } ';
        const again = await alice.post('/v1/notes', undefined, { raw, headers: { 'idempotency-key': key } });
        assert.equal(must(again, 201).id, first.id);
});

test('a different body with the same key is rejected', async () => {
        const alice = await register();
        const key = randomKey();
        const first = must(await post(alice, key, { text: 'once' }), 201);
        problem(await post(alice, key, { text: 'twice' }), 422);
        problem(await post(alice, key, { text: 'once', visibility: 'only_me' }), 422);
        assert.deepEqual(await written(alice), [first.id]);
        assert.equal(must(await post(alice, key, { text: 'once' }), 201).id, first.id);
});

test('concurrent posts with one key have one effect', async () => {
        const alice = await register();
        for (let round = 0; round < 5; round++) {
                const key = randomKey();
                const before = (await written(alice)).length;
                const answers = await Promise.all(Array.from({ length: 12 }, () => post(alice, key, { text: `round ${round}` })));
                const good = answers.filter((a) => a.status === 201);
                assert.ok(good.length >= 1, answers.map((a) => a.status).join());
                assert.equal(new Set(good.map((a) => a.body.id)).size, 1);
                answers.filter((a) => a.status !== 201).forEach((a) => problem(a, 409));
                assert.equal((await written(alice)).length, before + 1);
                assert.equal(must(await post(alice, key, { text: `round ${round}` }), 201).id, good[0].body.id);
        }
});

test('a key belongs to one member', async () => {
        const [alice, bob] = await registerMany(2);
        const key = randomKey();
        const a = must(await post(alice, key, { text: 'same' }), 201);
        const b = must(await post(bob, key, { text: 'same' }), 201);
        assert.notEqual(a.id, b.id);
        assert.deepEqual([a.author.id, b.author.id], [alice.id, bob.id]);
});

test('comments accept keys, too, and count once', async () => {
        const alice = await register();
        const [one, two] = [await alice.note('one'), await alice.note('two')];
        const key = randomKey();
        const first = must(await post(alice, key, { text: 'c' }, `/v1/notes/${one.id}/comments`), 201);
        assert.equal(must(await post(alice, key, { text: 'c' }, `/v1/notes/${one.id}/comments`), 201).id, first.id);
        problem(await post(alice, key, { text: 'c' }, `/v1/notes/${two.id}/comments`), 422);
        assert.equal((await alice.read(one.id)).counts.comments, 1);
        assert.equal((await alice.read(two.id)).counts.comments, 0);
});

for (const [why, hide] of [['deleted', (alice, bob, note) => alice.del(`/v1/notes/${note.id}`)],
                           ['hidden by a block', (alice, bob) => alice.put(`/v1/users/${bob.id}/block`)]]) {
        test(`a response is repeated although its note has been ${why} since`, async () => {
                const [alice, bob] = await registerMany(2);
                const note = await alice.note('for a while');
                const key = randomKey();
                const path = `/v1/notes/${note.id}/comments`;
                const first = must(await post(bob, key, { text: 'in time' }, path), 201);
                const done = await hide(alice, bob, note);
                assert.ok(done.status < 300, done.text);
                assert.deepEqual(must(await post(bob, key, { text: 'in time' }, path), 201), first);
                problem(await post(bob, key, { text: 'other words' }, path), 422, { code: 'idempotency_key_reused' });
                problem(await post(bob, randomKey(), { text: 'in time' }, path), 404);
        });
}

test('a rejected post does not use up its key', async () => {
        const alice = await register();
        const key = randomKey();
        problem(await post(alice, key, { text: '' }), 422);
        must(await post(alice, key, { text: 'better' }), 201);
        const [bob] = await registerMany(1);
        const late = randomKey();
        const hidden = await alice.note('mine', 'only_me');
        problem(await post(bob, late, { text: 'c' }, `/v1/notes/${hidden.id}/comments`), 404);
        must(await post(bob, late, { text: 'a note' }), 201);
});

test('a repeated response requires a token like the first one', async () => {
        const alice = await register();
        const key = randomKey();
        must(await post(alice, key, { text: 'once' }), 201);
        problem(await api('POST', '/v1/notes', { body: { text: 'once' }, headers: { 'idempotency-key': key } }), 401);
});

test('invalid keys are rejected, and nothing is written', async () => {
        const alice = await register();
        for (const key of ['', 'x'.repeat(1000)]) {
                problem(await post(alice, key, { text: 'x' }), 422);
        }
        assert.deepEqual(await written(alice), []);
});

test('posts without a key are separate', async () => {
        const alice = await register();
        const [a, b] = [await alice.note('same'), await alice.note('same')];
        assert.deepEqual(await written(alice), [b.id, a.id]);
});
