// The operator's view of the shared tests' server: `sonet admin`, and the folder with its mails.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { adminOf } from './own.mjs';
import { eventually, logIn, must, problem, register } from './shared.mjs';

export const admin = (...words) => adminOf({ dir: path.dirname(process.env.SONET_E2E_KEY_FILE) }, {}, ...words);

// A new member with that role, and tokens with its scopes.
export async function registerWithRole(role) {
        const member = await register();
        const set = await admin('user', 'role', member.username, role);
        assert.equal(set.code, 0, set.stderr);
        await eventually('tokens without the role end', async () => (await member.get('/v1/users/me')).status === 401, 10_000);
        problem(await member.get('/v1/users/me'), 401, { code: 'token_outdated' });
        return logIn(member.username);
}

// The mails that the server wrote to an address, without a mail server: the files, once they are complete.
export function mailsTo(address) {
        const dir = path.join(path.dirname(process.env.SONET_E2E_KEY_FILE), 'data', 'mails');
        return fs.readdirSync(dir).filter((name) => name.endsWith('.eml')).map((name) => fs.readFileSync(path.join(dir, name), 'utf8'))
                .filter((mail) => mail.includes(address));
}

// With the code from the mail.
export async function verifyEmail(member, address) {
        const code = await eventually('the code is mailed', () => mailsTo(address).map((m) => m.match(/^Subject: (\d{6}) /m)?.[1]).find(Boolean) ?? false);
        must(await member.post('/v1/auth/email/verify', { code }));
}
