// The service worker of docs/api.md, in Chromium.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { Browser } from './browser.mjs';
import { root } from './harness.mjs';
import { eventually, registerMany } from './shared.mjs';
import { idle, startPushTesting, subscribeAt } from './webpushtesting.mjs';

function serviceWorker() {
        const text = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
        const [example] = /^    self\.addEventListener[^]*?(?=^\S)/m.exec(text);
        return example.split('\n').map((line) => line.slice(4)).join('\n');
}

// Opens a page in Chromium of a site with that service worker.
async function openPage(t) {
        const files = { '/': ['text/html', '<!doctype html><title>A client</title>'], '/worker.js': ['text/javascript', serviceWorker()] };
        const site = http.createServer(({ url }, response) => {
                const [type, text] = files[url] ?? ['text/plain', ''];
                response.writeHead(files[url] ? 200 : 404, { 'content-type': type }).end(text);
        });
        await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
        const origin = `http://127.0.0.1:${site.address().port}`;
        const browser = await Browser.start();
        t.after(async () => {
                await browser.stop();
                site.closeAllConnections();
                site.close();
        });
        const activated = new Promise((resolve) => browser.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
                const active = versions.find((version) => version.status === 'activated');
                if (active) {
                        resolve(active.registrationId);
                }
        }));
        await browser.send('Browser.grantPermissions', { origin, permissions: ['notifications'] });
        const { send, run } = await browser.open(`${origin}/`);
        await eventually('the page', async () => (await run('document.title')) === 'A client');
        await send('ServiceWorker.enable');
        await run("navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => true)");
        const registrationId = await activated;
        return {
                deliver: (push) => send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(push) }),
                shown: () => run('navigator.serviceWorker.ready.then((r) => r.getNotifications()).then((list) => list.map(({ title, body, tag }) => ({ title, body, tag })))'),
        };
}

test('the service worker of docs/api.md shows in Chromium what SoNet pushed, replaces it, and closes what was retracted', async (t) => {
        const testing = await startPushTesting(t);
        const [author, fan, other] = await registerMany(3);
        const receiver = await subscribeAt(testing, author);
        const page = await openPage(t);
        const note = await author.note('Hello');
        await fan.react(note.id, 'like');
        // Chromium sometimes drops a push, if the registration is not stored yet or the machine is busy; then it is
        // sent again.
        const deliver = (push, titles) => eventually(titles.join(), async () => {
                await page.deliver(push);
                return (await page.shown()).map(({ title }) => title).sort().join() === titles.sort().join();
        });
        const [liked, follows] = [`Member ${other.username} and Member ${fan.username} like your note`, `Member ${fan.username} follows you`];
        const first = await receiver.wait(1);
        await deliver(first, [`Member ${fan.username} likes your note`]);
        assert.deepEqual((await page.shown()).map(({ body, tag }) => [body, tag]), [['Hello', first.tag]]);
        await idle(author);
        await other.react(note.id, 'like');
        await deliver(await receiver.wait(2), [liked]);
        await idle(author);
        await fan.follow(author);
        await deliver(await receiver.wait(3), [liked, follows]);
        await idle(author);
        await fan.unreact(note.id, 'like');
        await other.unreact(note.id, 'like');
        const retraction = await receiver.wait(4);
        assert.deepEqual([retraction.retracted, retraction.tag], [true, first.tag]);
        await deliver(retraction, [follows]);
});
