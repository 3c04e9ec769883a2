// Malicious and malformed requests in JSON, path and query: each gets a precise problem, and nothing changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { registerWithRole } from './operator.mjs';
import { api, ids, must, problem, randomName, register, registerMany } from './shared.mjs';

let alice;
let bob;
let note; // alice's, which must not change

before(async () => {
        [alice, bob] = await registerMany(2);
        note = await alice.note('untouched');
});

// After all tests below, the data of alice and bob must be unchanged.
after(async () => {
        assert.deepEqual(await alice.read(note.id), note);
        assert.deepEqual(await alice.homeIds(), [note.id]);
        assert.deepEqual(must(await alice.get(`/v1/timelines/users/${alice.id}`)).items, [note]);
        assert.deepEqual(must(await bob.get(`/v1/timelines/users/${bob.id}`)).items, []);
        assert.deepEqual(must(await alice.get(`/v1/users/${bob.id}/followers`)).items, []);
        assert.deepEqual(must(await alice.get('/v1/sessions')).items.length, 1);
});

const postRaw = (raw, headers) => alice.post('/v1/notes', undefined, { raw, headers });

const MALFORMED = ['', ' ', '{', '}', '{"text":"x"', '{"text":"x"}}', '{"text":"x"} x', '{text:"x"}', "{'text':'x'}", '{"text":"x",}', '{"text":}',
                   '{"text" "x"}', '{"text":"x\n"}', '{"text":"x\t"}', '{"text":"\\x41"}', '{"text":"\\u12"}', '{"text":01}', '{"text":+1}', '{"text":.5}',
                   '{"text":1.}', '{"text":NaN}', '{"text":Infinity}', '{"text":tru}', '[', '"', '{"text":"x"}{"text":"y"}', '// {}', '{"text":"x"/**/}', '\\'];

test('malformed JSON is 400', async () => {
        for (const raw of MALFORMED) {
                const answer = await postRaw(raw);
                problem(answer, raw === '' ? 422 : 400);
        }
        problem(await postRaw('{"text":"x"'), 400, { code: 'malformed_json' });
});

test('a body that is not an object is rejected', async () => {
        for (const raw of ['null', '[]', '"text"', '42', 'true', '[{"text":"x"}]']) {
                problem(await postRaw(raw), 422);
        }
});

const WRONG = [
        ['a number for text', '{"text":1}', 'text'], ['a list for text', '{"text":["x"]}', 'text'], ['an object for text', '{"text":{"a":1}}', 'text'],
        ['true for text', '{"text":true}', 'text'], ['null for a required field', '{"text":null}', 'text'],
        ['an unknown visibility', '{"text":"x","visibility":"secret"}', 'visibility'], ['a number for visibility', '{"text":"x","visibility":99}', 'visibility'],
        ['the unspecified visibility', '{"text":"x","visibility":"unspecified"}', 'visibility'],
        ['the long name of a visibility', '{"text":"x","visibility":"VISIBILITY_PUBLIC"}', 'visibility'],
        ['an unknown field', '{"text":"x","colour":"red"}', 'colour'], ['a field of the answer', '{"text":"x","author":{"id":"y"}}', 'author'],
        ['a field in camel case', '{"Text":"x"}', 'Text'], ['a doubled key', '{"text":"x","text":"y"}', 'text'],
        ['a doubled key, escaped', '{"text":"x","\\u0074ext":"y"}', 'text'], ['__proto__', '{"text":"x","__proto__":{}}', '__proto__'],
        ['no text', '{}', 'text'], ['an empty text', '{"text":""}', 'text'],
];
for (const [what, raw, field] of WRONG) {
        test(`${what} is rejected, and the error names it`, async () => {
                problem(await postRaw(raw), 422, { field });
        });
}

test('null is rejected for every field of every body, and nothing is posted', async () => {
        const { paths, components } = must(await api('GET', '/openapi.json'));
        const boss = await registerWithRole('administrator'); // whose token has every scope
        let asked = 0;
        for (const [path, operations] of Object.entries(paths)) {
                for (const [verb, operation] of Object.entries(operations)) {
                        const schema = operation.requestBody?.content['application/json']?.schema;
                        const reference = schema?.$ref?.split('/').at(-1);
                        const properties = (reference ? components.schemas[reference] : schema)?.properties ?? {};
                        for (const field of Object.keys(properties)) {
                                const answer = await boss.api(verb.toUpperCase(), path.replace(/{\w+}/g, note.id), { token: boss.token, body: { [field]: null } });
                                problem(answer, 422, { code: 'validation_failed', field });
                                asked++;
                        }
                }
        }
        assert.ok(asked >= 10, `${asked} fields`);
        problem(await alice.post('/v1/notes', { text: 'x', visibility: null }), 422, { field: 'visibility' });
        problem(await alice.patch('/v1/users/me', { bio: null }), 422, { field: 'bio' });
});

test('text that is not UTF-8 is rejected', async () => {
        for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0x80]]) {
                const raw = Buffer.concat([Buffer.from('{"text":"a'), Buffer.from(bytes), Buffer.from('b"}')]);
                problem(await postRaw(raw), 422);
                problem(await postRaw(Buffer.concat([Buffer.from('{"te'), Buffer.from(bytes), Buffer.from('xt":"b"}')])), 422);
        }
        problem(await postRaw(Buffer.from('\ufeff{"text":"x"}')), 400);
        problem(await postRaw(Buffer.from('{"text":"x"}', 'utf16le')), 400);
        problem(await postRaw('{"text":"\\ud800"}'), 400);
        problem(await postRaw('{"text":"\\udc00\\ud800"}'), 400);
});

test('NUL is rejected everywhere', async () => {
        problem(await postRaw('{"text":"a\\u0000b"}'), 422, { field: 'text' });
        problem(await postRaw(Buffer.from('{"text":"a\0b"}')), 400);
        problem(await postRaw(Buffer.from('\0')), 400);
        problem(await postRaw('{"te\\u0000xt":"x","text":"y"}'), 422);
        problem(await postRaw(Buffer.from('{"text":"x"}\0')), 400);
        problem(await api('POST', '/v1/auth/login', { body: { login: `${alice.username}\0`, password: 'correct horse battery' } }), 422, { field: 'login' });
        problem(await api('POST', '/v1/auth/login', { body: { login: alice.username, password: 'correct horse battery\0x' } }), 422, { field: 'password' });
});

test('deep nesting and very long lists are rejected', async () => {
        for (const depth of [17, 100, 10000, 30000]) {
                problem(await postRaw('['.repeat(depth) + ']'.repeat(depth)), 422);
                problem(await postRaw('{"text":'.repeat(Math.min(depth, 6000)) + '1' + '}'.repeat(Math.min(depth, 6000))), 422);
                problem(await postRaw('['.repeat(depth)), 422);
        }
        problem(await postRaw(`{"text":[${'0,'.repeat(20000)}0]}`), 422);
        problem(await postRaw(`{"text":"x",${Array.from({ length: 3000 }, (_, i) => `"k${i}":1`).join()}}`), 422);
        problem(await postRaw(`{"text":${'9'.repeat(30000)}}`), 422);
        problem(await postRaw('{"text":1e999999}'), 422);
});

test('other content types get 415, JSON with a charset is accepted', async () => {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'application/jsonx', 'json']) {
                problem(await postRaw('{"text":"x"}', { 'content-type': type }), 415);
        }
        for (const type of ['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'APPLICATION/JSON']) {
                const made = must(await postRaw('{"text":"x"}', { 'content-type': type }), 201);
                must(await alice.del(`/v1/notes/${made.id}`), 204);
        }
});

test('a compressed body gets 415 with the reason, before it is read', async () => {
        for (const encoding of ['gzip', 'br', 'identity, gzip', 'GZIP', 'x']) {
                const answer = await postRaw('{"text":"x"}', { 'content-encoding': encoding });
                problem(answer, 415);
                assert.match(answer.body.detail, /Content-Encoding/);
                assert.equal(answer.headers['accept-encoding'], 'identity');
        }
        const made = must(await postRaw('{"text":"x"}', { 'content-encoding': 'Identity' }), 201);
        must(await alice.del(`/v1/notes/${made.id}`), 204);
});

test('a limit is a number from 1 to 100, or omitted', async () => {
        for (const limit of ['0', '00', '-0', '-1', '101', '4294967296', '99999999999999999999', 'x', '1.5', '', '%20']) {
                const { detail } = problem(await alice.get(`/v1/timelines/home?limit=${limit}`), 422, { field: 'limit' });
                assert.equal(detail, 'must be a whole number from 1 to 100', limit);
        }
        must(await alice.get('/v1/timelines/home?limit=1'));
        must(await alice.get('/v1/timelines/home?limit=100'));
        must(await alice.get('/v1/timelines/home'));
});

test('IDs that are not UUIDs are rejected, and the error names the field', async () => {
        const bad = ['x', '1', '0', '-1', 'null', `${note.id}x`, note.id.slice(1), note.id.replaceAll('-', ''), `{${note.id}}`, `urn:uuid:${note.id}`,
                     'g'.repeat(8) + note.id.slice(8), "'--", '%20', '%F0%9F%8E%88', '..%2F..%2Fetc', 'a'.repeat(500)];
        for (const id of bad) {
                for (const [method, path] of [['GET', ''], ['DELETE', ''], ['PUT', '/like'], ['GET', '/thread'], ['GET', '/comments']]) {
                        problem(await alice.api(method, `/v1/notes/${id}${path}`, { token: alice.token }), 422, { field: 'id' });
                }
                problem(await alice.put(`/v1/users/${id}/follow`), decodeURIComponent(id).length > 36 ? 422 : 404, { field: 'user_id' }); // not a member's name
        }
});

test('paths with NUL, invalid escapes or invalid UTF-8 are rejected', async () => {
        const paths = {
                400: ['/v1/users/a%00b', '/v1/users/%zz', '/v1/users/%', '/v1/users/%f', '/v1/users?query=%zz'],
                404: ['/v1/notes/%2e%2e'], // for the client one level up
                422: ['/v1/users/%ff', '/v1/users?query=%00', '/v1/users?query=%ff', '/v1/users?%ff=1', '/v1/users?query=a&%00=1', `/v1/users/${'a'.repeat(37)}`],
        };
        for (const [path, status] of Object.entries(paths).flatMap(([s, all]) => all.map((path) => [path, Number(s)]))) {
                problem(await alice.get(path), status);
        }
        problem(await alice.get(`/v1/users?query=${'a'.repeat(20000)}`), 414);
});

test('the query cannot replace fields of the body or the path', async () => {
        problem(await alice.post('/v1/notes?text=sneaked', {}), 400);
        problem(await alice.put(`/v1/users/${bob.id}/follow?user_id=${alice.id}`), 400);
        problem(await alice.get(`/v1/notes/${note.id}?id=${note.id}`), 422);
});

test('an unexpected body is rejected, and if it is short the connection stays usable', async () => {
        for (const raw of ['{"x":', '{"x":1}', '[]', '{}{}', 'null', '"{}"', 'x'.repeat(5000)]) {
                for (const answer of [await alice.get('/v1/users/me', { raw }), await alice.del(`/v1/notes/${note.id}`, { raw })]) {
                        problem(answer, 400, { code: 'malformed_request' });
                        assert.match(answer.body.detail, /the body must be empty or \{\}/);
                }
        }
});

test('an empty body is accepted where none is expected', async () => {
        for (const raw of ['{}', ' {\r\n\t} ', '']) {
                for (const headers of [{}, { 'content-type': 'text/plain' }]) {
                        must(await alice.get('/v1/users/me', { raw, headers }));
                        const mine = await alice.note('to be deleted');
                        must(await alice.del(`/v1/notes/${mine.id}`, { raw, headers }), 204);
                }
        }
});

test('an invalid log-in or refresh is rejected, and the error names the field', async () => {
        const login = (body) => api('POST', '/v1/auth/login', { body });
        problem(await login({}), 422);
        problem(await login({ login: alice.username }), 422, { field: 'password' });
        problem(await login({ login: '', password: 'x' }), 422, { field: 'login' });
        problem(await login({ login: alice.username, password: 'x'.repeat(257) }), 422, { field: 'password' });
        problem(await login({ login: { $ne: '' }, password: { $ne: '' } }), 422);
        problem(await login({ login: 'x'.repeat(255), password: 'x' }), 422, { field: 'login' });
        problem(await api('POST', '/v1/auth/refresh', { body: {} }), 422, { field: 'refresh_token' });
        const username = randomName('Nul');
        problem(await api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: 'long enough\0' } }), 422, { field: 'password' });
        problem(await api('GET', `/v1/users/${username}`), 404);
});

test('problems name the field, and never reveal internals', async () => {
        const answers = [await postRaw('{"text":1}'), await postRaw('{'), await alice.get("/v1/notes/'--"), await api('GET', '/v1/timelines/home')];
        for (const answer of answers) {
                assert.doesNotMatch(answer.text, /\.c:|libpq|postgres|select |insert |\/work|\/tmp|0x[0-9a-f]{6}/i);
        }
        assert.deepEqual(ids((await register()) && (await alice.home())), [note.id]);
});
