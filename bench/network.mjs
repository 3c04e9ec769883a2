// The measured network: importing it, logging its members in, and facts about it.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { findBinary, root } from '../tests/e2e/harness.mjs';
import { entry, request, run } from './load.mjs';

const PASSWORD = 'bench-password';
const NOTES = 20;

// The real graph if it is next to the repository, otherwise a generated one of the same size.
export function graphArguments(quick) {
        const file = process.env.SONET_BENCH_GRAPH ?? path.join(root, '../shared/data/socfb-Reed98.edges');
        if (!quick && fs.existsSync(file)) {
                return { args: ['--graph', file], name: path.basename(file) };
        }
        return { args: ['--generate', '--members', quick ? '200' : '962', '--seed', '98'], name: 'drawn, power-law degrees' };
}

function fortuneFiles() {
        const dir = '/usr/share/games/fortunes';
        const files = fs.readdirSync(dir, { withFileTypes: true, recursive: false }).filter((f) => f.isFile() && !/\.(dat|u8)$/.test(f.name)).map((f) => path.join(dir, f.name));
        for (const language of ['de', 'es', 'ru']) {
                const sub = path.join(dir, language);
                if (fs.existsSync(sub)) {
                        files.push(...fs.readdirSync(sub).filter((f) => !/\.(dat|u8)$/.test(f)).map((f) => path.join(sub, f)).filter((f) => fs.statSync(f).isFile()));
                }
        }
        return files.sort();
}

export async function importNetwork(server, quick, { args, name } = graphArguments(quick), notes = NOTES) {
        const start = Date.now();
        const out = await run(findBinary(), ['import', ...args, '--texts', ...fortuneFiles(), '--notes', String(notes), '--password', PASSWORD, '--to', server.url]);
        const [, members, ties] = out.match(/([\d,]+) members, ([\d,]+) edges/).map((n) => Number(String(n).replaceAll(',', '')));
        return { name, members, ties, notes: members * notes, seconds: (Date.now() - start) / 1000 };
}

// One agent for all requests that are not measured.
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
export function ask(server, method, url, { token, json, userAgent } = {}) {
        const body = json === undefined ? undefined : JSON.stringify(json);
        return new Promise((resolve, reject) => {
                const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(userAgent && { 'User-Agent': userAgent }), ...(body && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }) };
                const r = http.request(server.url + url, { method, headers, agent }, (answer) => {
                        const parts = [];
                        answer.on('data', (part) => parts.push(part));
                        answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString('utf8') }));
                });
                r.on('error', reject);
                r.end(body);
        });
}

export async function must(server, method, url, options) {
        const { status, text } = await ask(server, method, url, options);
        if (status >= 300) {
                throw new Error(`${method} ${url}: ${status} ${text.slice(0, 300)}`);
        }
        return text;
}

// The members with tokens. Logging in and refreshing are measured at the same time.
export class Members {
        constructor(count) {
                this.names = Array.from({ length: count }, (_, i) => `member${i}`);
                this.members = [];
        }

        #take(result) {
                this.members = [...result.saved].sort((a, b) => a[0] - b[0]).map(([, body]) => JSON.parse(body))
                        .map((login) => ({ id: login.user.id, username: login.user.username, token: login.access_token, refresh: login.refresh_token }));
                this.since = Date.now();
        }

        // For benches that need no network: new accounts without follows.
        async register(load, server) {
                const entries = this.names.map((username) => entry('register', request('POST', '/v1/auth/register',
                        { json: { username, email: `${username}@example.org`, password: PASSWORD } }), { status: 201, minBytes: 500 }));
                this.#take(await load.run(server.port, entries, { connections: 4, save: true }));
        }

        async logIn(load, server) {
                const entries = this.names.map((login) => entry('login', request('POST', '/v1/auth/login', { json: { login, password: PASSWORD } }), { minBytes: 500 }));
                const result = await load.run(server.port, entries, { connections: 4, save: true });
                this.#take(result);
                return result;
        }

        async refresh(load, server) {
                const entries = this.members.map((m) => entry('refresh', request('POST', '/v1/auth/refresh', { json: { refresh_token: m.refresh } }), { minBytes: 500 }));
                const result = await load.run(server.port, entries, { connections: 8, save: true });
                this.#take(result);
                return result;
        }

        // Access tokens are valid for 15 minutes and must not expire during the next measurement.
        async keepFresh(load, server) {
                if (Date.now() - this.since > 11 * 60_000) {
                        await this.refresh(load, server);
                }
        }
}

// A member's followers: IDs.
export async function followersOf(server, member) {
        const ids = [];
        for (let cursor = ''; cursor !== undefined;) {
                const page = JSON.parse(await must(server, 'GET', `/v1/users/${member.id}/followers?limit=100${cursor && `&cursor=${cursor}`}`, { token: member.token }));
                ids.push(...page.items.map((u) => u.id));
                cursor = page.next_cursor;
        }
        return ids;
}
