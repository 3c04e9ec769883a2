// The model-based test against a server of its own, or against the one at SONET_URL (without rate limits).
import fs from 'node:fs';
import { connect } from '../client.mjs';
import { commandLine, describeOptions, number, oneOf, text } from '../commandline.mjs';
import { MODES, startServer } from '../harness.mjs';
import { check, explain } from './check.mjs';
import { playScript } from './play.mjs';

const TOOL = 'tests/e2e/model/run.mjs';
const OPTIONS = {
        steps: number(3000, 'random steps'),
        seed: number(() => Date.now() % 1e9, 'the same number makes the same steps'),
        mode: oneOf(MODES, process.env.SONET_E2E_MODE ?? 'single', 'the layout'),
        script: text('FILE', 'run these steps once instead, as printed by a failure'),
};
const { options } = commandLine(TOOL, `Usage: node ${TOOL} [OPTION]…\n\nCompares the server with a model of docs/api.md.\n\n${describeOptions(OPTIONS)}`, OPTIONS);

const server = process.env.SONET_URL ? null : await startServer({ mode: options.mode });
const net = connect(server?.url ?? process.env.SONET_URL);
let failure;
try {
        if (options.script) {
                const script = fs.readFileSync(options.script, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
                const played = await playScript(net, script);
                failure = played.failure && explain(played);
        } else {
                failure = await check(net, { steps: options.steps, seed: options.seed, log: console.log });
        }
} finally {
        net.close();
        await server?.stop();
}
console.log(failure ?? 'the server does what docs/api.md says');
process.exit(failure ? 1 : 0);
