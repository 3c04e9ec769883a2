// Owns a Debian ejabberd as reference: its folder, its port, its shutdown. Members register by XMPP; rooms are stored in its default backend
// (Mnesia), archives there or in a PostgreSQL of its own.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import net from 'node:net';
import { freePort, removeFolder, serverProcesses, signal, sleep } from '../tests/e2e/harness.mjs';

export const DOMAIN = 'localhost', ROOMS = `rooms.${DOMAIN}`;

// Without shapers, as SoNet runs without rate limits, and with a queue for a thousand connections at once (the default is five). Members who join a room do not get the list of occupants: with a thousand members that would be
// a million stanzas before the measurement begins.
const config = (port, archive, sqlPort) => `
hosts: [${DOMAIN}]
loglevel: warning
listen:
  -
    port: ${port}
    ip: "127.0.0.1"
    backlog: 1000
    module: ejabberd_c2s
    starttls: false
    max_stanza_size: 262144
auth_method: internal
${sqlPort ? `sql_type: pgsql
sql_server: 127.0.0.1
sql_port: ${sqlPort}
sql_database: postgres
sql_username: postgres
` : ''}registration_timeout: infinity
disable_sasl_mechanisms: []
modules:
  mod_disco: {}
  mod_mam:
    default: ${archive ? 'always' : 'never'}
    db_type: ${sqlPort ? 'sql' : 'mnesia'}
  mod_muc:
    host: ${ROOMS}
    max_users: 2000
    history_size: 0
    default_room_options:
      mam: ${archive !== ''}
      max_users: 2000
      presence_broadcast: []
  mod_offline: {}
  mod_register:
    ip_access: all
  mod_roster: {}
  mod_stream_mgmt: {}
`;

const ebin = () => fs.globSync?.('/usr/lib/*/ejabberd-*/ebin')[0]
        ?? fs.readdirSync('/usr/lib').flatMap((a) => { try { return fs.readdirSync(`/usr/lib/${a}`).map((b) => `/usr/lib/${a}/${b}/ebin`); } catch { return []; } })
                .find((dir) => fs.existsSync(`${dir}/ejabberd.beam`));

const listens = (port) => new Promise((resolve) => {
        const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
        socket.once('error', () => resolve(false));
});

// A PostgreSQL with Debian's defaults, and ejabberd's tables. PostgreSQL does not run as root.
class Archive {
        async start(dir) {
                const bin = '/usr/lib/postgresql/15/bin', as = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--'] : ['env'];
                this.dir = path.join(dir, 'pg');
                this.port = await freePort(0);
                fs.chmodSync(dir, 0o777);
                execFileSync(as[0], [...as.slice(1), `${bin}/initdb`, '-A', 'trust', '-U', 'postgres', '-D', this.dir], { stdio: 'ignore' });
                const options = ['-c', `port=${this.port}`, '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${this.dir}`];
                this.child = spawn(as[0], [...as.slice(1), `${bin}/postgres`, '-D', this.dir, ...options], { cwd: '/', stdio: 'ignore' });
                while (!(await listens(this.port))) {
                        await sleep(100);
                }
                execFileSync('psql', ['-X', '-q', '-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres', '-f', '/usr/share/ejabberd/sql/pg.sql'], { stdio: 'ignore' });
                return this;
        }

        async stop() {
                const exited = new Promise((resolve) => this.child.once('exit', resolve));
                signal(this.child.pid, 'SIGINT');
                await exited;
        }
}

class Ejabberd {
        constructor(archive) { this.archive = archive; }

        async start() {
                this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-ejabberd.'));
                this.port = await freePort(0);
                const file = path.join(this.dir, 'ejabberd.yml');
                this.sql = this.archive === 'postgresql' ? await new Archive().start(this.dir) : undefined;
                fs.writeFileSync(file, config(this.port, this.archive, this.sql?.port));
                const log = fs.openSync(path.join(this.dir, 'out.log'), 'a');
                // As ejabberdctl does; a node without a name does not need epmd.
                this.child = spawn('erl', ['-noinput', '+K', 'true', '+P', '250000', '-pa', ebin(), '-mnesia', 'dir', `"${this.dir}/spool"`, '-ejabberd', 'config', `"${file}"`,
                                           'log_path', `"${this.dir}/ejabberd.log"`, '-s', 'ejabberd'],
                                   { cwd: this.dir, stdio: ['ignore', log, log], env: { ...process.env, HOME: this.dir, EJABBERD_CONFIG_PATH: file } });
                fs.closeSync(log);
                this.stopOnExit = () => signal(this.child.pid, 'SIGKILL');
                process.once('exit', this.stopOnExit);
                for (let i = 0; !(await listens(this.port)); i++) {
                        if (i === 1200 || this.child.exitCode !== null) {
                                throw new Error(`ejabberd did not start: ${fs.readFileSync(path.join(this.dir, 'out.log'), 'utf8').slice(-2000)}`);
                        }
                        await sleep(100);
                }
                return this;
        }

        processes() { return serverProcesses(this.child.pid, this.dir); }

        async stop() {
                const exited = new Promise((resolve) => this.child.once('exit', resolve));
                signal(this.child.pid, 'SIGTERM');
                await exited;
                process.removeListener('exit', this.stopOnExit);
                await this.sql?.stop();
                await removeFolder(this.dir);
        }
}

// archive: where it stores messages (mod_mam), 'mnesia' or 'postgresql'; '': nowhere.
export const startEjabberd = ({ archive }) => new Ejabberd(archive).start();
