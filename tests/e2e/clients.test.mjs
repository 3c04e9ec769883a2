// Clients generated from /openapi.json by third-party generators: they compile in TypeScript's strict mode, and work.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { api, must, net, randomName } from './shared.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(here, 'clients');
let dir; // the clients' sources and the generated ones; kept, since the other mode has the same document

// Runs a tool from node_modules; on failure, the error is its output.
async function tool(folder, name, ...args) {
        try {
                return await promisify(execFile)(path.join(here, 'node_modules/.bin', name), args, { cwd: folder, timeout: 240_000 });
        } catch (error) {
                throw new Error(`${name} ${args.join(' ')}:\n${error.stdout}${error.stderr}`.slice(0, 1500));
        }
}

async function generate(folder, document) {
        fs.cpSync(sources, folder, { recursive: true });
        fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
        fs.writeFileSync(path.join(folder, 'openapi.json'), document);
        await tool(folder, 'openapi-typescript', 'openapi.json', '-o', 'generated/types.d.ts');
        await tool(folder, 'openapi-ts', '-f', 'openapi-ts.config.mjs');
        await tool(folder, 'tsc', '-p', '.');
}

// Below node_modules, so that imports resolve. The folder is named by a hash of the inputs.
before(async () => {
        const document = JSON.stringify(must(await api('GET', '/openapi.json')));
        const parts = [document, fs.readFileSync(path.join(here, 'package-lock.json')), ...fs.readdirSync(sources).map((name) => fs.readFileSync(path.join(sources, name)))];
        const hash = parts.reduce((all, part) => all.update(part), createHash('sha256')).digest('hex').slice(0, 16);
        const cache = path.join(here, 'node_modules/.cache');
        dir = path.join(cache, `sonet-clients-${hash}`);
        if (!fs.existsSync(dir)) {
                fs.mkdirSync(cache, { recursive: true });
                const fresh = fs.mkdtempSync(path.join(cache, 'new-'));
                try {
                        await generate(fresh, document);
                        fs.renameSync(fresh, dir);
                } catch (error) {
                        if (error.code !== 'ENOTEMPTY') { // another layout's run has already created it
                                throw error;
                        }
                } finally {
                        fs.rmSync(fresh, { recursive: true, force: true });
                }
        }
});

for (const name of ['openapi-fetch', 'hey-api']) {
        test(`a client generated for ${name} registers, posts, pages, reacts, follows and handles errors`, async () => {
                const { scenario } = await import(pathToFileURL(path.join(dir, 'js', `${name}.js`)));
                assert.deepEqual(await scenario(net.url, randomName('').slice(1)), {
                        repeated: true,
                        author: true,
                        visibility: 'public',
                        time: true,
                        edited: null,
                        sizes: [2, 2, 1],
                        texts: ['note 4', 'note 3', 'note 2', 'note 1', 'note 0'],
                        liked: [1, true],
                        unliked: [0, false],
                        unlikedUnseen: undefined,
                        followed: true,
                        relations: [true, false],
                        refusal: { status: 404, code: 'not_found', field: 'id' },
                        invalid: { status: 422, code: 'validation_failed', field: 'text' },
                });
        });
}
