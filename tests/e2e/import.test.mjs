// `sonet import`: a network is imported through the public API, and importing it again only adds what is missing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { api, must } from './shared.mjs';
import { findBinary } from './harness.mjs';

const MEMBERS = 20;
const NOTES = 5;
let dir;

before(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-import.'))));
after(() => fs.rmSync(dir, { recursive: true, force: true }));

function write(name, text) {
        const file = path.join(dir, name);
        fs.writeFileSync(file, text);
        return file;
}

// Numbers that no other run on this server uses; a circle with chords, some edges repeated and in both directions.
function network() {
        const base = Math.floor(Math.random() * 90_000_000);
        const ties = new Set();
        for (let i = 0; i < MEMBERS; i++) {
                for (const step of [1, 3, 7]) {
                        ties.add([i, (i + step) % MEMBERS].sort((a, b) => a - b).join(' '));
                }
        }
        const lines = [...ties].map((t) => t.split(' ').map((n) => base + Number(n)).join(' '));
        const graph = write('graph.edges', `% a comment\n\n${lines.join('\n')}\n${lines[0].split(' ').reverse().join(',')}\r\n`);
        return { base, graph, ties: [...ties].map((t) => t.split(' ').map(Number)) };
}

const texts = () => write('sayings', Array.from({ length: 60 }, (_, i) => `Saying ${i}: żółw 乌龟 "quoted" \\ 🐢\nsecond line`).join('\n%\n'));

function start(args) {
        const child = spawn(findBinary(), ['import', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
        let out = '';
        child.stdout.on('data', (chunk) => (out += chunk));
        child.stderr.on('data', (chunk) => (out += chunk));
        const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, get out() { return out; } })));
        return { child, ended, seen: (pattern) => pattern.test(out) };
}

const run = (args) => start([...args, '--to', process.env.SONET_URL, '--password', 'import-test-password']).ended;

async function list(url) {
        const items = [];
        for (let cursor = ''; cursor !== undefined;) {
                const page = must(await api('GET', `${url}?limit=100${cursor && `&cursor=${cursor}`}`));
                items.push(...page.items);
                cursor = page.next_cursor;
        }
        return items;
}

// The network as the server shows it: for each member, whom they follow and what they have posted.
async function look(base) {
        const members = {};
        for (let i = 0; i < MEMBERS; i++) {
                const user = must(await api('GET', `/v1/users/member${base + i}`));
                members[i] = { following: (await list(`/v1/users/${user.id}/following`)).map((u) => Number(u.username.slice(6)) - base).sort((a, b) => a - b),
                               notes: (await list(`/v1/timelines/users/${user.id}`)).map((n) => `${n.id} ${n.text}`).sort() };
        }
        return members;
}

function assertWhole(members, ties) {
        for (let i = 0; i < MEMBERS; i++) {
                const friends = ties.flatMap(([a, b]) => (a === i ? [b] : b === i ? [a] : [])).sort((a, b) => a - b);
                assert.deepEqual(members[i].following, friends);
                assert.equal(members[i].notes.length, NOTES);
                assert.ok(members[i].notes.every((n) => n.includes('żółw 乌龟 "quoted" \\ 🐢\nsecond line')));
        }
}

test('a network is imported completely, and importing it again creates no duplicates', async () => {
        const { base, graph, ties } = network();
        const args = ['--graph', graph, '--texts', texts(), '--notes', String(NOTES)];
        const first = await run(args);
        assert.equal(first.code, 0, first.out);
        assert.match(first.out, /20 members, 60 edges, 60 texts/);
        assert.match(first.out, new RegExp(`log in as member${base} or member${base + MEMBERS - 1}$`, 'm'));
        const once = await look(base);
        assertWhole(once, ties);
        assert.ok(Object.values(once).some((m) => m.notes.some((n) => n.endsWith('#sayings'))));

        const second = await run(args);
        assert.equal(second.code, 0, second.out);
        assert.match(second.out, /100 notes .*100 already present/);
        assert.deepEqual(await look(base), once);
});

test('an interrupted import is continued by the next one', async () => {
        const { base, graph, ties } = network();
        const args = ['--graph', graph, '--texts', texts(), '--notes', String(NOTES)];
        let left = 40; // notes until it is interrupted
        const proxy = http.createServer((request, response) => {
                if (request.method === 'POST' && request.url === '/v1/notes' && --left === 0) {
                        broken.child.kill('SIGINT');
                }
                request.pipe(http.request(process.env.SONET_URL + request.url, { method: request.method, headers: request.headers }, (answer) => {
                        response.writeHead(answer.statusCode, answer.headers);
                        answer.pipe(response);
                }));
        });
        await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const broken = start([...args, '--to', `http://127.0.0.1:${proxy.address().port}`, '--password', 'import-test-password', '--workers', '1']);
        const stopped = await broken.ended;
        proxy.close();
        assert.equal(stopped.code, 130, stopped.out);
        const written = Object.values(await look(base)).flatMap((m) => m.notes).length;
        assert.ok(written > 0 && written < MEMBERS * NOTES, `${written} notes`);

        const again = await run(args);
        assert.equal(again.code, 0, again.out);
        assertWhole(await look(base), ties);
});

test('invalid input is rejected with file and line before anything is imported', async () => {
        const good = write('good', 'a\n%\nb\n');
        const cases = [
                [['--graph', write('words', '1 2\none two\n'), '--texts', good], /words:2: expected two member numbers/],
                [['--graph', write('three', '1 2 3\n'), '--texts', good], /three:1: /],
                [['--graph', write('self', '1 2\n\n7 7\n'), '--texts', good], /self:3: an edge must connect two different members/],
                [['--graph', write('huge', '1 99999999999999999999\n'), '--texts', good], /huge:1: /],
                [['--graph', write('empty', '% nothing\n'), '--texts', good], /empty contains no edges/],
                [['--graph', path.join(dir, 'absent'), '--texts', good], /cannot read .*absent/],
                [['--graph', write('tie', '1 2\n'), '--texts', write('latin1', Buffer.from('ok\n%\nna\xefve\n', 'latin1'))], /latin1:3: not valid UTF-8/],
                [['--graph', write('tie', '1 2\n'), '--texts', write('nul', 'a\0b\n')], /nul:1: contains a NUL byte/],
                [['--graph', write('tie', '1 2\n'), '--texts', fs.mkdtempSync(path.join(dir, 'none.'))], /contain no text/],
        ];
        for (const [args, expected] of cases) {
                const { code, out } = await run(args);
                assert.equal(code, 1, out);
                assert.match(out, expected);
        }
        for (const args of [[], ['--graph', good], ['--generate', '--texts', good], ['--graph', good, '--generate', '--members', '3', '--texts', good]]) {
                assert.equal((await run(args)).code, 2);
        }
});

test('the error names a server that is unreachable', async () => {
        const { code, out } = await start(['--graph', write('tie', '1 2\n'), '--texts', write('good', 'a\n'), '--to', 'http://127.0.0.1:1']).ended;
        assert.equal(code, 1);
        assert.match(out, /no server is reachable at http:\/\/127\.0\.0\.1:1/);
});
