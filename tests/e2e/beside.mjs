// Owns additional processes that share a server's databases, key and folder: media workers and further instances.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from './client.mjs';
import { findBinary } from './harness.mjs';

// A command that sees an empty file instead of this one; only root can do that.
const withoutFile = (file, { uid, gid }, command) => ['unshare', '--mount', 'sh', '-c',
        'mount --bind /dev/null "$1" && shift && exec setpriv --clear-groups "$@"', 'sh', file, `--reuid=${uid}`, `--regid=${gid}`, ...command];

// Starts `sonet serve WORDS`; files keeps a copy of the key (filmfiles.mjs); lacking: a file that is empty for it. Returns the child, with port, said
// (its log) and ended.
export async function startBeside(server, files, words, more = {}, lacking = '') {
        const [pid] = server.pids(server.mode === 'single' ? 'serve' : 'media');
        const { uid, gid } = fs.statSync(`/proc/${pid}`);
        const env = Object.fromEntries(fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').map((e) => e.split(/=(.*)/s)).filter(([name]) => name !== '' && !/_URL$/.test(name) || /DATABASE_URL|REDIS/.test(name)));
        const key = files.keep('key', fs.readFileSync(path.join(server.dir, 'key'))); // the supervisor passes its own by a descriptor
        fs.chmodSync(files.dir, 0o755);
        fs.chownSync(key, uid, gid);
        fs.chmodSync(key, 0o600);
        const command = [findBinary(), 'serve', '--port', '0', ...words];
        const [program, ...args] = lacking === '' ? command : withoutFile(lacking, { uid, gid }, command);
        const child = spawn(program, args, { ...(lacking === '' ? { uid, gid } : {}), env: { ...env, ...more, SONET_KEY_FILE: key, LOG_FORMAT: 'json' }, cwd: server.dir, stdio: ['ignore', 'pipe', 'pipe'] });
        child.said = '';
        child.ended = new Promise((resolve) => child.once('exit', (code, sig) => resolve([code, sig])));
        [child.stdout, child.stderr].forEach((stream) => stream.on('data', (data) => { child.said += data; }));
        await eventually(`${words} serves`, () => child.said.includes('"message":"serving"') || Promise.reject(new Error(child.said)), 60_000);
        child.port = Number(child.said.match(/"server.port":(\d+)/)[1]);
        return child;
}

// The number of decoding children of a process.
export const decoders = ({ pid }) => fs.readdirSync(`/proc/${pid}/task`).flatMap((task) => {
        try {
                return fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
        } catch {
                return []; // the thread has ended
        }
}).length;
export const decodes = (process) => decoders(process) > 0;
