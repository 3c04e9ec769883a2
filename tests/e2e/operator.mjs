// `sonet admin` on the server of the shared tests, as its operator would run it.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { findBinary } from './harness.mjs';

// {code, stdout, stderr}
export function admin(...words) {
        const dir = path.dirname(process.env.SONET_E2E_KEY_FILE);
        const env = { ...process.env, SONET_KEY_FILE: process.env.SONET_E2E_KEY_FILE };
        return new Promise((resolve) => {
                execFile(findBinary(), ['admin', '--data', path.join(dir, 'data'), ...words], { env, maxBuffer: 64 << 20 },
                         (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
        });
}
