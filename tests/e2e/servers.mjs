// Owns a private PostgreSQL and Redis (tests/with-servers) for tests that run `sonet serve` themselves.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from './harness.mjs';

const run = promisify(execFile);

export class Servers {
        // They stop when this process ends: the command that runs them waits for its input.
        async start() {
                this.child = spawn(path.join(root, 'tests/with-servers'), ['bash', '-c', 'echo "$SONET_TEST_DIR"; cat >/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
                this.ended = new Promise((resolve) => this.child.once('exit', resolve));
                this.dir = await new Promise((resolve, reject) => {
                        this.child.stdout.once('data', (line) => resolve(String(line).trim()));
                        this.ended.then(() => reject(new Error('PostgreSQL and Redis did not start')));
                });
                this.socket = path.join(this.dir, '.s.PGSQL.5432');
                this.adminUrl = `postgresql://sonet_admin@/postgres?host=${this.dir}`;
                this.redisUrl = `unix://${this.dir}/redis.sock`;
                return this;
        }

        // A clean restart, as for an update: all sessions are ended.
        async restartPostgres() {
                const bin = fs.readdirSync('/usr/lib/postgresql').sort((a, b) => b - a).map((v) => `/usr/lib/postgresql/${v}/bin/pg_ctl`)[0];
                const command = [bin, '-D', `${this.dir}/pg`, '-w', '-t', '60', '-m', 'fast', '-l', `${this.dir}/pg.log`, 'restart'];
                await run(...(process.getuid() === 0 ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', ...command]]
                        : [command[0], command.slice(1)]));
        }

        async stop() {
                this.child?.stdin.end();
                await this.ended;
        }
}
