// The model-based test against a server of its own, or against the one at SONET_URL (without rate limits).
//   node model/run.mjs [--steps 3000] [--seed N] [--mode single|split] [--script FILE]
// A script (as printed by a failure) is run once instead of random steps.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from '../client.mjs';
import { startServer } from '../harness.mjs';
import { check, explain } from './check.mjs';
import { playScript } from './play.mjs';

const { values: options } = parseArgs({ options: {
        steps: { type: 'string', default: '3000' }, seed: { type: 'string', default: String(Date.now() % 1e9) },
        mode: { type: 'string', default: process.env.SONET_E2E_MODE ?? 'single' }, script: { type: 'string' } } });

const server = process.env.SONET_URL ? null : await startServer({ mode: options.mode });
const net = connect(server?.url ?? process.env.SONET_URL);
let failure;
try {
        if (options.script) {
                const script = fs.readFileSync(options.script, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
                const played = await playScript(net, script);
                failure = played.failure && explain(played);
        } else {
                failure = await check(net, { steps: Number(options.steps), seed: Number(options.seed), log: console.log });
        }
} finally {
        net.close();
        await server?.stop();
}
console.log(failure ?? 'the server does what docs/api.md says');
process.exit(failure ? 1 : 0);
