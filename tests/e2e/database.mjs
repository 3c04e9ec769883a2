// Access to the database of a service, for what no client can see or cause, such as making something due now that is due tomorrow.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

// A key that the server derives from its key file; dir: the server's folder.
export function keyOf(dir, label) {
        const master = Buffer.from(fs.readFileSync(path.join(dir, 'key'), 'utf8').trim(), 'base64url');
        return Buffer.from(crypto.hkdfSync('sha256', master, 'sonet key file', label, 32));
}

// psql as the service itself.
function psql(dir, service) {
        const user = `${service}_service`;
        const env = { ...process.env, PGPASSWORD: keyOf(dir, `database:${user}`).toString('base64url') };
        return { words: ['-h', path.join(dir, 'data', 'run'), '-U', user, '-d', user, '-v', 'ON_ERROR_STOP=1', '-Atq'], options: { env } };
}

// The rows as psql prints them without alignment.
export function query(dir, service, sql) {
        const { words, options } = psql(dir, service);
        return execFileSync('psql', [...words, '-c', sql], options).toString().trim();
}

// A transaction that holds its locks; resolves once it has them.
async function locked(dir, service, change, rest) {
        const { words, options } = psql(dir, service);
        const child = spawn('psql', words, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
        child.stdin.write(`begin; ${change}; select 'locked';\n${rest}\n`);
        const [first] = await once(child.stdout, 'data');
        assert.equal(String(first), 'locked\n');
        return child;
}

// A change that is committed as soon as another transaction (or the given number) waits for locks, including those of the changed rows, so that it
// happens between their reads and their next step.
export async function overtaking(dir, service, change, waiting = 1) {
        const waiters = "select count(*) from pg_stat_activity where usename = current_user and wait_event_type = 'Lock'";
        const wait = `while (${waiters}) < ${waiting} and clock_timestamp() < now() + interval '20 s' loop perform pg_sleep(0.01), pg_stat_clear_snapshot(); end loop`;
        const child = await locked(dir, service, change, `do $$ begin ${wait}; end $$; commit;`);
        child.stdin.end();
}

// A table that no other session can read or write until release() is called.
export async function withheld(dir, service, table) {
        const child = await locked(dir, service, `lock table ${table}`, '');
        return async function release() {
                child.stdin.end('rollback;\n');
                await once(child, 'exit');
        };
}

// The folder of the server that the test files share.
export const sharedDir = () => path.dirname(process.env.SONET_E2E_KEY_FILE);
