// The examples of README.md and docs/api.md, as they are printed there, twice: addresses are all that is changed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Conformance } from './conformance.mjs';
import { root } from './harness.mjs';
import { jpeg } from './pictures.mjs';
import { api, mode, must, net } from './shared.mjs';

const run = promisify(execFile);
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
let dir;

before(() => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-docs.'));
        fs.symlinkSync(path.join(root, 'tests/e2e/node_modules'), path.join(dir, 'node_modules'));
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

// The indented block after a heading or a line that begins so.
function indented(file, heading) {
        const lines = read(file).split('\n');
        const from = lines.findIndex((line) => line.startsWith(heading));
        assert.ok(from >= 0, `${file} has no "${heading}"`);
        const first = lines.findIndex((line, i) => i > from && line.startsWith('    '));
        const end = lines.findIndex((line, i) => i > first && !line.startsWith('    '));
        return lines.slice(first, end).map((line) => line.slice(4)).join('\n');
}

function replaced(text, from, to) {
        assert.ok(text.includes(from), `no ${from} in the example`);
        return text.replaceAll(from, to);
}

const firstPost = () => run('bash', ['-eu', '-c', replaced(indented('README.md', '## A first post'), 'http://127.0.0.1:8080', net.url)]);

test('README.md: the first post works as printed, and works again', async () => {
        const first = (await firstPost()).stdout;
        assert.match(first, /"text":"Hello, world #first"/);
        const second = (await firstPost()).stdout;
        assert.match(second, /"username_taken"/);
        assert.equal(second.split('"text":"Hello, world #first"').length - 1, 3, 'the answer, and the timeline with both notes');
        assert.doesNotMatch(second, /"(malformed|token)_/);
});

test('the start page: its commands work as printed, and work again', async () => {
        const [, html] = read('web/index.html').match(/<code id="commands">(.*?)<\/code>/s);
        const commands = replaced(html, 'http://127.0.0.1:8080', net.url);
        for (let i = 0; i < 2; i++) {
                const { stdout } = await run('bash', ['-eu', '-c', commands]);
                assert.match(stdout, /"text":"Hello, world #first"/);
                assert.doesNotMatch(stdout, /"(malformed|token)_/);
        }
});

test('docs/api.md: the gRPC client works as printed, works again, and with another text', async (t) => {
        if (mode !== 'single') {
                t.skip('each service has an address of its own there');
                return;
        }
        await firstPost(); // it logs in as that member
        const [, example] = read('docs/api.md').match(/^```js\n(.*?)^```$/ms);
        const source = replaced(example, '127.0.0.1:8081', JSON.parse(process.env.SONET_GRPC).user);
        const printed = indented('docs/api.md', 'notes.close();');
        const command = replaced(printed, 'path/to/sonet', root);
        for (const text of ['Hello over gRPC', 'Hello over gRPC', 'And again']) {
                fs.writeFileSync(path.join(dir, 'first.mjs'), replaced(source, 'Hello over gRPC', text));
                const { stdout } = await run('bash', ['-eu', '-c', command], { cwd: dir });
                assert.match(stdout, new RegExp(`^[0-9a-f-]{36} ada ${text}\n$`));
        }
});

test('docs/media.md: uploading, showing and organising media work as printed', async () => {
        await firstPost(); // it logs in as that member
        const member = must(await api('POST', '/v1/auth/login', { body: { login: 'ada', password: 'correct horse' } }));
        fs.writeFileSync(path.join(dir, 'cat.jpg'), jpeg);
        const commands = ['# Media', '## Uploading a file', '[stream](streaming.md)', 'By hand:', '## Showing media', '## Your media'].map((heading) => indented('docs/media.md', heading));
        const script = replaced(['set -o pipefail', ...commands].join('\necho\n'), 'http://127.0.0.1:8080', net.url).replace('"name": "Cats"', `"name": "Cats ${Date.now()}"`);
        const { stdout } = await run('bash', ['-euc', script], { cwd: dir, env: { ...process.env, TOKEN: member.access_token } });
        assert.doesNotMatch(stdout, /"code":/);
        assert.match(stdout, /"status":"processing"[\s\S]*HTTP\/1.1 204[\s\S]*Upload-Media-Id: [\s\S]*"text":"Look"[\s\S]*"alt_text":"A black cat"[\s\S]*"quota_bytes":/i);
        const [, example] = read('docs/media.md').match(/^```js\n(.*?)^```$/ms);
        fs.writeFileSync(path.join(dir, 'upload.mjs'), example);
        const env = { ...process.env, URL: net.url, TOKEN: member.access_token, FILE: path.join(dir, 'cat.jpg') };
        assert.match((await run('node', ['upload.mjs'], { cwd: dir, env })).stdout, /^[0-9a-f-]{36}\n$/);
});

test('docs/api.md: the error and the note that it shows are what /openapi.json describes', async () => {
        const conformance = new Conformance(must(await api('GET', '/openapi.json')));
        conformance.assertValid('/components/schemas/Problem', JSON.parse(indented('docs/api.md', 'Every error is')), 'the error');
        conformance.assertValid('/components/schemas/note.Note', JSON.parse(indented('docs/api.md', '## What a note looks like')), 'the note');
});

test('the tests that docs/security.md names are there', async () => {
        const files = (await run('find', [root, '-name', 'node_modules', '-prune', '-o', '-type', 'f', '-print'], { maxBuffer: 64 << 20 })).stdout.split('\n').map((file) => path.basename(file));
        const rows = read('docs/security.md').split('\n').filter((line) => /^\| \d/.test(line)).map((line) => line.split('|')[3]);
        let named = 0;
        for (const how of rows.filter((cell) => cell.includes(': '))) { // tests are named after the last colon
                for (const [, name] of how.slice(how.lastIndexOf(': ')).matchAll(/`([\w/.]+)`/g)) {
                        const file = path.basename(name);
                        assert.ok([file, `${file}.test.mjs`, `fuzz_${file}.c`].some((f) => files.includes(f)), `docs/security.md names ${name}`);
                        named++;
                }
        }
        assert.ok(rows.length > 40 && named > 50, `${rows.length} rows name ${named} tests`);
});
