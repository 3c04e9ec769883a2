// Power loss: acknowledged uploads are on disk before the response. strace records the system calls of the server and
// its database, and the test replays them line by line, assuming that only fsync writes anything.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { eventually, must } from './client.mjs';
import { ownServer } from './own.mjs';
import { form, png } from './pictures.mjs';

const CALLS = 'pwrite64,pwritev,fsync,fdatasync,rename,linkat,sendto,sendmsg,writev,write';
const it = ownServer({ env: { MEDIA_PROCESS: 'off' } }, async (net) => {
        it.ada = await net.register();
});

// Traces all processes of the server. Returns {lines, stop}.
async function watch(server) {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-durable-')), file = path.join(dir, 'trace');
        const pids = server.processes().filter(({ args }) => !/redis/.test(args)).flatMap(({ pid }) => ['-p', String(pid)]);
        const strace = spawn('strace', ['-f', '-y', '-s', '40', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', file, ...pids], { stdio: ['ignore', 'ignore', 'pipe'] });
        let said = '';
        strace.stderr.on('data', (data) => { said += data; });
        await eventually('strace watches', () => said.split(' attached').length > pids.length / 2 || (strace.exitCode !== null && Promise.reject(new Error(said))), 20_000);
        const ended = new Promise((resolve) => strace.once('exit', resolve));
        return { lines: async () => {
                         strace.kill('SIGINT');
                         await ended;
                         const lines = fs.readFileSync(file, 'utf8').split('\n');
                         fs.rmSync(dir, { recursive: true });
                         return lines;
                 } };
}

// Calls in order of time: [{at: 'begin' | 'end', thread, name, text}]. Uninterrupted calls have both in succession.
function callsOf(lines) {
        const open = new Map(), calls = [];
        for (const line of lines) {
                const [, thread, text] = line.match(/^(\d+) +(.*)$/) ?? [];
                const [, resumed, rest] = text?.match(/^<\.\.\. (\w+) resumed>(.*)$/) ?? [];
                if (resumed) {
                        const begun = open.get(thread);
                        open.delete(thread);
                        if (begun !== undefined) { // it began after tracing started
                                calls.push({ at: 'end', thread, name: resumed, text: begun + rest });
                        }
                        continue;
                }
                const [, name] = text?.match(/^(\w+)\(/) ?? [];
                if (name === undefined) {
                        continue;
                }
                const unfinished = text.endsWith('<unfinished ...>'), whole = text.replace(/ *<unfinished \.\.\.>$/, '');
                calls.push({ at: 'begin', thread, name, text: whole });
                if (unfinished) {
                        open.set(thread, whole);
                } else {
                        calls.push({ at: 'end', thread, name, text: whole });
                }
        }
        return calls;
}

const isAnswer = ({ at, name, text }) => at === 'begin' && /^(sendto|sendmsg|writev|write)$/.test(name) && /"HTTP\/1\.1 20[124]/.test(text);

// The calls before each response.
function untilAnswers(calls) {
        const parts = [[]];
        for (const call of calls) {
                parts.at(-1).push(call);
                if (isAnswer(call)) {
                        parts.push([]);
                }
        }
        return parts.slice(0, -1);
}

// What a power loss right now would lose of a file in folder: [what is missing].
function missing(calls, folder, bytes) {
        const files = new Map(); // by inode: {written, durable}
        const inodes = new Map(), names = new Map(); // inodes by descriptor and by name
        const file = (inode) => files.get(inode) ?? files.set(inode, { written: 0, synced: 0 }).get(inode);
        const begun = new Map(); // bytes written when a thread's fsync began
        let placed = null, placedWhen = null, folderSynced = false, walSynced = false;
        for (const { at, thread, name, text } of calls) {
                const [, fd, inode] = text.match(/\((\d+)<[^>]*#(\d+)[^>]*>/) ?? [];
                const result = Number(text.match(/\) += (-?\d+)/)?.[1]);
                if (/^(pwritev|pwrite64)$/.test(name) && inode && at === 'end') {
                        file(inode).written += result;
                } else if (/^f(data)?sync$/.test(name) && inode) {
                        inodes.set(`${thread} ${fd}`, inode);
                        if (at === 'begin') {
                                begun.set(thread, file(inode).written);
                        } else if (result === 0) {
                                file(inode).synced = begun.get(thread);
                        }
                } else if (name === 'linkat' && at === 'end' && result === 0) {
                        const [, from, to] = text.match(/"\/proc\/self\/fd\/(\d+)", [^"]*"([^"]+)"/) ?? [];
                        names.set(to?.split('/').at(-1).slice(-12), inodes.get(`${thread} ${from}`));
                } else if (name === 'rename' && at === 'end' && result === 0 && text.includes(`/${folder}/`)) {
                        placed = names.get(text.match(/^rename\("([^"]+)"/)[1].split('/').at(-1).slice(-12)) ?? null;
                        folderSynced = false;
                } else if (/^f(data)?sync$/.test(name) && new RegExp(`/media/${folder}(/[0-9a-f]{2})?>`).test(text)) {
                        placedWhen = at === 'begin' ? placed : placedWhen;
                        folderSynced = folderSynced || (at === 'end' && result === 0 && placed !== null && placedWhen === placed);
                } else if (/^f(data)?sync$/.test(name) && text.includes('/pg_wal/') && at === 'end' && result === 0) {
                        walSynced = walSynced || folderSynced; // the row, which is written once the file is durable
                }
        }
        const it = files.get(placed) ?? { written: 0, synced: 0 };
        return [...(it.written === bytes ? [] : [`${bytes} bytes were sent, and ${it.written} are in a file in ${folder}`]),
                ...(it.synced === it.written ? [] : [`of ${it.written} bytes ${it.synced} are on the disk`]),
                ...(folderSynced ? [] : [`${folder} is not on the disk`]), ...(walSynced ? [] : ['its row is not on the disk'])];
}

test('acknowledged uploads survive a power loss: bytes, name and row are on disk before the response', async () => {
        const picture = png(500, 300, () => randomBytes(3), []), other = png(40, 30, () => randomBytes(3), []);
        const cuts = [[0, 100_000], [100_000, 300_000], [300_000, picture.length]];
        const ask = async (method, where, status, headers, body) => {
                const answer = await fetch(`${it.server.url}${where}`, { method, body, headers: { authorization: `Bearer ${it.ada.token}`, 'tus-resumable': '1.0.0', ...headers } });
                assert.equal(answer.status, status, await answer.text());
                return answer.headers;
        };
        const watched = await watch(it.server);
        const address = (await ask('POST', '/v1/uploads', 201, { 'upload-length': String(picture.length) })).get('location');
        for (const [from, to] of cuts) {
                await ask('PATCH', address, 204, { 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, picture.subarray(from, to));
        }
        const { raw, headers } = form(other);
        await ask('POST', '/v1/media', 202, headers, raw);
        await ask('POST', '/v1/uploads', 201, { 'upload-length': '5000', 'content-type': 'application/offset+octet-stream' }, picture.subarray(0, 3000));
        const answers = untilAnswers(callsOf(await watched.lines()));
        assert.equal(answers.length, 6);
        const expected = [['chunks', 100_000], ['chunks', 200_000], ['blobs', picture.length], ['blobs', other.length], ['chunks', 3000]]; // after the first response, which is for no bytes
        for (const [i, [folder, bytes]] of expected.entries()) {
                const calls = answers[i + 1];
                assert.deepEqual(missing(calls, folder, bytes), [], `piece ${i}`);
                // The test detects missing syncs: without any single fsync something is lost.
                const syncs = { bytes: /#\d+/, name: new RegExp(`/media/${folder}`), row: /\/pg_wal\// };
                for (const [what, which] of Object.entries(syncs)) {
                        const without = calls.filter(({ name, text }) => !(/^f(data)?sync$/.test(name) && which.test(text)));
                        assert.notDeepEqual(missing(without, folder, bytes), [], `piece ${i} without an fsync of its ${what}`);
                }
        }
        assert.match(must(await it.ada.get(address)).media_id, /^[0-9a-f-]{36}$/);
});

test('disk operations do not depend on whether somebody else has the same content', async () => {
        const { raw, headers } = form(png(60, 40, () => randomBytes(3), []));
        const members = [it.ada, await it.register()], watched = await watch(it.server);
        for (const { token } of members) {
                const answer = await fetch(`${it.server.url}/v1/media`, { method: 'POST', body: raw, headers: { ...headers, authorization: `Bearer ${token}` } });
                assert.equal(answer.status, 202, await answer.text());
        }
        const asked = untilAnswers(callsOf(await watched.lines())).map((calls) => calls
                .filter(({ at, name, text }) => at === 'begin' && /^(rename|linkat|fsync|fdatasync)$/.test(name) && !/\/postgresql\/|"(pg_\w+|base|global)\//.test(text)) // PostgreSQL names its files from its own folder, too
                .map(({ text }) => text.replace(/^(\w+\()\d+/, '$1').replace(/fd\/\d+|#\d+|[0-9a-f]{8}-[0-9a-f-]{27}/g, '…').replace(/ \(deleted\)|\) += 0$/g, '')));
        assert.ok(asked[0].length >= 3, asked[0].join('\n'));
        assert.deepEqual(asked[1], asked[0]);
});
