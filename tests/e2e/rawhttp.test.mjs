// Requests that no regular client sends: conflicting lengths, smuggling, huge and malformed heads, early errors, slow clients.
import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, test } from 'node:test';
import { api, eventually, ids, must, net, register, sleep } from './shared.mjs';
import { exchange, open, parseAnswers } from './socket.mjs';

let alice;
let written; // alice's notes before the test

before(async () => {
        alice = await register();
        await alice.note('here before');
});

// No test may make alice write anything.
beforeEach(async () => {
        written = await alice.homeIds();
});
afterEach(async () => assert.deepEqual(await alice.homeIds(), written));

const head = (lines) => ['POST /v1/notes HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${alice.token}`, 'Content-Type: application/json', ...lines, '', ''].join('\r\n');
const BODY = '{"text":"smuggled"}';
const smuggled = () => `POST /v1/notes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${alice.token}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

// Rejected with one of these statuses, then closed, and nothing written.
async function refused(bytes, status) {
        const { answers, closed } = await exchange(net.url, bytes, { count: 2, withinMs: 3000 });
        const final = answers.filter((a) => a.status >= 200);
        assert.equal(final.length, 1, `one answer, not ${final.map((a) => a.status)}`);
        assert.equal(final[0].status, status, final[0].text);
        assert.ok(closed, 'the connection is not used further');
        assert.deepEqual(await alice.homeIds(), written);
}

test('a method without a body accepts an empty chunked body, and no other', async () => {
        const request = (method, chunks) => `${method} /v1/users/${alice.id}/mute HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${alice.token}\r\n` +
                `Transfer-Encoding: chunked\r\n\r\n${chunks}`;
        const del = (chunks) => request('DELETE', chunks);
        const { answers, closed } = await exchange(net.url, del('0\r\n\r\n') + del('2\r\n{}\r\n0\r\n\r\n') + del('1\r\n{\r\n1\r\n}\r\n0\r\n\r\n') +
                                                            del('2\r\n[]\r\n0\r\n\r\n') + 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', { count: 5 });
        assert.deepEqual(answers.map((a) => a.status), [422, 422, 422, 400, 200], 'nobody mutes oneself, but that was asked');
        assert.ok(!closed);
        await refused(del(`50\r\n${' '.repeat(80)}\r\n0\r\n\r\n`), 413);
});

test('conflicting lengths are rejected, and the rest is not parsed as a request', async () => {
        const cases = [
                ['Content-Length: 5', `Content-Length: ${BODY.length}`], [`Content-Length: ${BODY.length}`, 'Content-Length: 0'],
                [`Content-Length: ${BODY.length}, 5`], ['Content-Length: -1'], ['Content-Length: +19'], ['Content-Length: 0x13'], ['Content-Length: 19abc'],
                ['Content-Length: 99999999999999999999999'], ['Content-Length: '], ['Content-Length: 1 9'],
        ];
        for (const lines of cases) {
                await refused(head(lines) + BODY + smuggled(), lines[0].includes('999') ? 413 : 400);
        }
});

test('a length with a chunked body is rejected', async () => {
        const chunked = `13\r\n${BODY}\r\n0\r\n\r\n`;
        for (const lines of [['Content-Length: 5', 'Transfer-Encoding: chunked'], ['Transfer-Encoding: chunked', 'Content-Length: 500']]) {
                await refused(head(lines) + chunked + smuggled(), 400);
        }
});

test('unknown transfer codings are rejected', async () => {
        for (const coding of ['gzip', 'chunked, gzip', 'xchunked', 'chunked, chunked', 'identity, chunked']) {
                await refused(head([`Transfer-Encoding: ${coding}`]) + `13\r\n${BODY}\r\n0\r\n\r\n` + smuggled(), 501);
        }
});

test('malformed chunks are rejected', async () => {
        for (const chunks of ['zz\r\n{}\r\n0\r\n\r\n', '-1\r\n{}\r\n0\r\n\r\n', 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n', '2\r\n{}xx0\r\n\r\n']) {
                await refused(head(['Transfer-Encoding: chunked']) + chunks, 400);
        }
});

test('a body over the limit is rejected before it is sent', async () => {
        for (const length of [65537 * 16, 104857600, 9007199254740993]) {
                const { answers } = await exchange(net.url, head([`Content-Length: ${length}`]), { withinMs: 5000 });
                assert.equal(answers[0]?.status, 413, `${length}`);
                assert.match(answers[0].headers['content-type'], /^application\/problem\+json/);
        }
        const expecting = await exchange(net.url, head(['Content-Length: 104857600', 'Expect: 100-continue']), { withinMs: 5000 });
        assert.deepEqual(expecting.answers.map((a) => a.status), [413]);
});

test('chunks over the limit are rejected while they arrive', async () => {
        const connection = open(net.url);
        connection.send(head(['Transfer-Encoding: chunked']));
        const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
        for (let i = 0; i < 2000 && !connection.isClosed() && !connection.received().includes('\r\n\r\n'); i++) {
                connection.send(chunk);
                await sleep(i % 16 ? 0 : 5);
        }
        const got = connection.received();
        connection.destroy();
        assert.match(got, /^HTTP\/1\.1 413/);
});

test('a plain client gets 413 as a problem', async () => {
        const answer = await api('POST', '/v1/notes', { token: alice.token, raw: `{"text":"${'a'.repeat(200000)}"}` });
        assert.equal(answer.status, 413);
        assert.equal(answer.body.status, 413);
});

// Exactly one complete response, with each header once and a problem with the same status; then the connection is closed.
async function refusedWithProblem(bytes, status) {
        const { answers, closed, raw } = await exchange(net.url, bytes, { count: 2, withinMs: 5000 });
        const what = JSON.stringify(bytes.slice(0, 200));
        assert.deepEqual(answers.map((a) => a.status), [status], `${what}: ${raw.slice(0, 300)}`);
        const [{ headers, text }] = answers;
        const names = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n').slice(1).map((line) => line.split(':')[0].toLowerCase());
        assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), [], `${what}: a header twice`);
        assert.equal(headers['content-type'], 'application/problem+json', what);
        assert.equal(headers.connection, 'close', what);
        assert.equal(raw.length, raw.indexOf('\r\n\r\n') + 4 + Number(headers['content-length']), `${what}: nothing behind the answer`);
        assert.equal(JSON.parse(text).status, status, what);
        assert.ok(headers['x-request-id'] && headers.date, what);
        assert.ok(closed, `${what}: the connection is not used further`);
}

test('invalid lengths are rejected with a problem', async () => {
        for (const length of ['abc', '-1', '+5', '5, 5', '5,5', '', '0x5', '5 5', '1e1']) {
                await refusedWithProblem(head([`Content-Length: ${length}`]) + BODY + smuggled(), 400);
        }
        await refusedWithProblem(head(['Content-Length: 99999999999999999999']) + BODY + smuggled(), 413);
});

test('invalid chunk sizes are rejected with a problem', async () => {
        for (const chunks of ['zz\r\n{}\r\n0\r\n\r\n', '-2\r\n{}\r\n0\r\n\r\n', '+2\r\n{}\r\n0\r\n\r\n', '0x2\r\n{}\r\n0\r\n\r\n', '\r\n{}\r\n0\r\n\r\n',
                              'fffffffffffffffff\r\n{}\r\n0\r\n\r\n', '2\n{}\n0\n\n', '2\r\n{}xx0\r\n\r\n']) {
                await refusedWithProblem(head(['Transfer-Encoding: chunked']) + chunks + smuggled(), 400);
        }
});

test('unsupported HTTP versions are rejected with a problem', async () => {
        for (const [version, status] of [['HTTP/2.0', 505], ['HTTP/1.9', 505], ['HTTP/0.9', 505], ['HTTP/x.y', 400], ['HTTP/11', 400], ['http/1.1', 400], ['garbage', 400]]) {
                await refusedWithProblem(`GET /healthz ${version}\r\nHost: localhost\r\n\r\n`, status);
        }
        await refusedWithProblem('GET /healthz\r\n\r\n', 400);
});

test('lines without CR LF are rejected with a problem', async () => {
        for (const bytes of ['GET /healthz HTTP/1.1\nHost: localhost\n\n', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Note: a\rb\r\n\r\n', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Note: a\r\n b\r\n\r\n']) {
                await refusedWithProblem(bytes, 400);
        }
});

test('heads over the limit are rejected with a problem, whatever their size', async () => {
        for (const size of [17000, 40000, 1000000]) {
                await refusedWithProblem(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(size)}\r\n\r\n`, 431);
                await refusedWithProblem(`GET /healthz?${'a'.repeat(size)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414);
        }
        await refusedWithProblem(`GET /healthz HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(64)}\r\n`, 431);
});

test('a client that has closed its side gets its responses, and then the connection is closed', async () => {
        const connection = open(net.url);
        const get = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        connection.send(get('/healthz') + get('/v1/timelines/home') + get('/openapi.json'));
        connection.end();
        await connection.closed;
        assert.deepEqual(parseAnswers(connection.received()).map((a) => a.status), [200, 401, 200]);
});

test('endless heads are rejected', async () => {
        const get = (extra) => `GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n\r\n`;
        await refused(get(`X-Long: ${'a'.repeat(200000)}`), 431);
        await refused(get(Array.from({ length: 5000 }, (_, i) => `X-${i}: ${i}`).join('\r\n')), 431);
        await refused(`GET /v1/users?query=${'a'.repeat(200000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414);
        const many = await exchange(net.url, get(Array.from({ length: 80 }, (_, i) => `X-${i}: ${i}`).join('\r\n')));
        assert.equal(many.answers[0]?.status, 431, 'more headers than are kept');
});

test('non-HTTP data is rejected or dropped', async () => {
        for (const bytes of ['\r\n\r\n\r\n\r\n', 'hello\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n',
                             `${'A'.repeat(100)} / HTTP/1.1\r\nHost: x\r\n\r\n`]) {
                const { answers } = await exchange(net.url, Buffer.from(bytes, 'latin1'), { withinMs: 1500 });
                answers.forEach((a) => assert.ok(a.status >= 400 && a.status !== 500, `${JSON.stringify(bytes)}: ${a.status}`));
        }
        assert.equal((await api('GET', '/healthz')).status, 200);
});

test('header names and values that could smuggle others are rejected', async () => {
        const { answers } = await exchange(net.url, `GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer ${alice.token}\r\n\r\n`, { withinMs: 3000 });
        assert.equal(answers[0]?.status, 400, 'a space before the colon');
        await refused(head(['Content-Length : 19']) + smuggled(), 400);
});

test('two tokens in one request are rejected', async () => {
        const bytes = `GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${alice.token}\r\n\r\n`;
        const { answers } = await exchange(net.url, bytes);
        assert.equal(answers[0]?.status, 400);
});

test('headers that may occur once are rejected by name if they occur twice', async () => {
        const twice = (name, one, other) => head([`${name}: ${one}`, `${name}: ${other}`, `Content-Length: ${BODY.length}`]) + BODY;
        for (const [bytes, field] of [[twice('Idempotency-Key', 'a', 'b'), 'Idempotency-Key'], [twice('idempotency-key', 'a', 'a'), 'Idempotency-Key'],
                                      [head([`authorization: Bearer ${alice.token}`, `Content-Length: ${BODY.length}`]) + BODY, 'Authorization'],
                                      [head(['Content-Type: text/plain', `Content-Length: ${BODY.length}`]) + BODY, 'Content-Type']]) {
                const { answers } = await exchange(net.url, bytes);
                assert.equal(answers[0]?.status, 400, field);
                assert.equal(JSON.parse(answers[0].text).field, field);
        }
});

test('a preflight and an error without a body keep the connection open', async () => {
        const say = (method, path) => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.org\r\nAccess-Control-Request-Method: POST\r\n\r\n`;
        const bytes = say('OPTIONS', '/v1/notes') + say('DELETE', '/v1/notes') + say('GET', '/v1/nothing') + say('GET', '/v1/users/%zz') + say('OPTIONS', '*') + say('GET', '/healthz');
        const { answers, closed } = await exchange(net.url, bytes, { count: 6 });
        assert.deepEqual(answers.map((a) => a.status), [204, 405, 404, 400, 204, 200]);
        answers.forEach((a) => assert.equal(a.headers.connection, undefined));
        assert.equal(answers[4].headers.allow.split(', ').sort().join(), 'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT');
        answers.forEach((a) => assert.ok(a.headers['x-request-id']));
        assert.ok(!closed);
});

test('a request that its client truncates is rejected once', async () => {
        for (const bytes of [head(['Content-Length: 100']) + BODY, head(['Transfer-Encoding: chunked']) + '5\r\n{"tex', 'GET /healthz HTTP/1.1\r\nHost: local']) {
                const connection = open(net.url);
                connection.send(bytes);
                connection.end();
                await connection.closed;
                const answers = parseAnswers(connection.received());
                assert.deepEqual(answers.map((a) => a.status), [400]);
                assert.equal(answers[0].headers['content-type'], 'application/problem+json');
        }
});

test('no singleton header occurs twice, in responses and in errors', async () => {
        const get = (method, path) => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example.org\r\n\r\n`;
        for (const [method, path] of [['GET', '/healthz'], ['GET', '/v1/nothing'], ['PUT', '/v1/notes'], ['GET', '/v1/timelines/home'], ['GET', '/v1/users?query=m'],
                                      ['GET', '/v1/users/%zz'], ['GET', `/v1/users?query=${'a'.repeat(30000)}`], ['GET', '/openapi.json'], ['OPTIONS', '/v1/notes']]) {
                const { raw } = await exchange(net.url, get(method, path));
                const names = raw.slice(0, raw.indexOf('\r\n\r\n')).split('\r\n').slice(1).map((line) => line.split(':')[0].toLowerCase());
                const twice = names.filter((name, i) => names.indexOf(name) !== i && !['vary', 'link', 'www-authenticate'].includes(name));
                assert.deepEqual(twice, [], `${method} ${path.slice(0, 40)}`);
        }
});

test('pipelined requests on one connection are answered in order', async () => {
        const get = (path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        const { answers } = await exchange(net.url, get('/healthz') + get('/v1/users?query=') + get('/v1/timelines/home') + get('/healthz'), { count: 4 });
        assert.deepEqual(answers.map((a) => a.status), [200, 422, 401, 200]);
});

test('a client that disconnects in the middle does not affect others', async () => {
        for (let i = 0; i < 30; i++) {
                const connection = open(net.url);
                connection.send((head(['Content-Length: 400']) + BODY).slice(0, 20 + i * 13));
                await sleep(5);
                connection.destroy();
        }
        assert.equal((await api('GET', '/healthz')).status, 200);
});

// Sends one byte at a time until the server disconnects; meanwhile others are served.
async function dripsUntilDropped(start, drip) {
        const connection = open(net.url);
        connection.send(start);
        const timer = setInterval(() => connection.send(drip), 400);
        let served = 0;
        const end = Date.now() + 45_000;
        while (!connection.isClosed() && Date.now() < end) {
                must(await alice.get('/v1/timelines/home'));
                served++;
                await Promise.race([connection.closed, sleep(200)]);
        }
        clearInterval(timer);
        const dropped = connection.isClosed();
        connection.destroy();
        assert.ok(dropped, 'the slow client is dropped');
        assert.ok(served > 0, 'others are served meanwhile');
}

test('slow clients are dropped while others are served: headers, body, chunks, silence', { concurrency: true }, async () => {
        await Promise.all([
                dripsUntilDropped('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ', 'a'),
                dripsUntilDropped(head(['Content-Length: 10000']), ' '),
                dripsUntilDropped(head(['Transfer-Encoding: chunked']), '1\r\n \r\n'),
                dripsUntilDropped('GET /hea', ''),
        ]);
});

test('many slow clients do not block others', async () => {
        const slow = Array.from({ length: 200 }, () => open(net.url));
        slow.forEach((c, i) => c.send(i % 2 ? head(['Content-Length: 100']) : 'GET / HTTP/1.1\r\n'));
        for (let i = 0; i < 20; i++) {
                must(await alice.get('/v1/timelines/home'));
        }
        slow.forEach((c) => c.destroy());
        await eventually('the state is as before', async () => assert.deepEqual(ids(await alice.home()), written));
});
