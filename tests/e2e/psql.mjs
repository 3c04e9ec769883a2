// The private PostgreSQL of a server, as its administrator, and the statements that it gets.
import { execFile } from 'node:child_process';
import { hkdfSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Derived from the key file as in auth/keys.c.
function adminPassword(server) {
        const master = Buffer.from(fs.readFileSync(path.join(server.dir, 'key'), 'utf8').trim(), 'base64url');
        return Buffer.from(hkdfSync('sha256', master, 'sonet key file', 'database:sonet_admin', 32)).toString('base64url');
}

export const adminEnv = (server) => ({ ...process.env, PGHOST: path.join(server.data, 'run'), PGUSER: 'sonet_admin', PGPASSWORD: adminPassword(server) });

// The rows of a statement, each a list of texts.
export async function psql(server, database, text) {
        const { stdout } = await run('psql', ['-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', text], { env: adminEnv(server), maxBuffer: 64 << 20 });
        return stdout.split('\n').filter((line) => line !== '').map((line) => line.split('\t'));
}

// The services' statements from now on: resolves to a function that returns {database, text, calls, ms} for each statement since, the most frequent
// first.
export async function countStatements(server) {
        await psql(server, 'postgres', 'select pg_stat_statements_reset()');
        return async () => (await psql(server, 'postgres', `select d.datname, regexp_replace(s.query, '\\s+', ' ', 'g'), s.calls, s.total_exec_time
                from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname like '%\\_service' order by s.calls desc`))
                .map(([database, query, calls, ms]) => ({ database, text: query, calls: Number(calls), ms: Number(ms) }));
}
