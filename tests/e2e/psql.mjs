// The private PostgreSQL of a server, as its administrator, and the statements that it gets.
import { hkdfSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';

// Derived from the key file as in auth/keys.c.
function adminPassword(server) {
        const master = Buffer.from(fs.readFileSync(path.join(server.dir, 'key'), 'utf8').trim(), 'base64url');
        return Buffer.from(hkdfSync('sha256', master, 'sonet key file', 'database:sonet_admin', 32)).toString('base64url');
}

export const adminEnv = (server) => ({ ...process.env, PGHOST: path.join(server.data, 'run'), PGUSER: 'sonet_admin', PGPASSWORD: adminPassword(server) });

const pools = new Map(); // tests ask again and again, and opening a connection costs more than an answer
function poolOf(server, database) {
        const key = `${server.data} ${database}`;
        if (!pools.has(key)) {
                const { PGHOST: host, PGUSER: user, PGPASSWORD: password } = adminEnv(server);
                pools.set(key, new pg.Pool({ host, user, password, database, max: 2, allowExitOnIdle: true }).on('error', () => {})); // the test ended its server
        }
        return pools.get(key);
}

const asText = { getTypeParser: () => (value) => value };

// The rows of a statement, or of several, each a list of texts; '' for NULL.
export async function psql(server, database, text) {
        const results = await poolOf(server, database).query({ text, rowMode: 'array', types: asText });
        return [results].flat().flatMap(({ rows }) => rows.map((row) => row.map((value) => value ?? '')));
}

// The services' statements from now on: resolves to a function that returns {database, text, calls, ms} for each statement since, the most frequent
// first.
export async function countStatements(server) {
        await psql(server, 'postgres', 'select pg_stat_statements_reset()');
        return async () => (await psql(server, 'postgres', `select d.datname, regexp_replace(s.query, '\\s+', ' ', 'g'), s.calls, s.total_exec_time
                from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname like '%\\_service' order by s.calls desc`))
                .map(([database, query, calls, ms]) => ({ database, text: query, calls: Number(calls), ms: Number(ms) }));
}
