// The pages behind the links of mails, in a headless Chromium: what a person does with the mails from a real mail server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser } from './browser.mjs';
import { PASSWORD, eventually, must, problem, randomName } from './client.mjs';
import { MAIL_FROM, Mailbox, tokenIn } from './mailbox.mjs';
import { ownServer } from './own.mjs';
import { totp } from './totp.mjs';

const box = await new Mailbox().open();
const net = ownServer({ env: { SMTP_URL: box.url, MAIL_FROM } });
let browser;
before(async () => { browser = await Browser.start(); });
after(() => browser.stop());
after(() => box.close());

const NEW = 'another horse battery';
const address = (member) => `${member.username}@example.org`;
const logIn = (member, password) => net.api('POST', '/v1/auth/login', { body: { login: member.username, password } });

// The page of a link after its script has run: {type, click, outcome, invalid, hash}.
async function open(path) {
        const page = await browser.open(net.server.url + path);
        await eventually('the page is there', () => page.run('document.readyState === "complete" && !!document.querySelector("#outcome")').catch(() => false), 60_000);
        await eventually('its script has run', () => page.run('location.hash === "" && [...document.querySelectorAll("form, p#no-token")].some((e) => !e.hidden)'), 60_000);
        return { ...page,
                 type: (name, text) => page.run(`{ const i = document.querySelector('form:not([hidden]) [name=${name}]'); i.value = ${JSON.stringify(text)}; !!i.checkVisibility(); }`),
                 click: () => page.run('document.querySelector("form:not([hidden]) button").click()'),
                 says: (what, pattern) => eventually(what, async () => pattern.test(await page.run('document.querySelector("#outcome").textContent')), 60_000),
                 errorAt: (name) => eventually(`an error at ${name}`, () => page.run(`document.querySelector('#${name}-error').textContent || false`), 60_000) };
}

test('the link in a mail confirms the address on a click, and not before', async () => {
        const member = await net.register();
        const path = `/verify-email#${tokenIn(await box.wait(address(member)))}`;
        const page = await open(path);
        assert.equal(must(await member.get('/v1/users/me/email')).verified_at, null);
        await page.click();
        await page.says('it is confirmed', /is confirmed/);
        assert.notEqual(must(await member.get('/v1/users/me/email')).verified_at, null);
        assert.equal(await page.run('document.activeElement.id'), 'outcome', 'a screen reader hears it');
        const again = await open(path);
        await again.click();
        await again.says('links work once', /no longer valid/);
        const none = await open('/verify-email');
        assert.match(await none.run('document.querySelector("main").innerText'), /not complete/);
});

test('a forgotten password: the mail, its link, an error at the field, the second factor, the new password', async () => {
        const member = await net.register();
        const { secret } = must(await member.post('/v1/2fa/totp', {}));
        must(await member.post('/v1/2fa/totp/confirm', { code: totp(secret) }));
        const asking = await open('/reset-password');
        await asking.type('email', address(member));
        await asking.click();
        await asking.says('the mail is on its way', /on its way/);
        const page = await open(`/reset-password#${tokenIn(await box.wait(address(member), 'new password'))}`);
        assert.ok(!(await page.run('document.documentElement.outerHTML')).includes('#'));
        await page.type('new_password', 'password');
        await page.click();
        assert.match(await page.errorAt('new_password'), /^New password: is too common/);
        assert.equal(await page.run('document.activeElement.name'), 'new_password');
        await page.type('new_password', NEW);
        await page.click();
        await page.errorAt('code');
        await page.type('code', totp(secret, Date.now() + 30_000));
        await page.click();
        await page.says('it is set', /new password is set/);
        problem(await logIn(member, PASSWORD), 401, { code: 'credentials_wrong' });
        problem(await logIn(member, NEW), 401, { code: 'second_factor_required' });
});

test('the page for joining shows errors at the fields', async () => {
        const other = await net.register();
        const username = randomName();
        const page = await open('/join');
        for (const [name, text] of [['username', other.username], ['email', `${username}@example.org`], ['password', PASSWORD]]) {
                await page.type(name, text);
        }
        await page.click();
        assert.match(await page.errorAt('username'), /is taken/);
        await page.type('username', username);
        await page.click();
        await page.says('welcome', /Welcome/);
        must(await logIn({ username }, PASSWORD));
});

test('every input has a label and a place for its error, and nothing is loaded from other origins', async () => {
        for (const path of ['/verify-email#x', '/reset-password', '/reset-password#x', '/join#x']) {
                const page = await open(path);
                const found = await page.run(`({ lang: document.documentElement.lang, title: document.title, h1: document.querySelectorAll('h1').length,
                        unlabelled: [...document.querySelectorAll('input, textarea')].filter((i) => i.labels.length !== 1).length,
                        dangling: [...document.querySelectorAll('[aria-describedby]')].flatMap((i) => i.getAttribute('aria-describedby').split(' '))
                                .filter((id) => !document.getElementById(id)).length,
                        foreign: performance.getEntriesByType('resource').filter((r) => !r.name.startsWith(location.origin)).length })`);
                assert.deepEqual([found.lang, found.h1, found.unlabelled, found.dangling, found.foreign], ['en', 1, 0, 0, 0], path);
                assert.match(found.title, / – SoNet$/);
        }
});
