// Media: uploads and downloads compared with nginx, variants compared with vipsthumbnail, each pair in one run on one disk; memory during many
// uploads; the time from upload to ready; the cost of the decoder process alone. The tables go to standard output.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { sleep, startServer } from '../tests/e2e/harness.mjs';
import { form, jpeg, png } from '../tests/e2e/pictures.mjs';
import { run } from './load.mjs';
import { cpuBetween, cpuNow, describeMachine, machineBusy } from './machine.mjs';
import { must } from './network.mjs';
import { options } from './options.mjs';
import { startNginx } from './references.mjs';
import { median, percentile, table } from './report.mjs';

const SECONDS = options.seconds, ROUNDS = options.rounds;
const MIB = 1 << 20, FILE_BYTES = 64 * MIB, PICTURE_BYTES = 200 << 10;
const CLIENTS = options.clients, CONNECTIONS = 16, READY_EACH = 30, CHILDREN = 20, CUTS = 100;
const PARALLEL = [[200, 1 * MIB], [200, 8 * MIB], [32, 64 * MIB]]; // concurrent uploads
const VARIANTS = [['large', '1600x1600>'], ['medium', '800x800>'], ['small', '400x400>'], ['thumb', '160x160']];
// All clients share one address. Media are not processed (MEDIA_PROCESS), since nginx does not process them, either.
const LIMITS = { SONET_RATE_LIMITS: 'off', SPOOL_FILES: '2000', SPOOL_BYTES: String(64 * 1024 * MIB), MEDIA_QUOTA_BYTES: String(1024 * 1024 * MIB), MEDIA_PENDING: '100000', ANSWER_FILES: '2000' };
const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const fixed = (n, digits = 2) => n.toFixed(digits);
const numbers = (n) => Array.from({ length: n }, (_, i) => i);
const wants = (part) => options.only.includes(part);

async function account(server, username = 'bench') {
        const json = { username, email: `${username}@example.org`, password: 'correct horse battery' };
        return JSON.parse(await must(server, 'POST', '/v1/auth/register', { json })).access_token;
}

// ---- uploads --------------------------------------------------------------------------------------------------------------------

// A picture according to its first bytes, and all different, since identical content would be stored once.
function makeFiles(dir, n, bytes) {
        return numbers(n).map((i) => {
                const file = path.join(dir, `upload${i}`);
                fs.writeFileSync(file, Buffer.concat([jpeg, randomBytes(bytes - jpeg.length)]));
                return file;
        });
}

const curl = (...args) => run('curl', ['--silent', '--fail', '--show-error', '--output', '/dev/null', ...args]);
const sonetUpload = (server, token) => (file) => curl('--request', 'POST', '--upload-file', file, '--header', `Authorization: Bearer ${token}`, '--header', 'Tus-Resumable: 1.0.0',
        '--header', `Upload-Length: ${fs.statSync(file).size}`, '--header', 'Content-Type: application/offset+octet-stream', '--header', 'Expect:', `http://127.0.0.1:${server.port}/v1/uploads`);

// nginx responds when the bytes are in the page cache. For the same durability the file is synced after each response.
function nginxUpload(reference, dir, durable) {
        let n = 0;
        return async (file) => {
                const name = `${n++}${durable ? 'd' : ''}`;
                await curl('--upload-file', file, '--header', 'Expect:', `http://127.0.0.1:${reference.port}/${name}`);
                if (durable) {
                        const stored = await fs.promises.open(path.join(dir, 'www', name));
                        await stored.sync();
                        await stored.close();
                }
        };
}

// What the disk itself can do, without a network or a hash: each file is copied past the page cache, and synced.
function diskCopy(dir) {
        let n = 0;
        return (file) => run('dd', [`if=${file}`, `of=${path.join(dir, 'www', `${n++}dd`)}`, 'bs=1M', 'oflag=direct', 'conv=fsync', 'status=none']);
}

const settle = () => run('sync', []); // so that pending writes do not affect the next measurement

async function uploadAll(dir, clients, upload) {
        const files = makeFiles(dir, clients, FILE_BYTES);
        await settle();
        const start = performance.now();
        await Promise.all(files.map(upload));
        return clients * FILE_BYTES / MIB / ((performance.now() - start) / 1000);
}

async function uploads(server, token) {
        const dir = path.join(server.dir, 'nginx');
        const reference = await startNginx(dir, 'location / { dav_methods PUT; client_max_body_size 0; }');
        const ways = { SoNet: sonetUpload(server, token), 'nginx, which leaves it to the page cache': nginxUpload(reference, dir, false), 'nginx, and then fsync': nginxUpload(reference, dir, true), 'the disk alone: dd with direct I/O and fsync': diskCopy(dir) };
        const rows = [];
        for (const upload of Object.values(ways)) {
                await uploadAll(dir, 1, upload); // for files, connections and threads that the first uploads create
        }
        for (const clients of CLIENTS) {
                const rates = {};
                for (let i = 0; i < ROUNDS; i++) {
                        for (const [name, upload] of Object.entries(ways)) {
                                (rates[name] ??= []).push(await uploadAll(dir, clients, upload));
                                fs.readdirSync(path.join(dir, 'www')).forEach((stored) => fs.rmSync(path.join(dir, 'www', stored)));
                                say(`${clients} × 64 MiB, ${name}: ${fixed(rates[name].at(-1), 0)} MiB/s`);
                        }
                }
                for (const [name, all] of Object.entries(rates)) {
                        rows.push([`${clients === 1 ? 'one client' : `${clients} clients`}, 64 MiB each`, name, fixed(median(all), 0), fixed(median(rates.SoNet) / median(all))]);
                }
        }
        reference.stop();
        return table(['upload', '', 'MiB/s', 'SoNet to it'], rows);
}

// ---- memory ---------------------------------------------------------------------------------------------------------------------

// Memory other than file pages: MiB of all serving processes.
const memoryOf = (server) => server.processes().filter((p) => p.args.includes('serve'))
        .reduce((sum, { pid }) => sum + Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]) / 1024, 0);

function sendSlowly(server, token, bytes) {
        const body = Buffer.concat([jpeg, randomBytes(bytes - jpeg.length)]);
        return new Promise((resolve, reject) => {
                const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0', 'upload-length': bytes, 'content-length': bytes, 'content-type': 'application/offset+octet-stream' };
                const request = http.request({ port: server.port, method: 'POST', path: '/v1/uploads', agent: false, headers }, (answer) => {
                        answer.resume().on('end', () => (answer.statusCode === 201 ? resolve() : reject(new Error(`an upload was answered ${answer.statusCode}`))));
                });
                request.on('error', reject);
                request.end(body);
        });
}

async function parallel(server, token, n, bytes) {
        const before = memoryOf(server);
        let peak = before, done = false;
        const watching = (async () => {
                while (!done) {
                        peak = Math.max(peak, memoryOf(server));
                        await sleep(50);
                }
        })();
        await Promise.all(numbers(n).map(() => sendSlowly(server, token, bytes)));
        done = true;
        await watching;
        await sleep(2000);
        return [`${n} uploads of ${bytes / MIB} MiB at a time`, fixed(before, 1), fixed(peak, 1), fixed(memoryOf(server), 1), fixed(peak - before, 1), fixed((peak - before) * 1024 / n, 0)];
}

async function memory(server, token) {
        await parallel(server, token, ...PARALLEL[0]); // for connections, threads and caches that remain
        const rows = [];
        for (const [n, bytes] of PARALLEL) {
                rows.push(await parallel(server, token, n, bytes));
                say(rows.at(-1).join(', '));
        }
        return table([`memory of all processes (${options.mode}), MiB`, 'before', 'most', 'afterwards', 'most − before', 'KiB for each upload'], rows);
}

// ---- resuming -------------------------------------------------------------------------------------------------------------------

// The connection is closed in the middle of a chunk; measured from then until the offset is known, and until the rest is acknowledged.
async function cutOff(server, token) {
        const bytes = Buffer.concat([jpeg, randomBytes(MIB - jpeg.length)]), headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
        const ask = async (method, where, more, body) => {
                const answer = await fetch(`http://127.0.0.1:${server.port}${where}`, { method, headers: { ...headers, ...more }, body });
                if (answer.status > 204) {
                        throw new Error(`${method} ${where} was answered ${answer.status}: ${await answer.text()}`);
                }
                await answer.arrayBuffer();
                return answer.headers;
        };
        const address = (await ask('POST', '/v1/uploads', { 'upload-length': String(bytes.length) })).get('location'), piece = { 'content-type': 'application/offset+octet-stream' };
        const cut = http.request({ port: server.port, method: 'PATCH', path: address, agent: false, headers: { ...headers, ...piece, 'upload-offset': '0', 'content-length': bytes.length } });
        cut.on('error', () => {});
        await new Promise((resolve) => cut.write(bytes.subarray(0, bytes.length / 2), resolve));
        await sleep(10); // while the chunk is being sent
        cut.destroy();
        const start = performance.now(), offset = (await ask('HEAD', address)).get('upload-offset'), known = performance.now() - start;
        await ask('PATCH', address, { ...piece, 'upload-offset': offset }, bytes.subarray(Number(offset)));
        return { known, done: performance.now() - start };
}

async function resuming(server, token) {
        const all = [];
        for (let i = 0; i < CUTS; i++) {
                all.push(await cutOff(server, token));
        }
        const row = (name, field) => [name, fixed(percentile(all.map((r) => r[field]), 0.5), 1), fixed(percentile(all.map((r) => r[field]), 0.99), 1)];
        return table([`a socket is cut in the middle of 1 MiB, ${CUTS} times`, 'p50 ms', 'p99 ms'], [row('until HEAD says where to go on', 'known'), row('until the rest is acknowledged and on the disk', 'done')]);
}

// ---- delivery -------------------------------------------------------------------------------------------------------------------

const bring = async (server, token, file) => {
        const { raw, headers } = form(file);
        const answer = await fetch(`http://127.0.0.1:${server.port}/v1/media`, { method: 'POST', body: raw, headers: { ...headers, authorization: `Bearer ${token}` } });
        if (answer.status !== 202) {
                throw new Error(`a picture was answered ${answer.status}: ${await answer.text()}`);
        }
        return (await answer.json()).id;
};

async function untilReady(server, token, id) {
        for (;;) {
                const media = JSON.parse(await must(server, 'GET', `/v1/media/${id}`, { token }));
                if (media.status !== 'processing') {
                        return media;
                }
                await sleep(2);
        }
}

// Noise, so that PNG does not compress it.
function pictureOf(bytes) {
        const side = Math.round(Math.sqrt(bytes / 3));
        const pixels = randomBytes(3 * side * side);
        return png(side, side, (x, y) => pixels.subarray(3 * (y * side + x), 3 * (y * side + x) + 3), []);
}

const inUs = (text) => Number.parseFloat(text) * { us: 1, ms: 1000, s: 1e6 }[text.replace(/[\d.]/g, '')];

async function wrk(port, url, seconds = SECONDS) {
        const busy = machineBusy();
        const out = await run('wrk', ['--threads', '1', '--connections', String(CONNECTIONS), '--duration', `${seconds}s`, '--latency', `http://127.0.0.1:${port}${url}`]);
        if (/Non-2xx|Socket errors/.test(out)) {
                throw new Error(`wrk: ${out}`);
        }
        const per_s = Number(out.match(/Requests\/sec:\s+([\d.]+)/)[1]);
        return { per_s, p50_us: inUs(out.match(/^\s+50%\s+(\S+)/m)[1]), p99_us: inUs(out.match(/^\s+99%\s+(\S+)/m)[1]), busy_us: (machineBusy() - busy) / seconds / per_s * 1e6 };
}

async function delivery(server, token) {
        const picture = pictureOf(PICTURE_BYTES), dir = path.join(server.dir, 'static');
        const id = await bring(server, token, picture);
        await untilReady(server, token, id);
        await must(server, 'POST', '/v1/notes', { token, json: { text: 'A picture', visibility: 'public', media_ids: [id] } });
        for (let url = '?'; url.includes('?'); await sleep(20)) {
                ({ url } = JSON.parse(await must(server, 'GET', `/v1/media/${id}`, { token })));
        }
        const reference = await startNginx(dir, 'open_file_cache max=2000 inactive=60s;');
        fs.writeFileSync(path.join(dir, 'www', 'picture.png'), picture);
        const [ours, theirs] = [[], []];
        await wrk(server.port, `/media/${id}/original`, 1);
        for (let i = 0; i < ROUNDS; i++) {
                ours.push(await wrk(server.port, `/media/${id}/original`));
                theirs.push(await wrk(reference.port, '/picture.png'));
                say(`a picture of 200 KiB: SoNet ${fixed(ours.at(-1).per_s, 0)}/s, nginx ${fixed(theirs.at(-1).per_s, 0)}/s`);
        }
        reference.stop();
        const of = (all, field) => median(all.map((r) => r[field]));
        const row = (name, all) => [name, fixed(of(all, 'per_s'), 0), fixed(of(all, 'p50_us') / 1000), fixed(of(all, 'p99_us') / 1000), fixed(of(all, 'busy_us'), 0), fixed(of(all, 'per_s') / of(theirs, 'per_s'))];
        return table([`a picture of 200 KiB, ${CONNECTIONS} connections`, 'a second', 'p50 ms', 'p99 ms', 'CPU of the machine, µs', 'to nginx'], [row('SoNet', ours), row('nginx', theirs)]);
}

// ---- variants -------------------------------------------------------------------------------------------------------------------

// Twelve megapixels with areas of more and less detail, like photographs.
async function photograph(dir) {
        const at = (name) => path.join(dir, name);
        for (const [i, cell] of [32, 200, 900].entries()) {
                await run('vips', ['perlin', at(`p${i}.v`), '4000', '3000', '--cell-size', String(cell), '--uchar', '--seed', String(i)]);
        }
        await run('vips', ['gaussnoise', at('noise.v'), '4000', '3000', '--mean', '0', '--sigma', '6', '--seed', '7']);
        await run('vips', ['bandjoin', `${at('p0.v')} ${at('p1.v')} ${at('p2.v')}`, at('rgb.v')]);
        await run('vips', ['add', at('rgb.v'), at('noise.v'), at('noisy.v')]);
        await run('vips', ['cast', at('noisy.v'), at('cast.v'), 'uchar']);
        await run('vips', ['copy', at('cast.v'), at('photograph.jpg[Q=90]'), '--interpretation', 'srgb']);
        return at('photograph.jpg');
}

// Wall-clock and CPU milliseconds of a child and its children. cutime counts children once they have been waited for.
function timed(start) {
        return new Promise((resolve, reject) => {
                const before = childrenCpu(), began = performance.now();
                const child = start();
                child.once('error', reject);
                child.once('close', (code) => (code === 0 ? resolve({ ms: performance.now() - began, cpu_ms: childrenCpu() - before }) : reject(new Error(`a program ended with ${code}`))));
        });
}

// Of this process's exited children, in ms.
function childrenCpu() {
        const stat = fs.readFileSync('/proc/self/stat', 'utf8');
        const f = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
        return (f[13] + f[14]) * 10;
}

// As decode.c starts it, with all outputs.
function decodeChild(dir, file, type, avif) {
        const fds = [fs.openSync(file), 'ignore', 'ignore', ...numbers(9).map((i) => fs.openSync(path.join(dir, `out${i}`), 'w+'))];
        const child = spawn(process.env.SONET_BIN, ['decode-media', type, '0', '0', '30', '0', '0', '0', '0', '', avif ? '1' : '0'], { stdio: fds,
                env: { PATH: '/usr/bin:/bin', VIPS_CONCURRENCY: '1', VIPS_NOVECTOR: '1', MALLOC_ARENA_MAX: '1', LC_ALL: 'C' } });
        fds.filter((fd) => typeof fd === 'number').forEach((fd) => fs.closeSync(fd));
        return child;
}

const thumbnails = (dir, file) => spawn('sh', ['-c', VARIANTS.map(([name, size]) => `vipsthumbnail ${file} --size '${size}' ${name === 'thumb' ? '--smartcrop centre' : ''} -o ${dir}/${name}.webp[Q=80,strip]`).join(' && ')],
        { stdio: 'ignore', env: { ...process.env, VIPS_CONCURRENCY: '1' } });

async function average(n, start) {
        const all = [];
        for (let i = 0; i < n; i++) {
                all.push(await timed(start));
        }
        return { ms: median(all.map((r) => r.ms)), cpu_ms: all.reduce((sum, r) => sum + r.cpu_ms, 0) / n };
}

async function variants(dir) {
        const photo = await photograph(dir), dot = path.join(dir, 'dot.png');
        fs.writeFileSync(dot, png(1, 1));
        const [ours, theirs] = [await average(ROUNDS * 2, () => decodeChild(dir, photo, 'image/jpeg')), await average(ROUNDS * 2, () => thumbnails(dir, photo))];
        const withAvif = await average(ROUNDS * 2, () => decodeChild(dir, photo, 'image/jpeg', true));
        const smallest = await average(CHILDREN, () => decodeChild(dir, dot, 'image/png'));
        const empty = await average(CHILDREN, () => spawn(process.env.SONET_BIN, ['help'], { stdio: 'ignore' }));
        const row = (name, r) => [name, fixed(r.ms, 0), fixed(r.cpu_ms, 0)];
        return table([`JPEG of 12 MP (${fixed(fs.statSync(photo).size / MIB, 1)} MiB) to four sizes`, 'ms', 'CPU ms'],
                     [row('SoNet’s decoder: four variants, the original without metadata, BlurHash, colour, look', ours), row('vipsthumbnail, the same four sizes', theirs),
                      ['SoNet to vipsthumbnail', fixed(ours.ms / theirs.ms), fixed(ours.cpu_ms / theirs.cpu_ms)],
                      row('SoNet’s decoder that makes the four as AVIF, too', withAvif), ['that to vipsthumbnail', fixed(withAvif.ms / theirs.ms), fixed(withAvif.cpu_ms / theirs.cpu_ms)],
                      row('the decoder with a picture of one pixel: what a process in a sandbox costs each', smallest), row('sonet help: starting the program, as part of that', empty)]);
}

// ---- time until ready --------------------------------------------------------------------------------------------------------

async function ready(server, token, dir) {
        const rows = [];
        const photo = fs.readFileSync(await photograph(dir));
        for (const [name, file] of [['a PNG of 200 KiB', pictureOf(PICTURE_BYTES)], ['a JPEG of 12 MP', photo]]) {
                const times = [], cpu = cpuNow(server);
                for (let i = 0; i < READY_EACH; i++) {
                        const own = name.includes('PNG') ? pictureOf(PICTURE_BYTES) : Buffer.concat([file, randomBytes(8)]); // all contents differ
                        const start = performance.now();
                        const media = await untilReady(server, token, await bring(server, token, own));
                        times.push(performance.now() - start);
                        if (media.status !== 'ready') {
                                throw new Error(`it became ${media.status}: ${media.reason}`);
                        }
                }
                rows.push([name, fixed(percentile(times, 0.5), 0), fixed(percentile(times, 0.99), 0), fixed(1000 * cpuBetween(cpu, cpuNow(server)).postgresql / READY_EACH, 0)]);
                say(rows.at(-1).join(', '));
        }
        return table(['from the beginning of the upload until it is ready, one at a time', 'p50 ms', 'p99 ms', 'PostgreSQL CPU ms each'], rows);
}

// ---- main ------------------------------------------------------------------------------------------------------------------

async function withServer(env, what) {
        const server = await startServer({ mode: options.mode, env: { ...LIMITS, ...env } });
        try {
                return await what(server, await account(server));
        } finally {
                await server.stop();
        }
}

const machine = describeMachine();
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-media-bench.'));
try {
        const tables = [];
        if (wants('upload') || wants('memory') || wants('resume')) {
                await withServer({ MEDIA_PROCESS: 'off' }, async (server, token) => {
                        tables.push(wants('memory') && await memory(server, token), wants('upload') && await uploads(server, token), wants('resume') && await resuming(server, token));
                });
        }
        if (wants('deliver') || wants('ready')) {
                await withServer({}, async (server, token) => {
                        tables.push(wants('deliver') && await delivery(server, token), wants('ready') && await ready(server, token, dir));
                });
        }
        tables.push(wants('variants') && await variants(dir));
        console.log(`${machine.date}; ${machine.cpus} × ${machine.model}; load average at the start ${machine.load_average.toFixed(2)}\n`);
        console.log(tables.filter(Boolean).join('\n\n'));
} finally {
        fs.rmSync(dir, { recursive: true, force: true });
}
