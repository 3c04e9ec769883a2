// /analytics.js in headless Chromium: what it sends with consent, and that it does nothing without.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { api, eventually, must, net } from './shared.mjs';

let browser;

before(async () => {
        browser = await Browser.start();
});
after(() => browser.stop());

// A page with the script, where something is clicked and which is then hidden; what it gave to sendBeacon, and what it left behind.
async function visit(consent, before = '') {
        const { run } = await browser.open(net.url);
        await eventually('the page', () => run(`document.readyState === 'complete' && location.href.startsWith('${net.url}')`));
        return run(`(async () => {
                const sent = [], send = navigator.sendBeacon.bind(navigator);
                navigator.sendBeacon = (address, body) => { sent.push(body); return send(address, body); };
                ${before};
                const script = document.createElement('script');
                script.src = '/analytics.js';
                script.dataset.consent = '${consent}';
                const loaded = new Promise((resolve, reject) => { script.onload = resolve; script.onerror = reject; });
                document.head.append(script);
                await loaded;
                document.body.dataset.event = 'body';
                document.body.click();
                Object.defineProperty(document, 'hidden', { value: true });
                document.dispatchEvent(new Event('visibilitychange'));
                return { sent: await Promise.all(sent.map((b) => b.text())), types: sent.map((b) => b.type),
                         left: document.cookie.length + localStorage.length + sessionStorage.length };
        })()`);
}

test('with consent views, clicks and visible time are sent as the schema wants them, and nothing stays in the browser', async () => {
        const { sent, types, left } = await visit('on');
        assert.deepEqual([types, left], [['application/json'], 0]);
        const { events } = JSON.parse(sent[0]);
        assert.deepEqual(events.map((e) => [e.name, e.properties.path]), [['page_view', '/'], ['click', '/'], ['page_leave', '/']]);
        assert.ok(events[2].properties.visible_ms >= 0);
        assert.deepEqual(must(await api('POST', '/v1/analytics/events', { raw: sent[0] }), 202), { accepted: 3, problems: [] });
});

test('without consent, with Global Privacy Control and with Do-Not-Track nothing is sent', async () => {
        assert.deepEqual((await visit('off')).sent, []);
        assert.deepEqual((await visit('')).sent, []);
        assert.deepEqual((await visit('on', `Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })`)).sent, []);
        assert.deepEqual((await visit('on', `Object.defineProperty(navigator, 'doNotTrack', { value: '1' })`)).sent, []);
});

test('the script has less than 1 KB on the wire', async () => {
        const length = await new Promise((resolve, reject) => http.get(`${net.url}/analytics.js`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
                let bytes = 0;
                answer.on('data', (piece) => { bytes += piece.length; }).on('end', () => resolve(answer.headers['content-encoding'] === 'gzip' ? bytes : -1));
        }).on('error', reject));
        assert.ok(length > 0 && length < 1024, `${length}`);
});
