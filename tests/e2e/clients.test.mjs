// Clients that generators of others make of /openapi.json: they compile under TypeScript's strict rules, and do what a client needs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { api, must, net, randomName } from './shared.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
let dir; // the clients' sources beside what was generated

// Runs a tool of node_modules; its output is the failure.
async function tool(name, ...args) {
        try {
                return await promisify(execFile)(path.join(here, 'node_modules/.bin', name), args, { cwd: dir, timeout: 120_000 });
        } catch (error) {
                throw new Error(`${name} ${args.join(' ')}:\n${error.stdout}${error.stderr}`.slice(0, 1500));
        }
}

before(async () => {
        dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-clients.'));
        fs.cpSync(path.join(here, 'clients'), dir, { recursive: true });
        fs.symlinkSync(path.join(here, 'node_modules'), path.join(dir, 'node_modules'));
        fs.writeFileSync(path.join(dir, 'package.json'), '{"type": "module"}');
        fs.writeFileSync(path.join(dir, 'openapi.json'), JSON.stringify(must(await api('GET', '/openapi.json'))));
        await tool('openapi-typescript', 'openapi.json', '-o', 'generated/types.d.ts');
        await tool('openapi-ts', '-f', 'openapi-ts.config.mjs');
        await tool('tsc', '-p', '.');
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

for (const name of ['openapi-fetch', 'hey-api']) {
        test(`a client generated for ${name} registers, posts, pages, reacts, follows and understands refusals`, async () => {
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
