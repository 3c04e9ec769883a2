// Two active processes of each service without an owner, behind balancers, while they are killed in turn: the
// guarantees of chats, notifications and search also hold with several processes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { patient } from './chatclients.mjs';
import { STEPS, clients, long, play, seed } from './chatworld.mjs';
import { accounts, connect, eventually, inBatches, must, randomKey, randomName } from './client.mjs';
import { mode } from './harness.mjs';
import { untilAcknowledged } from './ledger.mjs';
import { Pair } from './pair.mjs';

const ACTIVE = ['messaging', 'notification', 'search'];
const skip = mode !== 'split' && 'where services share a process they run as often as that';
const KILLS = long ? 60 : 8;

let pair;
let client;
let net;
const followers = [];

before(async () => {
        if (skip) {
                return;
        }
        pair = await new Pair(mode, { twice: ['gateway', ...ACTIVE] }).prepare();
        const url = await pair.balanceGateways();
        pair.replicas.forEach((replica) => replica.start());
        client = connect(url);
        net = { url, ...accounts(patient(client.api, { killed: true })) };
        await eventually('ready', async () => (await client.api('GET', '/readyz')).status === 200, 120_000);
        await allServe([...ACTIVE, 'gateway']);
});
after(async () => {
        followers.forEach((f) => f.end());
        client?.close();
        await pair?.stop();
});

const allServe = (services) => eventually('all processes serve', () => services.every((s) => pair.balancers.get(s).serving.size === 2), 60_000);

// Kills one process at a time, and the next when both are serving again, so that one is always available.
async function killInTurn(victims, moment) {
        for (const [i, [service, number]] of victims.entries()) {
                await moment(i);
                await allServe([service]);
                const victim = pair.of(service)[number];
                const exits = victim.exits.length;
                victim.signal('SIGKILL');
                await eventually('it is gone', () => victim.exits.length > exits);
                pair.balancers.get(service).serving.delete(victim);
        }
        await allServe([...ACTIVE, 'gateway']);
}

test(`${clients} clients of random members while two messaging processes and sometimes gateways are killed in turn: one log without gaps, the same by every API (seed ${seed})`,
     { skip, timeout: 1_200_000 }, async () => {
        const victims = Array.from({ length: KILLS }, (_, i) => (i % 4 === 3 ? ['gateway', (i >> 2) % 2] : ['messaging', i % 2]));
        await play(net, followers, (progress) => killInTurn(victims, (i) => progress.reached((i + 1) / (KILLS + 1))), 3 * STEPS);
        assert.ok(pair.of('messaging').every(({ accepted }) => accepted > 0), 'both were asked');
});

test('two processes of notification and of search, killed in turn: each comment notifies once, each note is found once',
     { skip, timeout: 600_000 }, async () => {
        const [author, ...fans] = await net.registerMany(5);
        const note = must(await author.post('/v1/notes', { text: 'Say something' }), 201);
        const words = [];
        const write = async (fan) => {
                const word = randomName('word').replace('_', '');
                const { body } = await untilAcknowledged(() => fan.post(`/v1/notes/${note.id}/comments`, { text: `The ${word}` },
                                                                       { headers: { 'idempotency-key': randomKey() }, timeoutMs: 10_000 }), [201]);
                words.push({ word, id: body.id });
        };
        let killing = true;
        const victims = Array.from({ length: KILLS }, (_, i) => [i % 2 ? 'search' : 'notification', (i >> 1) % 2]);
        await Promise.all([killInTurn(victims, async (i) => eventually('some more are written', () => words.length > 4 * i, 60_000)).finally(() => { killing = false; }),
                           ...fans.map(async (fan) => {
                                   while (killing) {
                                           await write(fan);
                                   }
                           })]);
        const told = async () => {
                const items = [];
                for (let cursor = ''; cursor !== null;) {
                        const page = must(await author.get(`/v1/notifications?limit=100${cursor}`));
                        items.push(...page.items);
                        cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : null;
                }
                return items.flatMap((i) => i.note?.id ?? []).filter((id) => id !== note.id).sort();
        };
        await eventually('each is told once', async () => assert.deepEqual(await told(), words.map(({ id }) => id).sort()), 120_000);
        await inBatches(words, 4, ({ word, id }) => eventually(`${word} is found once`, async () => {
                const { items } = must(await author.get(`/v1/search?query=${word}`));
                assert.deepEqual(items.map((item) => item.note?.id), [id]);
        }, 120_000));
});

test('no process logged an error', { skip }, () => {
        assert.deepEqual(pair.faults(), []);
});
