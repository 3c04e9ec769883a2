// Home timelines in the memory of the delivering process: used, and never ahead of what survives the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, ids, must } from './client.mjs';
import { signal } from './harness.mjs';
import { ownServer } from './own.mjs';
import { redisCommand } from './redisclient.mjs';

const it = ownServer({}, setUp);
let author;
let fan;

async function setUp(net) {
        [author, fan] = await net.registerMany(2);
        await fan.follow(author);
}

const home = async () => ids(must(await fan.get('/v1/timelines/home')).items);
const delivering = () => it.server.processes().find((p) => p.args.includes('serve') && (p.args.includes('timeline') || p.args.includes('all')));

// Reads of home timelines that the delivering process answered from memory: from the timeline, or, in release builds, from the page as it was sent before.
async function readsFromMemory() {
        const { role } = delivering();
        const metrics = await (await fetch(`${it.server.httpAddresses()[role]}/metrics`)).text();
        const count = (pattern) => Number(metrics.match(pattern)?.[1] ?? 0);
        return count(/^sonet_cache_hits_total\{cache="home_timelines"\} (\d+)/m) + count(/^sonet_kept_responses_total (\d+)/m);
}

// Home timelines answered by the thread that read the request.
async function answeredInline() {
        const { role } = delivering();
        const metrics = await (await fetch(`${it.server.httpAddresses()[role]}/metrics`)).text();
        return Number(metrics.match(/^sonet_rpc_inline_total\{method="sonet\.timeline\.v1\.TimelineService\/GetHome"\} (\d+)/m)?.[1] ?? 0);
}

async function inMemory() {
        await eventually('home is read from memory', async () => {
                const before = await readsFromMemory();
                await home();
                assert.ok(await readsFromMemory() > before);
        });
}

test('delivered notes are appended to a timeline in memory', async () => {
        await inMemory();
        const note = await author.note('for memory');
        await eventually('it is there', async () => assert.equal((await home())[0], note.id));
        await inMemory();
        assert.equal((await home())[0], note.id);
});

test('requests that only need memory are answered by the thread that read them', { skip: process.env.SONET_E2E_MODE !== 'single' }, async () => {
        await inMemory();
        await eventually('home is answered without a worker', async () => {
                const before = await answeredInline();
                for (let i = 0; i < 65; i++) { // a method that had to wait four times in a row is tried each 64th time only
                        await home();
                }
                assert.ok(await answeredInline() > before);
        });
});

test('notes read from memory before Redis had them are still there after the process was killed', async () => {
        await inMemory();
        const [redis] = it.server.pids('redis');
        const key = `tl:home:${fan.id}`;
        const length = await redisCommand(it.server, 'STRLEN', key);
        assert.match(length, /^:[1-9]/);
        assert.equal(await redisCommand(it.server, 'COPY', key, 'test:before', 'REPLACE'), ':1');
        let shown;
        assert.ok(signal(redis, 'SIGSTOP'));
        try {
                const note = await author.note('ahead of Redis');
                await eventually('it is delivered without Redis', async () => {
                        shown = await home();
                        assert.equal(shown[0], note.id);
                }, 30_000);
                await inMemory();
                assert.deepEqual(await home(), shown);
                assert.ok(signal(delivering().pid, 'SIGKILL'));
        } finally {
                signal(redis, 'SIGCONT');
        }
        // It may execute an append that was sent before it stopped: as if that had been lost, too.
        assert.equal(await redisCommand(it.server, 'COPY', 'test:before', key, 'REPLACE'), ':1');
        assert.equal(await redisCommand(it.server, 'STRLEN', key), length, 'Redis has not got it');
        // From the first response on, whatever state the next process starts with.
        const answers = [];
        await eventually('the next process delivers', async () => {
                const before = await readsFromMemory();
                answers.push(await home());
                assert.ok(await readsFromMemory() > before);
        }, 60_000);
        answers.forEach((answer, i) => assert.deepEqual(answer, shown, `answer ${i} of ${answers.length}`));
        assert.deepEqual(await home(), shown);
});
