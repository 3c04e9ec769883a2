// The number of calls that the services make for a repeated request, in split mode.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from './client.mjs';
import { ownServer } from './own.mjs';

const split = process.env.SONET_E2E_MODE === 'split';
const it = split ? ownServer({}, setUp) : undefined; // in one process there are no calls
let author;
let fan;
let note;

async function setUp(net) {
        [author, fan] = await net.registerMany(2);
        await fan.follow(author);
        note = await author.note('counted #calls');
        await fan.post(`/v1/notes/${note.id}/comments`, { text: 'so is this' });
}

// By method, for all services together, without calls that read logs.
async function calls() {
        const counted = new Map();
        for (const url of Object.values(it.server.httpAddresses())) {
                const metrics = await (await fetch(`${url}/metrics`)).text();
                for (const [, method, n] of metrics.matchAll(/^sonet_rpc_total\{method="sonet\.([^"]+)",code="\w+"\} (\d+)/gm)) {
                        counted.set(method, (counted.get(method) ?? 0) + Number(n));
                }
        }
        return [...counted].filter(([method]) => !method.endsWith('/ReadOutbox'));
}

// The minimum over some requests, until it is low enough: concurrent calls by the services, and those that only first requests need, do not count.
async function fewest(path, most) {
        let best;
        for (let i = 0; i < 10 && !(best && sum(best) <= most); i++) {
                const before = new Map(await calls());
                must(await fan.get(path));
                const made = (await calls()).map(([method, n]) => [method, n - (before.get(method) ?? 0)]).filter(([, n]) => n > 0);
                best = best && sum(best) <= sum(made) ? best : made;
        }
        return best;
}

const sum = (made) => made.reduce((all, [, n]) => all + n, 0);

// This includes the gateway's own call.
test('a page needs few calls between processes', { skip: !split }, async () => {
        const bounds = {
                '/v1/timelines/home': 4, [`/v1/timelines/users/${author.id}`]: 7, '/v1/timelines/hashtags/calls': 6,
                [`/v1/notes/${note.id}`]: 3, [`/v1/notes/${note.id}/comments`]: 5, [`/v1/notes/${note.id}/thread`]: 5,
                [`/v1/users/${author.id}`]: 1, [`/v1/users/${author.id}/followers`]: 3,
        };
        for (const [path, most] of Object.entries(bounds)) {
                const made = await fewest(path, most);
                assert.ok(sum(made) <= most, `${path}: ${sum(made)} calls, ${made.join(' ')}`);
        }
});
