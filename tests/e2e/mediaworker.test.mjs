// Media uploaded here and processed elsewhere: `sonet serve media-worker`, stopped and killed while working.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { decoders, decodes, startBeside } from './beside.mjs';
import { eventually, must } from './client.mjs';
import { filmFiles, pictures } from './filmfiles.mjs';
import { signal, sleep } from './harness.mjs';
import { ownServer } from './own.mjs';
import { countStatements, psql } from './psql.mjs';
import { form, png, processed } from './pictures.mjs';

const it = ownServer({ env: { MEDIA_PROCESS: 'off', MEDIA_AVIF: 'off' } }, async (net) => {
        it.ada = await net.register();
});
const films = filmFiles();
const workers = [];
after(() => {
        workers.forEach((worker) => worker.kill('SIGKILL'));
        films.remove();
});

const startWorker = async (more) => {
        const worker = await startBeside(it.server, films, ['media-worker'], more);
        workers.push(worker);
        return worker;
};
const bring = async (data) => must(await it.ada.post('/v1/media', undefined, form(data)), 202);

test('uploads wait for a worker, which processes pictures, videos and sounds', async () => {
        const picture = await bring(png(30, 20)), film = await bring(films.make('short.mp4', ...pictures(1), '-pix_fmt', 'yuv420p'));
        assert.deepEqual([picture.status, film.status], ['processing', 'processing']);
        const worker = await startWorker();
        assert.equal((await processed(it.ada, picture.id)).status, 'ready');
        assert.equal((await processed(it.ada, film.id)).status, 'ready');
        const small = await fetch(`${it.server.url}/media/${picture.id}/small`, { headers: { authorization: `Bearer ${it.ada.token}`, accept: 'image/avif' } });
        assert.deepEqual([small.status, small.headers.get('content-type')], [200, 'image/webp']); // MEDIA_AVIF=off
        const later = await bring(png(31, 20));
        assert.equal((await processed(it.ada, later.id)).status, 'ready');
        const { port } = worker;
        const page = async (path) => {
                const answer = await fetch(`http://127.0.0.1:${port}${path}`);
                return [answer.status, await answer.text()];
        };
        assert.equal((await page('/readyz'))[0], 200);
        assert.equal((await page(`/media/${picture.id}/small`))[0], 404);
        worker.kill('SIGTERM');
        assert.deepEqual(await worker.ended, [0, null]);
});

const queries = async (counted) => (await counted()).filter(({ text }) => /media_processing_jobs/.test(text));

// With slots that poll, every window has queries, and every upload has some of both queues.
test('an idle worker does not poll while it gets notifications, and those of pictures leave the queue of films alone', async () => {
        const worker = await startWorker({ MEDIA_WORKERS: '4' });
        let made = [{}], others = [{}];
        for (let i = 0; i < 20 && made.length > 0; i++) {
                const counted = await countStatements(it.server);
                await sleep(3_000);
                made = await queries(counted);
        }
        assert.deepEqual(made, []);
        for (let i = 0; i < 10 && others.length > 0; i++) { // it looks at each queue every 30 s
                const counted = await countStatements(it.server);
                assert.equal((await processed(it.ada, (await bring(png(60 + i, 20))).id)).status, 'ready');
                others = (await queries(counted)).filter(({ text }) => /(?<!not )is_long (order|limit)|where is_long/.test(text));
        }
        assert.deepEqual(others, []);
        worker.kill('SIGTERM');
        assert.deepEqual(await worker.ended, [0, null]);
});

// Nothing tells it of uploads: at 30 s each this would take five minutes.
test('a worker without Redis polls every second', { timeout: 120_000 }, async () => {
        const worker = await startWorker({ MEDIA_WORKERS: '2', REDIS_URL: 'redis://127.0.0.1:1' });
        for (let i = 0; i < 10; i++) {
                assert.equal((await processed(it.ada, (await bring(png(80 + i, 20))).id)).status, 'ready');
        }
        worker.kill('SIGTERM');
        assert.deepEqual(await worker.ended, [0, null]);
});

// It polls every 30 s, so without notifications this would take five minutes.
test('an instance is notified at once of uploads at another one', { timeout: 120_000 }, async () => {
        const others = Object.entries(it.server.grpcAddresses()).filter(([name]) => name !== 'media').map(([name, address]) => [`${name.toUpperCase()}_URL`, `grpc://${address}`]);
        const instance = await startBeside(it.server, films, ['media'], { ...Object.fromEntries(others), GRPC_PORT: '0', MEDIA_PROCESS: 'on' });
        workers.push(instance);
        for (let i = 0; i < 10; i++) {
                const { id } = await bring(png(40 + i, 20));
                assert.equal((await processed(it.ada, id)).status, 'ready');
        }
        instance.kill('SIGTERM');
        assert.deepEqual(await instance.ended, [0, null]);
});

test('a worker processes as many pictures concurrently as configured', async () => {
        const photograph = films.make('large.jpg', ...pictures(1, '4000x3000', 1), '-frames:v', '1');
        const ids = [];
        for (let i = 0; i < 9; i++) {
                ids.push((await bring(Buffer.concat([photograph, randomBytes(8)]))).id);
        }
        const worker = await startWorker({ MEDIA_WORKERS: '3' });
        let most = 0;
        await eventually('three are in work', () => (most = Math.max(most, decoders(worker))) === 3, 60_000);
        for (const id of ids) {
                assert.equal((await processed(it.ada, id)).status, 'ready');
                most = Math.max(most, decoders(worker));
        }
        assert.equal(most, 3);
        worker.kill('SIGTERM');
        assert.deepEqual(await worker.ended, [0, null]);
});

test('a stopping worker releases its work, and a killed one is replaced when its lease expires', async () => {
        const film = films.make('long.mp4', ...pictures(20, '1280x720', 30), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', '-pix_fmt', 'yuv420p');
        const { id } = await bring(film);
        const first = await startWorker();
        await eventually('it is in work', () => decodes(first), 60_000);
        // However long it has waited, which is how long a failure would postpone it.
        await psql(it.server, 'media_service', `update media_processing_jobs set created_at = now() - interval '1 hour' where media_id = '${id}'`);
        first.kill('SIGTERM');
        assert.deepEqual(await first.ended, [0, null]);
        assert.equal(must(await it.ada.get(`/v1/media/${id}`)).status, 'processing');
        const second = await startWorker();
        await eventually('it is in work again', () => decodes(second), 120_000);
        assert.ok(signal(second.pid, 'SIGKILL'));
        await second.ended;
        const third = await startWorker();
        const picture = await bring(png(32, 20)); // which does not wait for the film
        assert.equal((await processed(it.ada, picture.id)).status, 'ready');
        assert.equal(must(await it.ada.get(`/v1/media/${id}`)).status, 'processing');
        const media = await processed(it.ada, id, 400_000);
        assert.deepEqual([media.status, media.width, media.height], ['ready', 1280, 720], media.reason);
        third.kill('SIGTERM');
        assert.deepEqual(await third.ended, [0, null]);
});
