// Invalid tokens: forged, altered, foreign, ended. Each gets 401 with WWW-Authenticate, on private and public routes.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { connectGrpc } from './protos.mjs';
import { b64, serversKey, signedBy } from './signing.mjs';
import { api, assertTokenIsRefused, eventually, must, problem, register } from './shared.mjs';

let alice;
let header; // alice's, decoded
let claims;
let jwk;
let note;
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

before(async () => {
        alice = await register();
        note = await alice.note('mine', 'only_me');
        [header, claims] = alice.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
        jwk = must(await api('GET', '/.well-known/jwks.json')).keys.find((k) => k.kid === header.kid);
});

const macBy = (secret, head, body) => {
        const text = `${b64(head)}.${b64(body)}`;
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const signature = () => alice.token.split('.')[2];
const withParts = (head, body, mac = signature()) => `${b64(head)}.${b64(body)}.${mac}`;

async function refusedEverywhere(token, what) {
        for (const [method, path] of [['GET', '/v1/users/me'], ['GET', '/v1/timelines/home'], ['GET', `/v1/notes/${note.id}`], ['POST', '/v1/auth/logout']]) {
                const answer = await api(method, path, { headers: { authorization: `Bearer ${token}` } });
                assert.equal(answer.status, 401, `${what}: ${answer.request} ${answer.status} ${answer.text}`);
                problem(answer, 401);
        }
}

test('an unsigned token is rejected', async () => {
        for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null]) {
                for (const mac of ['', signature()]) {
                        await refusedEverywhere(withParts({ ...header, alg }, claims, mac), `alg ${alg}`);
                }
        }
        await refusedEverywhere(`${b64({ ...header, alg: 'none' })}.${b64(claims)}`, 'two parts');
});

test('a token signed with the public key as a secret is rejected', async () => {
        const key = createPublicKey({ key: jwk, format: 'jwk' });
        const secrets = [key.export({ type: 'spki', format: 'pem' }), key.export({ type: 'spki', format: 'der' }), JSON.stringify(jwk), jwk.x, jwk.y,
                         Buffer.from(jwk.x, 'base64url'), Buffer.concat([Buffer.from([4]), Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')])];
        for (const secret of secrets) {
                await refusedEverywhere(macBy(secret, { ...header, alg: 'HS256' }, claims), 'HS256');
        }
});

test('a token signed with another key is rejected, whatever its header', async () => {
        const foreign = own.publicKey.export({ format: 'jwk' });
        for (const head of [header, { ...header, kid: 'other' }, { ...header, kid: undefined }, { ...header, jwk: foreign }, { ...header, kid: undefined, jwk: foreign },
                            { ...header, jku: 'http://127.0.0.1:1/jwks.json' }, { ...header, x5u: 'http://127.0.0.1:1/' }, { ...header, kid: '../../../dev/null' },
                            { ...header, crit: ['exp'] }]) {
                await refusedEverywhere(signedBy(own.privateKey, head, claims), JSON.stringify(head));
        }
        const text = `${b64({ ...header, alg: 'RS256' })}.${b64(claims)}`;
        await refusedEverywhere(`${text}.${sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`, 'RS256');
});

test('a token signed with another key is rejected, whatever its claims', async () => {
        const now = Math.floor(Date.now() / 1000);
        for (const changed of [{ exp: now - 1 }, { exp: now + 1e9 }, { exp: 'never' }, { exp: undefined }, { nbf: now + 3600 }, { iss: 'other' }, { aud: 'other' },
                               { sub: '00000000-0000-0000-0000-000000000000' }, { sub: undefined }, { sid: undefined }, { scope: 'admin' }]) {
                await refusedEverywhere(signedBy(own.privateKey, header, { ...claims, ...changed }), JSON.stringify(changed));
        }
});

test('a token signed with the right key is rejected if it has expired or is not valid yet', { skip: !process.env.SONET_E2E_KEY_FILE && 'the server is not ours' }, async () => {
        const key = serversKey(jwk);
        const wire = connectGrpc(JSON.parse(process.env.SONET_GRPC));
        try {
                const now = Math.floor(Date.now() / 1000);
                const good = signedBy(key, header, { ...claims, exp: now + 60 });
                must(await api('GET', '/v1/users/me', { token: good })); // with this signature it is accepted
                assert.equal((await wire.call('GetMe', {}, { token: good })).answer.id, alice.id);
                for (const changed of [{ exp: now - 1 }, { exp: now - 1, iat: now - 901, nbf: now - 901 }, { exp: 0 }, { nbf: now + 3600 }]) {
                        const bad = signedBy(key, header, { ...claims, ...changed });
                        const code = changed.nbf > now ? 'token_not_yet_valid' : 'token_expired';
                        await refusedEverywhere(bad, code);
                        problem(await api('GET', '/v1/users/me', { token: bad }), 401, { code });
                        const { error } = await wire.call('GetMe', {}, { token: bad });
                        assert.equal(error.code, grpc.status.UNAUTHENTICATED);
                        assert.equal(error.problem.code, code);
                }
        } finally {
                wire.close();
        }
});

test('altered claims with the old signature are rejected', async () => {
        for (const changed of [{ sub: '01890000-0000-7000-8000-000000000000' }, { exp: claims.exp + 3600 }, { scope: 'read write admin' }, { sid: claims.sub }, { epoch: 99 }]) {
                await refusedEverywhere(withParts(header, { ...claims, ...changed }), JSON.stringify(changed));
        }
        await refusedEverywhere(withParts({ ...header, typ: 'JWT' }, claims), 'typ');
});

test('an altered signature is rejected', async () => {
        const [head, body, mac] = alice.token.split('.');
        const bytes = Buffer.from(mac, 'base64url');
        const changed = Buffer.from(bytes);
        changed[0] ^= 1;
        const zeros = Buffer.alloc(bytes.length).toString('base64url');
        const swapped = Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]).toString('base64url');
        const der = sign('sha256', Buffer.from(`${head}.${body}`), own.privateKey).toString('base64url');
        for (const bad of [changed.toString('base64url'), zeros, swapped, der, '', 'A', mac.slice(0, -2), `${mac}AA`, `${mac}.${mac}`, `${mac}=`, `${mac}\u00e9`]) {
                await refusedEverywhere(`${head}.${body}.${bad}`.replace('\u00e9', '%C3%A9'), bad);
        }
});

test('garbage is not accepted as a token', async () => {
        for (const token of ['x', '..', '...', 'a.b.c', 'null', `${alice.token} ${alice.token}`, `${alice.token},`, '{}', b64('{}'), 'A'.repeat(4000), '.'.repeat(4000),
                             `${b64('{"alg":"ES256"')}.e30.AA`, `${b64('[]')}.${b64('[]')}.AA`, alice.id, alice.refreshToken, alice.session]) {
                await refusedEverywhere(token, token.slice(0, 40));
        }
});

test('other schemes, and Bearer without a token, are rejected', async () => {
        for (const authorization of ['Bearer', 'Bearer ', `Basic ${b64('a:b')}`, alice.token, `Token ${alice.token}`, `Bearer: ${alice.token}`, 'Digest x="y"']) {
                problem(await api('GET', '/v1/users/me', { headers: { authorization } }), 401);
        }
        for (const scheme of ['bearer', 'BEARER']) {
                must(await api('GET', '/v1/users/me', { headers: { authorization: `${scheme} ${alice.token}` } }));
        }
});

test('a token in the query is ignored', async () => {
        const answer = await api('GET', `/v1/users/me?access_token=${alice.token}`);
        problem(answer, 401, { code: 'token_missing' });
});

test('the token of an ended session is rejected on private and public routes', async () => {
        const bob = await register();
        must(await bob.get('/v1/users/me'));
        must(await bob.post('/v1/auth/logout'), 204);
        await assertTokenIsRefused(bob.token);
        await eventually('it is rejected everywhere', async () => {
                await refusedEverywhere(bob.token, 'an ended session');
        }, 3000);
});

test('a read with an invalid token is never treated as anonymous', async () => {
        const open = await alice.note('open to all');
        must(await api('GET', `/v1/notes/${open.id}`));
        problem(await api('GET', `/v1/notes/${open.id}`, { token: `${alice.token}x` }), 401);
});

test('after all this alice\'s token still works', async () => {
        must(await alice.get('/v1/users/me'));
        assert.equal(must(await alice.get('/v1/sessions')).items.length, 1);
});
