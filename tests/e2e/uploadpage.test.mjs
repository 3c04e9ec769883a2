// Uploading from a page of another origin in a browser: tus-js-client is disconnected midway, and resumes on a newly
// opened page.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { png, processed } from './pictures.mjs';
import { eventually, must, register } from './shared.mjs';

const CUT_AFTER = 2_500_000;
const noise = randomBytes(3 * 1500 * 1400);
const picture = png(1500, 1400, (x, y) => noise.subarray(3 * (1500 * y + x), 3 * (1500 * y + x) + 3), []);
const SIZE = picture.length;
const client = fs.readFileSync(path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'node_modules/tus-js-client/dist/tus.min.js'));
const server = new URL(process.env.SONET_URL);
let browser, page, line, owner;

// The page: the published client uploads a file that the page fetches from its own origin.
const script = `
async function file() {
        return new File([await (await fetch('/file')).arrayBuffer()], 'noise.png', { type: 'image/png', lastModified: 1 });
}
async function upload(endpoint, token, resume) {
        const chosen = await file();
        return new Promise((resolve, reject) => {
                const seen = { offsets: [], errors: [] };
                const one = new tus.Upload(chosen, { endpoint, headers: { Authorization: 'Bearer ' + token }, metadata: { filename: 'noise.png' }, chunkSize: 500_000,
                        retryDelays: resume ? [0, 200, 1000, 3000] : null,
                        onChunkComplete: (size, accepted) => seen.offsets.push(accepted),
                        onError: (error) => resolve({ ...seen, error: error.message, url: one.url }), onSuccess: () => resolve({ ...seen, url: one.url }) });
                if (!resume) {
                        return one.start();
                }
                one.findPreviousUploads().then((previous) => {
                        seen.previous = previous.length;
                        if (previous.length > 0) {
                                one.resumeFromPreviousUpload(previous[0]);
                        }
                        one.start();
                }, reject);
        });
}`;

function listen(what) {
        return new Promise((resolve) => what.listen(0, '127.0.0.1', () => resolve(what.address().port)));
}

// A proxy that can be cut: forwards bytes until a number have been uploaded, and then closes all connections.
function makeLine() {
        const sockets = new Set();
        const it = { up: 0, cutAfter: CUT_AFTER, isCut: false };
        const cut = () => {
                it.isCut = true;
                sockets.forEach((socket) => socket.destroy());
        };
        it.server = net.createServer((near) => {
                const far = net.connect(Number(server.port), server.hostname);
                for (const socket of [near, far]) {
                        sockets.add(socket);
                        socket.on('error', () => {}).on('close', () => { sockets.delete(socket); near.destroy(); far.destroy(); });
                }
                if (it.isCut) {
                        return void near.destroy();
                }
                near.on('data', (data) => {
                        it.up += data.length;
                        far.write(data);
                        if (it.up > it.cutAfter) {
                                cut();
                        }
                });
                far.pipe(near);
        });
        return it;
}

before(async () => {
        owner = await register();
        page = http.createServer((request, answer) => {
                const [type, body] = request.url === '/tus.js' ? ['text/javascript', client] : request.url === '/page.js' ? ['text/javascript', script]
                        : request.url === '/file' ? ['image/png', picture]
                        : ['text/html', '<!doctype html><title>Upload</title><script src="/tus.js"></script><script src="/page.js"></script>'];
                answer.setHeader('content-type', type).end(body);
        });
        line = makeLine();
        page.port = await listen(page);
        line.port = await listen(line.server);
        browser = await Browser.start();
});
after(async () => {
        await browser?.stop();
        page?.closeAllConnections?.();
        page?.close();
        line?.server.close();
});

async function openPage() {
        const { run } = await browser.open(`http://127.0.0.1:${page.port}/`);
        await eventually('the page is there', () => run('typeof tus === "object" && typeof upload === "function"'));
        return run;
}
const call = (resume) => `upload(${JSON.stringify(`http://127.0.0.1:${line.port}/v1/uploads`)}, ${JSON.stringify(owner.token)}, ${resume})`;

test('a browser uploads from another origin, is disconnected, and resumes on a newly opened page', async () => {
        const first = await (await openPage())(call(false));
        assert.ok(line.isCut);
        assert.match(first.error, /failed to upload chunk/, JSON.stringify(first));
        const held = await fetch(new URL(new URL(first.url).pathname, server), { method: 'HEAD', headers: { authorization: `Bearer ${owner.token}`, 'tus-resumable': '1.0.0' } });
        const offset = Number(held.headers.get('upload-offset'));
        assert.ok(offset > 1_000_000 && offset < SIZE, `${offset}`);
        Object.assign(line, { isCut: false, cutAfter: Infinity, up: 0 });
        const run = await openPage();
        const second = await run(call(true));
        assert.equal(second.error, undefined);
        assert.deepEqual([second.previous, new URL(second.url).pathname], [1, new URL(first.url).pathname]);
        assert.ok(second.offsets[0] > offset && second.offsets.at(-1) === SIZE, second.offsets.join());
        assert.ok(line.up < SIZE - offset + 200_000, `${line.up} bytes for the ${SIZE - offset} that were missing`);
        const upload = must(await owner.get(new URL(second.url).pathname));
        const media = await processed(owner, upload.media_id);
        assert.deepEqual([media.status, media.size_bytes], ['ready', SIZE], media.reason);
        const answer = await fetch(new URL(`/media/${media.id}/original`, server), { headers: { authorization: `Bearer ${owner.token}` } });
        assert.ok(picture.equals(Buffer.from(await answer.arrayBuffer())));
});
