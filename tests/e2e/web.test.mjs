// What a browser sees of a server: the start page and the reference, with headless Chromium.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { test } from 'node:test';
import { removeFolder } from './harness.mjs';
import { api, must, net } from './shared.mjs';

// The page after its scripts have run.
async function render(address, ...options) {
        const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-chromium.'));
        try {
                const { stdout } = await promisify(execFile)('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
                        '--disable-background-networking', '--disable-component-update', '--disable-sync', `--user-data-dir=${profile}`,
                        '--virtual-time-budget=20000', ...options, '--dump-dom', net.url + address], { maxBuffer: 64 << 20, timeout: 120_000 });
                return stdout;
        } finally {
                await removeFolder(profile);
        }
}

test('the start page describes SoNet, says that it is ready, and shows commands with its own address', async () => {
        const page = await render('/');
        assert.match(page, /<p id="status" role="status" class="good">Ready\.<\/p>/);
        assert.match(page, /redis: up/);
        assert.ok(page.includes(`BASE=${net.url}\n`), page);
        assert.match(page, /href="\/reference"/);
});

test('the reference lists every route of the contract, and shows the methods of each service', async () => {
        const { paths, tags } = must(await api('GET', '/openapi.json'));
        const page = await render('/reference');
        assert.deepEqual(Object.keys(paths).filter((route) => !page.includes(`data-path="${route}"`)), []);
        assert.deepEqual(tags.filter(({ name }) => !page.includes(`href="#${name}"`)), []);
        const media = await render('/reference#media');
        const routes = Object.entries(paths).filter(([, verbs]) => Object.values(verbs)[0].tags.includes('media')).map(([route]) => route);
        assert.deepEqual(routes.filter((route) => !media.includes(`data-path="${route}"`)), []);
        assert.match(media, /class="opblock/);
});

test('the reference has a dark mode for readers who prefer it', async () => {
        const tag = async (...options) => (await render('/reference', ...options)).match(/<html[^>]*>/)[0];
        assert.equal(await tag('--blink-settings=preferredColorScheme=0'), '<html lang="en" class="dark-mode">');
        assert.equal(await tag('--blink-settings=preferredColorScheme=1'), '<html lang="en">');
});

test('files are compressed on request, cached by entity tags, and run no third-party scripts', async () => {
        const css = (headers) => fetch(`${net.url}/assets/site.css`, { headers });
        const plain = await css({ 'accept-encoding': 'identity' });
        const packed = await css({ 'accept-encoding': 'gzip' });
        assert.equal(plain.headers.get('content-encoding'), null);
        assert.equal(packed.headers.get('content-encoding'), 'gzip');
        assert.equal(await packed.text(), await plain.text());
        assert.notEqual(packed.headers.get('etag'), plain.headers.get('etag'));
        for (const [answer, coding] of [[plain, 'identity'], [packed, 'gzip']]) {
                assert.equal(answer.status, 200);
                assert.equal(answer.headers.get('vary'), 'Accept-Encoding');
                assert.match(answer.headers.get('content-security-policy'), /^default-src 'self';/);
                const again = await css({ 'accept-encoding': coding, 'if-none-match': answer.headers.get('etag') });
                assert.equal(again.status, 304);
        }
});
