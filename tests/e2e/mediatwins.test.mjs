// Two instances of the media service with the same storage: uploads continue at the other one, both process, and one is
// killed. A third lacks FFmpeg.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { decodes, startBeside } from './beside.mjs';
import { eventually, must } from './client.mjs';
import { filmFiles, pictures, tone } from './filmfiles.mjs';
import { signal } from './harness.mjs';
import { ownServer } from './own.mjs';
import { form, png, processed } from './pictures.mjs';
import { open } from './socket.mjs';

const films = filmFiles();
const others = () => Object.fromEntries(Object.entries(it.server.grpcAddresses()).filter(([name]) => name !== 'media')
        .map(([name, address]) => [`${name.toUpperCase()}_URL`, `grpc://${address}`]));
let twin; // with its own gateway
const it = ownServer({ env: { MEDIA_AVIF: 'off' } }, async (net) => {
        it.ada = await net.register();
        twin = await startBeside(it.server, films, ['gateway', 'media'], { ...others(), GRPC_PORT: '0' });
        twin.url = `http://127.0.0.1:${twin.port}`;
});
after(() => {
        twin?.kill('SIGKILL');
        films.remove();
});

const PIECE = 'application/offset+octet-stream';
const headersOf = (more) => ({ authorization: `Bearer ${it.ada.token}`, 'tus-resumable': '1.0.0', ...more });
const ask = (url, method, where, more, body) => fetch(`${url}${where}`, { method, headers: headersOf(more), body });
const noise = () => png(500, 300, () => randomBytes(3), []); // some 450 KB
const original = async (url, id) => Buffer.from(await (await ask(url, 'GET', `/media/${id}/original`)).arrayBuffer());

test('an upload begun at one instance continues at the other, which fences a piece stuck at the first', async () => {
        const picture = noise();
        const address = (await ask(it.server.url, 'POST', '/v1/uploads', { 'upload-length': String(picture.length) })).headers.get('location');
        assert.equal((await ask(it.server.url, 'PATCH', address, { 'upload-offset': '0', 'content-type': PIECE }, picture.subarray(0, 100_000))).status, 204);
        const stuck = open(it.server.url);
        const head = Object.entries(headersOf({ host: 'localhost', 'upload-offset': 100_000, 'content-type': PIECE, 'content-length': picture.length - 100_000, expect: '100-continue' }));
        stuck.send(`PATCH ${address} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
        await eventually('the instance reads the piece', () => stuck.received().startsWith('HTTP/1.1 100 '));
        stuck.send(picture.subarray(100_000, 200_000));
        const offset = (await ask(twin.url, 'HEAD', address)).headers.get('upload-offset');
        assert.equal(offset, '100000');
        assert.equal((await ask(twin.url, 'PATCH', address, { 'upload-offset': offset, 'content-type': PIECE }, picture.subarray(100_000, 300_000))).status, 204);
        stuck.destroy();
        assert.equal((await ask(it.server.url, 'PATCH', address, { 'upload-offset': '300000', 'content-type': PIECE }, picture.subarray(300_000))).status, 204);
        const { media_id: id } = await (await ask(twin.url, 'GET', address)).json();
        assert.equal((await processed(it.ada, id)).status, 'ready');
        assert.deepEqual(await original(twin.url, id), picture);
        assert.deepEqual(await original(it.server.url, id), picture);
});

test('both instances process uploads, and each finishes what the other was killed during', async () => {
        const [pid] = it.server.pids(it.server.mode === 'single' ? 'serve' : 'media');
        films.make('film.mp4', ...pictures(40, '1280x720', 30), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', '-pix_fmt', 'yuv420p');
        const made = [1, 2, 3, 4].map((i) => films.make(`${i}.mp4`, '-i', 'film.mp4', '-c', 'copy', '-metadata', `title=${i}`)); // all different
        const brought = [];
        for (const film of made) {
                brought.push(must(await it.ada.post('/v1/media', undefined, form(film)), 202).id);
        }
        await eventually('the one that took them begins at once', () => decodes({ pid }), 60_000);
        await eventually('the other one, too', () => decodes(twin), 60_000);
        assert.ok(signal(twin.pid, 'SIGKILL'));
        await twin.ended;
        for (const id of brought) {
                const media = await processed(it.ada, id);
                assert.equal(media.status, 'ready', media.reason);
        }
        const { used_bytes: used, files } = must(await it.ada.get('/v1/media/usage'));
        assert.equal(files, 5);
        const sizes = await Promise.all(must(await it.ada.get('/v1/media')).items.map((media) => media.size_bytes));
        assert.equal(used, sizes.reduce((sum, size) => sum + size, 0));
});

const library = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/libavcodec.so.59`).find((file) => fs.existsSync(file));

test('an instance on a machine without FFmpeg says so, and refuses videos and sounds, but not pictures', { skip: process.getuid() !== 0 && 'only root can hide a library' }, async () => {
        const third = await startBeside(it.server, films, ['gateway', 'media'], { ...others(), GRPC_PORT: '0' }, fs.realpathSync(library));
        const send = async (data) => {
                const { raw, headers } = form(data);
                const answer = await fetch(`http://127.0.0.1:${third.port}/v1/media`, { method: 'POST', body: raw, headers: { ...headers, authorization: `Bearer ${it.ada.token}` } });
                return { ...(await answer.json()), status: answer.status };
        };
        assert.match(third.said, /FFmpeg[^\n]*videos and sounds are refused/);
        const made = [films.make('refused.mp4', ...pictures(1), '-pix_fmt', 'yuv420p'), films.make('refused.mp3', ...tone(1))];
        for (const film of made) {
                const refused = await send(film);
                assert.deepEqual([refused.status, refused.code], [415, 'unsupported_media_type']);
                assert.match(refused.detail, /takes no videos and sounds/);
        }
        const picture = await send(png(21, 20));
        assert.equal(picture.status, 202);
        assert.equal((await processed(it.ada, picture.id)).status, 'ready');
        for (const film of made) { // an instance that can process them does
                const { id } = must(await it.ada.post('/v1/media', undefined, form(film)), 202);
                assert.equal((await processed(it.ada, id)).status, 'ready');
        }
        third.kill('SIGTERM');
        assert.deepEqual(await third.ended, [0, null]);
});
