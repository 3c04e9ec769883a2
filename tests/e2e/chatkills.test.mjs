// What random members of the same chats see while processes are killed: nothing that was acknowledged is lost, nothing doubled, out of order, or shown to
// who may not read it.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { play, seed } from './chatworld.mjs';
import { accounts, eventually } from './client.mjs';
import { mode, signal, sleep } from './harness.mjs';
import { ownServer } from './own.mjs';

const VICTIMS = { single: ['serve', 'postmaster', 'redis'], split: ['messaging', 'gateway', 'postmaster', 'redis'], mixed: ['media', 'gateway', 'redis'] }[mode];
const AWAY = [500, 502, 503, 504]; // says nothing of whether it was done

const it = ownServer({ env: { SONET_RATE_LIMITS: 'off' } });
const followers = [];
after(() => followers.forEach((f) => f.end()));

// Asks until it is answered, as a client does that has a client_id for each message, and else only what can be asked twice.
const patient = (api) => (...request) => eventually(`${request[0]} ${request[1]} is answered`, async () => {
        const answer = await api(...request);
        assert.ok(!AWAY.includes(answer.status), `${answer.request}: ${answer.status} ${answer.text}`);
        return answer;
}, 90_000);

async function kill() {
        for (const role of VICTIMS) {
                await eventually(`${role} runs`, () => it.server.pids(role).length > 0, 60_000);
                it.server.pids(role).forEach((pid) => signal(pid, 'SIGKILL'));
                await sleep(300); // some of the others come before the next one
                await eventually('ready again', async () => (await it.api('GET', '/readyz')).status === 200, 60_000);
        }
}

test(`random members at once while processes are killed: one log without gaps, the same for all by every road (seed ${seed})`, { timeout: 600_000 },
        () => play({ url: it.url, ...accounts(patient(it.api)) }, followers, kill));
