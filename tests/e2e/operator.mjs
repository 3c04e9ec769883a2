// The server of the shared tests as its operator has it: `sonet admin`, and the folder of its mails.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findBinary } from './harness.mjs';
import { eventually, logIn, problem, register } from './shared.mjs';

// {code, stdout, stderr}
export function admin(...words) {
        const dir = path.dirname(process.env.SONET_E2E_KEY_FILE);
        const env = { ...process.env, SONET_KEY_FILE: process.env.SONET_E2E_KEY_FILE };
        return new Promise((resolve) => {
                execFile(findBinary(), ['admin', '--data', path.join(dir, 'data'), ...words], { env, maxBuffer: 64 << 20 },
                         (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
        });
}

// A new member of that role, with tokens that say so.
export async function registerWithRole(role) {
        const member = await register();
        const set = await admin('user', 'role', member.username, role);
        assert.equal(set.code, 0, set.stderr);
        await eventually('tokens without the role end', async () => (await member.get('/v1/users/me')).status === 401, 10_000);
        problem(await member.get('/v1/users/me'), 401, { code: 'token_outdated' });
        return logIn(member.username);
}

// What the server wrote to an address where there is no mail server: the files, as they are once they are whole.
export function mailsTo(address) {
        const dir = path.join(path.dirname(process.env.SONET_E2E_KEY_FILE), 'data', 'mails');
        return fs.readdirSync(dir).filter((name) => name.endsWith('.eml')).map((name) => fs.readFileSync(path.join(dir, name), 'utf8'))
                .filter((mail) => mail.includes(address));
}
