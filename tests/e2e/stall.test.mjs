// A service that hangs, in split mode: requests that do not need it are answered as usual, those that need it fail at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, must, problem } from './client.mjs';
import { mode, signal } from './harness.mjs';
import { ownServer } from './own.mjs';

const QUICK_MS = 500; // for a request that takes milliseconds, on a machine with other load
const it = ownServer({}, async (net) => {
        [it.ada, it.bob] = await net.registerMany(2);
});

async function timed(request) {
        const began = performance.now();
        const answer = await request();
        return { answer, ms: performance.now() - began };
}

// As many in a row, since a single one may succeed by chance.
async function allQuick(request, status, count = 20) {
        for (let i = 0; i < count; i++) {
                const { answer, ms } = await timed(request);
                assert.equal(answer.status, status);
                if (ms > QUICK_MS) {
                        return false;
                }
        }
        return true;
}

test('a stopped note service does not affect other routes', { skip: mode === 'single' && 'there is only one process' }, async () => {
        const [pid] = it.server.pids(mode === 'split' ? 'note' : 'media') /* whose process has note, too */;
        const relationships = () => it.ada.get(`/v1/users/me`);
        const follows = () => it.ada.get(`/v1/relationships?user_ids=${it.bob.id}`);
        const other = mode === 'split' ? follows : relationships; // in the mixed layout follow is stopped, too
        must(await other());
        let over = false;
        signal(pid, 'SIGSTOP');
        try {
                const flood = Array.from({ length: 24 }, async () => {
                        while (!over) {
                                const answer = await it.ada.get(`/v1/timelines/users/${it.bob.id}`);
                                assert.ok([503, 504].includes(answer.status), `${answer.status} ${answer.text}`);
                                await new Promise((resolve) => setTimeout(resolve, 50));
                        }
                });
                await eventually('the others are fast', () => allQuick(other, 200));
                await eventually('errors are fast', () => allQuick(() => it.bob.get('/v1/timelines/home'), 503, 5));
                const refused = await it.bob.get('/v1/timelines/home');
                problem(refused, 503, { code: 'unavailable' });
                assert.ok(Number(refused.headers['retry-after']) >= 1);
                assert.ok(await allQuick(other, 200));
                over = true;
                await Promise.all(flood);
        } finally {
                over = true;
                signal(pid, 'SIGCONT');
        }
        await eventually('it is back', async () => (await it.bob.get('/v1/timelines/home')).status === 200);
});
