// What a server of a test keeps in the database of a service, for what no client can show or bring about: to move what is due tomorrow to now.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

// A key that the server derives from its key file; dir: that of the server.
export function keyOf(dir, label) {
        const master = Buffer.from(fs.readFileSync(path.join(dir, 'key'), 'utf8').trim(), 'base64url');
        return Buffer.from(crypto.hkdfSync('sha256', master, 'sonet key file', label, 32));
}

// The rows as psql prints them without alignment, as the service itself.
export function query(dir, service, sql) {
        const user = `${service}_service`;
        const env = { ...process.env, PGPASSWORD: keyOf(dir, `database:${user}`).toString('base64url') };
        return execFileSync('psql', ['-h', path.join(dir, 'data', 'run'), '-U', user, '-d', user, '-v', 'ON_ERROR_STOP=1', '-Atqc', sql], { env }).toString().trim();
}

// The folder of the server that the test files share.
export const sharedDir = () => path.dirname(process.env.SONET_E2E_KEY_FILE);
