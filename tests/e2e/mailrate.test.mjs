// The rate of mails to one domain.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from './client.mjs';
import { query } from './database.mjs';
import { MAIL_FROM, Mailbox } from './mailbox.mjs';
import { adminOf, ownServer } from './own.mjs';

const box = await new Mailbox().open();
const env = { SMTP_URL: box.url, MAIL_FROM, MAIL_DOMAIN_RATE: '1' };
const net = ownServer({ env });
after(() => box.close());

test('mails above the rate of their domain wait without an attempt, and delay no other domain', async () => {
        const ask = async (address) => {
                const asked = await adminOf(net.server, env, 'notify', 'test', 'digest', 'email', 'en', address);
                assert.equal(asked.code, 0, asked.stderr);
        };
        const first = ['ada@one.example', 'bob@One.example', 'cem@one.example'];
        for (const address of first) {
                await ask(address);
        }
        await ask('ada@two.example');
        await box.wait('ada@two.example');
        const waiting = 'select count(*), min(attempts), max(attempts) from mail_queue where settled_at is null and due_at > now() + interval \'30 minutes\' and error <> \'\'';
        await eventually('two wait', () => query(net.server.dir, 'notification', waiting) === '2|0|0', 60_000);
        assert.equal(first.filter((address) => box.to(address).length > 0).length, 1);
});
