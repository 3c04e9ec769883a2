// Builds the programs that generate the load of a bench, and runs it (called by bench/run).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bench, options } from './options.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
process.env.SONET_BIN ??= path.join(here, '../build/cmd/sonet');
if (bench.uses.length > 0) {
        options.out = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-bench.'));
        fs.chmodSync(options.out, 0o755);
}
for (const program of bench.uses) {
        const sources = fs.readdirSync(here).filter((file) => file.startsWith(program) && file.endsWith('.c')).map((file) => path.join(here, file));
        execFileSync(process.env.CC ?? 'cc', ['-std=gnu17', '-O2', '-Wall', '-D_GNU_SOURCE', '-I', path.dirname(here), ...sources, '-o', path.join(options.out, program)],
                     { stdio: 'inherit' });
}
await import(`./${bench.file}.mjs`);
