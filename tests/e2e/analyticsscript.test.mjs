// /analytics.js and /admin/analytics in headless Chromium: what the script sends with consent, and that it does nothing without; what an
// administrator sees, by eye, by keyboard and by screen reader.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { query, sharedDir } from './database.mjs';
import { registerWithRole } from './operator.mjs';
import { api, eventually, must, net, PASSWORD, registerMany } from './shared.mjs';
import { totp } from './totp.mjs';

let browser;

before(async () => {
        browser = await Browser.start();
});
after(() => browser.stop());

// Opens a page with the script, clicks something and hides the page. Returns what it passed to sendBeacon, and what it
// stored.
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

test('with consent, views, clicks and visible time are sent as in the schema, and nothing is stored in the browser', async () => {
        const { sent, types, left } = await visit('on');
        assert.deepEqual([types, left], [['application/json'], 0]);
        const { events } = JSON.parse(sent[0]);
        assert.deepEqual(events.map((e) => [e.name, e.properties.path]), [['page_view', '/'], ['click', '/'], ['page_leave', '/']]);
        assert.ok(events[2].properties.visible_ms >= 0);
        assert.deepEqual(must(await api('POST', '/v1/analytics/events', { raw: sent[0] }), 202), { accepted: 3, problems: [] });
});

test('nothing is sent without consent, with Global Privacy Control or with Do-Not-Track', async () => {
        assert.deepEqual((await visit('off')).sent, []);
        assert.deepEqual((await visit('')).sent, []);
        assert.deepEqual((await visit('on', `Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })`)).sent, []);
        assert.deepEqual((await visit('on', `Object.defineProperty(navigator, 'doNotTrack', { value: '1' })`)).sent, []);
});

test('the script is smaller than 1 KB on the wire', async () => {
        const length = await new Promise((resolve, reject) => http.get(`${net.url}/analytics.js`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
                let bytes = 0;
                answer.on('data', (piece) => { bytes += piece.length; }).on('end', () => resolve(answer.headers['content-encoding'] === 'gzip' ? bytes : -1));
        }).on('error', reject));
        assert.ok(length > 0 && length < 1024, `${length}`);
});

// --- the page of metrics ---

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TODAY = () => new Date().toISOString().slice(0, 10);

const LONG_MS = 180_000; // ten charts, and a busy machine

// The page, and what one does there.
async function openMetrics() {
        const page = await browser.open(`${net.url}/admin/analytics`);
        const when = (what, expression) => eventually(what, () => page.run(expression).catch(() => false), LONG_MS);
        const ready = () => when('the page', `document.readyState === 'complete' && !!document.querySelector('#login')`);
        await ready();
        return { ...page, when,
                 reload: async () => { await page.run(`document.querySelector('#login').remove()`); await page.send('Page.reload'); await ready(); },
                 logIn: (name, password) => page.run(`{ const form = document.querySelector('#login'); form.elements.login.value = ${JSON.stringify(name)};
                         form.elements.password.value = ${JSON.stringify(password)}; form.requestSubmit(); }`),
                 enter: (code) => page.run(`{ const form = document.querySelector('#login'); form.elements.code.value = '${code}'; form.requestSubmit(); }`),
                 asked: () => when('a code is asked for', `!document.querySelector('#second').hidden && document.activeElement.id === 'code'`),
                 show: async (event, days) => {
                         await when('the first charts', `document.querySelector('#outcome').textContent.includes('charts of')`);
                         await page.run(`{ const form = document.querySelector('#range'); form.elements.days.value = '${days}'; form.elements.event.value = '${event}'; form.requestSubmit(); }`);
                         await when('the charts that were asked for', `document.querySelector('#outcome').textContent.includes('charts of ${days} days')`);
                 },
                 refused: async (pattern) => {
                         await when('what is wrong', `${pattern}.test(document.querySelector('#outcome.bad').textContent)`);
                         assert.deepEqual(await page.run(`[document.querySelectorAll('figure').length, document.activeElement.id]`), [0, 'outcome']);
                 } };
}

// No table is cut off at any width, and axe finds nothing in either color scheme.
async function assertReadable(page) {
        for (const width of [320, 704, 765, 900, 1000, 1280]) {
                await page.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: false });
                const cut = await page.run(`[...document.querySelectorAll('.table')].filter((t) => t.scrollWidth > t.clientWidth).map((t) => [t.getAttribute('aria-label'), t.scrollWidth, t.clientWidth])`);
                assert.deepEqual(cut, [], `${width} px`);
        }
        for (const scheme of ['light', 'dark']) {
                await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
                await page.run(axe);
                const { violations } = await page.run(`axe.run().then(({ violations }) => ({ violations: violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 100))]) }))`);
                assert.deepEqual(violations, [], scheme);
        }
}

test('an administrator sees each metric as a chart, a table and CSV, without accessibility problems', async () => {
        const analyst = await registerWithRole('administrator');
        const events = (name) => ({ body: { events: [{ id: randomUUID(), name, at: new Date().toISOString() }] } });
        for (const { token } of await registerMany(5)) {
                must(await api('POST', '/v1/analytics/events', { token, ...events('app_open') }), 202);
        }
        const [from, to] = [0, 1].map((n) => new Date((Math.floor(Date.now() / 86_400_000) + n) * 86_400_000).toISOString());
        const count = async () => must(await analyst.get(`/v1/admin/analytics/metrics?name=app_open&from=${from}&to=${to}`)).points[0]?.value;
        await eventually('they are counted', async () => await count() >= 5);
        const page = await openMetrics();
        await page.logIn(analyst.username, PASSWORD);
        await page.show('app_open', 7);
        const figure = await page.run(`(() => { const f = document.querySelector('figure[data-metric=app_open]');
                return { label: f.querySelector('svg[role=img]').getAttribute('aria-label'), drawn: f.querySelectorAll('polyline, circle').length,
                         rows: [...f.querySelectorAll('tbody tr')].map((r) => [...r.cells].map((c) => c.textContent)), reached: f.querySelector('.table').tabIndex }; })()`);
        assert.match(figure.label, /^app_open from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: between .* and .* on .*, last [\d,]+$/);
        assert.deepEqual([figure.rows.length, figure.reached], [7, 0]);
        assert.ok(figure.drawn >= 1);
        assert.equal(figure.rows[0][0], TODAY());
        assert.ok(Number(figure.rows[0][1].replaceAll(',', '')) >= 5, figure.rows[0][1]);
        assert.equal(await page.run(`document.querySelectorAll('figure').length`), 10);
        // What each button saves is what the export gives; the first one is reached and pressed by keys alone.
        await page.run(`{ window.saved = []; URL.createObjectURL = (blob) => { saved.push(blob.text()); return 'about:blank#'; }; HTMLAnchorElement.prototype.click = () => {}; }`);
        const press = async (key, rest = {}) => { for (const type of ['keyDown', 'keyUp']) { await page.send('Input.dispatchKeyEvent', { type, key, code: key, ...rest }); } };
        await page.run(`document.querySelector('#range [name=days]').focus()`);
        for (let i = 0; i < 10 && !await page.run(`document.activeElement.matches('figure button')`); i++) {
                await press('Tab', { windowsVirtualKeyCode: 9 });
        }
        assert.equal(await page.run(`document.activeElement.getAttribute('aria-label')`), 'app_open: save as CSV');
        assert.notEqual(await page.run(`getComputedStyle(document.activeElement).outlineStyle`), 'none'); // one sees where one is
        await press('Enter', { windowsVirtualKeyCode: 13, text: '\r' });
        await page.when('it is saved by key', `saved.length === 1`);
        await page.run(`document.querySelectorAll('figure:not([data-metric=app_open]) button').forEach((button) => button.click())`);
        await page.when('the others are saved', `saved.length === 10`);
        const files = await page.run(`Promise.all(saved)`), names = await page.run(`[...document.querySelectorAll('figure')].map((f) => f.dataset.metric)`);
        assert.match(files[0], new RegExp(`^at,name,value\r\n(.*\r\n)*${TODAY()}T00:00:00.000Z,app_open,\\d+\r\n$`));
        const range = { from: new Date(Date.parse(to) - 7 * 86_400_000).toISOString(), to };
        for (const name of names) {
                const { text } = await analyst.get(`/v1/admin/analytics/export?${new URLSearchParams({ name, ...range })}`);
                assert.ok(files.some((file) => file.split('\r\n').length === text.split('\r\n').length && (file.includes(`,${name},`) || file === text)), name);
        }
        const told = await page.run(`[...document.querySelectorAll('#event option')].map((o) => o.value)`);
        for (const name of ['note.deleted', 'comment.deleted', 'comment.removed', 'follow.deleted', 'message.created', 'app_open']) {
                assert.ok(told.includes(name), name);
        }
        await assertReadable(page);
});

test('the page of metrics shows errors and gaps for too few people, and nothing without permission', async () => {
        const analyst = await registerWithRole('administrator');
        const [one] = await registerMany(1);
        must(await api('POST', '/v1/analytics/events', { token: one.token, body: { events: [{ id: randomUUID(), name: 'page_leave', at: new Date(Date.now() - 3 * 86_400_000).toISOString(), properties: { path: '/' } }] } }), 202);
        const page = await openMetrics();
        await page.logIn(analyst.username, 'another password');
        await page.refused(/password/);
        await page.logIn(one.username, PASSWORD);
        await page.refused(/^This page is for administrators\. Log in with another account\.$/);
        assert.equal(await page.run(`document.querySelector('#login').hidden`), false);
        assert.equal(must(await one.get('/v1/sessions')).items.length, 1, 'who may not see it is logged out again');
        await page.logIn(analyst.username, PASSWORD);
        await eventually('it is stored', () => query(sharedDir(), 'analytics', "select count(*) from user_events where name = 'page_leave' and at < now() - interval '2 days'") !== '0');
        await page.show('page_leave', 7);
        await page.reload();
        await page.logIn(analyst.username, PASSWORD);
        await page.when('the charts again', `document.querySelectorAll('figure').length === 10`);
        assert.deepEqual(must(await analyst.get('/v1/users/me/logins')).items.filter((l) => l.succeeded).slice(0, 2).map((l) => l.known_device), [true, false], 'the browser is a known device');
        await page.show('page_leave', 7);
        assert.equal(await page.run(`document.querySelectorAll('figure[data-metric=page_leave] tr')[4].cells[1].textContent`), 'under 5 people');
});

test('the page of metrics asks for the second factor, and again if the code is wrong', async () => {
        const [analyst, [other]] = [await registerWithRole('administrator'), await registerMany(1)];
        const secrets = new Map();
        for (const { username, token } of [analyst, other]) {
                const { secret } = must(await api('POST', '/v1/2fa/totp', { token }));
                must(await api('POST', '/v1/2fa/totp/confirm', { token, body: { code: totp(secret) } }));
                secrets.set(username, secret);
        }
        const code = (who, more = 0) => String((Number(totp(secrets.get(who.username), Date.now() + 30_000)) + more) % 1e6).padStart(6, '0'); // the next code, since this one has been used
        const page = await openMetrics();
        await page.logIn(other.username, PASSWORD);
        await page.asked();
        await page.enter(code(other));
        await page.refused(/administrators/);
        await page.reload();
        await page.logIn(analyst.username, PASSWORD);
        await page.asked();
        await page.enter(code(analyst, 500_000));
        await page.refused(/code/);
        await page.enter(code(analyst));
        await page.show('app_open', 7);
        assert.equal(await page.run(`document.querySelectorAll('figure').length`), 10);
});
