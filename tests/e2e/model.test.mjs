// Random members against a model of docs/api.md (model/); SONET_MODEL_SEED chooses the same ones again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './model/check.mjs';
import { net } from './shared.mjs';

const seed = Number(process.env.SONET_MODEL_SEED ?? Date.now() % 1e6);

test(`3,000 steps of random members are answered as the model answers them (seed ${seed})`, async (t) => {
        const failure = await check(net, { steps: 3000, seed, log: (line) => t.diagnostic(line) });
        assert.equal(failure, null, failure ?? undefined);
});
