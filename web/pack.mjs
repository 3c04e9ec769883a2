// Packs the pages into a C source: each file as it is and as gzip, pulled in by the assembler, with its entity tags.
//   node pack.mjs OUT.c FOLDER DEPFILE       FOLDER is for the compressed files
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';

const [out, folder, depfile] = process.argv.slice(2).map((p) => path.resolve(p));
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const lock = path.join(here, 'package-lock.json');
const installed = path.join(here, 'node_modules', '.sonet-lock');

// No scripts of packages run: swagger-ui-dist's dependency would report the installation.
if (!fs.existsSync(installed) || !fs.readFileSync(lock).equals(fs.readFileSync(installed))) {
        execFileSync('npm', ['ci', '--prefix', here, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' });
        fs.copyFileSync(lock, installed);
}

const rows = fs.readFileSync(path.join(here, 'files.txt'), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'))
        .map((line) => line.match(/^(\S+) +(\S+) +(.+)$/).slice(1));
const symbols = [];
const table = rows.map(([address, file, type], i) => {
        const source = path.join(here, file);
        const bytes = fs.readFileSync(source);
        const gzip = path.join(folder, `file_${i}.gz`);
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(gzip, gzipSync(bytes, { level: 9 }));
        symbols.push(`INCLUDE_FILE(file_${i}, ${JSON.stringify(source)})`, `INCLUDE_FILE(file_${i}_gz, ${JSON.stringify(gzip)})`);
        const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
        return `        {"${address}", "${type}", "\\"${tag}\\"", "\\"${tag}-gz\\"", file_${i}, file_${i}_end, file_${i}_gz, file_${i}_gz_end},`;
});

fs.writeFileSync(out, `/* Made by web/pack.mjs from web/files.txt: do not edit. */
#include "web/web.h"

#define INCLUDE_FILE(name, path)                                                                                       \\
        __asm__(".section .rodata\\n.global " #name "\\n" #name ":\\n.incbin \\"" path "\\"\\n.global " #name "_end\\n" #name "_end:\\n.byte 0\\n.previous\\n"); \\
        extern const char name[], name##_end[];
${symbols.join('\n')}

const struct web_file web_files[] = {
${table.join('\n')}
        {0},
};
`);
fs.writeFileSync(depfile, `${out}: ${[...new Set(rows.map(([, file]) => path.join(here, file))), path.join(here, 'files.txt'), lock].join(' ')}\n`);
