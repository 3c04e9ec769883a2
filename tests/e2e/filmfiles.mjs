// Videos and sounds for tests, made by FFmpeg from its test pictures and tones.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

// Runs ffmpeg … NAME in a folder that is removed with the test. Returns the file's bytes.
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
        // FFmpeg's view of a file: {format, streams}.
        const probe = (data, ...args) => JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_format', '-show_streams', '-show_chapters', ...args, keep('probed', data)]));
        return { dir, make, keep, probe, remove: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

export const pictures = (seconds, size = '320x180', rate = 25) => ['-f', 'lavfi', '-i', `testsrc=duration=${seconds}:size=${size}:rate=${rate}`];
export const tone = (seconds) => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
