// Providers of SMS and app pushes for tests, following their documentation: Twilio, FCM v1 with Google's tokens, APNs
// (real HTTP/2 over TLS), and a generic one. Signatures are verified with node's own cryptography.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import os from 'node:os';
import path from 'node:path';
import { eventually } from './client.mjs';

const parts = (token) => token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));

// The claims of a JWT signed by this key.
export function claimsOf(token, key, algorithm) {
        const [head, claims] = parts(token);
        const [signed, signature] = [token.slice(0, token.lastIndexOf('.')), token.slice(token.lastIndexOf('.') + 1)];
        const how = algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key;
        assert.equal(head.alg, algorithm);
        assert.ok(crypto.verify('sha256', Buffer.from(signed), how, Buffer.from(signature, 'base64url')), 'signed by the key');
        return { head, claims };
}

export class Providers {
        constructor() {
                this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-providers-'));
                fs.chmodSync(this.dir, 0o755); // the server may run under another account
                this.google = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
                this.apple = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
                this.requests = []; // {path, headers, text}
                this.answers = {}; // path or token: () => [status, object, headers]
                this.tokens = 0; // issued by Google
        }

        write(name, content) {
                const file = path.join(this.dir, name);
                fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o644 });
                return file;
        }

        answer(request, key, usual) {
                this.requests.push(request);
                return this.answers[key]?.() ?? usual;
        }

        // Plain HTTP: Twilio, FCM, Google's tokens, and the generic provider.
        plain(request, response) {
                const chunks = [];
                request.on('data', (chunk) => chunks.push(chunk));
                request.on('end', () => {
                        const it = { path: request.url, method: request.method, headers: request.headers, text: Buffer.concat(chunks).toString() };
                        const [status, body, headers = {}] = this.answer(it, it.path, this.usual(it));
                        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
                });
        }

        usual(it) {
                if (it.path === '/token') {
                        return [200, { access_token: `granted-${++this.tokens}`, expires_in: 3599, token_type: 'Bearer' }];
                }
                if (it.path.startsWith('/v1/projects/')) {
                        return it.headers.authorization === `Bearer granted-${this.tokens}` ? [200, { name: `projects/x/messages/${crypto.randomUUID()}` }] : [401, { error: { code: 401, status: 'UNAUTHENTICATED' } }];
                }
                return [201, { sid: `SM${crypto.randomBytes(16).toString('hex')}`, status: 'queued' }];
        }

        apns(stream, headers) {
                const chunks = [];
                stream.on('data', (chunk) => chunks.push(chunk));
                stream.on('end', () => {
                        const it = { path: headers[':path'], method: headers[':method'], headers, text: Buffer.concat(chunks).toString(), http2: true };
                        const [status, body] = this.answer(it, it.path, [200, null]);
                        stream.respond({ ':status': status, 'apns-id': crypto.randomUUID() });
                        stream.end(body ? JSON.stringify(body) : undefined);
                });
        }

        async open() {
                const [key, cert] = ['tls.key', 'tls.crt'].map((name) => path.join(this.dir, name));
                execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
                this.ca = cert;
                this.http = http.createServer((request, response) => this.plain(request, response));
                this.h2 = http2.createSecureServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) });
                this.h2.on('stream', (stream, headers) => this.apns(stream, headers));
                this.sessions = new Set();
                this.h2.on('session', (session) => { this.sessions.add(session); session.on('close', () => this.sessions.delete(session)); });
                await Promise.all([this.http, this.h2].map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
                this.url = `http://127.0.0.1:${this.http.address().port}`;
                this.describe();
                return this;
        }

        // Writes the files that an operator would write, and returns the settings that name them.
        describe() {
                const pem = (key) => key.export({ type: 'pkcs8', format: 'pem' });
                const account = this.write('account.json', { client_email: 'sonet@x.example', private_key: pem(this.google.privateKey), token_uri: `${this.url}/token`, project_id: 'x-1' });
                const p8 = this.write('AuthKey.p8', pem(this.apple.privateKey));
                this.files = {
                        twilio: this.write('twilio.json', { name: 'sms', shape: 'twilio', url: `${this.url}/2010-04-01/Accounts/{account}/Messages.json`, values: { account: 'AC0', token: 'tw-secret', from: '+15005550006' } }),
                        fcm: this.write('fcm.json', { name: 'fcm', shape: 'fcm', url: `${this.url}/v1/projects/{project}/messages:send`, service_account: account }),
                        apns: this.write('apns.json', { name: 'apns', shape: 'apns', url: `https://127.0.0.1:${this.h2.address().port}/3/device/{to}`, ca: this.ca, key: p8, key_id: 'KEY0', team_id: 'TEAM0', values: { app: 'example.app' } }),
                        other: this.write('other.json', { name: 'other', url: `${this.url}/send?to={to}`, headers: { 'X-Key': '{secret}', 'Idempotency-Key': '{key}' }, type: 'application/json', body: '{"say": "{title}|{text}"}',
                                values: { secret: 'other-secret' }, reason: 'error.code', answers: [{ field: 'error.code', is: 'unknown', means: 'gone' }] }),
                };
                this.env = { SMS_PROVIDER: this.files.twilio, MOBILE_PROVIDERS: [this.files.fcm, this.files.apns, this.files.other].join(',') };
        }

        to(match, requests = this.requests) {
                return requests.filter((request) => (typeof match === 'string' ? request.path.includes(match) || request.text.includes(match) : match(request)));
        }

        // The nth request that matches.
        async wait(match, n = 1) {
                return eventually(`request ${n} of ${match}`, () => this.to(match)[n - 1] ?? false, 60_000);
        }

        async close() {
                this.http.closeAllConnections();
                this.sessions.forEach((session) => session.destroy());
                await Promise.all([this.http, this.h2].map((server) => new Promise((resolve) => server.close(resolve))));
                fs.rmSync(this.dir, { recursive: true, force: true });
        }
}
