// Random members against a model of docs/api.md (model/). Before a change lands they are the same ones every time, since it must not fail for what
// others did; with --long they are new ones. SONET_MODEL_SEED chooses some again.
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
