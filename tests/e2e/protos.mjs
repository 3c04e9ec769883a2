// Owns the contract as @grpc/proto-loader reads it from the .proto files, and calling it with @grpc/grpc-js.
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import path from 'node:path';
import { SERVICES, root } from './harness.mjs';

const LOAD = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: false, includeDirs: [root, path.join(root, 'proto')] };

export const definition = loader.loadSync(SERVICES.map((s) => `services/${s}/${s}.proto`), LOAD);

// Every method of the contract: {service: 'note', name: 'CreateNote', path, access, deadline_ms, http}.
export const methods = SERVICES.flatMap((service) => {
        const [, contract] = Object.entries(definition).find(([name, d]) => name.startsWith(`sonet.${service}.v1.`) && d.format === undefined);
        return Object.entries(contract).map(([name, m]) => ({ service, name, path: m.path, ...(m.options?.['(sonet.method)'] ?? {}), contract: m }));
});

// Decodes sonet.Problem (problem.proto). proto-loader only has decoders for methods, and no method returns a problem.
export function decodeProblem(bytes) {
        const names = { 1: 'status', 2: 'code', 3: 'field', 4: 'detail', 5: 'retry_after_s', 6: 'challenge' };
        const out = { status: 0, code: '', field: '', detail: '', retry_after_s: 0 };
        let at = 0;
        const varint = () => {
                let value = 0;
                for (let shift = 0; shift < 35; shift += 7) {
                        const byte = bytes[at++];
                        value |= (byte & 0x7f) << shift;
                        if (byte < 0x80) {
                                return value >>> 0;
                        }
                }
                throw new Error('a varint without an end');
        };
        while (at < bytes.length) {
                const key = varint();
                const name = names[key >>> 3];
                if ((key & 7) === 0) {
                        out[name] = varint();
                } else if ((key & 7) === 2) {
                        const length = varint();
                        const value = bytes.subarray(at, at + length);
                        out[name] = name === 'challenge' ? value : value.toString('utf8');
                        at += length;
                } else {
                        throw new Error(`wire type ${key & 7} in a problem`);
                }
        }
        return out;
}

function headOf(token, metadata = {}) {
        const head = new grpc.Metadata();
        Object.entries({ ...(token ? { authorization: `Bearer ${token}` } : {}), ...metadata }).forEach(([k, v]) => head.set(k, v));
        return head;
}

// A client of all services at {user: 'host:port', …}.
export function connectGrpc(addresses) {
        const clients = Object.fromEntries(SERVICES.map((s) => [s, new grpc.Client(addresses[s], grpc.credentials.createInsecure())]));

        // Resolves to {answer} or {error: {code, details, problem}}, both with the trailing metadata in `trailers`; never throws on errors.
        function call(methodName, request, { token, metadata = {}, deadlineMs = 20_000 } = {}) {
                const m = methods.find((x) => x.name === methodName || x.path === methodName);
                const head = headOf(token, metadata);
                return new Promise((resolve) => {
                        let outcome;
                        clients[m.service].makeUnaryRequest(
                                m.path, m.contract.requestSerialize, m.contract.responseDeserialize, request, head, { deadline: Date.now() + deadlineMs },
                                (error, answer) => {
                                        const [bytes] = error?.metadata?.get('sonet-problem-bin') ?? [];
                                        outcome = error ? { error: { code: error.code, details: error.details, problem: bytes && decodeProblem(bytes) } } : { answer };
                                }).on('status', ({ metadata }) => setImmediate(() => resolve({ ...outcome, trailers: metadata.getMap() })));
                });
        }

        // A call with raw bytes, which returns bytes.
        function callRaw(service, methodPath, bytes, { token, deadlineMs = 20_000 } = {}) {
                const head = headOf(token);
                const same = (x) => x;
                return new Promise((resolve) => clients[service].makeUnaryRequest(methodPath, same, same, bytes, head, { deadline: Date.now() + deadlineMs },
                        (error, answer) => resolve(error ? { error: { code: error.code, details: error.details } } : { answer })));
        }

        // A call with client streaming, server streaming, or both; resolves to {answers} or {error}.
        function callStream(methodName, requests, { token, deadlineMs = 20_000 } = {}) {
                const m = methods.find((x) => x.name === methodName);
                const head = headOf(token);
                return new Promise((resolve) => {
                        const answers = [];
                        const options = { deadline: Date.now() + deadlineMs };
                        const done = (error, answer) => resolve(error ? { error } : { answers: [answer] });
                        if (m.contract.requestStream) {
                                const stream = clients[m.service].makeClientStreamRequest(m.path, m.contract.requestSerialize, m.contract.responseDeserialize, head, options, done);
                                requests.forEach((r) => stream.write(r));
                                stream.end();
                                return;
                        }
                        clients[m.service].makeServerStreamRequest(m.path, m.contract.requestSerialize, m.contract.responseDeserialize, requests[0], head, options)
                                .on('data', (d) => answers.push(d)).on('error', (error) => resolve({ error })).on('end', () => resolve({ answers }));
                });
        }

        return { call, callRaw, callStream, clients, close: () => Object.values(clients).forEach((c) => c.close()) };
}
