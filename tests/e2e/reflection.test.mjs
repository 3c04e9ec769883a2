// Server reflection, as clients without .proto files use it: a published client for each version, and @grpc/grpc-js for what such clients do not do.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import http2 from 'node:http2';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import path from 'node:path';
import reflectionClient from 'grpc-js-reflection-client';
import { SERVICES, root } from './harness.mjs';
import { methods } from './protos.mjs';
import { eventually, registerMany } from './shared.mjs';

const addresses = JSON.parse(process.env.SONET_GRPC);
const address = addresses.note;
const insecure = grpc.credentials.createInsecure();
const open = methods.filter((m) => m.access !== 'internal');
const closed = methods.filter((m) => m.access === 'internal');
const serviceOf = (m) => m.path.split('/')[1];

const PROTO = loader.loadSync('grpc/reflection/v1/reflection.proto', { keepCase: true, oneofs: true, includeDirs: [path.join(root, 'proto')] });
const Reflection = grpc.loadPackageDefinition(PROTO).grpc.reflection.v1.ServerReflection;
const LONG = process.env.SONET_E2E_LONG === '1';
const clients = [];
after(() => clients.forEach((c) => c.close()));

// A separate stream: ask() sends a request and resolves to its response; status resolves when the server ends the stream.
function converse(to = address, options = {}) {
        const client = new Reflection(to, insecure, options);
        clients.push(client);
        const call = client.ServerReflectionInfo();
        const waiting = [];
        call.on('data', (answer) => waiting.shift()?.(answer));
        call.on('error', () => {});
        const status = new Promise((resolve) => call.on('status', resolve));
        const ask = (question) => new Promise((resolve) => {
                waiting.push(resolve);
                call.write(question);
        });
        return { ask, call, status, client };
}

for (const version of ['v1', 'v1alpha']) {
        test(`${version}: a client lists services and methods, reads a contract, and makes calls with it`, async () => {
                for (const service of SERVICES) {
                        const client = new reflectionClient.GrpcReflection(addresses[service], insecure, {}, version);
                        clients.push(client.client);
                        const listed = await client.listServices();
                        const own = methods.find((m) => m.service === service);
                        assert.ok(listed.includes(serviceOf(own)), `${service}: ${listed}`);
                        assert.ok(listed.includes('grpc.health.v1.Health') && listed.includes('grpc.reflection.v1.ServerReflection'));
                        const names = (await client.listMethods(serviceOf(own))).map((m) => m.name).sort();
                        assert.deepEqual(names, open.filter((m) => m.service === service).map((m) => m.name).sort());
                }
                const client = new reflectionClient.GrpcReflection(addresses.user, insecure, {}, version);
                clients.push(client.client);
                const [ada] = await registerMany(1);
                const descriptor = await client.getDescriptorBySymbol('sonet.user.v1.UserService');
                const { UserService } = descriptor.getPackageObject({ keepCase: true }).sonet.user.v1;
                const caller = new UserService(addresses.user, insecure);
                clients.push(caller);
                const user = await new Promise((resolve, reject) => {
                        caller.GetUser({ id: ada.id }, (error, answer) => (error ? reject(error) : resolve(answer)));
                });
                assert.equal(user.username, ada.username);
        });
}

test('internal parts are hidden: internal methods, messages that only these use, SoNet\'s options', async () => {
        const { ask, call } = converse();
        for (const m of closed) {
                const answer = await ask({ file_containing_symbol: `${serviceOf(m)}.${m.name}` });
                assert.equal(answer.error_response?.error_code, grpc.status.NOT_FOUND, m.path);
        }
        const files = await Promise.all(SERVICES.map((s) => ask({ file_by_filename: `services/${s}/${s}.proto` })));
        const bytes = Buffer.concat(files.flatMap((f) => f.file_descriptor_response.file_descriptor_proto));
        for (const m of closed) {
                assert.equal(bytes.includes(Buffer.from(`\x0a${String.fromCharCode(m.name.length)}${m.name}`)), false, m.path);
        }
        const types = (ms) => new Set(ms.flatMap((m) => [m.contract.requestType.type.name, m.contract.responseType.type.name]));
        const only = [...types(closed)].filter((name) => !types(open).has(name) && name.endsWith('Request'));
        assert.ok(only.length >= 5);
        only.forEach((name) => assert.equal(bytes.includes(name), false, name));
        assert.equal(bytes.includes('sonet/options.proto'), false);
        for (const name of ['sonet/options.proto', 'services/note/note_rows.proto', '../etc/passwd', '']) {
                assert.equal((await ask({ file_by_filename: name })).error_response?.error_code, grpc.status.NOT_FOUND, name);
        }
        call.end();
});

test('requests are answered in order, each with its request, while the client sends more', async () => {
        const { ask, call, status } = converse();
        const names = Array.from({ length: 40 }, (_, i) => (i % 2 ? `sonet.nothing.v1.N${i}` : serviceOf(open[i % open.length])));
        const answers = await Promise.all(names.map((name) => ask({ host: 'h', file_containing_symbol: name })));
        assert.deepEqual(answers.map((a) => a.original_request.file_containing_symbol), names);
        answers.forEach((a, i) => assert.equal(a.message_response, i % 2 ? 'error_response' : 'file_descriptor_response'));
        assert.equal(answers[0].valid_host, 'h');
        const extensions = await ask({ all_extension_numbers_of_type: 'sonet.note.v1.Note' });
        assert.deepEqual(extensions.all_extension_numbers_response.extension_number ?? [], []);
        call.end();
        assert.equal((await status).code, grpc.status.OK);
});

test('an invalid or oversized request ends the stream with a problem', async () => {
        for (const [question, code] of [[{}, grpc.status.INVALID_ARGUMENT], [{ file_by_filename: 'x'.repeat(5000) }, grpc.status.RESOURCE_EXHAUSTED]]) {
                const { ask, status } = converse();
                void ask(question);
                const { code: got, metadata } = await status;
                assert.equal(got, code);
                assert.equal(metadata.get('sonet-problem-bin').length, 1);
        }
});

test('an address may have eight such streams, and can open another after closing one', async () => {
        const streams = [];
        for (let i = 0; i < 9; i++) {
                streams.push(converse());
                await Promise.race([streams[i].ask({ list_services: '' }), streams[i].status]);
        }
        const { code } = await streams[8].status;
        assert.equal(code, grpc.status.RESOURCE_EXHAUSTED);
        streams[0].call.cancel();
        await eventually('one more stream', async () => {
                const again = converse();
                const first = await Promise.race([again.ask({ list_services: '' }), again.status]);
                again.call.cancel();
                assert.ok(first.list_services_response, JSON.stringify(first));
        });
        streams.forEach((s) => s.call.cancel());
});

test('a client that does not read its responses is not read any further, and gets all of them later', async () => {
        const QUESTIONS = 8000;
        const session = http2.connect(`http://${address}`);
        const stream = session.request({ ':method': 'POST', ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
                                         'content-type': 'application/grpc', te: 'trailers' });
        const name = Buffer.from('n'.repeat(100));
        const question = Buffer.concat([Buffer.from([0, 0, 0, 0, name.length + 2, 0x22, name.length]), name]);
        const trailers = new Promise((resolve) => stream.on('trailers', resolve));
        stream.end(Buffer.concat(Array.from({ length: QUESTIONS }, () => question))); // 856 KB; the window takes 256 KiB besides what was answered
        await eventually('the responses fill the window', () => assert.equal(stream.state.localWindowSize, 0));
        await eventually('the requests fill the other one', () => assert.ok(session.socket.bytesWritten >= 256 << 10));
        const { ask, call } = converse();
        assert.ok((await ask({ list_services: '' })).list_services_response, 'others are answered meanwhile');
        call.end();
        assert.ok(session.socket.bytesWritten < 600_000, `${session.socket.bytesWritten}`);
        let bytes = 0;
        let first;
        stream.on('data', (piece) => {
                first ??= piece.readUInt32BE(1) + 5;
                bytes += piece.length;
        });
        assert.equal((await trailers)['grpc-status'], '0');
        assert.equal(bytes, QUESTIONS * first);
        session.close();
});

// The state of a client's only connection, from @grpc/grpc-js.
async function socketOf(client) {
        const channelz = grpc.getChannelzHandlers();
        const read = (method, request) => new Promise((resolve, reject) => {
                channelz[method]({ request }, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
        const { channel } = await read('GetChannel', { channel_id: client.getChannel().getChannelzRef().id });
        assert.equal(channel.subchannel_ref.length, 1);
        const { subchannel } = await read('GetSubchannel', { subchannel_id: channel.subchannel_ref[0].subchannel_id });
        assert.equal(subchannel.socket_ref.length, 1, 'the connection is there');
        return (await read('GetSocket', { socket_id: subchannel.socket_ref[0].socket_id })).socket;
}

// The long version runs for longer than a connection without requests may be idle (IDLE_MS in rpc/grpc_server.c); a stream of requests may be silent
// for a minute (CONVERSATION_IDLE_MS).
test('a client that sends keepalive pings is not disconnected, and its stream continues', { timeout: 600_000 }, async () => {
        const [everyMs, pings, rounds] = LONG ? [10_000, 2, 16] : [50, 20, 2];
        const { ask, call, client, status } = converse(address, {
                'grpc.keepalive_time_ms': everyMs, 'grpc.keepalive_timeout_ms': 20_000, 'grpc.use_local_subchannel_pool': 1,
        });
        let before;
        for (let round = 0; round <= rounds; round++) {
                assert.ok((await ask({ list_services: '' })).list_services_response);
                const { ref, data } = await socketOf(client);
                assert.deepEqual(ref, before ?? ref, 'it is the same connection');
                before = ref;
                await eventually('more pings', async () => {
                        assert.ok((await socketOf(client)).data.keep_alives_sent >= data.keep_alives_sent + pings);
                }, everyMs * pings + 60_000);
        }
        call.end();
        assert.equal((await status).code, grpc.status.OK);
});
