// Responses that are kept and sent again (gateway/kept.h): never to anyone else, and never after something in them has changed. Debug builds
// also compare each with one made anew, in all tests.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { eventually, ids, must, problem } from './client.mjs';
import { signal } from './harness.mjs';
import { ownServer } from './own.mjs';

const it = ownServer({}, setUp);
let author;
let reader;
let passer;
const HOME = '/v1/timelines/home';

async function setUp(net) {
        [author, reader, passer] = await net.registerMany(3);
        await reader.follow(author);
        await reader.follow(passer);
}

async function repeated() {
        const metrics = await (await fetch(`${it.server.url}/metrics`)).text();
        return Number(metrics.match(/^sonet_kept_responses_total (\d+)/m)?.[1] ?? 0);
}

// Until the response of a path is one that was kept. Of requests that follow each other closely, the first loads what memory lacks, the second's
// response is kept, and the third gets it.
async function kept(path, get = () => reader.get(path)) {
        let answer;
        await eventually('the response is kept', async () => {
                await get();
                await get();
                const before = await repeated();
                answer = await get();
                assert.ok(await repeated() > before);
        });
        return answer;
}

// With its body as bytes.
function getRaw(path, headers) {
        return new Promise((resolve, reject) => {
                http.request(it.server.url + path, { headers: { authorization: `Bearer ${reader.token}`, ...headers } }, (response) => {
                        const pieces = [];
                        response.on('data', (piece) => pieces.push(piece));
                        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }));
                }).on('error', reject).end();
        });
}

const first = async () => (await reader.home())[0];

test('a page that has not changed is sent again: the same bytes and headers, in each coding, to each condition', async () => {
        await author.note(`much to read ${'again and again '.repeat(40)}`);
        for (const coding of ['identity', 'gzip', 'zstd']) {
                const get = (condition) => kept(HOME, () => getRaw(HOME, { 'accept-encoding': coding, ...(condition && { 'if-none-match': condition }) }));
                const one = await get();
                const two = await get();
                assert.equal(one.status, 200);
                assert.deepEqual(two.body, one.body);
                assert.equal(two.headers['content-encoding'], coding === 'identity' ? undefined : coding);
                for (const name of ['etag', 'link', 'cache-control', 'content-type', 'content-length', 'vary']) {
                        assert.equal(two.headers[name], one.headers[name], name);
                }
                assert.notEqual(two.headers['x-request-id'], one.headers['x-request-id']);
                const unchanged = await get(one.headers.etag);
                assert.deepEqual([unchanged.status, unchanged.body.length, unchanged.headers['content-encoding']], [304, 0, undefined]);
                assert.deepEqual((await get('"other"')).body, one.body);
        }
});

test('a response of which only 304 was sent is sent in full to a request without that condition', async () => {
        await author.note('something new');
        const { headers: { etag } } = await eventuallySettled();
        for (const status of [304, 200, 304]) {
                const answer = await reader.get(HOME, { headers: status === 304 ? { 'if-none-match': etag } : {} });
                assert.equal(answer.status, status);
                assert.equal(answer.text !== '', status === 200);
        }
});

// A page with other parameters, so that HOME itself is not kept yet.
async function eventuallySettled() {
        await kept(`${HOME}?limit=20`);
        return reader.get(`${HOME}?limit=20`);
}

test('every change of a page is in the next response', async () => {
        const note = await author.note('changing #kept');
        await eventually('it arrives', async () => assert.equal((await first()).id, note.id));
        const steps = {
                'a text': [() => author.patch(`/v1/notes/${note.id}`, { text: 'changed' }), (n) => n.text === 'changed'],
                'a like by someone else': [() => passer.react(note.id, 'like'), (n) => n.counts.likes === 1 && !n.viewer.liked],
                'a like of one\'s own': [() => reader.react(note.id, 'like'), (n) => n.counts.likes === 2 && n.viewer.liked],
                'a bookmark': [() => reader.react(note.id, 'bookmark'), (n) => n.viewer.bookmarked],
                'a comment': [() => passer.comment(note.id, 'well'), (n) => n.counts.comments === 1],
                'the author\'s name': [() => author.patch('/v1/users/me', { display_name: 'Renamed' }), (n) => n.author.display_name === 'Renamed'],
                'a mute': [() => reader.relate(author, 'mute'), (n) => n?.author.id !== author.id],
                'its end': [() => reader.unrelate(author, 'mute'), (n) => n.id === note.id],
                'a block of the reader': [() => author.relate(reader, 'block'), (n) => n?.author.id !== author.id],
                'its end, and following again': [async () => { await author.unrelate(reader, 'block'); return reader.follow(author); }, (n) => n.id === note.id],
                'a note of one\'s own': [() => reader.note('mine'), (n) => n.text === 'mine'],
        };
        for (const [what, [change, is]] of Object.entries(steps)) {
                await kept(`${HOME}?limit=100`);
                const changed = await change();
                assert.ok(!(changed?.status >= 400), `${what}: ${changed?.text}`);
                assert.ok(is(await first()), what);
        }
        await kept(`${HOME}?limit=100`);
        must(await author.del(`/v1/notes/${note.id}`), 204);
        assert.ok(!ids(await reader.home()).includes(note.id), 'a deletion');
});

test('a renote, and its end, are in the next response', async () => {
        const note = await author.note('pass me on');
        await eventually('it arrives', async () => assert.equal((await first()).id, note.id));
        await kept(`${HOME}?limit=100`);
        await passer.react(note.id, 'renote');
        await eventually('the renote arrives', async () => assert.equal((await first()).renote_of?.id, note.id));
        await kept(`${HOME}?limit=100`);
        await passer.unreact(note.id, 'renote');
        assert.equal((await first()).id, note.id);
});

test('a page of a member\'s timeline is for its reader only, and hidden as soon as they are blocked', async () => {
        const path = `/v1/timelines/users/${author.id}`;
        const secret = await author.note('for followers', 'followers');
        const mine = await kept(path);
        assert.ok(ids(must(mine).items).includes(secret.id));
        for (let i = 0; i < 3; i++) {
                assert.ok(!ids(must(await it.api('GET', path)).items).includes(secret.id), 'without a token');
                const other = await it.api('GET', path, { token: passer.token });
                assert.ok(!ids(must(other).items).includes(secret.id), 'of a member who does not follow');
                assert.notEqual(other.headers.etag, mine.headers.etag);
        }
        await author.relate(reader, 'block');
        assert.deepEqual(must(await reader.get(path)).items, []);
        await author.unrelate(reader, 'block');
        must(await passer.put(`/v1/users/${author.id}/follow`));
        assert.ok(ids(must(await passer.get(path)).items).includes(secret.id));
});

// Its successor has the same place in the memory that the processes share, and knows nothing of what was kept before.
for (const service of ['timeline', 'note', 'follow', 'user']) {
        const runs = () => it.server.processes().find((p) => p.args.includes('serve') && p.args.includes(service));
        const skip = process.env.SONET_E2E_MODE === 'single' || (process.env.SONET_E2E_MODE === 'mixed' && service === 'user'); // with the gateway
        test(`a kept page of a killed ${service} service shows nothing that its successor has changed`, { skip }, async () => {
                const path = `/v1/timelines/users/${author.id}`;
                const note = await author.note(`until the ${service} service is back`);
                await kept(path);
                const before = await repeated();
                assert.ok(signal(runs().pid, 'SIGKILL'));
                await eventually('a change is acknowledged', async () => must(await author.del(`/v1/notes/${note.id}`, { timeoutMs: 5000 }), 204), 60_000);
                const answers = [];
                await eventually('a response', async () => assert.equal(answers[answers.push(await reader.get(path)) - 1].status, 200), 60_000);
                assert.ok(answers.every(({ body }) => !body.items?.some(({ id }) => id === note.id)));
                await author.patch('/v1/users/me', { display_name: `After ${service}` });
                assert.equal(must(await reader.get(path)).items[0].author.display_name, `After ${service}`);
                await kept(path);
                assert.ok(await repeated() > before);
        });
}

test('a kept page needs a valid token', async () => {
        await kept(HOME);
        const { token } = reader;
        must(await reader.post('/v1/auth/logout'), 204);
        const refused = async () => problem(await it.api('GET', HOME, { token }), 401);
        if (process.env.SONET_E2E_MODE === 'split') { // the gateway follows the log of user_service, within a second
                await eventually('the gateway knows', refused);
        }
        await refused();
});
