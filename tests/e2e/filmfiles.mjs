// Videos and sounds for tests, made by FFmpeg of its own pictures and tones.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

// ffmpeg … NAME, in a folder that goes with the test. Gives the file's bytes.
export function filmFiles() {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-films-'));
        const make = (name, ...args) => {
                execFileSync('ffmpeg', ['-v', 'error', '-y', ...args.flat(), path.join(dir, name)], { stdio: ['ignore', 'ignore', 'inherit'], cwd: dir });
                return fs.readFileSync(path.join(dir, name));
        };
        const keep = (name, data) => {
                fs.writeFileSync(path.join(dir, name), data);
                return path.join(dir, name);
        };
        // What FFmpeg sees in it: {format, streams}.
        const probe = (data, ...args) => JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_format', '-show_streams', '-show_chapters', ...args, keep('probed', data)]));
        return { dir, make, keep, probe, remove: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

export const pictures = (seconds, size = '320x180', rate = 25) => ['-f', 'lavfi', '-i', `testsrc=duration=${seconds}:size=${size}:rate=${rate}`];
export const tone = (seconds) => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
