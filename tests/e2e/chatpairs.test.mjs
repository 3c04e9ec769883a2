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

const allServe = (services) => eventually('all processes serve', async () => {
        for (const service of services) {
                const { replicas, serving } = pair.balancers.get(service);
                const replica = replicas.find((r) => !serving.has(r));
                if (replica) {
                        throw new Error(`${replica.name}: ${(await replica.readiness(service)).text}`);
                }
        }
}, 60_000);

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

// With one of the two search processes ended; the other one answers.
async function without(number, ask) {
        const replica = pair.of('search')[number];
        await replica.stop();
        await eventually('only the other one serves', () => { const { serving } = pair.balancers.get('search'); return serving.size === 1 && !serving.has(replica); }, 60_000);
        try {
                return await eventually('it answers', async () => { const answers = await ask(); return answers.every(({ status }) => status === 200) && answers; }, 60_000);
        } finally {
                replica.start();
                await allServe(['search']);
        }
}

test('either of two search processes alone gives the same answers', { skip, timeout: 600_000 }, async () => {
        const [author, fan, stranger] = await net.registerMany(3);
        const word = randomName('word').replace('_', '');
        must(await fan.put(`/v1/users/${author.id}/follow`));
        for (const [i, visibility] of ['public', 'followers', 'public', 'only_me', 'public', 'followers', 'public'].entries()) {
                must(await author.post('/v1/notes', { text: `${word} and gardens, number ${i} #${word}${i % 2}`, visibility }), 201);
        }
        const queries = ['', ' -number', ' garden', '*', ` OR #${word}1`].map((more) => `query=${encodeURIComponent(`${word}${more}`)}`)
                .flatMap((query) => ['relevance', 'newest', 'engaged'].map((sort) => `/v1/search?${query}&type=notes&sort=${sort}&explain=true&highlight=true&facets=author,hashtag,month`));
        const paths = [...queries, `/v1/search?query=${word.slice(0, -1)}&limit=2`, `/v1/search/suggestions?query=${encodeURIComponent(`#${word}`)}`];
        const ask = async () => {
                const answers = [];
                for (const reader of [author, fan, stranger, client]) {
                        for (const path of paths) {
                                answers.push(await (reader === client ? client.api('GET', path) : reader.get(path)));
                        }
                }
                return answers;
        };
        await eventually('all but those for the author alone are found', async () => must(await author.get(`/v1/search?query=${word}`)).items.filter(({ note }) => note).length === 6, 60_000);
        // The words of the new notes are counted some seconds later, which changes scores for both.
        await eventually('the same', async () => {
                const [first, second] = [await without(0, ask), await without(1, ask)];
                const whole = first.map((answer, i) => !answer.body.partial && !second[i].body.partial);
                assert.ok(whole.filter(Boolean).length > paths.length, 'most were answered before the deadline');
                first.forEach((answer, i) => whole[i] && assert.deepEqual(answer.body, second[i].body, paths[i % paths.length]));
        }, 180_000);
});

test('no process logged an error', { skip }, () => {
        assert.deepEqual(pair.faults(), []);
});
