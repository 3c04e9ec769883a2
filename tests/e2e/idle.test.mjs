// The load of an idle server, counted in statements and not in time, which other programs use, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from './client.mjs';
import { sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { countStatements } from './psql.mjs';

const it = ownServer({}, setUp);
const WINDOW_MS = 3_000, WINDOWS = 20;
// For all nine services together; nearly half are for leases.
const STATEMENTS_A_SECOND = 65;

// Actions that leave work behind: a note to deliver, a member to index and to count.
async function setUp(net) {
        const [author, fan] = await net.registerMany(2);
        await fan.follow(author);
        await author.note('then silence');
        must(await fan.get('/v1/timelines/home'));
}

const sum = (statements) => statements.reduce((all, { calls }) => all + calls, 0);
const list = (statements) => statements.map(({ database, text, calls }) => `${calls} ${database}: ${text.slice(0, 80)}`).join('\n');

test('an idle server sends few queries', async (t) => {
        let made = [], rate = Infinity;
        for (let i = 0; i < WINDOWS && rate > STATEMENTS_A_SECOND; i++) { // work from setting up must be done first
                const since = performance.now(), counted = await countStatements(it.server);
                await sleep(WINDOW_MS);
                made = await counted();
                rate = sum(made) / (performance.now() - since) * 1000;
        }
        t.diagnostic(`${Math.round(60 * rate)} statements a minute`);
        assert.ok(rate <= STATEMENTS_A_SECOND, `${Math.round(rate)} statements a second:\n${list(made)}`);
});

// The time depends on the machine and is only printed: from the signal until the serving processes are gone. PostgreSQL and Redis stop after them.
test('an idle server stops cleanly, and leaves nothing behind', async (t) => {
        const serving = it.server.processes().filter((p) => p.args.includes('serve'));
        const asked = performance.now();
        const stopped = it.server.stop();
        while (serving.some(({ pid }) => it.server.processes().some((p) => p.pid === pid))) {
                await sleep(5);
        }
        t.diagnostic(`stopped in ${Math.round(performance.now() - asked)} ms`);
        const { code, left } = await stopped;
        assert.deepEqual({ code, left: left.map((p) => p.args.join(' ')) }, { code: 0, left: [] });
});
