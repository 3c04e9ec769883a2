// Generated from the contract: every method of every service, over REST and gRPC, without a token and with each kind of invalid or insufficient
// token. New methods are covered automatically.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { admin } from './operator.mjs';
import { decodeProblem, connectGrpc, methods } from './protos.mjs';
import { api, eventually, inBatches, must, problem, register } from './shared.mjs';
import { serversKey, signedBy } from './signing.mjs';

const SCOPES = ['read', 'write', 'moderate', 'administer', 'analytics'];
const wire = connectGrpc(JSON.parse(process.env.SONET_GRPC));
const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const isInternal = (m) => m.access === 'internal';
const ignoresToken = (m) => m.access === 'public' && m.rate === 'RATE_AUTH'; // its credentials are in the message
const open = methods.filter((m) => !isInternal(m));
const readers = open.filter((m) => !ignoresToken(m));
const scoped = open.filter((m) => m.access !== 'public');
let own; // the server's own signing key, for tokens that are valid except for what is tested
let header;
let claims;
let member;

before(async () => {
        const [jwk] = must(await api('GET', '/.well-known/jwks.json')).keys;
        own = serversKey(jwk);
        member = await register();
        const [head, body] = member.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
        [header, claims] = [head, body];
});
after(() => wire.close());

// Directly to the service: on the wire, unary and client-streaming calls with one message are the same.
function overGrpc(m, token) {
        const head = new grpc.Metadata();
        if (token) {
                head.set('authorization', `Bearer ${token}`);
        }
        return new Promise((resolve) => {
                const call = wire.clients[m.service].makeBidiStreamRequest(m.path, m.contract.requestSerialize, m.contract.responseDeserialize, head,
                                                                           { deadline: Date.now() + 20_000 });
                call.on('error', () => {});
                call.on('data', () => {});
                call.on('status', ({ code, metadata }) => {
                        const [bytes] = metadata.get('sonet-problem-bin');
                        resolve({ code, problem: bytes ? decodeProblem(bytes) : { code: '' } });
                });
                call.end({});
        });
}

const TYPES = { BODY_BYTES: 'application/octet-stream', BODY_MULTIPART: 'multipart/form-data; boundary=x' };

function overRest(m, token) {
        const [verb, path] = m.http.split(' ');
        const type = TYPES[m.body] ?? 'application/json';
        const takesBody = ['POST', 'PUT', 'PATCH'].includes(verb);
        return api(verb, path.replace(/\{\w+\}/g, () => randomUUID()), { token, headers: takesBody ? { 'content-type': type } : {}, raw: takesBody ? '{}' : undefined });
}

async function refused(m, token, status, code) {
        const grpcCode = { 401: grpc.status.UNAUTHENTICATED, 403: grpc.status.PERMISSION_DENIED }[status];
        const answer = await overGrpc(m, token);
        assert.deepEqual([answer.code, answer.problem.code], [grpcCode, code], `${m.path} over gRPC`);
        if (m.http?.startsWith('HEAD ')) { // a response without a body
                assert.equal((await overRest(m, token)).status, status, m.path);
        } else if (m.http) {
                problem(await overRest(m, token), status, { code });
        }
}

const each = (list, check) => inBatches(list, 8, check);
const made = (changed, head = {}) => signedBy(own, { ...header, ...head }, { ...claims, ...changed });
const now = () => Math.floor(Date.now() / 1000);

test('the contract was read, and declares the access of every method', () => {
        assert.ok(open.length > 50, `${open.length}`);
        for (const m of methods) {
                assert.ok(['public', 'internal', ...SCOPES].includes(m.access), m.path);
        }
        assert.ok(SCOPES.every((scope) => scoped.some((m) => m.access === scope)));
});

test('a valid token created by this test is accepted', async () => {
        must(await api('GET', '/v1/users/me', { token: made({}) }));
});

test('without a token, exactly the methods that require one are refused', async () => {
        await each(scoped, (m) => refused(m, undefined, 401, 'token_missing'));
        await each(open.filter((m) => m.access === 'public'), async (m) => {
                assert.notEqual((await overGrpc(m)).problem.code, 'token_missing', m.path);
        });
});

test('a method is refused with every scope except the required one', async () => {
        await each(scoped, async (m) => {
                for (const scope of ['', SCOPES.filter((s) => s !== m.access).join(' ')]) {
                        await refused(m, made({ scope }), 403, 'scope_missing');
                }
        });
});

test('an expired, a forged and a foreign token are rejected by every method that reads tokens, including public ones', async () => {
        const tokens = {
                token_expired: made({ exp: now() - 1 }),
                token_signature: signedBy(forger.privateKey, header, claims),
                token_claims: made({ aud: 'another network' }),
                token_algorithm: `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${member.token.split('.')[1]}.`,
        };
        await each(readers, async (m) => {
                for (const [code, token] of Object.entries(tokens)) {
                        await refused(m, token, 401, code);
                }
        });
});

test('methods with credentials in the message ignore tokens', async () => {
        for (const m of open.filter(ignoresToken)) {
                assert.doesNotMatch((await overGrpc(m, 'rubbish')).problem.code, /^token_/, m.path);
        }
});

test('a token of an ended session is rejected by every method, in every process', async () => {
        const gone = await register();
        must(await gone.post('/v1/auth/logout', {}), 204);
        await each(readers, (m) => eventually(m.path, () => refused(m, gone.token, 401, 'token_revoked').then(() => true)));
});

test('a suspended member cannot call any method, in any process', async () => {
        const gone = await register();
        assert.equal((await admin('user', 'suspend', gone.username, 'a test')).code, 0);
        await each(readers, (m) => eventually(m.path, () => refused(m, gone.token, 401, 'token_revoked').then(() => true)));
});

test('a token of an earlier epoch is rejected by every method, in every process', async () => {
        const changed = await register();
        assert.equal((await admin('user', 'role', changed.username, 'moderator')).code, 0);
        await each(readers, (m) => eventually(m.path, () => refused(m, changed.token, 401, 'token_outdated').then(() => true)));
});

test('methods that require recent authentication are refused without it', async () => {
        const sensitive = scoped.filter((m) => m.step_up);
        assert.ok(sensitive.length > 0);
        const stale = made({ scope: SCOPES.join(' '), auth_time: now() - 301, iat: now() - 301, nbf: now() - 301 });
        await each(sensitive, (m) => refused(m, stale, 403, 'step_up_required'));
});

test('internal methods do not exist for external callers, whatever token they send', async () => {
        await each(methods.filter(isInternal), async (m) => {
                for (const token of [undefined, member.token, made({ scope: SCOPES.join(' ') })]) {
                        assert.equal((await overGrpc(m, token)).code, grpc.status.UNIMPLEMENTED, m.path);
                }
                assert.equal(m.http ?? '', '');
        });
});
