// gRPC itself, whatever the method: metadata, tokens, deadlines, errors, malformed messages, health.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Status, fails, ok, wire } from './grpccalls.mjs';
import { SERVICES } from './harness.mjs';
import { methods } from './protos.mjs';
import { PASSWORD, api, ids, randomKey, randomName, registerMany } from './shared.mjs';

let alice;
before(async () => {
        [alice] = await registerMany(1);
});

test('idempotency keys work as metadata', async () => {
        const metadata = { 'idempotency-key': randomKey() };
        const first = await ok('CreateNote', { text: 'once' }, alice, { metadata });
        assert.deepEqual(await ok('CreateNote', { text: 'once' }, alice, { metadata }), first);
        await fails('CreateNote', { text: 'twice' }, Status.INVALID_ARGUMENT, alice, { metadata });
});

test('scoped methods require a token, and an invalid one is rejected even if none is required', async () => {
        for (const m of methods.filter((x) => !['public', 'internal'].includes(x.access))) {
                await fails(m.name, {}, Status.UNAUTHENTICATED);
                await fails(m.name, {}, Status.UNAUTHENTICATED, { token: `${alice.token}x` });
        }
        await fails('GetUser', { id: alice.id }, Status.UNAUTHENTICATED, { token: 'x.y.z' });
        await ok('LogIn', { login: alice.username, password: alice.password }, { token: 'x.y.z' }); // its credentials are in the message
});

test('internal methods are refused for members, without a token, and for callers that claim to be services', async () => {
        const internal = methods.filter((m) => m.access === 'internal');
        assert.ok(internal.length >= 10);
        const soon = Math.floor(Date.now() / 1000) + 60;
        for (const m of internal) {
                for (const [options, status] of [[{}, 'UNIMPLEMENTED'], [{ token: alice.token }, 'UNIMPLEMENTED'], [{ metadata: { 'sonet-service': 'timeline' } }, 'UNAUTHENTICATED'],
                                                 [{ metadata: { 'sonet-service': `timeline.${m.service}.${soon}.AAAA` } }, 'UNAUTHENTICATED'],
                                                 [{ metadata: { 'sonet-service': `timeline.${m.service}.${soon}.${'A'.repeat(43)}`, 'x-actor': alice.id } }, 'UNAUTHENTICATED']]) {
                        const { answer, error } = await wire.call(m.path, {}, options);
                        assert.ok(error, `${m.path} answered ${JSON.stringify(answer)}`);
                        assert.equal(Status[error.code], status, m.path);
                }
        }
});

test('internal methods are not available over REST, either', async () => {
        for (const m of methods.filter((x) => x.access === 'internal')) {
                assert.equal(m.http, undefined);
                assert.equal((await api('POST', m.path, { body: {} })).status, 404, m.path);
        }
});

test('an expired deadline ends the call', async () => {
        await fails('GetHome', {}, Status.DEADLINE_EXCEEDED, alice, { deadlineMs: -1000 });
        const { error } = await wire.call('Register', { username: randomName('d'), email: `${randomName('d')}@example.org`, password: PASSWORD }, { deadlineMs: 1 });
        assert.equal(error?.code, Status.DEADLINE_EXCEEDED);
});

test('an error contains its problem', async () => {
        const text = await fails('CreateNote', { text: '字'.repeat(5001) }, Status.INVALID_ARGUMENT, alice);
        assert.deepEqual([text.problem.status, text.problem.field], [Status.INVALID_ARGUMENT, 'text']);
        assert.match(text.problem.code, /^[a-z_]+$/);
        assert.equal(`text: ${text.problem.detail}`, text.details);
        const gone = await fails('GetNote', { id: '01890000-0000-7000-8000-000000000000' }, Status.NOT_FOUND);
        assert.equal(gone.problem.status, Status.NOT_FOUND);
        const list = await fails('ListRelationships', { user_ids: [alice.id, 'x'] }, Status.INVALID_ARGUMENT, alice);
        assert.match(list.problem.field, /^user_ids/);
});

test('bytes that are not a valid message are rejected', async () => {
        const create = methods.find((m) => m.name === 'CreateNote').path;
        const field = (n, bytes) => Buffer.concat([Buffer.from([(n << 3) | 2, bytes.length]), Buffer.from(bytes)]);
        const before = ids((await ok('GetUserTimeline', { user_id: alice.id, limit: 100 }, alice)).items);
        for (const bytes of [[0x0a, 0x05, 0x61], [0xff, 0xff, 0xff], field(1, [0xff, 0xfe]), field(1, [0x61, 0, 0x62]), field(1, [0xed, 0xa0, 0x80]),
                             Buffer.concat([field(1, [0x61]), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])]), Buffer.from('0b'.repeat(2000), 'hex')]) {
                const { error } = await wire.callRaw('note', create, Buffer.from(bytes), { token: alice.token });
                assert.equal(error?.code, Status.INVALID_ARGUMENT, Buffer.from(bytes).toString('hex').slice(0, 60));
        }
        const huge = await wire.callRaw('note', create, Buffer.alloc(5 << 20, 0x61), { token: alice.token });
        assert.equal(huge.error?.code, Status.RESOURCE_EXHAUSTED);
        assert.deepEqual(ids((await ok('GetUserTimeline', { user_id: alice.id, limit: 100 }, alice)).items), before);
});

test('unknown methods are unimplemented', async () => {
        for (const path of ['/sonet.note.v1.NoteService/Nothing', '/sonet.nothing.v1.Nothing/Nothing', '/x']) {
                assert.equal((await wire.callRaw('note', path, Buffer.alloc(0))).error?.code, Status.UNIMPLEMENTED, path);
        }
});

test('the health service returns SERVING, for the process and for each service', async () => {
        for (const service of SERVICES) {
                const full = methods.find((m) => m.service === service).path.split('/')[1];
                for (const name of ['', full]) {
                        const request = Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);
                        const { answer, error } = await wire.callRaw(service, '/grpc.health.v1.Health/Check', name === '' ? Buffer.alloc(0) : request);
                        assert.deepEqual([...(answer ?? [])], [0x08, 0x01], `${service} '${name}': ${JSON.stringify(error)}`);
                }
        }
});
