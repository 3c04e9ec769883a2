// Passkeys: real ceremonies in a browser with a virtual authenticator, and everything that an authenticator, a page or an attacker may do wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authenticator, cbor } from './authenticator.mjs';
import { Browser } from './browser.mjs';
import { mailsTo } from './operator.mjs';
import { PASSWORD, api, eventually, logIn, must, net, problem, register } from './shared.mjs';

const options = async (token) => must(await api('POST', '/v1/passkeys/options', { token }));
const create = (token, body) => api('POST', '/v1/passkeys', { token, body });
const challenge = async () => must(await api('POST', '/v1/auth/passkey/options')).challenge;
const passkeyLogIn = (passkey) => api('POST', '/v1/auth/passkey', { body: { passkey } });
const stepUp = (token, body) => api('POST', '/v1/auth/step-up', { token, body });
const list = async (token) => must(await api('GET', '/v1/passkeys', { token })).items;
const password = (member) => api('POST', '/v1/auth/login', { body: { login: member.username, password: PASSWORD } });
const loginToken = async (member) => problem(await password(member), 401, { code: 'second_factor_required' }).login_token;

async function withPasskey(made = {}) {
        const member = await register();
        const authenticator = new Authenticator();
        const created = must(await create(member.token, { name: 'Key', ...authenticator.create((await options(member.token)).challenge, made) }), 201);
        return { member, authenticator, created };
}

// ---- In a browser ----

const IN_THE_PAGE = `
        const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
        const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        async function create(o) {
                const { response } = await navigator.credentials.create({ publicKey: {
                        challenge: bytes(o.challenge), rp: { id: o.rp_id, name: o.rp_name },
                        user: { id: bytes(o.user_id), name: o.username, displayName: o.display_name },
                        pubKeyCredParams: o.algorithms.map((alg) => ({ type: 'public-key', alg })), timeout: o.timeout_ms,
                        excludeCredentials: o.exclude.map((id) => ({ type: 'public-key', id: bytes(id) })),
                        authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' } } });
                return { client_data: text(response.clientDataJSON), attestation_object: text(response.attestationObject) };
        }
        async function get(o, userVerification) {
                const { rawId, response } = await navigator.credentials.get({ publicKey: {
                        challenge: bytes(o.challenge), rpId: o.rp_id, timeout: o.timeout_ms, userVerification } });
                return { id: text(rawId), client_data: text(response.clientDataJSON), authenticator_data: text(response.authenticatorData),
                         signature: text(response.signature), user_handle: text(response.userHandle) };
        }`;

test('a real ceremony: a passkey is created, used for logging in, as second factor and for a step-up, and a copy of it is detected', async () => {
        const browser = await Browser.start();
        try {
                const { send, run } = await browser.open(net.url.replace('127.0.0.1', 'localhost'));
                await eventually('the page', async () => (await run('location.hostname')) === 'localhost');
                await send('WebAuthn.enable');
                const { authenticatorId } = await send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal',
                        hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
                await run(IN_THE_PAGE);
                const made = async (o) => run(`create(${JSON.stringify(o)})`);
                const proof = async (verification = 'preferred') =>
                        run(`get(${JSON.stringify(must(await api('POST', '/v1/auth/passkey/options')))}, '${verification}')`);
                const member = await register();

                const { passkey, recovery_codes: codes } = must(await create(member.token, { name: 'Laptop', ...await made(await options(member.token)) }), 201);
                assert.deepEqual([passkey.name, passkey.last_used_at, codes.length], ['Laptop', null, 10]);
                await assert.rejects(made(await options(member.token)), /InvalidStateError|excluded|already/i); // the browser knows it from `exclude`

                const alone = must(await passkeyLogIn(await proof('required')));
                assert.equal(alone.user.id, member.id);
                const refused = problem(await password(member), 401, { code: 'second_factor_required' });
                assert.deepEqual(refused.methods, ['recovery_code', 'passkey']);
                must(await api('POST', '/v1/auth/login/verify', { body: { login_token: refused.login_token, passkey: await proof() } }));
                must(await stepUp(alone.access_token, { passkey: await proof() }));
                assert.ok((await list(member.token))[0].last_used_at);

                const { credentials: [copy] } = await send('WebAuthn.getCredentials', { authenticatorId });
                await send('WebAuthn.removeCredential', { authenticatorId, credentialId: copy.credentialId });
                await send('WebAuthn.addCredential', { authenticatorId, credential: { ...copy, signCount: 1 } });
                problem(await passkeyLogIn(await proof('required')), 401, { code: 'passkey_cloned' });

                must(await api('DELETE', `/v1/passkeys/${passkey.id}`, { token: member.token }), 204);
                problem(await passkeyLogIn(await proof('required')), 401, { code: 'passkey_unknown', field: 'id' });
                await logIn(member.username);
        } finally {
                await browser.stop();
        }
});

// ---- Invalid ceremonies ----

test('a challenge works once', async () => {
        const { member, authenticator } = await withPasskey();
        const proof = authenticator.get(await challenge());
        must(await passkeyLogIn(proof));
        problem(await passkeyLogIn(proof), 401, { code: 'challenge_invalid', field: 'client_data' });
        problem(await passkeyLogIn(authenticator.get(JSON.parse(Buffer.from(proof.client_data, 'base64url')).challenge)), 401, { code: 'challenge_invalid' });
        const { challenge: once } = await options(member.token);
        const answers = await Promise.all([1, 2, 3].map(() => create(member.token, new Authenticator().create(once))));
        assert.deepEqual(answers.map((a) => a.status).sort(), [201, 422, 422]);
        assert.equal((await list(member.token)).length, 2);
});

test('challenges of other members, and for other purposes, are rejected', async () => {
        const { member, authenticator } = await withPasskey();
        const other = await register();
        problem(await create(member.token, new Authenticator().create((await options(other.token)).challenge)), 422, { code: 'challenge_invalid' });
        problem(await create(member.token, new Authenticator().create(await challenge())), 422, { code: 'challenge_invalid' });
        problem(await passkeyLogIn(authenticator.get((await options(member.token)).challenge)), 401, { code: 'challenge_invalid' });
        problem(await passkeyLogIn(authenticator.get('AAAA')), 401, { code: 'challenge_invalid' });
        assert.equal((await list(member.token)).length, 1);
});

test('other origins, other networks and other ceremonies are rejected', async () => {
        const { member, authenticator } = await withPasskey();
        const evil = { client: { origin: 'https://evil.example' } };
        problem(await passkeyLogIn(authenticator.get(await challenge(), evil)), 422, { code: 'origin_wrong', field: 'client_data' });
        problem(await passkeyLogIn(authenticator.get(await challenge(), { client: { crossOrigin: true } })), 422, { code: 'origin_wrong' });
        problem(await passkeyLogIn(authenticator.get(await challenge(), { type: 'webauthn.create' })), 422, { code: 'passkey_malformed' });
        problem(await passkeyLogIn(authenticator.get(await challenge(), { rpId: 'evil.example' })), 401, { code: 'passkey_wrong', field: 'signature' });
        for (const [made, code] of [[evil, 'origin_wrong'], [{ rpId: 'evil.example' }, 'passkey_wrong'], [{ type: 'webauthn.get' }, 'passkey_malformed'],
                                    [{ flags: 0x44 }, 'passkey_wrong'], [{ algorithm: -35 }, 'passkey_unsupported'], [{ fmt: 'tpm' }, 'passkey_unsupported'],
                                    [{ fmt: 'packed', badSignature: true }, 'passkey_wrong']]) {
                problem(await create(member.token, new Authenticator().create((await options(member.token)).challenge, made)), 422, { code });
        }
        assert.equal((await list(member.token)).length, 1);
        must(await create(member.token, new Authenticator().create((await options(member.token)).challenge, { fmt: 'packed' })), 201);
});

test('foreign signatures, and assertions without user presence or verification, are rejected', async () => {
        const { member, authenticator } = await withPasskey();
        problem(await passkeyLogIn(authenticator.get(await challenge(), { signedBy: new Authenticator() })), 401, { code: 'passkey_wrong' });
        problem(await passkeyLogIn(authenticator.get(await challenge(), { flags: 0x01 })), 401, { code: 'passkey_wrong' }); // for logging in, it must verify its user
        problem(await passkeyLogIn(authenticator.get(await challenge(), { flags: 0x04 })), 401, { code: 'passkey_wrong' });
        must(await stepUp(member.token, { passkey: authenticator.get(await challenge(), { flags: 0x01 }) })); // with a session it need not
        problem(await passkeyLogIn(new Authenticator().get(await challenge())), 401, { code: 'passkey_unknown', field: 'id' });
});

test('passkeys of another member are rejected', async () => {
        const { member } = await withPasskey();
        const thief = await withPasskey();
        const theirs = async (more) => thief.authenticator.get(await challenge(), more);
        problem(await stepUp(member.token, { passkey: await theirs() }), 401, { code: 'passkey_unknown' });
        problem(await api('POST', '/v1/auth/login/verify', { body: { login_token: await loginToken(member), passkey: await theirs() } }), 401, { code: 'passkey_unknown' });
        const handle = Buffer.from(member.id.replaceAll('-', ''), 'hex').toString('base64url');
        problem(await passkeyLogIn(await theirs({ userHandle: handle })), 401, { code: 'passkey_unknown' });
        problem(await api('DELETE', `/v1/passkeys/${thief.created.passkey.id}`, { token: member.token }), 404);
        const again = thief.authenticator.create((await options(member.token)).challenge);
        problem(await create(member.token, again), 409, { code: 'passkey_known', field: 'attestation_object' });
        assert.equal(must(await passkeyLogIn(await theirs())).user.id, thief.member.id);
});

test('a counter that does not grow means a copy; one that is always zero does not', async () => {
        const { authenticator, member } = await withPasskey();
        must(await passkeyLogIn(authenticator.get(await challenge(), { count: 5 })));
        for (const count of [5, 4, 0]) {
                problem(await passkeyLogIn(authenticator.get(await challenge(), { count })), 401, { code: 'passkey_cloned' });
        }
        await eventually('the owner is told', () => mailsTo(`${member.username}@example.org`).some((m) => /^Subject: There may be a copy of your passkey/m.test(m)));
        must(await passkeyLogIn(authenticator.get(await challenge(), { count: 6 })));
        const zero = await withPasskey();
        must(await passkeyLogIn(zero.authenticator.get(await challenge(), { count: 0 })));
        must(await passkeyLogIn(zero.authenticator.get(await challenge(), { count: 0 })));
});

test('bytes that are not a credential are rejected', async () => {
        const member = await register();
        const { challenge: fresh } = await options(member.token);
        const good = new Authenticator().create(fresh);
        const whole = Buffer.from(good.attestation_object, 'base64url');
        const nested = Buffer.concat([Buffer.alloc(6000, 0x81), Buffer.from([0])]);
        const bad = ['', 'x', 'not base64url!', whole.subarray(0, -1), Buffer.concat([whole, Buffer.from([0])]), Buffer.from([0xbf]), Buffer.from([0x5b, 255, 255, 255, 255, 255, 255, 255, 255]),
                     Buffer.concat([Buffer.from([0xa3]), cbor('attStmt'), nested]), cbor(new Map([['fmt', 'none'], ['authData', Buffer.alloc(100)]]))];
        for (const object of bad) {
                const attestation_object = typeof object === 'string' ? object : object.toString('base64url');
                problem(await create(member.token, { ...good, attestation_object }), 422, { field: 'attestation_object' });
        }
        problem(await create(member.token, { ...good, attestation_object: 'A'.repeat(30_000) }), 422, { field: 'attestation_object' });
        for (const client_data of ['e30', Buffer.from('[]').toString('base64url'), Buffer.from('{"type":"webauthn.create"').toString('base64url')]) {
                problem(await create(member.token, { ...good, client_data }), 422, { code: 'passkey_malformed', field: 'client_data' });
        }
        assert.deepEqual(await list(member.token), []);
        must(await create(member.token, good), 201); // none of these used up the challenge
});

test('removing the last factor removes the recovery codes; there are at most twenty passkeys', async () => {
        const { member, created } = await withPasskey();
        assert.equal(must(await api('GET', '/v1/2fa', { token: member.token })).passkeys, 1);
        for (let i = 1; i < 20; i++) {
                const { recovery_codes } = must(await create(member.token, new Authenticator().create((await options(member.token)).challenge)), 201);
                assert.deepEqual(recovery_codes, []);
        }
        problem(await create(member.token, new Authenticator().create((await options(member.token)).challenge)), 409, { code: 'too_many_passkeys' });
        must(await api('POST', '/v1/auth/login/verify', { body: { login_token: await loginToken(member), code: created.recovery_codes[0] } }));
        for (const { id } of await list(member.token)) {
                must(await api('DELETE', `/v1/passkeys/${id}`, { token: member.token }), 204);
        }
        assert.deepEqual(must(await api('GET', '/v1/2fa', { token: member.token })), { enabled: false, totp_confirmed_at: null, recovery_codes_left: 0, passkeys: 0 });
});
