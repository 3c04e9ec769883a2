// Owns a client of the public API: requests, members, lists, and the assertions that all tests share.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { judge } from './conformance.mjs';
import { sleep } from './harness.mjs';

const REQUEST_MS = 30_000;
export const PASSWORD = 'correct horse battery';

const show = (r) => `${r.request}: ${r.status} ${r.text.slice(0, 600)}`;

function send(agent, url, method, headers, payload, timeoutMs) {
        return new Promise((resolve, reject) => {
                const request = http.request(url, { method, headers, agent }, (response) => {
                        const chunks = [];
                        response.on('data', (c) => chunks.push(c));
                        response.on('error', reject);
                        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers,
                                                           text: Buffer.concat(chunks).toString('utf8') }));
                });
                // request.setTimeout() would start only once there is a connection.
                const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
                request.on('close', () => clearTimeout(timer));
                request.on('error', (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
                request.end(payload);
        });
}

// Retries if an idle connection of the agent had just been closed; on a busy machine this happens often.
async function sendAgain(...request) {
        for (;;) {
                try {
                        return await send(...request);
                } catch (error) {
                        if (!(error.reused && ['ECONNRESET', 'EPIPE'].includes(error.code))) {
                                throw error;
                        }
                }
        }
}

// Functions that create members, given a function like api() below.
export function accounts(api) {
        // A busy machine rejects some registrations: any other member will do. With names chosen by the caller, there is only one attempt.
        async function register(fields = {}) {
                for (let tries = 0; tries < 5 && !fields.username && !fields.email; tries++) {
                        const answer = await tryToRegister(fields);
                        if (![503, 504].includes(answer.status)) {
                                return new Member(api, must(answer, 201), fields.password ?? PASSWORD);
                        }
                }
                return new Member(api, must(await tryToRegister(fields), 201), fields.password ?? PASSWORD);
        }

        function tryToRegister(fields) {
                const username = fields.username ?? randomName();
                const password = fields.password ?? PASSWORD;
                return api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password,
                                                                  display_name: `Member ${username}`, ...fields } });
        }

        async function logIn(login, password = PASSWORD) {
                return new Member(api, must(await api('POST', '/v1/auth/login', { body: { login, password } })), password);
        }

        // Many members, a few at a time: each costs a password hash.
        async function registerMany(count) {
                return inBatches(Array.from({ length: count }), 4, () => register());
        }

        return { register, registerMany, logIn };
}

// A client of the server at url: {url, api, register, logIn}.
export function connect(url) {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

        // Returns any response: {status, headers, body (parsed), text, request}. Throws only if the connection is lost, or if the response does not
        // conform to the server's /openapi.json. once: on a connection of its own, so that it is certainly sent no second time.
        async function api(method, path, { token, body, headers = {}, raw, timeoutMs = REQUEST_MS, once = false } = {}) {
                const payload = raw !== undefined ? raw : body === undefined ? undefined : JSON.stringify(body);
                const all = { ...headers };
                if (payload !== undefined && !('content-type' in all)) {
                        all['content-type'] = 'application/json';
                }
                if (payload !== undefined) {
                        all['content-length'] = Buffer.byteLength(payload); // otherwise node sends GET and DELETE without any framing
                }
                if (token) {
                        all.authorization = `Bearer ${token}`;
                }
                const answer = await sendAgain(once ? false : agent, url + path, method, all, payload, timeoutMs);
                answer.request = `${method} ${path}`;
                try {
                        answer.body = answer.text === '' ? null : JSON.parse(answer.text);
                } catch {
                        answer.body = null;
                }
                await judge(url, { method, path, headers: all, payload }, answer);
                return answer;
        }

        return { url, api, ...accounts(api), close: () => agent.destroy() };
}

// A logged-in member, with the API's methods, and shorthands that require success.
export class Member {
        constructor(api, login, password) {
                this.api = api;
                this.password = password;
                this.take(login);
        }

        take(login) {
                this.login = login;
                this.id = login.user.id;
                this.username = login.user.username;
                this.token = login.access_token;
                this.refreshToken = login.refresh_token;
                this.session = login.session_id;
        }

        get(path, options) { return this.api('GET', path, { token: this.token, ...options }); }
        post(path, body, options) { return this.api('POST', path, { token: this.token, body, ...options }); }
        put(path, options) { return this.api('PUT', path, { token: this.token, ...options }); }
        patch(path, body, options) { return this.api('PATCH', path, { token: this.token, body, ...options }); }
        del(path, options) { return this.api('DELETE', path, { token: this.token, ...options }); }

        async note(text, visibility) {
                return must(await this.post('/v1/notes', visibility ? { text, visibility } : { text }), 201);
        }
        async comment(noteId, text) { return must(await this.post(`/v1/notes/${noteId}/comments`, { text }), 201); }
        async read(noteId) { return must(await this.get(`/v1/notes/${noteId}`)); }
        async react(noteId, what) { return must(await this.put(`/v1/notes/${noteId}/${what}`)); }
        async unreact(noteId, what) { return must(await this.del(`/v1/notes/${noteId}/${what}`)); }
        async relate(other, what) { return must(await this.put(`/v1/users/${other.id}/${what}`)); }
        async unrelate(other, what) { return must(await this.del(`/v1/users/${other.id}/${what}`)); }
        follow(other) { return this.relate(other, 'follow'); }
        async home(limit = 100) { return must(await this.get(`/v1/timelines/home?limit=${limit}`)).items; }
        async homeIds() { return ids(await this.home()); }
}

export const ids = (items) => items.map((item) => item.id);
export const randomName = (prefix = 'm') => `${prefix}_${randomBytes(6).toString('hex')}`;
export const randomKey = () => randomBytes(16).toString('hex');

// The body of a response that must have this status.
export function must(answer, status = 200) {
        assert.equal(answer.status, status, show(answer));
        return answer.body;
}

// An error as in RFC 9457. status: one, or several if the contract leaves it open.
export function problem(answer, status, { code, field } = {}) {
        assert.equal(answer.status, status, show(answer));
        assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, show(answer));
        const body = answer.body;
        assert.ok(body && typeof body === 'object', `not JSON: ${show(answer)}`);
        assert.equal(body.status, answer.status, show(answer));
        assert.match(body.code ?? '', /^[a-z][a-z0-9_]*$/, `a stable code: ${show(answer)}`);
        assert.ok(typeof body.title === 'string' && body.title !== '', `a title: ${show(answer)}`);
        if (code !== undefined) {
                assert.equal(body.code, code, show(answer));
        }
        if (field !== undefined) {
                assert.equal(body.field, field, show(answer));
        }
        if (answer.status === 401) {
                assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/, show(answer));
        }
        return body;
}

// All items of a list, page by page. between(pageNumber) runs after each page.
export async function readAll(fetchPage, path, { limit = 100, maxPages = 400, between } = {}) {
        const items = [];
        let cursor = null;
        for (let page = 0; page < maxPages; page++) {
                const query = `limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
                const body = must(await fetchPage(`${path}${path.includes('?') ? '&' : '?'}${query}`));
                assert.ok(body.items.length <= limit, `a page of ${body.items.length} for limit=${limit}`);
                items.push(...body.items);
                if (body.next_cursor === undefined) {
                        return items;
                }
                assert.equal(typeof body.next_cursor, 'string');
                cursor = body.next_cursor;
                if (between) {
                        await between(page);
                }
        }
        throw new Error(`${path} does not end after ${maxPages} pages`);
}

// Retries until check() neither throws nor returns false; fails with its last failure.
export async function eventually(what, check, withinMs = 45_000) {
        const end = Date.now() + withinMs;
        for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
                let failure = new Error('not so');
                try {
                        const value = await check();
                        if (value !== false) {
                                return value;
                        }
                } catch (error) {
                        failure = error;
                }
                if (Date.now() > end) {
                        throw new Error(`${what}: still not after ${withinMs} ms: ${failure.message}`, { cause: failure });
                }
                await sleep(wait);
        }
}

// Runs work(item, index) for all items, at most `width` at a time; returns the results in order.
export async function inBatches(list, width, work) {
        const results = new Array(list.length);
        let next = 0;
        const lane = async () => {
                while (next < list.length) {
                        const i = next++;
                        results[i] = await work(list[i], i);
                }
        };
        await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
        return results;
}
