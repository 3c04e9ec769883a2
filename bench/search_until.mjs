// How long until a search finds what was written, no longer finds what was deleted, and follows the settings "can be found".
import { spawn } from 'node:child_process';
import { root, sleep } from '../tests/e2e/harness.mjs';
import { must } from './network.mjs';

function summary(times) {
        times.sort((a, b) => a - b);
        return { p50: times[Math.floor(times.length / 2)], p99: times[Math.floor(times.length * 0.99)], n: times.length };
}

const find = (server, type, word) => must(server, 'GET', `/v1/search?type=${type}&query=${word}`, {});

// Milliseconds from now until the first response that has the text, or has it no longer.
async function until(server, type, word, text, there) {
        const from = performance.now();
        while (JSON.stringify(JSON.parse(await find(server, type, word)).items).includes(text) !== there) {
                await sleep(2);
        }
        return performance.now() - from;
}

async function writeAndDelete(server, token, word, followed, found, gone) {
        const { id } = JSON.parse(await must(server, 'POST', '/v1/notes', { token, json: { text: `The ${word} of a benchmark, with some more words as people write them here and there.` } }));
        if (followed) {
                found.push(await until(server, 'notes', word, id, true));
                await must(server, 'DELETE', `/v1/notes/${id}`, { token });
                gone.push(await until(server, 'notes', word, id, false));
        }
}

// At the given number of notes per second; every tenth is looked for from its response on, then deleted, and looked for from the response to that.
export async function notes(server, token, rate, lasting_s) {
        const [found, gone, waiting] = [[], [], []];
        const began = performance.now();
        for (let i = 0; i < rate * lasting_s; i++) {
                await sleep(Math.max(0, began + (i * 1000) / rate - performance.now()));
                waiting.push(writeAndDelete(server, token, `probe${Math.floor(began)}x${i}`, i % 10 === 0, found, gone));
        }
        await Promise.all(waiting);
        return { found: summary(found), gone: summary(gone) };
}

// Turns a setting off and on again; a stranger searches for the member's name and for a note of theirs.
export async function settings(server, token, username, times = 20) {
        const word = `probe${Math.floor(performance.now())}settings`;
        const { id } = JSON.parse(await must(server, 'POST', '/v1/notes', { token, json: { text: `${word} is a word` } }));
        await until(server, 'notes', word, id, true);
        const taken = {};
        for (const [setting, type, query, text] of [['searchable', 'notes', word, id], ['discoverable', 'users', username, `"${username}"`]]) {
                taken[setting] = [];
                for (let i = 0; i < 2 * times; i++) {
                        const on = i % 2 === 1;
                        await must(server, 'PATCH', '/v1/users/me/settings', { token, json: { privacy: { [setting]: on } } });
                        taken[setting].push(await until(server, type, query, text, on));
                }
                taken[setting] = summary(taken[setting]);
        }
        return taken;
}

// What searchquality.test.mjs prints of the judged set, on a network of its own.
export function quality() {
        return new Promise((resolve) => {
                const child = spawn('node', ['tests/e2e/run.mjs', '--mode', 'single', 'searchquality'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
                let out = '';
                child.stdout.on('data', (chunk) => (out += chunk));
                child.on('close', () => resolve(out.match(/(nDCG@10|recall) [\d.]+ of .*/g)?.join('\n') ?? 'the test of the judged set printed nothing'));
        });
}
