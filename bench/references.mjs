// The reference programs: pgbench on SoNet's PostgreSQL, nginx with the same bytes.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { freePort, sleep } from '../tests/e2e/harness.mjs';
import { adminEnv } from '../tests/e2e/psql.mjs';
import { entry, request, run } from './load.mjs';

const bin = () => fs.readdirSync('/usr/lib/postgresql').map((v) => `/usr/lib/postgresql/${v}/bin`).find((d) => fs.existsSync(`${d}/pgbench`));

// Runs one of PostgreSQL's tools on the server's PostgreSQL, as its administrator; its standard output.
export function postgresql(server, name, ...args) {
        return run(path.join(bin(), name), args, { env: adminEnv(server) });
}

// Select-only, prepared: the cluster alone. {per_s, clients}
export async function pgbench(server, seconds) {
        const tool = (name, ...args) => postgresql(server, name, ...args);
        await tool('dropdb', '--if-exists', 'bench');
        await tool('createdb', 'bench');
        await tool('pgbench', '-i', '-q', '-s', '10', 'bench');
        const out = await tool('pgbench', '-S', '-M', 'prepared', '-c', '4', '-j', '1', '-T', String(seconds), 'bench');
        await tool('dropdb', 'bench');
        return { per_s: Number(out.match(/tps = ([\d.]+)/)[1]), clients: 4 };
}

const config = (dir, port, location) => `
worker_processes auto;
daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
${process.getuid() === 0 ? 'user nobody nogroup;' : ''}
events { worker_connections 4096; }
http {
        access_log off;
        sendfile on;
        tcp_nopush on;
        keepalive_requests 1000000000;
        default_type application/json;
        client_body_temp_path ${dir}/t1; proxy_temp_path ${dir}/t2; fastcgi_temp_path ${dir}/t3; uwsgi_temp_path ${dir}/t4; scgi_temp_path ${dir}/t5;
        server { listen 127.0.0.1:${port}; root ${dir}/www; ${location} }
}
`;

// An nginx with the given directives in its server block besides its root, the folder www of dir: {port, stop}.
export async function startNginx(dir, location) {
        const port = await freePort(0);
        fs.mkdirSync(path.join(dir, 'www'), { recursive: true });
        fs.chmodSync(path.join(dir, 'www'), 0o777); // its workers may run as another user
        fs.writeFileSync(path.join(dir, 'nginx.conf'), config(dir, port, location));
        const child = spawn('/usr/sbin/nginx', ['-c', path.join(dir, 'nginx.conf'), '-p', dir], { stdio: ['ignore', 'ignore', 'inherit'] });
        const kill = () => child.kill('SIGTERM');
        process.once('exit', kill);
        for (let i = 0; i < 100 && !fs.existsSync(path.join(dir, 'nginx.pid')); i++) {
                await sleep(50);
        }
        return { port, stop: () => { kill(); process.removeListener('exit', kill); } };
}

// nginx sends the given bodies as files to the same client. {result of the load}
export async function nginx(load, bodies, { connections, seconds }) {
        const dir = path.join(load.out, 'nginx');
        const reference = await startNginx(dir, 'open_file_cache max=2000 inactive=60s;');
        try {
                bodies.forEach((body, i) => fs.writeFileSync(path.join(dir, 'www', `${i}.json`), body));
                const entries = bodies.map((body, i) => entry('file', request('GET', `/${i}.json`), { status: 'file', minBytes: Buffer.byteLength(body) }));
                return await load.run(reference.port, entries, { connections, seconds });
        } finally {
                reference.stop();
        }
}
