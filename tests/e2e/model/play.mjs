// Plays a script of steps: each against the model and against a server, with new members, until a response differs.
import { Buffer } from 'node:buffer';
import { sleep } from '../harness.mjs';
import { compare } from './compare.mjs';
import { expected } from './expect.mjs';
import { Model } from './model.mjs';
import { applies, ON_CURSORS, randomFrom, Steps } from './steps.mjs';
import { World } from './world.mjs';

export const MEMBERS = ['m1', 'm2', 'm3', 'm4', 'm5'];

// A cursor contains no ID that its reader may not see, in any form, and has the same length as all others of its list.
function leak(model, world, step, got) {
        const hidden = [...model.notes.values()].filter((note) => !model.visible(step.by, note) && world.ids.has(note.label)).map((note) => [note.label, world.id(note.label)]);
        const cursors = (got.pages ?? []).flatMap(({ cursor, prev }) => [[cursor, true], [prev, false]]).filter(([cursor]) => cursor !== undefined);
        for (const [cursor, isNext] of cursors) {
                const opened = [cursor, Buffer.from(cursor, 'base64url').toString('latin1'), Buffer.from(cursor, 'base64url').toString('hex')];
                const found = hidden.find(([, id]) => opened.some((text) => text.includes(id) || text.includes(id.replaceAll('-', ''))));
                if (found) {
                        return `the cursor ${cursor} holds the id of ${found[0]}, which ${step.by ?? 'nobody'} may not see`;
                }
                if (!isNext) {
                        continue; // it contains what was shown
                }
                world.cursorLength ??= {};
                world.cursorLength[step.list] ??= cursor.length;
                if (world.cursorLength[step.list] !== cursor.length) {
                        return `a cursor of ${cursor.length} characters where others of ${step.list} have ${world.cursorLength[step.list]}`;
                }
        }
        return null;
}

// One step on both sides; returns the difference, or null. Reads of data that is updated by events are repeated until they agree.
async function playStep(model, world, step, patienceMs) {
        const wanted = expected(model, step);
        const asked = ON_CURSORS.has(step.do) ? model.cursors.get(step.of).step : step;
        const end = Date.now() + patienceMs;
        for (let wait = 5; ; wait = Math.min(2 * wait, 200)) {
                const got = await world.run(step);
                const difference = compare(asked, wanted, got, asked.limit);
                if (!difference) {
                        world.keep(step);
                        return leak(model, world, asked, got);
                }
                if (!difference.late || Date.now() > end) {
                        return `${difference.what}${difference.late ? ` (still so after ${patienceMs} ms)` : ''}`;
                }
                await sleep(wait);
        }
}

// next(model, i): the step, or null at the end. Returns {script, failure}: the steps, and the difference in the last one.
async function play(net, next, patienceMs) {
        const model = new Model(MEMBERS);
        const world = await World.create(net, MEMBERS);
        const script = [];
        for (let i = 0; ; i++) {
                const step = next(model, i);
                if (step === null) {
                        return { script, failure: null };
                }
                if (applies(model, step)) {
                        script.push(step);
                        let failure;
                        try {
                                failure = await playStep(model, world, step, patienceMs);
                        } catch (error) {
                                failure = error.message;
                        }
                        if (failure) {
                                return { script, failure };
                        }
                }
        }
}

export function playRandom(net, seed, steps, patienceMs = 15_000) {
        const source = new Steps(randomFrom(seed));
        return play(net, (model, i) => (i < steps ? source.next(model) : null), patienceMs);
}

export const playScript = (net, script, patienceMs = 800) => play(net, (model, i) => script[i] ?? null, patienceMs);
