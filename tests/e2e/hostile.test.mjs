// Hostile uploads, and metadata of cameras and programs, in formats that processing.test.mjs does not cover; made by
// FFmpeg and here.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { after, before, test } from 'node:test';
import { filmFiles, pictures } from './filmfiles.mjs';
import { avif, exif, form, gif, heic, jpeg, jpegSegment, png, pngChunk, processed } from './pictures.mjs';
import { api, must, problem, register } from './shared.mjs';

const SECRET = 'N 52.5200 E 13.4050, at home';
const VARIANTS = ['original', 'large', 'medium', 'small', 'thumb'];
let owner, files;

before(async () => {
        owner = await register();
        files = filmFiles();
});
after(() => files.remove());

const send = (file, name) => api('POST', '/v1/media', { token: owner.token, ...form(file, {}, name) });
const bring = async (file) => processed(owner, must(await send(file), 202).id);

async function bytes(id, variant, accept = '*/*') {
        const answer = await fetch(`${process.env.SONET_URL}/media/${id}/${variant}`, { headers: { authorization: `Bearer ${owner.token}`, accept } });
        assert.equal(answer.status, 200, variant);
        return { type: answer.headers.get('content-type'), headers: answer.headers, data: Buffer.from(await answer.arrayBuffer()) };
}

// ---- WebP, in chunks -------------------------------------------------------------------------------------------------------------

function riff(type, ...data) {
        const body = Buffer.concat(data), head = Buffer.alloc(8);
        head.write(type, 'latin1');
        head.writeUInt32LE(body.length, 4);
        return Buffer.concat([head, body, Buffer.alloc(body.length & 1)]);
}
const webp = (...chunks) => riff('RIFF', Buffer.from('WEBP'), ...chunks);
const u24 = (...values) => Buffer.concat(values.map((value) => Buffer.from([value & 255, (value >> 8) & 255, value >> 16])));
const vp8x = (flags, width, height) => riff('VP8X', Buffer.from([flags, 0, 0, 0]), u24(width - 1, height - 1));
const frame = (picture, ...more) => riff('ANMF', u24(0, 0, 15, 15, 100), Buffer.from([0]), picture, ...more);
// The chunk with the pixels of a lossless picture of 16 × 16.
const pixels = () => {
        const file = files.make('small.webp', ...pictures(1, '16x16', 1), '-frames:v', '1', '-c:v', 'libwebp', '-lossless', '1');
        const at = file.indexOf('VP8L');
        return file.subarray(at, at + 8 + file.readUInt32LE(at + 4) + (file.readUInt32LE(at + 4) & 1));
};

// ---- data besides the picture ----

test('WebP and GIF lose EXIF, XMP, comments and data hidden in frames, and keep every pixel', async () => {
        const picture = pixels(), anim = riff('ANIM', Buffer.alloc(6));
        const hidden = [riff('EXIF', exif(1, SECRET).subarray(6)), riff('XMP ', Buffer.from(SECRET)), riff('note', Buffer.from(SECRET))];
        const plain = gif(3);
        const comment = Buffer.concat([Buffer.from([0x21, 0xfe, SECRET.length]), Buffer.from(SECRET), Buffer.from([0])]);
        const xmp = Buffer.concat([Buffer.from([0x21, 0xff, 11]), Buffer.from('XMP DataXMP'), Buffer.from([SECRET.length]), Buffer.from(SECRET), Buffer.from([0])]);
        const cases = [
                ['image/webp', webp(vp8x(12, 16, 16), picture, ...hidden), webp(vp8x(0, 16, 16), picture)],
                ['image/webp', webp(vp8x(14, 16, 16), anim, frame(picture, ...hidden), frame(picture), ...hidden), webp(vp8x(2, 16, 16), anim, frame(picture), frame(picture))],
                ['image/gif', Buffer.concat([plain.subarray(0, 19), comment, xmp, plain.subarray(19), Buffer.from(SECRET)]), plain],
        ];
        for (const [type, file, clean] of cases) {
                assert.ok(file.includes(SECRET));
                const media = await bring(file);
                assert.deepEqual([media.status, media.mime_type], ['ready', type], media.reason);
                assert.deepEqual((await bytes(media.id, 'original')).data, clean, type);
                for (const variant of VARIANTS) {
                        for (const accept of ['*/*', 'image/avif']) {
                                assert.ok(!/at home|EXIF|XMP /.test((await bytes(media.id, variant, accept)).data.toString('latin1')), `${variant} of ${type}`);
                        }
                }
        }
});

test('compressed texts, EXIF thumbnails, second pictures and IPTC are removed; the colour profile is kept', async () => {
        const clean = png(40, 30, undefined, []);
        const inside = (...chunks) => Buffer.concat([clean.subarray(0, 33), ...chunks, clean.subarray(33)]);
        const profile = pngChunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), zlib.deflateSync(Buffer.alloc(128))]));
        const texts = [pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), zlib.deflateSync(Buffer.from(SECRET))])),
                pngChunk('iTXt', Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${SECRET}`)), pngChunk('tIME', Buffer.from([7, 210, 2, 3, 4, 5, 6])), pngChunk('prVt', Buffer.from(SECRET))];
        const withTexts = await bring(inside(profile, ...texts));
        assert.equal(withTexts.status, 'ready', withTexts.reason);
        assert.deepEqual((await bytes(withTexts.id, 'original')).data, inside(profile));
        const thumbnail = jpegSegment(0xe1, Buffer.concat([exif(1, SECRET), jpeg]));
        const multi = jpegSegment(0xe2, Buffer.from(`MPF\0${SECRET}`)), iptc = jpegSegment(0xed, Buffer.from(`Photoshop 3.0\x008BIM${SECRET}`));
        const two = await bring(Buffer.concat([jpeg.subarray(0, 2), thumbnail, multi, iptc, jpegSegment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${SECRET}`)), jpeg.subarray(2), jpeg]));
        assert.equal(two.status, 'ready', two.reason);
        assert.deepEqual((await bytes(two.id, 'original')).data, jpeg);
});

// ---- bombs -----------------------------------------------------------------------------------------------------------------------

const ihdr = (width, height) => {
        const data = Buffer.alloc(13);
        data.writeUInt32BE(width, 0);
        data.writeUInt32BE(height, 4);
        data.set([8, 0, 0, 0, 0], 8);
        return pngChunk('IHDR', data);
};
const pngOf = (width, height, data, ...chunks) => Buffer.concat([png(1, 1).subarray(0, 8), ihdr(width, height), ...chunks, pngChunk('IDAT', data), pngChunk('IEND', Buffer.alloc(0))]);
// Claims this size, in the box that HEIC and AVIF share.
function claimed(picture, width, height) {
        const copy = Buffer.from(picture);
        for (let at = copy.indexOf('ispe'); at >= 0; at = copy.indexOf('ispe', at + 4)) {
                copy.writeUInt32BE(width, at + 8);
                copy.writeUInt32BE(height, at + 12);
        }
        return copy;
}
function jpegOf(width, height) {
        const copy = Buffer.from(jpeg), at = copy.indexOf(Buffer.from([0xff, 0xc0]));
        copy.writeUInt16BE(height, at + 5);
        copy.writeUInt16BE(width, at + 7);
        return copy;
}

test('pictures with sides of 100,000 pixels or 10,000 frames, and bombs of every format, fail with a reason, and the next one is processed', async () => {
        const picture = pixels(), zeros = zlib.deflateSync(Buffer.alloc(64 << 20), { level: 9 }); // 64 KiB
        const large = gif(1);
        large.writeUInt16LE(65_535, 6);
        large.writeUInt16LE(65_535, 8);
        const bombs = {
                'PNG, 100,000 wide': [pngOf(100_000, 600, zeros), /pixels/],
                'PNG, 100,000 high': [pngOf(600, 100_000, zeros), /pixels/],
                'PNG, 100,000 × 100,000': [pngOf(100_000, 100_000, zeros), /pixels/],
                'PNG whose data is more than its pixels': [pngOf(100, 100, zeros), null],
                'PNG with a text that unpacks to 64 MiB': [pngOf(16, 16, zlib.deflateSync(Buffer.alloc(17 * 16)), pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), zeros]))), null],
                'PNG with a profile that unpacks to 64 MiB': [pngOf(16, 16, zlib.deflateSync(Buffer.alloc(17 * 16)), pngChunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), zeros]))), null],
                'JPEG, 65,000 × 65,000': [jpegOf(65_000, 65_000), /pixels/],
                'WebP, 16,777,216 × 16': [webp(vp8x(0, 1 << 24, 16), picture), /pixels|read/],
                'WebP of 10,000 frames': [webp(vp8x(2, 16, 16), riff('ANIM', Buffer.alloc(6)), ...Array(10_000).fill(frame(picture))), /frames/],
                'GIF of 10,000 frames': [gif(10_000), /frames/],
                'GIF whose screen is 65,535 × 65,535': [large, null], // libnsgif then uses the size of its frames
                'AVIF, 100,000 × 100,000': [claimed(avif, 100_000, 100_000), /pixels|read/],
                'HEIC, 100,000 × 100,000': [claimed(heic, 100_000, 100_000), /pixels|read/],
        };
        for (const [name, [file, reason]] of Object.entries(bombs)) {
                assert.ok(file.length < 3 << 20, `${name} has ${file.length} bytes`);
                const media = await bring(file);
                assert.equal(media.status, reason === null ? 'ready' : 'failed', `${name}: ${media.reason}`);
                assert.match(media.reason ?? '', reason ?? /^$/, name);
        }
        assert.equal((await bring(png(10, 10))).status, 'ready');
});

test('truncated anywhere or with any byte changed, a file fails with a reason, and the server survives', async () => {
        const small = png(20, 20, () => randomBytes(3), []);
        const whole = { png: small, jpeg, gif: gif(5), webp: webp(vp8x(0, 16, 16), pixels()), heic, avif };
        const seen = [];
        for (const [name, file] of Object.entries(whole)) {
                for (const part of [0.3, 0.6, 0.9, 1 - 1 / file.length]) {
                        const answer = await send(file.subarray(0, Math.floor(file.length * part)), name);
                        seen.push([`${name} cut at ${part}`, answer, true]);
                }
                for (let i = 0; i < 4; i++) {
                        const damaged = Buffer.from(file);
                        damaged[Math.floor(file.length * (0.2 + 0.2 * i))] ^= 0x55;
                        seen.push([`${name} damaged at ${i}`, await send(damaged, name), false]);
                }
        }
        for (const [what, answer, cut] of seen) {
                if (answer.status === 415) { // its first bytes are not a known type any more
                        problem(answer, 415, { code: 'unsupported_media_type' });
                        continue;
                }
                const media = await processed(owner, must(answer, 202).id);
                assert.ok(cut ? media.status === 'failed' : ['ready', 'failed'].includes(media.status), `${what}: ${media.status}`);
                assert.ok(media.status === 'ready' || media.reason.length > 0, what);
        }
        assert.equal((await bring(png(11, 10))).status, 'ready');
});

// ---- what is two things ----------------------------------------------------------------------------------------------------------

test('a polyglot file is served as a picture only, with headers that make it harmless', async () => {
        const script = '<html><script>alert(document.domain)</script>', zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.from(script), Buffer.from('PK\x05\x06'), Buffer.alloc(18)]);
        const plain = png(30, 30, undefined, []);
        const both = {
                'PNG and ZIP': Buffer.concat([plain, zip]),
                'PNG and a page': Buffer.concat([plain.subarray(0, 33), pngChunk('tEXt', Buffer.from(`x\0${script}`)), plain.subarray(33)]),
                'JPEG and a page': Buffer.concat([jpeg.subarray(0, 2), jpegSegment(0xfe, Buffer.from(script)), jpeg.subarray(2), Buffer.from(script)]),
                'GIF and JavaScript': Buffer.concat([gif(1).subarray(0, -1), Buffer.from([0x21, 0xfe, script.length]), Buffer.from(script), Buffer.from('\0;'), Buffer.from(`*/=1;${script}`)]),
                'WebP and a page': Buffer.concat([webp(vp8x(0, 16, 16), pixels(), riff('html', Buffer.from(script))), Buffer.from(script)]),
        };
        for (const [name, file] of Object.entries(both)) {
                const media = await bring(file);
                assert.equal(media.status, 'ready', `${name}: ${media.reason}`);
                for (const variant of VARIANTS) {
                        const { data, type, headers } = await bytes(media.id, variant);
                        assert.ok(!data.includes('script') && !data.includes('PK\x03\x04'), `${variant} of ${name}`);
                        assert.match(type, /^image\//);
                        assert.equal(headers.get('x-content-type-options'), 'nosniff');
                        assert.match(headers.get('content-security-policy'), /default-src 'none'.*sandbox|sandbox.*default-src 'none'/);
                        assert.match(headers.get('content-disposition'), /^inline/);
                }
        }
        for (const page of [script, `<!DOCTYPE html>${script}`, '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', '%PDF-1.4\n', 'MZ\x90\0', '#!/bin/sh\n', 'GIF', '\xff\xd8']) {
                problem(await send(Buffer.from(page.padEnd(6000), 'latin1'), 'cat.png'), 415, { code: 'unsupported_media_type', field: 'file' });
        }
});
