// Owns an authenticator based on node's crypto, which behaves correctly or incorrectly as a test requires (WebAuthn level 2).
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

// CBOR (RFC 8949) of numbers, texts, bytes and Maps.
function head(major, n) {
        if (n < 24) {
                return Buffer.from([major << 5 | n]);
        }
        return n < 256 ? Buffer.from([major << 5 | 24, n]) : Buffer.from([major << 5 | 25, n >> 8, n & 255]);
}

export function cbor(value) {
        if (typeof value === 'number') {
                return value >= 0 ? head(0, value) : head(1, -1 - value);
        }
        if (typeof value === 'string') {
                return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
        }
        if (value instanceof Map) {
                return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])]);
        }
        return Buffer.concat([head(2, value.length), value]);
}

export class Authenticator {
        constructor({ origin = 'http://localhost', rpId = 'localhost' } = {}) {
                Object.assign(this, { origin, rpId, id: randomBytes(32), count: 0 });
                this.keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
        }

        clientData(type, challenge, { origin = this.origin, ...more } = {}) {
                return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...more }));
        }

        authenticatorData(flags, count, rpId = this.rpId) {
                const counter = Buffer.alloc(4);
                counter.writeUInt32BE(count);
                return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter]);
        }

        // The result of navigator.credentials.create, as POST /v1/passkeys expects it.
        create(challenge, { flags = 0x45, rpId, fmt = 'none', algorithm = -7, client = {}, type = 'webauthn.create', badSignature = false } = {}) {
                const { x, y } = this.keys.publicKey.export({ format: 'jwk' });
                const key = cbor(new Map([[1, 2], [3, algorithm], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]));
                const idLength = Buffer.from([this.id.length >> 8, this.id.length & 255]);
                const authData = Buffer.concat([this.authenticatorData(flags, this.count, rpId), Buffer.alloc(16), idLength, this.id, key]);
                const clientData = this.clientData(type, challenge, client);
                const signature = sign('sha256', Buffer.concat([authData, sha256(badSignature ? 'else' : clientData)]), this.keys.privateKey);
                const statement = fmt === 'packed' ? new Map([['alg', -7], ['sig', signature]]) : new Map();
                return { client_data: b64(clientData), attestation_object: b64(cbor(new Map([['fmt', fmt], ['attStmt', statement], ['authData', authData]]))) };
        }

        // The result of navigator.credentials.get, as the API expects it.
        get(challenge, { flags = 0x05, rpId, client = {}, type = 'webauthn.get', count = ++this.count, userHandle, signedBy = this } = {}) {
                const authenticatorData = this.authenticatorData(flags, count, rpId);
                const clientData = this.clientData(type, challenge, client);
                return { id: b64(this.id), client_data: b64(clientData), authenticator_data: b64(authenticatorData),
                         signature: b64(sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), signedBy.keys.privateKey)),
                         ...(userHandle === undefined ? {} : { user_handle: userHandle }) };
        }
}
