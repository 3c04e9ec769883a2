// A server for a single test file that would disturb others.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before } from 'node:test';
import { connect } from './client.mjs';
import { findBinary, startServer } from './harness.mjs';

// Starts it before the tests, then runs setUp (in the same hook, since node starts a file's hooks without waiting for previous ones), and stops it
// after them; `it.server` and the client's functions are available meanwhile.
export function ownServer(options = {}, setUp = async () => {}) {
        const it = {};
        before(async () => {
                it.server = await startServer(options);
                Object.assign(it, connect(it.server.url));
                await setUp(it);
        });
        after(async () => {
                it.close?.();
                if (process.env.SONET_E2E_SAVE_LOGS === '1') {
                        it.server?.saveLog(`own-${process.pid}-${it.server.mode}`);
                }
                await it.server?.stop();
        });
        return it;
}

// `sonet admin` with a server's settings: {code, stdout, stderr}
export function adminOf({ dir }, env, ...words) {
        return new Promise((resolve) => {
                execFile(findBinary(), ['admin', '--data', path.join(dir, 'data'), ...words],
                         { env: { ...process.env, SONET_KEY_FILE: path.join(dir, 'key'), ...env }, maxBuffer: 64 << 20 },
                         (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
        });
}
