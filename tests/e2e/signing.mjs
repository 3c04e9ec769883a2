// Hand-made access tokens, also signed with the server's own key.
import { createPrivateKey, hkdfSync, sign } from 'node:crypto';
import fs from 'node:fs';

export const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function signedBy(key, head, body) {
        const text = `${b64(head)}.${b64(body)}`;
        return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// The server's signing key, derived from its key file as in auth/token_keys.c; jwk is its public part.
export function serversKey(jwk) {
        const master = Buffer.from(fs.readFileSync(process.env.SONET_E2E_KEY_FILE, 'utf8').trim(), 'base64url');
        const derive = (label) => Buffer.from(hkdfSync('sha256', master, 'sonet key file', label, 32)).toString('hex');
        const wide = BigInt(`0x${derive('access-token-es256')}${derive('access-token-es256 extra bits')}`);
        const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n; // of P-256
        const d = Buffer.from((wide % (order - 1n) + 1n).toString(16).padStart(64, '0'), 'hex').toString('base64url');
        return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y, d }, format: 'jwk' });
}
