// Prepared requests for bench/load.c and its parts, and running it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export function request(method, path_, { token, json, key } = {}) {
        const body = json === undefined ? '' : JSON.stringify(json);
        return `${method} ${path_} HTTP/1.1\r\nHost: 127.0.0.1\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}`
                + `${key ? `Idempotency-Key: ${key}\r\n` : ''}`
                + `${body ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` : ''}\r\n${body}`;
}

// One entry of the file: the request, and the expected response.
export const entry = (name, text, { status = 200, minBytes = 2, items = [0, 0] } = {}) =>
        `${name} ${status} ${minBytes} ${items[0]} ${items[1]} ${Buffer.byteLength(text)}\n${text}\n`;

export class Load {
        // name: distinguishes loads that run concurrently.
        constructor(out, name = 'load') {
                this.out = out;
                this.name = name;
                this.runs = 0;
        }

        // Runs the load; {…result, saved: Map of request number → body}. Throws if a response was wrong, unless failures are expected; patient:
        // rejected connections wait as Retry-After says, as clients should. Rates and latencies only count correct responses.
        async run(port, entries, { connections = 16, seconds, mix, save = false, mayFail = false, patient = false } = {}) {
                const requests = path.join(this.out, `${this.name}-requests`);
                const saved = path.join(this.out, `${this.name}-bodies`);
                fs.writeFileSync(requests, entries.join(''), { mode: 0o600 });
                const args = ['--port', String(port), '--requests', requests, '--connections', String(connections), '--seed', String(++this.runs),
                              ...(seconds ? ['--seconds', String(seconds)] : ['--once']), ...(mix ? ['--mix', mix] : []), ...(save ? ['--save', saved] : []), ...(patient ? ['--patient'] : [])];
                const result = JSON.parse(await run(path.join(this.out, 'load'), args));
                if (result.failed > 0 && !mayFail) {
                        throw new Error(`${result.failed} responses were wrong and ${result.requests} right, the first: ${result.first_failure}`);
                }
                return { ...result, saved: save ? readSaved(saved) : undefined };
        }
}

function readSaved(file) {
        const data = fs.readFileSync(file);
        const bodies = new Map();
        for (let at = 0; at < data.length;) {
                const end = data.indexOf(10, at);
                const [number, bytes] = data.toString('utf8', at, end).split(' ').map(Number);
                bodies.set(number, data.toString('utf8', end + 1, end + 1 + bytes));
                at = end + 1 + bytes + 1;
        }
        return bodies;
}

// Runs a program until it exits; returns its standard output.
export function run(program, args, options = {}) {
        return new Promise((resolve, reject) => {
                const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
                let out = '';
                let error = '';
                child.stdout.on('data', (chunk) => (out += chunk));
                child.stderr.on('data', (chunk) => (error += chunk));
                child.once('error', reject);
                child.once('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${program} ended with ${code}: ${error.slice(-2000)}`))));
        });
}
