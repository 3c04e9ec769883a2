// /openapi.json: valid according to a published validator, complete compared with the contracts, and correct when each operation is tried.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { inBatches } from './client.mjs';
import { api, must, register } from './shared.mjs';
import { methods } from './protos.mjs';

const VERBS = ['get', 'put', 'post', 'delete', 'patch'];
const blank = (path) => path.replace(/\{[^}]*\}/g, '{}');

let spec;
let operations; // [{verb, path, op}]

before(async () => {
        const answer = await api('GET', '/openapi.json');
        spec = must(answer);
        assert.match(answer.headers['content-type'], /json/);
        operations = Object.entries(spec.paths).flatMap(([path, item]) => VERBS.filter((v) => item[v]).map((verb) => ({ verb: verb.toUpperCase(), path, op: item[verb] })));
});

const resolve = (node) => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], spec) : node);

test('the document is valid OpenAPI 3.1', async () => {
        assert.match(spec.openapi, /^3\.1\.\d+$/);
        const result = await new Validator().validate(structuredClone(spec));
        assert.ok(result.valid, JSON.stringify(result.errors, null, 1)?.slice(0, 3000));
});

test('every REST method of the contract is included', () => {
        const documented = new Set(Object.entries(spec.paths).flatMap(([path, item]) => [...VERBS, 'head'].filter((v) => item[v]).map((v) => `${v.toUpperCase()} ${blank(path)}`)));
        const declared = methods.filter((m) => m.http).map((m) => blank(m.http));
        assert.ok(declared.length > 40, `${declared.length} methods`);
        assert.deepEqual(declared.filter((p) => !documented.has(p)), []);
});

test('all references resolve, operation IDs are unique, path parameters are declared', () => {
        const walk = (node) => {
                if (node && typeof node === 'object') {
                        if (typeof node.$ref === 'string') {
                                assert.ok(resolve(node), node.$ref);
                        }
                        Object.values(node).forEach(walk);
                }
        };
        walk(spec);
        const names = operations.map((o) => o.op.operationId);
        assert.equal(new Set(names).size, names.length);
        for (const { verb, path, op } of operations) {
                const declared = [...(op.parameters ?? []), ...(spec.paths[path].parameters ?? [])].map(resolve).filter((p) => p.in === 'path').map((p) => p.name);
                assert.deepEqual(declared.sort(), [...path.matchAll(/\{([^}]*)\}/g)].map((m) => m[1]).sort(), `${verb} ${path}`);
                assert.ok(op.summary, `${verb} ${path} says what it does`);
        }
});

const documentedStatus = (op, status) => op.responses[status] ?? op.responses[`${String(status)[0]}XX`] ?? op.responses.default;

test('each operation responds as documented: without a token, with garbage, with nothing', async () => {
        const member = await register();
        const rubbish = ['%00', 'x'.repeat(200), '%F0%9F%92%A9', '01890000-0000-7000-8000-000000000000'];
        const tokens = [{}, { token: 'rubbish' }, { token: member.token }];
        const bodies = [{ raw: '{"rubbish":' }, { raw: '[]' }, { raw: '{}', headers: { 'content-type': 'text/plain' } }].map((body) => ({ token: member.token, ...body }));
        await inBatches(operations, 4, async ({ verb, path, op }) => {
                for (const url of new Set(rubbish.map((value) => path.replace(/\{[^}]*\}/g, value)))) {
                        for (const options of verb === 'GET' ? tokens : [...tokens, ...bodies]) {
                                if (path === '/v1/auth/logout' && options.token === member.token) {
                                        continue; // the only one that requires nothing else
                                }
                                const answer = await api(verb, url, options);
                                const where = `${verb} ${url.slice(0, 60)} ${JSON.stringify(options).slice(0, 40)}: ${answer.status} ${answer.text.slice(0, 200)}`;
                                assert.ok(answer.status < 500, where);
                                const documented = resolve(documentedStatus(op, answer.status));
                                assert.ok(documented, `not documented: ${where}`);
                                if (answer.status >= 400) {
                                        assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, where);
                                        assert.ok(documented.content?.['application/problem+json'], `no problem documented: ${where}`);
                                        assert.equal(answer.body.status, answer.status, where);
                                }
                        }
                }
        });
        must(await member.get('/v1/users/me'));
});

test('operations that require a member declare it, and are refused without one', async () => {
        for (const { verb, path, op } of operations) {
                const security = op.security ?? spec.security ?? [];
                const needs = security.length > 0 && !security.some((s) => Object.keys(s).length === 0);
                const method = methods.find((m) => m.http && blank(m.http) === `${verb} ${blank(path)}`);
                if (method) {
                        assert.equal(needs, method.access !== 'public', `${verb} ${path}`);
                }
                if (path.startsWith('/v1/auth/') && path !== '/v1/auth/email/verify' && !needs) { // a code requires the member's token, a link does not
                        assert.deepEqual(op.security, [], `${verb} ${path} looks at no token`);
                }
                if (needs) {
                        const answer = await api(verb, path.replace(/\{[^}]*\}/g, '01890000-0000-7000-8000-000000000000'), ['GET', 'DELETE'].includes(verb) ? {} : { body: {} });
                        assert.equal(answer.status, 401, `${verb} ${path}`);
                        assert.ok(documentedStatus(op, 401), `${verb} ${path} documents 401`);
                }
        }
});

test('entity tags are documented where they are sent, and limits as they are enforced', () => {
        for (const { verb, path, op } of operations.filter((o) => o.path.startsWith('/v1/'))) {
                const success = resolve(Object.entries(op.responses).find(([status]) => status.startsWith('2'))[1]);
                assert.equal('ETag' in (success.headers ?? {}), verb === 'GET' && !op.responses[101], `${verb} ${path}`);
                const limit = (op.parameters ?? []).map(resolve).find((p) => p.name === 'limit');
                if (limit) {
                        assert.deepEqual([limit.schema.minimum, limit.schema.maximum], [1, 100], path);
                }
        }
});
