// What a server does that nobody asks anything: little, counted in statements and not in time, which other programs take too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from './client.mjs';
import { sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { countStatements } from './psql.mjs';

const it = ownServer({}, setUp);
const WINDOW_MS = 3_000, WINDOWS = 20;
// Of all nine services together; a third are the leases of the three that are owned.
const STATEMENTS_A_SECOND = 100;

// Something of all that leaves work behind: a note to deliver, a member to index and to count.
async function setUp(net) {
        const [author, fan] = await net.registerMany(2);
        await fan.follow(author);
        await author.note('then silence');
        must(await fan.get('/v1/timelines/home'));
}

const sum = (statements) => statements.reduce((all, { calls }) => all + calls, 0);
const list = (statements) => statements.map(({ database, text, calls }) => `${calls} ${database}: ${text.slice(0, 80)}`).join('\n');

test('an idle server asks its databases little', async () => {
        let made = [], rate = Infinity;
        for (let i = 0; i < WINDOWS && rate > STATEMENTS_A_SECOND; i++) { // what setting up left behind has to be done first
                const since = performance.now(), counted = await countStatements(it.server);
                await sleep(WINDOW_MS);
                made = await counted();
                rate = sum(made) / (performance.now() - since) * 1000;
        }
        console.log(`${Math.round(60 * rate)} statements a minute`);
        assert.ok(rate <= STATEMENTS_A_SECOND, `${Math.round(rate)} statements a second:\n${list(made)}`);
});
