// A backlog of notes that is delivered while the delivering process is killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FOLLOWERS, countDelivered, countEntries, countSessions, countWaiting, fillNetwork, storedPosition, writeBacklog } from './backlog.mjs';
import { eventually } from './client.mjs';
import { signal, sleep } from './harness.mjs';
import { ownServer } from './own.mjs';

const NOTES = 6_000;
// bus/lane.c stores the position after 500 events, or 200 ms; a batch of 100 may be in flight.
const REPEATED_MOST = 600;

const it = ownServer({}, (net) => fillNetwork(net.server));

const delivering = () => it.server.processes().find((p) => p.args.includes('serve') && (p.args.includes('timeline') || p.args.includes('all')));

test('a kill in the midst of a backlog repeats few events, and every note is delivered once', async () => {
        await eventually('delivery has nothing to do', async () => assert.equal(await countWaiting(it.server), 0));
        const begin = await storedPosition(it.server);
        await writeBacklog(it.server, NOTES);
        while (await countDelivered(it.server) < NOTES / 3) {
                await sleep(20);
        }
        assert.ok(signal(it.server.pid, 'SIGSTOP')); // so that it does not start the next process at once
        try {
                assert.ok(signal(delivering().pid, 'SIGKILL'));
                await eventually('its transactions are over', async () => assert.equal(await countSessions(it.server), 0));
                const [delivered, stored] = [await countDelivered(it.server), await storedPosition(it.server) - begin];
                assert.ok(delivered < NOTES, `killed too late: ${delivered} notes were delivered`);
                assert.ok(stored > 0 && stored <= delivered && delivered - stored <= REPEATED_MOST, `${delivered} delivered, ${stored} stored`);
        } finally {
                signal(it.server.pid, 'SIGCONT');
        }
        await eventually('the next process delivers the rest', async () => assert.equal(await countWaiting(it.server), 0), 120_000);
        assert.equal(await countEntries(it.server), NOTES * FOLLOWERS);
});
