// Many small worlds, a few at a time: each with its own members and seed, so that a failing one can be shortened.
import { inBatches } from '../client.mjs';
import { playRandom, playScript } from './play.mjs';
import { shrink } from './shrink.mjs';

const STEPS_PER_WORLD = 250;
const WORLDS_AT_ONCE = 4;
const SHRINK_MS = 60_000;

// The failure and the steps that lead to it, one per line, in the format of run.mjs --script.
export const explain = ({ script, failure }) => `${failure}\nafter these ${script.length} steps, the last of which it answers:\n${script.map((s) => JSON.stringify(s)).join('\n')}`;

// Returns null, or a description of the first failure.
export async function check(net, { steps, seed, log }) {
        const worlds = Array.from({ length: Math.ceil(steps / STEPS_PER_WORLD) }, (_, i) => seed * 10_000 + i);
        log(`${steps} steps in ${worlds.length} worlds, seed ${seed}`);
        let failed = null;
        let played = 0;
        await inBatches(worlds, WORLDS_AT_ONCE, async (world) => {
                if (!failed) {
                        const result = await playRandom(net, world, STEPS_PER_WORLD);
                        played += result.script.length;
                        failed ??= result.failure ? result : null;
                }
        });
        log(`${played} steps were played`);
        if (!failed) {
                return null;
        }
        let last = failed;
        await shrink(failed.script, async (script) => {
                const result = await playScript(net, script);
                last = result.failure ? result : last;
                return result.failure ? result.script : null;
        }, Date.now() + SHRINK_MS);
        return explain(last);
}
