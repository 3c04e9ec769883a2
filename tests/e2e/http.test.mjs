// Properties of every response: entity tags, CORS, request IDs; and routes outside the API (health, readiness, metrics).
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { api, must, net, problem, register, registerMany } from './shared.mjs';

test('an unchanged response is 304 without a body', async () => {
        const alice = await register();
        const note = await alice.note('stable');
        for (const path of [`/v1/notes/${note.id}`, '/v1/timelines/home', `/v1/users/${alice.id}`, '/openapi.json', '/.well-known/jwks.json']) {
                const first = await alice.get(path);
                must(first);
                assert.match(first.headers.etag ?? '', /^(W\/)?"[^"]+"$/, path);
                const etag = first.headers.etag;
                for (const header of [etag, `"x", ${etag}`, `W/${etag.replace(/^W\//, '')}`]) {
                        const again = await alice.get(path, { headers: { 'if-none-match': header } });
                        assert.equal(again.status, 304, `${path} ${header}`);
                        assert.equal(again.text, '');
                        assert.equal(again.headers.etag, etag);
                        assert.equal(again.headers['content-length'], undefined, 'RFC 9110, 8.6');
                }
                assert.equal(must(await alice.get(path, { headers: { 'if-none-match': '"other"' } })) !== null, true);
        }
});

test('an entity tag changes with the reader\'s view', async () => {
        const [alice, bob] = await registerMany(2);
        const note = await alice.note('changing');
        const seen = [(await alice.get(`/v1/notes/${note.id}`)).headers.etag];
        const next = async () => {
                const answer = await alice.get(`/v1/notes/${note.id}`, { headers: { 'if-none-match': seen.at(-1) } });
                must(answer);
                seen.push(answer.headers.etag);
        };
        await bob.react(note.id, 'like');
        await next();
        await alice.react(note.id, 'like');
        await next();
        must(await alice.patch(`/v1/notes/${note.id}`, { text: 'changed' }));
        await next();
        assert.equal(new Set(seen).size, seen.length);
});

test('personal responses are not stored in shared caches', async () => {
        const alice = await register();
        const answer = await alice.get('/v1/timelines/home');
        assert.equal(answer.headers['cache-control'], 'private, no-cache');
});

// Raw bytes: {status, headers, bytes}.
function fetchRaw(method, path, { token, ...headers } = {}) {
        return new Promise((resolve, reject) => {
                const all = token ? { ...headers, authorization: `Bearer ${token}` } : headers;
                http.request(net.url + path, { method, headers: all }, (response) => {
                        const chunks = [];
                        response.on('data', (chunk) => chunks.push(chunk));
                        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) }));
                }).on('error', reject).end();
        });
}

test('responses over a kilobyte are compressed on request, with separate entity tags', async () => {
        const alice = await register();
        const { token } = alice;
        for (let i = 0; i < 4; i++) {
                await alice.note(`note ${i} `.repeat(50));
        }
        for (const path of ['/v1/timelines/home', '/openapi.json', '/']) {
                const plain = await fetchRaw('GET', path, { token });
                const packed = await fetchRaw('GET', path, { token, 'accept-encoding': 'gzip, deflate, br' });
                assert.equal(plain.headers['content-encoding'], undefined, path);
                assert.equal(packed.headers['content-encoding'], 'gzip', path);
                assert.match(packed.headers.vary, /accept-encoding/i);
                assert.match(plain.headers.vary, /accept-encoding/i);
                assert.deepEqual(gunzipSync(packed.bytes), plain.bytes, path);
                assert.ok(packed.bytes.length < plain.bytes.length, path);
                assert.notEqual(packed.headers.etag, plain.headers.etag);
                const head = await fetchRaw('HEAD', path, { token, 'accept-encoding': 'gzip' });
                assert.deepEqual([head.status, head.bytes.length, head.headers['content-encoding'], head.headers.etag],
                                 [200, 0, 'gzip', packed.headers.etag], path);
                assert.equal(head.headers['content-length'], path.startsWith('/v1/') ? undefined : String(packed.bytes.length), 'unless it was coded for this');
                const unchanged = await fetchRaw('GET', path, { token, 'accept-encoding': 'gzip', 'if-none-match': packed.headers.etag });
                assert.deepEqual([unchanged.status, unchanged.bytes.length, unchanged.headers.etag], [304, 0, packed.headers.etag], path);
                const other = await fetchRaw('GET', path, { token, 'accept-encoding': 'gzip', 'if-none-match': plain.headers.etag });
                assert.equal(other.status, 200, 'other bytes than the client has');
                assert.equal((await fetchRaw('GET', path, { token, 'accept-encoding': 'zstd' })).headers['content-encoding'], path === '/' ? undefined : 'zstd');
                assert.equal((await fetchRaw('GET', path, { token, 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined);
        }
        assert.equal((await fetchRaw('GET', '/v1/users/me', { token, 'accept-encoding': 'gzip' })).headers['content-encoding'], undefined, 'below a kilobyte');
});

test('a response with tokens is never compressed', async () => {
        const alice = await register();
        must(await alice.patch('/v1/users/me', { bio: 'the same again '.repeat(30) }));
        const headers = { 'accept-encoding': 'gzip, zstd' };
        const logIn = await api('POST', '/v1/auth/login', { headers, body: { login: alice.username, password: alice.password } });
        const refresh = await api('POST', '/v1/auth/refresh', { headers, body: { refresh_token: alice.refreshToken } });
        for (const answer of [logIn, refresh]) {
                must(answer);
                assert.ok(answer.text.length > 1024, `${answer.text.length} bytes, which would show nothing`);
                assert.equal(answer.headers['content-encoding'], undefined);
        }
});

test('the OpenAPI document has the server address that the client used', async () => {
        const servers = async (headers) => JSON.parse((await fetchRaw('GET', '/openapi.json', headers)).bytes).servers.map((s) => s.url);
        assert.deepEqual(await servers({}), [net.url]);
        for (let i = 0; i < 8; i++) { // more than are cached
                assert.deepEqual(await servers({ host: `social${i}.example.org` }), [`http://social${i}.example.org`]);
                const packed = await fetchRaw('GET', '/openapi.json', { host: `social${i}.example.org`, 'accept-encoding': 'gzip' });
                assert.deepEqual(JSON.parse(gunzipSync(packed.bytes)).servers[0].url, `http://social${i}.example.org`);
        }
        assert.deepEqual(await servers({ 'x-forwarded-proto': 'https' }), [net.url], 'nobody here is a trusted proxy');
});

test('HEAD responds like GET, without a body', async () => {
        const alice = await register();
        const note = await alice.note('head');
        for (const path of [`/v1/notes/${note.id}`, '/healthz', '/openapi.json']) {
                const head = await api('HEAD', path, { token: alice.token });
                assert.equal(head.status, 200, path);
                assert.equal(head.text, '');
                const { text, headers } = await alice.get(path);
                assert.equal(head.headers['content-length'], String(Buffer.byteLength(text)), path);
                assert.equal(head.headers.etag, headers.etag, path);
        }
        assert.equal((await api('HEAD', '/v1/nothing')).status, 404);
});

test('CORS preflight requests succeed from any origin', async () => {
        for (const [method, path] of [['POST', '/v1/notes'], ['DELETE', '/v1/notes/01890000-0000-7000-8000-000000000000'], ['GET', '/v1/timelines/home'],
                                      ['PATCH', '/v1/users/me']]) {
                const answer = await api('OPTIONS', path, { headers: {
                        origin: 'https://app.example.org', 'access-control-request-method': method,
                        'access-control-request-headers': 'authorization, content-type, idempotency-key, if-none-match' } });
                assert.equal(answer.status, 204, path);
                assert.ok(['*', 'https://app.example.org'].includes(answer.headers['access-control-allow-origin']), path);
                const methods = answer.headers['access-control-allow-methods'].split(/\s*,\s*/);
                assert.ok(methods.includes(method), `${path}: ${methods}`);
                const allowed = answer.headers['access-control-allow-headers'].toLowerCase();
                for (const name of ['authorization', 'content-type', 'idempotency-key']) {
                        assert.ok(allowed.includes(name), `${name} in ${allowed}`);
                }
        }
});

test('CORS allows any header that tracing libraries add', async () => {
        const names = 'authorization,baggage,b3,sentry-trace,traceparent,tracestate,x-b3-traceid,x-datadog-trace-id,x-request-id';
        const preflight = (asked) => api('OPTIONS', '/v1/notes', { headers: { origin: 'https://app.example.org', 'access-control-request-method': 'POST',
                                                                              ...(asked === undefined ? {} : { 'access-control-request-headers': asked }) } });
        for (const asked of [names, names.replaceAll(',', ', ')]) {
                const allowed = (await preflight(asked)).headers['access-control-allow-headers'].split(/, ?/);
                assert.deepEqual(allowed, names.split(','));
        }
        for (const asked of [undefined, 'x-a: b', 'a;b', '"']) { // empty, or not a list of names: the API's own
                const allowed = (await preflight(asked)).headers['access-control-allow-headers'].toLowerCase();
                assert.ok(allowed.includes('authorization') && allowed.includes('idempotency-key') && !allowed.includes('x-a'), allowed);
        }
});

test('responses and errors are readable across origins, with the relevant headers', async () => {
        const alice = await register();
        const headers = { origin: 'https://app.example.org' };
        for (const answer of [await alice.get('/v1/timelines/home', { headers }), await api('GET', '/v1/timelines/home', { headers }),
                              await api('GET', '/v1/nothing', { headers })]) {
                assert.ok(['*', 'https://app.example.org'].includes(answer.headers['access-control-allow-origin']), answer.request);
                const exposed = (answer.headers['access-control-expose-headers'] ?? '').toLowerCase();
                for (const name of ['link', 'etag', 'x-request-id', 'retry-after']) {
                        assert.ok(exposed.includes(name), `${name} in ${exposed}`);
                }
                assert.equal(answer.headers['access-control-allow-credentials'], undefined, 'tokens travel in a header, not in cookies');
        }
});

test('every response has a request ID; a valid one from the client is adopted', async () => {
        const own = 'e2e-0123456789abcdef';
        assert.equal((await api('GET', '/healthz', { headers: { 'x-request-id': own } })).headers['x-request-id'], own);
        const seen = new Set();
        for (const path of ['/healthz', '/v1/nothing', '/v1/timelines/home', '/openapi.json']) {
                const id = (await api('GET', path)).headers['x-request-id'];
                assert.match(id ?? '', /^[\x21-\x7e]{8,128}$/, path);
                seen.add(id);
        }
        assert.equal(seen.size, 4);
        const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
        for (const hostile of ['"}\\{x'.repeat(200), 'a b', 'x'.repeat(65), ['one', 'two'], ['same', 'same']]) {
                assert.match((await api('GET', '/healthz', { headers: { 'x-request-id': hostile } })).headers['x-request-id'], uuid, `${hostile}`);
        }
});

test('JSON has its content type and nosniff', async () => {
        const answer = await api('GET', '/v1/users?query=a');
        assert.match(answer.headers['content-type'], /^application\/json/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

test('health, readiness and metrics respond', async () => {
        assert.equal((await api('GET', '/healthz')).status, 200);
        const ready = await api('GET', '/readyz');
        assert.equal(ready.status, 200, ready.text);
        assert.match(ready.text, /^redis: up$/m);
        assert.match(ready.text, /^note: (database up|runs elsewhere, ready)/m); // in split mode the gateway has no database
        const metrics = await api('GET', '/metrics');
        assert.equal(metrics.status, 200);
        assert.match(metrics.headers['content-type'], /^text\/plain/);
        const samples = metrics.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        assert.ok(samples.length > 10);
        for (const line of samples) {
                assert.match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*",?)*\})? (-?[0-9.e+-]+|[+-]Inf|NaN)( \d+)?$/);
        }
        assert.ok(samples.some((line) => /method=/.test(line)), 'requests are counted by method');
});

test('metrics and readiness contain no members and no secrets', async () => {
        const alice = await register();
        await alice.note('private words in a note');
        const text = (await api('GET', '/metrics')).text + (await api('GET', '/readyz')).text;
        for (const secret of [alice.username, alice.id, alice.token, 'private words', 'password=']) {
                assert.ok(!text.includes(secret), secret);
        }
});

test('unknown paths are not found, and wrong methods get the allowed ones', async () => {
        const alice = await register();
        for (const path of ['/v1', '/v2/notes', '/v1/notes/', '//v1/notes', '/v1/nothing', '/v1/notes/x/y/z', '/V1/NOTES', '/v1/auth', '/admin', '/.env']) {
                problem(await alice.get(path), 404);
        }
        for (const [method, path, allowed] of [
                ['DELETE', '/v1/notes', ['POST']], ['PUT', '/v1/notes', ['POST']], ['POST', '/v1/timelines/home', ['GET']],
                ['GET', '/v1/auth/login', ['POST']], ['POST', '/v1/notes/01890000-0000-7000-8000-000000000000', ['GET', 'PATCH', 'DELETE']],
                ['GET', '/v1/notes/01890000-0000-7000-8000-000000000000/like', ['PUT', 'DELETE']], ['POST', '/v1/users/me', ['GET', 'PATCH']],
                ['POST', '/healthz', ['GET']], ['DELETE', '/openapi.json', ['GET']]]) {
                const answer = await alice.api(method, path, { token: alice.token });
                problem(answer, 405);
                const allow = (answer.headers.allow ?? '').split(/\s*,\s*/);
                allowed.forEach((m) => assert.ok(allow.includes(m), `${method} ${path}: Allow: ${answer.headers.allow}`));
                assert.ok(!allow.includes(method), `${method} ${path}`);
        }
});
