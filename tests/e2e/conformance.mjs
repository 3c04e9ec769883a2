// Owns validating REST responses against the server's own /openapi.json (JSON Schema 2020-12): the status is listed, headers and content type are as
// documented, the body is valid and contains nothing undocumented; and a request that succeeded must be allowed by the document.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

// Sent by HTTP before the operation is known; in the document they are the `default`.
const HTTP_REFUSALS = [400, 408, 411, 413, 414, 417, 431, 503, 505];
// Headers with a meaning in this API: sent only where they are documented.
const DESCRIBED_HEADERS = ['x-request-id', 'etag', 'link', 'location', 'retry-after', 'www-authenticate', 'ratelimit', 'ratelimit-policy'];

const pointerOf = (...names) => names.map((n) => `/${encodeURIComponent(String(n).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

// Pages, and what they load and link to, are not part of the API and not in its document.
const isForBrowsers = ({ status, headers }) => status < 400 && /^(text\/(html|css|javascript)|image\/)/.test(headers['content-type'] ?? '');

// Undocumented members of a response are an error, though clients must tolerate them.
function closeObjects(node) {
        if (node === null || typeof node !== 'object') {
                return node;
        }
        if (node.type === 'object' && node.properties && node.additionalProperties === undefined) {
                node.additionalProperties = false;
        }
        Object.values(node).forEach(closeObjects);
        return node;
}

export class Conformance {
        constructor(document) {
                this.document = document;
                this.ajv = formats(new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }));
                this.ajv.addFormat('idn-email', /^[^@\s]+@[^@\s]+$/); // ajv-formats has none; the server decides which domains are valid
                this.ajv.addVocabulary([...Object.keys(document), 'x-secret']);
                this.ajv.addSchema(closeObjects(structuredClone(document)), 'openapi', false, false);
                this.compiled = new Map();
                this.paths = Object.keys(document.paths).map((template) => ({ template, segments: template.split('/') }));
        }

        // A node of the document with references resolved: {value, pointer}.
        at(pointer, value) {
                while (value?.$ref) {
                        pointer = value.$ref.slice(1);
                        value = pointer.slice(1).split('/').reduce((node, name) => node?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], this.document);
                }
                return { pointer, value };
        }

        assertValid(pointer, value, what) {
                if (!this.compiled.has(pointer)) {
                        this.compiled.set(pointer, this.ajv.compile({ $ref: `openapi#${pointer}` }));
                }
                const validate = this.compiled.get(pointer);
                assert.ok(validate(value), `${what}: ${this.ajv.errorsText(validate.errors, { dataVar: '' })}`);
        }

        // The path item of a URL, with its variables; literal segments win.
        find(path) {
                const segments = path.split('/');
                const matches = this.paths.filter((p) => p.segments.length === segments.length &&
                                                         p.segments.every((s, i) => s === segments[i] || (s.startsWith('{') && segments[i] !== '')));
                const variables = (p) => p.segments.filter((s) => s.startsWith('{')).length;
                return matches.sort((a, b) => variables(a) - variables(b))[0];
        }

        // Throws an error if it does not conform. request: {method, path with query, headers, payload}.
        check(request, answer) {
                const [path, query = ''] = request.path.split(/\?(.*)/s);
                                const found = this.find(path);
                const item = found && this.document.paths[found.template];
                const verb = (request.method === 'HEAD' && !item?.head ? 'GET' : request.method).toLowerCase();
                if (!item && isForBrowsers(answer)) {
                        return;
                }
                if (!item) {
                        this.checkProblem(request, answer, [404, ...HTTP_REFUSALS]);
                } else if (item[verb]) {
                        const pointer = `${pointerOf('paths', found.template, verb)}`;
                        this.checkResponse(request, answer, { pointer, value: item[verb] });
                        if (answer.status < 300) {
                                this.checkRequest({ pointer, value: item[verb] }, found, path, query, request, answer);
                        }
                } else if (verb === 'options') {
                        assert.equal(answer.status, 204);
                        assert.deepEqual(answer.headers.allow.split(', ').filter((v) => !['OPTIONS', 'HEAD'].includes(v)).sort(),
                                         Object.keys(item).filter((v) => ['get', 'put', 'post', 'patch', 'delete'].includes(v)).map((v) => v.toUpperCase()).sort());
                } else {
                        this.checkProblem(request, answer, [405, ...HTTP_REFUSALS]);
                }
        }

        // An error for a request that matches no operation.
        checkProblem(request, answer, statuses) {
                assert.ok(statuses.includes(answer.status), `${answer.status} where the document has nothing`);
                assert.equal(answer.headers['content-type'], 'application/problem+json');
                if (request.method !== 'HEAD') {
                        this.assertValid('/components/schemas/Problem', answer.body, 'the problem');
                }
        }

        checkResponse(request, answer, operation) {
                const { responses } = operation.value;
                const key = responses[answer.status] || !HTTP_REFUSALS.includes(answer.status) ? answer.status : 'default';
                assert.ok(responses[key], `status ${answer.status} is not in the document`);
                const response = this.at(`${operation.pointer}${pointerOf('responses', key)}`, responses[key]);
                this.checkHeaders(answer, response);
                this.checkBody(request, answer, response);
        }

        checkHeaders(answer, response) {
                const described = Object.entries(response.value.headers ?? {}).map(([name, header]) =>
                        [name.toLowerCase(), this.at(`${response.pointer}${pointerOf('headers', name)}`, header)]);
                for (const [name, header] of described) {
                        const value = answer.headers[name];
                        assert.ok(value !== undefined || !header.value.required, `the header ${name} is missing`);
                        if (value !== undefined) {
                                this.assertValid(`${header.pointer}/schema`, this.fromText(header.value.schema, value), `the header ${name}`);
                        }
                }
                const undescribed = DESCRIBED_HEADERS.filter((name) => name in answer.headers && !described.some(([n]) => n === name));
                assert.deepEqual(undescribed, [], `headers of a ${answer.status} that the document does not have`);
        }

        checkBody(request, answer, response) {
                const content = response.value.content ?? {};
                if (Object.keys(content).length === 0 || request.method === 'HEAD') {
                        assert.equal(answer.text, '', 'a body where the document has none');
                        return;
                }
                const type = (answer.headers['content-type'] ?? '').split(';')[0].trim();
                if (content['*/*']) { // a file of any type
                        return;
                }
                assert.ok(content[type], `content type ${type || '(none)'} is not in the document`);
                if (content[type].schema) {
                        const value = type.endsWith('json') ? JSON.parse(answer.text) : answer.text;
                        this.assertValid(`${response.pointer}${pointerOf('content', type)}/schema`, value, 'the body');
                }
        }

        // A value as text, as in a header, a path or a query.
        fromText(schema, text) {
                const { value } = this.at('', schema);
                if (value.type === 'integer' && /^-?\d+$/.test(text)) {
                        return Number(text);
                }
                if (value.type === 'number' && text !== '' && Number.isFinite(Number(text))) {
                        return Number(text);
                }
                if (value.type === 'boolean' && /^(true|false)$/.test(text)) {
                        return text === 'true';
                }
                return value.type === 'array' ? text.split(',').map((element) => this.fromText(value.items, element)) : text;
        }

        // A successful request must be allowed by the document: a generated client must be able to send it.
        checkRequest(operation, found, path, query, request, answer) {
                const parameters = (operation.value.parameters ?? []).map((p, i) => this.at(`${operation.pointer}/parameters/${i}`, p));
                const given = (place, name, value) => {
                        const parameter = parameters.find((p) => p.value.in === place && p.value.name.toLowerCase() === name.toLowerCase());
                        assert.ok(parameter || place === 'header', `the ${place} parameter ${name} was taken and is not in the document`);
                        if (parameter) {
                                this.assertValid(`${parameter.pointer}/schema`, this.fromText(parameter.value.schema, value), `the ${place} parameter ${name}, which was taken`);
                        }
                };
                const segments = path.split('/');
                found.segments.forEach((s, i) => s.startsWith('{') && given('path', s.slice(1, -1), decodeURIComponent(segments[i])));
                new URLSearchParams(query).forEach((value, name) => given('query', name.replace(/\[\]$/, ''), value)); // `ids[]=` is accepted, too
                Object.entries(request.headers).forEach(([name, value]) => given('header', name, value));
                const body = operation.value.requestBody;
                if (request.payload === undefined) {
                        assert.ok(!body?.required, 'the document wants a body, and it went without');
                } else if (body && !body.content['application/json']) { // bytes and forms have no schema to compare with
                        const type = Object.entries(request.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
                        assert.ok(body.content['application/octet-stream'] || body.content[type.split(';')[0].trim()], `a body of ${type} was taken`);
                } else if (body && request.payload !== '' && !answer.body?.problems?.length) { // otherwise parts of it were rejected
                        this.assertValid(`${operation.pointer}${pointerOf('requestBody', 'content', 'application/json')}/schema`, JSON.parse(request.payload),
                                         'the body, which was taken');
                }
        }
}

// By URL of a server. A process of a single service has no document, and is not validated.
const servers = new Map();

async function load(url) {
        const answer = await fetch(`${url}/openapi.json`);
        return answer.status === 404 ? null : new Conformance(await answer.json());
}

// Findings also make the process fail: a test that expects failures (such as a lost connection) must not hide them.
const findings = new Set();
process.on('exit', () => {
        if (findings.size > 0) {
                console.error(`${findings.size} answers do not conform to /openapi.json:\n${[...findings].join('\n')}`);
                process.exitCode ||= 1;
        }
});

// Throws if the response does not conform to the document of the server at url.
export async function judge(url, request, answer) {
        if (!servers.has(url)) {
                const loading = load(url);
                servers.set(url, loading);
                loading.catch(() => servers.delete(url));
        }
        const conformance = await servers.get(url);
        try {
                conformance?.check(request, answer);
        } catch (error) {
                error.message = `${request.method} ${request.path.slice(0, 200)}: ${answer.status} does not conform: ${error.message}`;
                findings.add(error.message);
                throw error;
        }
}
