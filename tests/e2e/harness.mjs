// Owns one `sonet up`: its folder, its port, its processes, its shutdown. Does not know the API (client.mjs does).
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
// The services are the folders with a contract.
export const SERVICES = fs.readdirSync(path.join(root, 'services')).filter((name) => fs.existsSync(path.join(root, 'services', name, `${name}.proto`)));
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// For races: does not keep the process alive by itself.
const late = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value).unref());

const READY_MS = Number(process.env.SONET_E2E_READY_S ?? 120) * 1000;
const STOP_MS = 30_000;

// Two processes that call each other in both directions (note asks user, the gateway asks note), both with lanes of several ranks.
// A process is named by the first of its services.
const MIXED = [['gateway', 'user'], ['media', ...SERVICES.filter((name) => !['user', 'media'].includes(name))]];
// Which services run together in each mode: the processes of `sonet up`, each as a list of what it serves.
export const LAYOUTS = {
        single: { args: [], processes: [['all']] },
        split: { args: ['--split'], processes: [['gateway'], ...SERVICES.map((name) => [name])] },
        mixed: { args: ['--layout', MIXED.map((names) => names.join(' ')).join(' | ')], processes: MIXED },
};
export const MODES = Object.keys(LAYOUTS);
export const mode = process.env.SONET_E2E_MODE ?? 'single';

// SONET_BIN, or the newest build in the tree.
export function findBinary() {
        if (process.env.SONET_BIN) {
                return process.env.SONET_BIN;
        }
        const built = ['build-debug/cmd/sonet', 'build/cmd/sonet'].map((p) => path.join(root, p)).filter((p) => fs.existsSync(p));
        built.sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
        if (built.length === 0) {
                throw new Error('no build/cmd/sonet: build first, or set SONET_BIN');
        }
        return built[0];
}

function canListen(port) {
        return new Promise((resolve) => {
                const probe = net.createServer();
                probe.once('error', () => resolve(false));
                probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
        });
}

const givenPorts = new Set(); // a port is free until its process listens, and again while that one is restarted

// A port with free ones after it (gRPC takes the next, split mode more), below the kernel's ephemeral range. None is given twice by one process.
export async function freePort(following = 12) {
        for (let attempt = 0; attempt < 200; attempt++) {
                const first = 15000 + Math.floor(Math.random() * 16000);
                const ports = Array.from({ length: following + 1 }, (_, i) => first + i);
                if (ports.some((port) => givenPorts.has(port))) {
                        continue;
                }
                ports.forEach((port) => givenPorts.add(port));
                if ((await Promise.all(ports.map(canListen))).every(Boolean)) {
                        return first;
                }
        }
        throw new Error('no free ports found');
}

// Removes a folder although an exiting process may still write to it.
export async function removeFolder(dir) {
        for (let attempt = 0; attempt < 20; attempt++) {
                try {
                        fs.rmSync(dir, { recursive: true, force: true });
                        return;
                } catch (error) {
                        if (attempt === 19) {
                                throw error;
                        }
                        await sleep(100);
                }
        }
}

function readProcess(pid) {
        try {
                const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
                const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
                const comm = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
                const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter((a) => a !== '');
                let cwd = '';
                try {
                        cwd = fs.readlinkSync(`/proc/${pid}/cwd`);
                } catch {
                        // another account's process, or one that has just exited
                }
                return { pid, ppid: Number(rest[1]), state: rest[0], comm, args, cwd };
        } catch {
                return null; // it has exited
        }
}

function allProcesses() {
        return fs.readdirSync('/proc').filter((n) => /^\d+$/.test(n)).map((n) => readProcess(Number(n)))
                .filter((p) => p !== null && p.state !== 'Z');
}

// The role of a process: supervisor, serve (all in one), the first service of its layout (gateway, user, …), redis, postmaster, postgres; preparing (the
// child of the supervisor that prepares the write-ahead log); other.
function roleOf(p, byPid, supervisorPid) {
        if (p.pid === supervisorPid) {
                return 'supervisor';
        }
        if (p.comm.startsWith('redis')) {
                return 'redis';
        }
        if (p.comm.startsWith('postgres')) {
                return byPid.get(p.ppid)?.comm.startsWith('postgres') ? 'postgres' : 'postmaster';
        }
        const serve = p.args.indexOf('serve');
        if (serve >= 0) {
                const names = p.args.slice(serve + 1).filter((a) => !a.startsWith('-'));
                return names.length === 0 || names[0] === 'all' ? 'serve' : names[0];
        }
        return p.ppid === supervisorPid && p.args.includes('up') ? 'preparing' : 'other';
}

// The processes of a server: the descendants of its supervisor, and processes with its folder as working directory (a killed supervisor's children).
export function serverProcesses(supervisorPid, dir) {
        const all = allProcesses();
        const byPid = new Map(all.map((p) => [p.pid, p]));
        const descends = (p) => {
                for (let q = p, depth = 0; q && depth < 64; q = byPid.get(q.ppid), depth++) {
                        if (q.pid === supervisorPid) {
                                return true;
                        }
                }
                return false;
        };
        const inside = (p) => p.pid !== process.pid && (p.cwd.startsWith(dir) || p.args.some((a) => a.includes(dir)));
        return all.filter((p) => descends(p) || inside(p)).map((p) => ({ ...p, role: roleOf(p, byPid, supervisorPid) }));
}

export function signal(pid, name) {
        try {
                process.kill(pid, name);
                return true;
        } catch {
                return false;
        }
}

class Server {
        constructor(options) {
                Object.assign(this, options);
                this.url = `http://127.0.0.1:${this.port}`;
                this.data = path.join(this.dir, 'data');
                this.log = path.join(this.dir, 'sonet.log');
        }

        // Spawns the supervisor and waits for its line `ready http://…`.
        async up() {
                const log = fs.openSync(this.log, 'a');
                const args = ['up', '--port', String(this.port), '--data', this.data, ...LAYOUTS[this.mode].args];
                const env = { ...process.env, SONET_KEY_FILE: path.join(this.dir, 'key'), LOG_FORMAT: 'json', ...this.env };
                for (const name of ['SONET_URL', 'SONET_GRPC', 'NODE_TEST_CONTEXT', 'NODE_OPTIONS', 'NODE_V8_COVERAGE']) {
                        delete env[name];
                }
                running.add(this);
                const limited = this.openFiles ? ['prlimit', `--nofile=${this.openFiles}:${this.openFiles}`] : []; // which becomes the program
                const [command, ...rest] = [...limited, findBinary(), ...args];
                this.child = spawn(command, rest, { stdio: ['ignore', 'pipe', log], env, cwd: this.dir });
                this.pid = this.child.pid;
                this.stdout = '';
                this.exited = new Promise((resolve) => {
                        this.child.once('exit', (code, sig) => resolve({ code, signal: sig }));
                        this.child.once('error', (error) => resolve({ code: -1, signal: null, error }));
                });
                const ready = new Promise((resolve) => {
                        this.child.stdout.on('data', (chunk) => {
                                fs.appendFileSync(this.log, chunk);
                                this.stdout = (this.stdout + chunk).slice(-65536);
                                if (/^ready http:\/\/\S+$/m.test(this.stdout)) {
                                        resolve('ready');
                                }
                        });
                });
                fs.closeSync(log);
                const outcome = await Promise.race([ready, this.exited, late(READY_MS, 'late')]);
                if (outcome !== 'ready') {
                        const why = outcome === 'late' ? `not ready after ${READY_MS / 1000} s` : `ended: ${JSON.stringify(outcome)}`;
                        const error = new Error(`sonet up ${why}\n${this.logTail()}`);
                        await this.stop({ keep: true });
                        throw error;
                }
                this.url = this.stdout.match(/^ready (http:\/\/\S+)$/m)[1];
                return this;
        }

        logTail(lines = 40) {
                try {
                        return fs.readFileSync(this.log, 'utf8').split('\n').slice(-lines).join('\n');
                } catch {
                        return '(no log)';
                }
        }

        processes() {
                return serverProcesses(this.pid, this.dir);
        }

        pids(role) {
                return this.processes().filter((p) => p.role === role).map((p) => p.pid);
        }

        // The gRPC address of each service: {user: '127.0.0.1:N', …}, as passed by the supervisor to its children.
        grpcAddresses() {
                const all = this.processes().find((p) => ['gateway', 'serve'].includes(p.role));
                const env = Object.fromEntries(fs.readFileSync(`/proc/${all.pid}/environ`, 'utf8').split('\0').map((e) => e.split(/=(.*)/s)));
                return Object.fromEntries(SERVICES.map((name) => [name, env[`${name.toUpperCase()}_URL`]?.replace('grpc://', '') ?? `127.0.0.1:${env.GRPC_PORT}`]));
        }

        // The URL of health, readiness and metrics of each `sonet serve`: {gateway: 'http://127.0.0.1:N', …}.
        httpAddresses() {
                return Object.fromEntries(this.processes().filter((p) => p.args.includes('serve')).map((p) => {
                        const port = fs.readFileSync(`/proc/${p.pid}/environ`, 'utf8').match(/(?:^|\0)HTTP_PORT=(\d+)/)[1];
                        return [p.role, `http://127.0.0.1:${port}`];
                }));
        }

        // Sends SIGKILL to every process with a role; returns their number.
        kill(role) {
                return this.pids(role).filter((pid) => signal(pid, 'SIGKILL')).length;
        }

        // Sends SIGTERM and waits, like Ctrl-C. `left`: processes that had to be killed afterwards (normally none).
        async stop({ keep = process.env.SONET_E2E_KEEP === '1', sig = 'SIGTERM' } = {}) {
                signal(this.pid, sig);
                const outcome = await Promise.race([this.exited, late(STOP_MS, { code: null, signal: 'late' })]);
                running.delete(this);
                const left = this.processes();
                left.forEach((p) => signal(p.pid, 'SIGKILL'));
                for (let i = 0; i < 100 && this.processes().length > 0; i++) {
                        await sleep(50);
                }
                if (!keep) {
                        await removeFolder(this.dir);
                }
                return { ...outcome, left };
        }

        // Log lines about failures: processes that exited by themselves, sanitizer reports.
        faults() {
                const lines = fs.readFileSync(this.log, 'utf8').split('\n');
                return lines.filter((l) => /a process exited and is being restarted|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion/.test(l));
        }

        // Keeps the log after the folder is removed; returns its new path.
        saveLog(name) {
                const dir = process.env.SONET_E2E_LOGS ?? path.join(os.tmpdir(), 'sonet-e2e-logs');
                fs.mkdirSync(dir, { recursive: true });
                const target = path.join(dir, `${name}.log`);
                fs.copyFileSync(this.log, target);
                return target;
        }
}

// Running servers: when this process ends, for any reason, they are stopped.
const running = new Set();
process.once('exit', () => running.forEach((server) => signal(server.pid, 'SIGTERM')));
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        process.once(name, () => process.exit(130));
}

// A folder after the first start of a server. If SONET_E2E_TEMPLATE names it, servers start with a copy: creating and migrating databases takes four
// times as long as the rest of a start. The first start is tested by the template, and by tests/test_up.sh.
export async function makeTemplate() {
        const server = await startServer({ mode: 'single' });
        const stopped = await server.stop({ keep: true });
        if (stopped.code !== 0) {
                throw new Error(`sonet up ended with ${stopped.code ?? stopped.signal}\n${server.logTail()}`);
        }
        fs.rmSync(server.log);
        return server.dir;
}

async function newFolder() {
        const dir = fs.mkdtempSync('/tmp/sonet-e2e.');
        if (process.env.SONET_E2E_TEMPLATE) {
                await promisify(execFile)('cp', ['-a', `${process.env.SONET_E2E_TEMPLATE}/.`, dir]);
        }
        fs.chmodSync(dir, 0o755);
        return dir;
}

// A new server in a new folder under /tmp: socket paths are short there, and the PostgreSQL account can access it.
export async function startServer(options = {}) {
        const dir = await newFolder();
        const server = new Server({ dir, port: await freePort(), mode, ...options,
                                    env: { SONET_RATE_LIMITS: 'off', ...options.env } });
        try {
                return await server.up();
        } catch (error) {
                await removeFolder(dir); // the error contains the end of the log
                throw error;
        }
}
