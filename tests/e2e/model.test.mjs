// Random members against a model of docs/api.md (model/). By default the seed is fixed, so that a change does not fail because of an unrelated error;
// with --long it is new. SONET_MODEL_SEED selects a seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './model/check.mjs';
import { mode } from './harness.mjs';
import { net } from './shared.mjs';

const seed = Number(process.env.SONET_MODEL_SEED ?? (process.env.SONET_E2E_LONG === '1' ? Date.now() % 1e6 : 20261128));
const steps = process.env.SONET_E2E_LONG === '1' ? 3000 : 1000;

test(`${steps} random steps get the responses of the model (seed ${seed})`, async (t) => {
        const failure = await check(net, { steps, seed, log: (line) => t.diagnostic(line) });
        assert.equal(failure, null, failure ?? undefined);
});
