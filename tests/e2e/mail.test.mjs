// Sending mails: TLS and authentication; a server that is unreachable, rejects, is slow, or disconnects; and `kill -9` in between.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { connect, eventually, must } from './client.mjs';
import { MAIL_FROM, Mailbox, codeIn, forGood, makeCertificate, temporary } from './mailbox.mjs';
import { startServer } from './harness.mjs';
import { adminOf, ownServer } from './own.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-mail.'));
fs.chmodSync(folder, 0o755); // as root SoNet runs under another account
const tls = makeCertificate(folder);
const box = await new Mailbox({ startTls: true, tls, user: 'us:er', password: 'p@ss/wörd' }).open();
const env = { SMTP_URL: box.url, SMTP_CA: tls.file, SMTP_TIMEOUT_MS: '3000', MAIL_FROM };
const net = ownServer({ env });
after(() => box.close());
after(() => fs.rmSync(folder, { recursive: true }));

const address = (member) => `${member.username}@example.org`;
const log = () => fs.readFileSync(net.server.log, 'utf8');

test('mails are sent over TLS, with authentication, on persistent connections', async () => {
        const members = [];
        for (let i = 0; i < 8; i++) {
                members.push(await net.register());
        }
        for (const member of members) {
                const mail = await box.wait(address(member));
                assert.equal(mail.secure, true);
                assert.equal(mail.user, 'us:er');
        }
        assert.ok(box.connections <= 4, `${box.connections} connections for 8 mails`);
});

test('a server without TLS gets neither password nor mail', async () => {
        const plain = await new Mailbox({ user: 'us:er', password: 'p@ss/wörd' }).open();
        const other = await startServer({ env: { ...env, SMTP_URL: plain.url } });
        const client = connect(other.url);
        try {
                await client.register();
                await eventually('the lane pauses', () => /cannot send mail; will retry/.test(fs.readFileSync(other.log, 'utf8')), 60_000);
                assert.equal(plain.mails.length, 0);
        } finally {
                client.close();
                await other.stop();
                await plain.close();
        }
});

test('permanently rejected mails are not retried, deferred ones are, and others are sent meanwhile', async () => {
        let tries = 0;
        const names = ['refused', 'later'].map((n) => `${n}_${Date.now().toString(36)}`);
        box.refuse[`${names[0]}@example.org`] = () => { tries++; return forGood(); };
        box.refuse[`${names[1]}@example.org`] = temporary;
        for (const username of names) {
                await net.register({ username });
        }
        const other = await net.register();
        await box.wait(address(other));
        await eventually('the refusal is logged', () => log().includes('"event.outcome":"refused"') && log().includes('550 5.1.1'), 60_000);
        await eventually('the deferral is logged', () => log().includes('"event.outcome":"deferred"') && log().includes('451'), 60_000);
        assert.equal(tries, 1);
        const listed = await eventually('the operator is told', async () => (await adminOf(net.server, env, 'mails', 'list')).stdout || false, 60_000);
        assert.match(listed, /^user +\S+ {2}\S+ {2}verify_email {2}of \S+ {2}1 try: 550 5\.1\.1/m);
        assert.ok(!listed.includes('example.org') && !listed.includes('451'));
        assert.ok(!log().includes('there is no such mailbox')); // a server's response may contain the address
});

test('while the server is unreachable mails wait, and are sent when it is back', async () => {
        await box.close();
        const members = [await net.register(), await net.register()];
        await eventually('the lane pauses', () => /cannot send mail; will retry/.test(log()), 60_000);
        await box.open();
        for (const member of members) {
                must(await member.post('/v1/auth/email/verify', { code: codeIn(await box.wait(address(member))) }));
        }
});

test('a slow server times out, and delays no other mail', async () => {
        let release;
        const held = new Promise((resolve, reject) => { release = () => reject(temporary()); });
        const username = `slow_${Date.now().toString(36)}`;
        box.onMessage = async (mail) => { await (mail.recipients[0] === `${username}@example.org` ? held : null); }; // and then rejects it, or it would be sent twice
        await net.register({ username });
        await box.wait(address(await net.register()));
        await eventually('it is deferred', () => /"deferred".*Timeout was reached/.test(log()), 60_000);
        release();
        box.onMessage = async () => {};
});

test('kill -9 while the server receives a mail: it is sent again unchanged, and earlier mails are not', async () => {
        const seen = [];
        let killed = false;
        const member = await net.register({ username: `killed_${Date.now().toString(36)}` });
        box.onMessage = async (mail) => {
                if (mail.recipients[0] === address(member)) {
                        seen.push(mail);
                }
                if (!killed && seen.length === 1) {
                        killed = true;
                        net.server.kill('serve') || net.server.kill('user') || net.server.kill('gateway');
                        throw new Error('the connection is gone anyway');
                }
        };
        await member.post('/v1/auth/email/resend', {}).catch(() => {}); // the first mail may have been accepted before; or the process is already gone
        await eventually('it is killed', () => killed, 60_000);
        await eventually('it serves again', async () => (await member.get('/v1/users/me', { timeoutMs: 5000 })).status === 200, 90_000);
        const again = await eventually('it is sent again', () => {
                const same = seen.filter((m) => m.messageId === seen[0].messageId);
                return same.length > 1 ? same : false;
        }, 60_000);
        box.onMessage = async () => {};
        assert.equal(again.length, 2);
        assert.equal(again[0].raw, again[1].raw);
        const taken = new Map();
        for (const mail of box.mails) { // the other connection may have been sending one, too: it is sent again unchanged
                assert.equal(taken.get(mail.messageId) ?? mail.raw, mail.raw);
                taken.set(mail.messageId, mail.raw);
        }
        assert.ok(box.mails.length - taken.size <= 1, 'one mail for each other connection');
});

test('the log contains no codes, links or addresses', () => {
        for (const mail of box.mails) {
                assert.ok(!log().includes(mail.recipients[0]));
                if (/^\d{6} /.test(mail.subject)) {
                        assert.ok(!log().includes(mail.text.match(/#(\S+)/)[1]));
                }
        }
});
