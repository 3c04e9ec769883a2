// `sonet up` as a process: it reports when it is ready, stops what it started, continues where it was, and survives being killed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { connect, eventually, ids, must, problem } from './client.mjs';
import { LAYOUTS, signal, startServer } from './harness.mjs';

let server;
let net;
let alice;
let note;

before(async () => {
        server = await startServer();
        net = connect(server.url);
        alice = await net.register();
        note = await alice.note('to be kept');
});
after(async () => {
        net?.close();
        await server?.stop();
});

const started = () => server.processes().map((p) => p.role);

async function everythingWorks() {
        must(await net.api('GET', '/readyz'));
        assert.equal((await alice.read(note.id)).text, 'to be kept');
        assert.ok((await alice.homeIds()).includes(note.id));
        const fresh = await net.logIn(alice.username);
        assert.ok((await fresh.homeIds()).includes(note.id));
}

test('it prints one ready line, and is ready then', async () => {
        assert.equal(server.stdout.match(/^ready /gm).length, 1);
        assert.match(server.stdout, new RegExp(`^ready ${server.url}$`, 'm'));
        assert.equal(server.url, `http://127.0.0.1:${server.port}`);
        await everythingWorks();
        const expected = LAYOUTS[server.mode].processes.map(([first]) => (first === 'all' ? 'serve' : first)).sort();
        assert.deepEqual(started().filter((r) => ![ 'supervisor', 'preparing', 'redis', 'postmaster', 'postgres' ].includes(r)).sort(), expected);
});

test('it listens on loopback only, and the data folder exposes no secrets', async () => {
        const pids = new Set(server.processes().map((p) => p.pid));
        const inodes = new Set([...pids].flatMap((pid) => {
                try {
                        return fs.readdirSync(`/proc/${pid}/fd`).map((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`)).map((l) => l.match(/^socket:\[(\d+)\]$/)?.[1]);
                } catch {
                        return [];
                }
        }));
        for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
                for (const line of fs.readFileSync(table, 'utf8').trim().split('\n').slice(1)) {
                        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
                        if (state === '0A' && inodes.has(inode)) {
                                assert.match(local, /^(0100007F|0000000000000000FFFF00000100007F|00000000000000000000000001000000):/, 'listens on loopback');
                        }
                }
        }
        assert.equal(fs.statSync(`${server.dir}/key`).mode & 0o077, 0);
        for (const p of server.processes()) {
                assert.ok(!p.args.some((a) => /password|:\/\/[^/]*:[^/]*@/i.test(a)), p.args.join(' '));
        }
});

test('every process has its health, readiness and metrics', async () => {
        const addresses = server.httpAddresses();
        assert.equal(Object.keys(addresses).length, LAYOUTS[server.mode].processes.length);
        for (const [role, url] of Object.entries(addresses)) {
                const own = connect(url);
                const page = async (path) => {
                        const answer = await own.api('GET', path);
                        assert.equal(answer.status, 200, `${role}: ${answer.text}`);
                        return answer.text;
                };
                assert.equal(await page('/healthz'), 'ok\n');
                const ready = await page('/readyz');
                assert.match(ready, /^redis: /m);
                assert.doesNotMatch(ready, /database down|unknown|awaited|not ready|starting/);
                assert.match(await page('/metrics'), /^sonet_workers_busy\{/m);
                if (role !== 'gateway' && role !== 'serve') {
                        assert.match(ready, new RegExp(`^${role}: database up, migrations complete, lease (held|not needed)$`, 'm'));
                        assert.match(await page('/metrics'), new RegExp(`^sonet_rpc_seconds_count\\{method="sonet.${role}.v1`, 'm'));
                        problem(await own.api('GET', '/v1/users/me', { token: alice.token }), 404, { code: 'route_not_found' });
                }
                own.close();
        }
});

test('while PostgreSQL does not respond no process is ready, and all are afterwards', async () => {
        const postgres = () => [...server.pids('postmaster'), ...server.pids('postgres')];
        const everywhere = (status) => async () => {
                for (const [role, url] of Object.entries(server.httpAddresses())) {
                        const own = connect(url);
                        const { status: found, text } = await own.api('GET', '/readyz');
                        own.close();
                        assert.equal(found, status, `${role}: ${text}`);
                        // Owners exit when PostgreSQL does not respond for two seconds; the restarted ones wait for it.
                        const lines = text.match(/^\w+: database .*$/gm) ?? [];
                        assert.deepEqual(status === 503 ? lines.filter((l) => !/database down, migrations unknown, lease (awaited|not needed)$/.test(l)) : [], []);
                }
        };
        postgres().forEach((pid) => signal(pid, 'SIGSTOP'));
        try {
                await eventually('no process is ready', everywhere(503), 60_000);
                for (const url of Object.values(server.httpAddresses())) {
                        const own = connect(url);
                        await eventually(`${url} is alive`, async () => (await own.api('GET', '/healthz')).status === 200); // not while it restarts
                        own.close();
                }
        } finally {
                postgres().forEach((pid) => signal(pid, 'SIGCONT'));
        }
        await eventually('all are ready', everywhere(200), 60_000);
        await eventually('it works', everythingWorks, 60_000);
});

test('an unused Redis that hangs is reported by metrics and readiness, and delays no request', async () => {
        const everywhere = (path, pattern) => async () => {
                for (const [role, url] of Object.entries(server.httpAddresses())) {
                        const own = connect(url);
                        const { status, text } = await own.api('GET', path);
                        own.close();
                        assert.equal(status, 200, `${role}: ${text}`);
                        assert.match(text, pattern, role);
                }
        };
        const state = async (breaker, word) => { // metrics first: requesting readiness could update them
                await eventually(`the breaker is ${breaker}`, everywhere('/metrics', new RegExp(`^sonet_redis_breaker ${breaker}$`, 'm')), 60_000);
                await eventually(`Redis is ${word}`, everywhere('/readyz', new RegExp(`^redis: ${word}`, 'm')), 60_000);
        };
        await state('0', 'up');
        server.pids('redis').forEach((pid) => signal(pid, 'SIGSTOP'));
        try {
                await state('[12]', 'down');
        } finally {
                server.pids('redis').forEach((pid) => signal(pid, 'SIGCONT'));
        }
        await state('0', 'up');
        await everythingWorks();
});

for (const role of ['serve', 'gateway', 'user', 'note', 'follow', 'timeline', 'redis', 'postmaster']) {
        test(`a killed ${role} is restarted, and everything works again`, async (t) => {
                const [pid] = server.pids(role);
                if (pid === undefined) {
                        assert.ok(['serve', 'gateway', 'user', 'note', 'follow', 'timeline'].includes(role), `no ${role} is running`);
                        t.skip(`there is none in ${server.mode} mode`);
                        return;
                }
                assert.ok(signal(pid, 'SIGKILL'));
                await eventually(`a new ${role}`, () => server.pids(role).some((p) => p !== pid), 30_000);
                await eventually('it works', everythingWorks, 60_000);
        });
}

test('a second one with the same folder fails and does not disturb the first', async () => {
        const { spawnSync } = await import('node:child_process');
        const { findBinary, freePort } = await import('./harness.mjs');
        const second = spawnSync(findBinary(), ['up', '--port', String(await freePort()), '--data', server.data],
                                 { env: { ...process.env, SONET_KEY_FILE: `${server.dir}/key` }, timeout: 60_000, encoding: 'utf8' });
        assert.notEqual(second.status, 0);
        assert.match(second.stderr, /already running/);
        await everythingWorks();
});

test('on SIGTERM it finishes running requests, exits with 0, and leaves no process', async () => {
        let busy = true;
        const acknowledged = [];
        const bob = await net.register();
        const writers = Array.from({ length: 4 }, async (_, w) => {
                for (let i = 0; busy && i < 5000; i++) {
                        try {
                                const answer = await bob.post('/v1/notes', { text: `last words ${w}.${i}` });
                                if (answer.status === 201) {
                                        acknowledged.push(answer.body.id);
                                } else {
                                        assert.equal(answer.status, 503, answer.text);
                                }
                        } catch (error) {
                                assert.match(error.code ?? error.message, /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/);
                                return;
                        }
                }
        });
        await eventually('they write', () => acknowledged.length >= 20);
        const outcome = await server.stop({ keep: true });
        busy = false;
        await Promise.all(writers);
        assert.deepEqual([outcome.code, outcome.signal], [0, null]);
        assert.deepEqual(outcome.left.map((p) => p.role), []);
        net.close();
        await server.up();
        await eventually('everything works', everythingWorks);
        const kept = new Set();
        for (let cursor = '', page = 0; page < 500; page++) {
                const body = must(await bob.get(`/v1/timelines/users/${bob.id}?limit=100${cursor}`));
                ids(body.items).forEach((id) => kept.add(id));
                if (!body.next_cursor) {
                        break;
                }
                cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
        }
        assert.deepEqual(acknowledged.filter((id) => !kept.has(id)), []);
});

test('a killed supervisor leaves nothing that prevents the next start', async () => {
        signal(server.pid, 'SIGKILL');
        await server.exited;
        net.close();
        await server.up(); // at once, on the same port, whatever is still exiting
        await eventually('everything works', everythingWorks);
});
