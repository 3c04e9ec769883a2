// A push service and a browser for tests: takes what SoNet sends, checks whom it is from (RFC 8292) and reads it (RFC 8291, 8188), with
// nothing but node's own cryptography. It keeps what was not delivered as RFC 8030 says, topics included (pushreceiver.test.mjs), which web-push-testing
// does not.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { eventually } from './client.mjs';

const unbase = (text) => Buffer.from(text, 'base64url');
const hkdf = (salt, secret, info, length) => Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, length));

// A browser's subscription: its keys, and decrypting a body.
class Subscription {
        constructor(url, path) {
                this.ecdh = crypto.createECDH('prime256v1');
                this.point = this.ecdh.generateKeys();
                this.secret = crypto.randomBytes(16);
                this.path = path;
                this.json = { endpoint: `${url}${path}`, expirationTime: null, keys: { p256dh: this.point.toString('base64url'), auth: this.secret.toString('base64url') } };
                this.body = { endpoint: this.json.endpoint, keys: this.json.keys };
        }

        read(body) {
                const [salt, size, idLength] = [body.subarray(0, 16), body.readUInt32BE(16), body[20]];
                const sender = body.subarray(21, 21 + idLength);
                assert.equal(size, 4096);
                const key = hkdf(this.secret, this.ecdh.computeSecret(sender), Buffer.concat([Buffer.from('WebPush: info\0'), this.point, sender]), 32);
                const decipher = crypto.createDecipheriv('aes-128-gcm', hkdf(salt, key, 'Content-Encoding: aes128gcm\0', 16), hkdf(salt, key, 'Content-Encoding: nonce\0', 12));
                decipher.setAuthTag(body.subarray(-16));
                const plain = Buffer.concat([decipher.update(body.subarray(21 + idLength, -16)), decipher.final()]);
                const end = plain.lastIndexOf(2);
                assert.ok(plain.subarray(end + 1).every((byte) => byte === 0), 'padding follows the delimiter of the last record');
                return JSON.parse(plain.subarray(0, end));
        }
}

// A time to live is given (5.2); a topic is at most 32 characters of the base64url alphabet (5.4).
const isRefused = ({ ttl, topic }) => !/^\d+$/.test(ttl ?? '') || (topic !== undefined && !/^[A-Za-z0-9_-]{1,32}$/.test(topic));

export class PushService {
        constructor() {
                this.pushes = []; // {path, headers, body, at, status} in order of arrival
                this.answers = {}; // path: () => [status, headers]; 201 if there is none
                this.hanging = {}; // path: a promise that responses wait for
        }

        async open() {
                this.server = http.createServer((request, response) => {
                        const chunks = [];
                        request.on('data', (chunk) => chunks.push(chunk));
                        request.on('end', async () => {
                                const push = { path: request.url, headers: request.headers, body: Buffer.concat(chunks), at: Date.now() };
                                this.pushes.push(push);
                                await this.hanging[request.url];
                                const [status, headers] = isRefused(push.headers) ? [400, {}] : this.answers[request.url]?.() ?? [201, {}];
                                push.status = status;
                                response.writeHead(status, headers).end();
                        });
                });
                await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
                this.url = `http://127.0.0.1:${this.server.address().port}`;
                return this;
        }

        async close() {
                this.server.closeAllConnections();
                await new Promise((resolve) => this.server.close(resolve));
        }

        // Requests to a path are answered only once the returned function is called.
        hang(path) {
                let release;
                this.hanging[path] = new Promise((resolve) => { release = resolve; });
                return release;
        }

        subscription() {
                return new Subscription(this.url, `/push/${crypto.randomUUID()}`);
        }

        to(subscription) {
                return this.pushes.filter((p) => p.path === subscription.path);
        }

        // What is kept for a browser that was offline since so many pushes: one with a topic replaces the one with the same, with all that it says, its time to
        // live as well (5.4); what was refused is not kept, nor what lived too long (5.2).
        outstanding(subscription, from = 0, now = Date.now()) {
                const kept = new Map();
                for (const push of this.to(subscription).slice(from).filter((p) => p.status >= 200 && p.status < 300)) {
                        const name = push.headers.topic ?? Symbol('of its own');
                        kept.delete(name);
                        kept.set(name, push);
                }
                return [...kept.values()].filter((push) => push.at + push.headers.ttl * 1000 > now);
        }

        // The same, read.
        undelivered(subscription, from = 0) {
                return this.outstanding(subscription, from).map((push) => subscription.read(push.body));
        }

        // The nth push to a subscription, decrypted.
        async wait(subscription, n = 1) {
                await eventually(`push ${n}`, () => this.to(subscription).length >= n, 60_000);
                const push = this.to(subscription)[n - 1];
                return { ...push, text: subscription.read(push.body) };
        }
}

// Whether the Authorization header is signed by the key, for the push service.
export function assertSigned(headers, publicKey, audience) {
        const [, token, key] = /^vapid t=([^,]+), ?k=(.+)$/.exec(headers.authorization);
        const [head, claims, signature] = token.split('.');
        const point = unbase(publicKey);
        const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
        assert.equal(key, publicKey);
        assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${claims}`), { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, unbase(signature)));
        const said = JSON.parse(unbase(claims));
        assert.equal(said.aud, audience);
        assert.ok(said.exp > Date.now() / 1000 && said.exp <= Date.now() / 1000 + 86400);
        assert.match(said.sub, /^(mailto:|https:)/);
}
