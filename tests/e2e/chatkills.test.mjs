// Random members of the same chats while processes are killed: nothing acknowledged is lost, duplicated, reordered, or
// shown to members who may not read it.
import { after, test } from 'node:test';
import { patient } from './chatclients.mjs';
import { clients, long, play, seed } from './chatworld.mjs';
import { accounts, eventually } from './client.mjs';
import { mode, signal } from './harness.mjs';
import { ownServer } from './own.mjs';

const VICTIMS = { single: ['serve', 'postmaster', 'redis'], split: ['messaging', 'gateway', 'postmaster', 'redis'], mixed: ['media', 'gateway', 'redis'] }[mode];
const ROUNDS = long ? 10 : 1;

const it = ownServer({ env: { SONET_RATE_LIMITS: 'off' } });
const followers = [];
after(() => followers.forEach((f) => f.end()));

// In turn, each when its share of the steps is done.
async function kill(progress) {
        const victims = Array.from({ length: ROUNDS }, () => VICTIMS).flat();
        for (const [i, role] of victims.entries()) {
                await progress.reached((i + 1) / (victims.length + 1));
                await eventually(`${role} runs`, () => it.server.pids(role).length > 0, 60_000);
                it.server.pids(role).forEach((pid) => signal(pid, 'SIGKILL'));
                await eventually('ready again', async () => (await it.api('GET', '/readyz')).status === 200, 60_000);
        }
}

test(`${clients} clients of random members while processes are killed: one log without gaps, the same by every API (seed ${seed})`, { timeout: 1_200_000 },
        () => play({ url: it.url, ...accounts(patient(it.api, { killed: true })) }, followers, kill));
