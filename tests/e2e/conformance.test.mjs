// Tests of the response validator (conformance.mjs): valid responses pass, and each kind of damage is detected.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Conformance } from './conformance.mjs';
import { api, must, register } from './shared.mjs';

let conformance;
let good; // request and response of reading a note

before(async () => {
        conformance = new Conformance(must(await api('GET', '/openapi.json')));
        const alice = await register();
        const path = `/v1/notes/${(await alice.note('judged')).id}`;
        good = { request: { method: 'GET', path, headers: {} }, answer: await alice.get(path) };
});

const changed = (change) => {
        const copy = structuredClone(good);
        change(copy.answer, copy.request);
        copy.answer.text = copy.answer.body === null ? '' : JSON.stringify(copy.answer.body);
        return copy;
};

const DAMAGE = [
        ['a status that is not listed', (a) => { a.status = 202; }, /status 202 is not in the document/],
        ['a body that a 304 has not', (a) => { a.status = 304; }, /a body where the document has none/],
        ['another content type', (a) => { a.headers['content-type'] = 'text/html'; }, /content type text\/html is not in the document/],
        ['a missing field', (a) => { delete a.body.counts; }, /must have required property 'counts'/],
        ['a missing field within', (a) => { delete a.body.author.username; }, /\/author must have required property 'username'/],
        ['null where there is none', (a) => { a.body.text = null; }, /\/text must be string/],
        ['a wrong type', (a) => { a.body.counts.likes = '0'; }, /\/counts\/likes must be integer/],
        ['an unknown value', (a) => { a.body.visibility = 'secret'; }, /\/visibility must be equal to one of the allowed values/],
        ['a time that is none', (a) => { a.body.created_at = 'yesterday'; }, /\/created_at must match format "date-time"/],
        ['a field that nobody described', (a) => { a.body.password_hash = 'x'; }, /must NOT have additional properties/],
        ['a field within that nobody described', (a) => { a.body.author.email = 'x'; }, /\/author must NOT have additional properties/],
        ['a missing header', (a) => { delete a.headers.etag; }, /the header etag is missing/],
        ['a header against its pattern', (a) => { a.headers.etag = 'bare'; }, /the header etag: .* must match pattern/],
        ['a header that is not described', (a) => { a.headers.link = '</>; rel="next"'; }, /link/],
        ['an answer at an unknown address', (a, r) => { r.path = '/v1/nothing'; }, /200 where the document has nothing/],
        ['an answer to an unknown verb', (a, r) => { r.method = 'PUT'; }, /200 where the document has nothing/],
        ['a parameter that was taken and is not described', (a, r) => { r.path += '?verbose=1'; }, /query parameter verbose was taken/],
        ['an id that was taken and is none', (a, r) => { r.path = '/v1/notes/7'; }, /path parameter id, which was taken: .* must match format "uuid"/],
];

test('a valid response conforms', () => conformance.check(good.request, good.answer));

for (const [what, change, message] of DAMAGE) {
        test(`${what} is detected`, () => {
                const { request, answer } = changed(change);
                assert.throws(() => conformance.check(request, answer), message);
        });
}
