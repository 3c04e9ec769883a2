// Owns two replicas of some `sonet serve` processes, and restarts those that exit, like a service manager. By default two of all processes with an
// owner, and two gateways, each with a separate connection proxy to PostgreSQL. The others run once, and connect to PostgreSQL directly: all proxied
// connections go through this one process, which must not become the bottleneck. Services call other processes through a balancer that checks
// readiness, like an operator's: it connects to the owner of a service, or to all replicas in turn if any number may run. The first replicas run on one
// host and the second ones on another, as far as shared memory is concerned.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { connect, eventually } from './client.mjs';
import { findBinary, freePort, LAYOUTS, signal, sleep, SERVICES } from './harness.mjs';
import { PostgresProxy } from './pgproxy.mjs';
import { Servers } from './servers.mjs';

const ASK_MS = 1000;
const STAMPS_BYTES = 17 * (32 << 20) + 4096; // base/shared_stamps.c: enough for every layout
const SINGLE = ['user', 'follow', 'note']; // services/test_contracts.c
const OWNED = ['gateway', 'all', ...SINGLE];
const includesAny = (role, names) => role.some((name) => names.includes(name));

// One process, restarted when it exits.
class Replica {
        constructor(pair, role, number) {
                Object.assign(this, { pair, role, number, exits: [], accepted: 0, wanted: false, name: `${role.join('+')} ${number}` });
                this.log = path.join(pair.servers.dir, `${role.join('-')}-${number}.log`);
        }

        async prepare() {
                this.proxy = this.pair.isTwice(this.role) && includesAny(this.role, OWNED) ? await new PostgresProxy(this.pair.servers.socket).listen() : null;
                this.port = await freePort(1);
                this.url = `http://127.0.0.1:${this.port}`;
                this.grpc = this.port + 1;
        }

        start() {
                const log = fs.openSync(this.log, 'a');
                const stamps = fs.openSync(this.pair.stamps[this.number], 'r+');
                this.wanted = true;
                this.child = spawn(findBinary(), ['serve', '--port', String(this.port), ...this.role],
                                   { stdio: ['ignore', log, log, stamps], env: { ...this.pair.environment(this), SHARED_STAMPS: `3:${this.pair.roles.indexOf(this.role)}` } });
                fs.closeSync(log);
                fs.closeSync(stamps);
                this.child.once('exit', (code, sig) => {
                        this.exits.push(code ?? sig);
                        if (this.wanted) {
                                this.start();
                        }
                });
        }

        signal(name) { return signal(this.child.pid, name); }

        lastLines() { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').trim().split('\n').slice(-4).join('\n') : ''; }

        async stop() {
                const gone = this.child && this.child.exitCode === null && this.child.signalCode === null
                        ? new Promise((resolve) => this.child.once('exit', resolve)) : null;
                this.wanted = false;
                if (gone) {
                        this.signal('SIGCONT');
                        this.signal('SIGTERM');
                        await gone;
                }
        }

        // {owns, standsBy, answers, text} of a service that it runs, from /readyz.
        async readiness(service) {
                const own = connect(this.url);
                try {
                        const { text } = await own.api('GET', '/readyz', { timeoutMs: ASK_MS });
                        return { replica: this, text, answers: true, standsBy: /standing by: another process owns \w+/.test(text),
                                 owns: new RegExp(`^${service}: database up, migrations complete, lease (held|not needed)$`, 'm').test(text) && !/^this process:/m.test(text) };
                } catch (error) {
                        return { replica: this, text: error.message, answers: false, owns: false, standsBy: false };
                } finally {
                        own.close();
                }
        }
}

// Selects the replicas of a service: one that serves it, for as long as it does; or all of them, in turn for each connection. For gateways, all that
// respond, since they report errors of services themselves.
class Balancer {
        constructor(service, replicas) {
                Object.assign(this, { service, replicas, serving: new Set(), target: null, turn: 0, lines: new Set() });
                this.spreads = replicas.length > 1 && !replicas.some((replica) => includesAny(replica.role, [...SINGLE, 'all']));
                this.restMs = replicas.length > 1 ? 50 : 1000;
        }

        async listen() {
                this.listener = net.createServer((client) => this.accept(client));
                await new Promise((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
                this.port = this.listener.address().port;
                this.url = `http://127.0.0.1:${this.port}`;
                this.replicas.forEach((replica) => this.watch(replica));
                return this;
        }

        async watch(replica) {
                while (this.listener.listening) {
                        const since = performance.now();
                        const { owns, answers } = await replica.readiness(this.service);
                        this.serving[(this.service === 'gateway' ? answers : owns) ? 'add' : 'delete'](replica);
                        if (!this.spreads && !this.serving.has(this.target) && this.serving.size > 0) {
                                [this.target] = this.serving;
                                this.lines.forEach((socket) => socket.destroy());
                        }
                        await sleep(Math.max(this.restMs, 4 * (performance.now() - since))); // on a busy machine, asking would keep this process from forwarding
                }
        }

        pick() { return this.spreads ? [...this.serving][this.turn++ % this.serving.size] : this.target; }

        accept(client) {
                const target = this.pick();
                const server = target && net.connect(this.service === 'gateway' ? target.port : target.grpc, '127.0.0.1');
                for (const [socket, other] of [[client, server], [server, client]]) {
                        if (socket) {
                                this.lines.add(socket);
                                socket.on('error', () => {});
                                socket.on('close', () => { this.lines.delete(socket); other?.destroy(); });
                        }
                }
                if (!server) {
                        client.destroy();
                        return;
                }
                target.accepted++;
                client.pipe(server).pipe(client);
        }

        close() {
                this.listener.close();
                this.lines.forEach((socket) => socket.destroy());
        }
}

export class Pair {
        // twice: processes with two replicas.
        constructor(layout, { twice = OWNED } = {}) {
                this.roles = LAYOUTS[layout].processes;
                this.twice = twice;
                this.balancers = new Map(); // of each service, if there are several processes
        }

        isTwice(role) { return includesAny(role, this.twice); }

        async prepare() {
                this.servers = await new Servers().start();
                this.keyFile = path.join(this.servers.dir, 'key');
                fs.writeFileSync(this.keyFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
                this.stamps = [0, 1].map((number) => path.join(this.servers.dir, `stamps-${number}`));
                for (const file of this.stamps) {
                        fs.writeFileSync(file, '', { mode: 0o600 });
                        fs.truncateSync(file, STAMPS_BYTES);
                }
                this.replicas = this.roles.flatMap((role) => (this.isTwice(role) ? [0, 1] : [0]).map((number) => new Replica(this, role, number)));
                for (const replica of this.replicas) {
                        await replica.prepare();
                }
                for (const service of this.roles.length > 1 ? SERVICES : []) {
                        this.balancers.set(service, await new Balancer(service, this.of(service)).listen());
                }
                await this.migrate();
                return this;
        }

        databaseUrl(port) {
                return port ? `postgresql://{service_name}@127.0.0.1:${port}/{service_name}?sslmode=disable&gssencmode=disable`
                        : `postgresql://{service_name}@/{service_name}?host=${this.servers.dir}`;
        }

        environment(replica) {
                const env = { ...process.env, SONET_KEY_FILE: this.keyFile, LOG_FORMAT: 'json', REDIS_URL: this.servers.redisUrl, SONET_RATE_LIMITS: 'off',
                              DATABASE_URL: this.databaseUrl(replica?.proxy?.port), DATABASE_ADMIN_URL: this.servers.adminUrl };
                for (const [service, balancer] of this.balancers) { // SERVICES; GATEWAY_URL is not used
                        env[`${service.toUpperCase()}_URL`] = `grpc://127.0.0.1:${balancer.port}`;
                }
                return env;
        }

        async migrate() {
                const child = spawn(findBinary(), ['migrate'], { stdio: ['ignore', 'ignore', 'inherit'], env: this.environment(null) });
                const code = await new Promise((resolve) => child.once('exit', resolve));
                if (code !== 0) {
                        throw new Error(`sonet migrate ended with ${code}`);
                }
        }

        // The replicas of the process that runs a service.
        of(service) {
                return this.replicas.filter((r) => r.role.includes(service) || r.role.includes('all'));
        }

        // In front of the gateways, for clients.
        async balanceGateways() { return this.balancers.set('gateway', await new Balancer('gateway', this.gateways).listen()).get('gateway').url; }

        get gateways() { return this.of('gateway'); }

        // Of the two processes that run a service, the owner and the standby.
        async settled(service, withinMs = 60_000) {
                return eventually(`one owns ${service}, one stands by`, async () => {
                        const found = await Promise.all(this.of(service).map((replica) => replica.readiness(service)));
                        const owner = found.find((f) => f.owns);
                        const standby = found.find((f) => f.standsBy);
                        if (!owner || !standby) {
                                throw new Error(found.map((f) => `${f.replica.name}: ${f.text}${f.replica.lastLines()}`).join('\n'));
                        }
                        return { owner: owner.replica, standby: standby.replica };
                }, withinMs);
        }

        // For debugging: each process's status, the balancers' targets, and PostgreSQL's locks.
        async describe() {
                const psql = ['-h', this.servers.dir, '-U', 'sonet_admin', '-d', 'postgres', '-Atc',
                              "select datname, pid, state, wait_event, left(query, 60), (select string_agg(mode || ' ' || granted, ', ') from pg_locks l where l.pid = a.pid and locktype = 'advisory') from pg_stat_activity a where application_name = 'sonet lease' or wait_event_type = 'Lock'"];
                const sessions = await promisify(execFile)('psql', psql).then(({ stdout }) => stdout, (error) => error.message);
                const replicas = await Promise.all(this.replicas.map(async (r) => {
                        const { text } = await r.readiness(r.role[0]);
                        return `${r.name}, pid ${r.child?.pid}, ended with ${r.exits.join() || 'nothing'}: ${text}\n${r.lastLines()}`;
                }));
                const targets = [...this.balancers.values()].map((b) => `${b.service}: ${b.target?.name ?? 'nobody'} of ${[...b.serving].map((r) => r.name).join() || 'none'}`);
                return ['--- the pair', ...replicas, ...targets, sessions, '---'].join('\n');
        }

        // Lines that must not be in any log.
        faults() {
                return this.replicas.flatMap((r) => (fs.existsSync(r.log) ? fs.readFileSync(r.log, 'utf8').split('\n') : [])
                        .filter((l) => /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion/.test(l)).map((l) => `${r.name}: ${l}`));
        }

        async stop() {
                await Promise.all((this.replicas ?? []).map((r) => r.stop()));
                this.balancers.forEach((b) => b.close());
                this.replicas?.forEach((r) => r.proxy?.close());
                await this.servers?.stop();
        }
}
