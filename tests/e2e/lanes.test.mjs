// In no layout of services and processes do requests wait for each other in a cycle.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { inBatches, register, registerMany } from './shared.mjs';

const AT_A_TIME = 64;
let reader;
let note;

before(async () => {
        const [author, ...others] = await registerMany(4);
        reader = await register();
        for (const member of [author, ...others]) {
                await reader.put(`/v1/users/${member.id}/follow`);
                note = await member.note('to be read by many at a time');
        }
});

test('many concurrent reads that cross processes in both directions are all answered', async () => {
        const paths = ['/v1/timelines/home', `/v1/notes/${note.id}`, `/v1/timelines/users/${note.author.id}`, `/v1/notes/${note.id}/thread`];
        const requests = Array.from({ length: 20 * AT_A_TIME }, (_, i) => paths[i % paths.length]);
        const answers = await inBatches(requests, AT_A_TIME, (path) => reader.get(path));
        const counts = {};
        answers.forEach((a) => { counts[a.status] = (counts[a.status] ?? 0) + 1; });
        assert.deepEqual(counts, { 200: requests.length });
});
