#!/usr/bin/env -S node --no-concurrent-recompilation
// Runs the suite: one server for all files that can share it, and concurrently the files that need their own.
//   run.mjs [--mode single|split|mixed|all] [NAME…]
// Without concurrent compilation, with which a process of Node.js 20 rarely never exits (https://github.com/nodejs/node/issues/54918).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, describeOptions, oneOf, refuse } from './commandline.mjs';
import { MODES, findBinary, makeTemplate, startServer } from './harness.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const OWN_SERVER = ['chatkills', 'chatpairs', 'durable', 'email', 'erase', 'http2', 'lifecycle', 'limits', 'lostanswer', 'mail', 'mailpages', 'mailrate', 'mediastore', 'mediatwins', 'mediaworker', 'notificationkills', 'notificationrules', 'overload', 'passwords', 'providers', 'proxies', 'redis', 'registration', 'shares', 'stall', 'streamlife', 'takeover']; // they disturb their server, or need other settings
const CONTRACT = ['analyticsscript', 'clients', 'erase', 'mailpages', 'mailrate', 'mediastore', 'notificationkills', 'notificationrules', 'openapi', 'passkeys', 'providers', 'searchquality', 'serviceworker', 'uploadpage', 'web']; // files that do not depend on the layout (mostly views in a browser), or start their own processes (erase): in `single` only, unless named
// Everything runs in `single`. In the other layouts, unless named or with --long, files with calls between processes:
const CROSSING = {
        split: ['access', 'calls', 'chathistory', 'chatkills', 'chatpairs', 'concurrency', 'earlyrefusals', 'email', 'grpc', 'grpcprotocol', 'homememory', 'lanes', 'lists', 'lostanswer', 'media', 'messaging', 'model', 'notemedia', 'notes', 'notification', 'notificationchats', 'notificationevents',
                'private', 'pushes', 'redis', 'search', 'searchhistory', 'sessions', 'stall', 'stream', 'streamlife', 'takeover', 'timelines', 'tokens', 'uploads', 'visibility', 'webpush'],
        mixed: ['access', 'concurrency', 'homememory', 'lanes', 'lostanswer', 'messaging', 'notemedia', 'notes', 'search', 'searchhistory', 'stall', 'stream', 'takeover', 'timelines'],
};
const STEP_LIMIT_MS = 58 * 60_000;

const TOOL = 'tests/e2e/run.mjs';
const OPTIONS = { mode: oneOf([...MODES, 'all'], process.env.SONET_E2E_MODE ?? 'all', 'one process, one for each service, two that call each other, or each of these') };
const HELP = `Usage: ${TOOL} [OPTION]… [NAME]…

Runs NAME.test.mjs, or all of them, against the program named by SONET_BIN, or else the newer of build-debug/cmd/sonet and build/cmd/sonet.

${describeOptions(OPTIONS)}

SONET_E2E_LONG=1 also runs in every layout the tests that usually run in one process only. SONET_E2E_KEEP=1 keeps the data folder.`;
const { options, operands: wanted } = commandLine(TOOL, HELP, OPTIONS, { operands: true });
const modes = options.mode === 'all' ? MODES : [options.mode];

const all = fs.readdirSync(here).filter((f) => f.endsWith('.test.mjs')).map((f) => f.replace('.test.mjs', '')).sort();
const chosen = wanted.length > 0 ? all.filter((name) => wanted.includes(name)) : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
        refuse(TOOL, `unknown test ${unknown.join(', ')}; there are ${all.join(', ')}`);
}

// Runs test files. Returns {good, output}; the output is shown immediately unless it is to be kept.
function testFiles(names, width, env, { keep = false } = {}) {
        return new Promise((resolve) => {
                const args = [...process.execArgv, '--test', `--test-concurrency=${width}`, '--test-reporter=spec', ...names.map((n) => `${n}.test.mjs`)];
                const child = spawn(process.execPath, args, { cwd: here, env: { ...process.env, ...env }, stdio: ['ignore', keep ? 'pipe' : 'inherit', 'inherit'] });
                const chunks = [];
                child.stdout?.on('data', (chunk) => chunks.push(chunk));
                const limit = setTimeout(() => child.kill('SIGKILL'), STEP_LIMIT_MS);
                child.on('close', (code) => {
                        clearTimeout(limit);
                        resolve({ good: code === 0, output: Buffer.concat(chunks).toString('utf8') });
                });
        });
}

async function shared(mode, names) {
        const server = await startServer({ mode, env: { PUSH_NETWORKS: '127.0.0.1' } });
        let good = false;
        let faults = [];
        try {
                const env = { SONET_E2E_MODE: mode, SONET_URL: server.url, SONET_GRPC: JSON.stringify(server.grpcAddresses()),
                              SONET_E2E_KEY_FILE: path.join(server.dir, 'key') };
                ({ good } = await testFiles(names, 2, env));
                faults = server.faults();
        } finally {
                if (!good || faults.length > 0) {
                        console.error(`${mode}: log: ${server.saveLog(`shared-${mode}`)}`);
                }
                const stopped = await server.stop();
                if (stopped.code !== 0 || stopped.left.length > 0) {
                        faults.push(`sonet up ended with ${stopped.code ?? stopped.signal}; left: ${stopped.left.map((p) => p.role).join(', ') || 'nothing'}`);
                }
        }
        if (faults.length > 0) {
                console.error(`${mode}: ${faults.length} faults beside the tests:\n${faults.slice(0, 10).join('\n')}`);
        }
        return good && faults.length === 0;
}

// Files that share a server, and concurrently those that have their own.
async function runMode(mode) {
        const everything = wanted.length > 0 || mode === 'single';
        const long = process.env.SONET_E2E_LONG === '1';
        const names = chosen.filter((n) => everything || (long ? !CONTRACT.includes(n) : CROSSING[mode].includes(n)));
        const together = names.filter((n) => !OWN_SERVER.includes(n));
        const alone = names.filter((n) => OWN_SERVER.includes(n));
        const width = mode === 'split' ? 1 : 2; // takeover alone uses fourteen processes there
        const others = alone.length > 0 ? testFiles(alone, width, { SONET_E2E_MODE: mode }, { keep: together.length > 0 }) : { good: true, output: '' };
        let good = true;
        if (together.length > 0) {
                console.log(`\n== ${mode}: ${together.length} files on one server`);
                good = await shared(mode, together);
        }
        if (alone.length > 0) {
                console.log(`\n== ${mode}: ${alone.join(', ')}, each on its own server`);
        }
        const own = await others;
        process.stdout.write(own.output);
        return good && own.good;
}

let good = true;
console.log(`end to end: ${findBinary()}`);
const template = await makeTemplate();
process.once('exit', () => fs.rmSync(template, { recursive: true, force: true }));
process.env.SONET_E2E_TEMPLATE = template;
for (const mode of modes) {
        good = (await runMode(mode)) && good;
}
process.exitCode = good ? 0 : 1;
