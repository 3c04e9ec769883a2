// Processing pictures: no metadata is published, variants are made, and unreadable files do no harm.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { admin } from './operator.mjs';
import { api, eventually, must, problem, register } from './shared.mjs';
import { avif, exif, form, gif, heic, jpeg, jpegSegment, png, pngChunk, processed } from './pictures.mjs';

let owner;

before(async () => {
        owner = await register();
});

async function bring(file) {
        const media = must(await api('POST', '/v1/media', { token: owner.token, ...form(file) }), 202);
        assert.ok(['processing', 'ready', 'failed'].includes(media.status));
        return processed(owner, media.id);
}

async function bytes(id, variant) {
        const answer = await fetch(`${process.env.SONET_URL}/media/${id}/${variant}`, { headers: { authorization: `Bearer ${owner.token}` } });
        assert.equal(answer.status, 200, variant);
        return { type: answer.headers.get('content-type'), data: Buffer.from(await answer.arrayBuffer()) };
}

const SECRET = 'N 52.5200 E 13.4050, at home';
const jpegWith = (...segments) => Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
// Width and height of a lossy WebP, or one with a VP8X head.
function sizeOfWebp(data) {
        assert.equal(data.toString('latin1', 8, 12), 'WEBP');
        const kind = data.toString('latin1', 12, 16);
        return kind === 'VP8X' ? [1 + data.readUIntLE(24, 3), 1 + data.readUIntLE(27, 3)] : [data.readUInt16LE(26) & 0x3fff, data.readUInt16LE(28) & 0x3fff];
}

test('private metadata is removed from pictures, and their pixels are unchanged', async () => {
        const clean = png(30, 20, undefined, []);
        const text = pngChunk('tEXt', Buffer.from(`Comment\0${SECRET}`));
        const hidden = Buffer.concat([clean.subarray(0, 33), text, pngChunk('eXIf', exif(1, SECRET).subarray(6)), clean.subarray(33), Buffer.from(`<script>${SECRET}`)]);
        const cases = [
                [hidden, clean],
                [Buffer.concat([jpegWith(jpegSegment(0xe1, exif(1, SECRET)), jpegSegment(0xed, Buffer.from(`Photoshop 3.0\0${SECRET}`)), jpegSegment(0xfe, Buffer.from(SECRET))), Buffer.from(SECRET)]), jpeg],
        ];
        for (const [picture, expected] of cases) {
                const media = await bring(picture);
                assert.equal(media.status, 'ready', media.reason);
                assert.deepEqual((await bytes(media.id, 'original')).data, expected);
                for (const variant of ['large', 'medium', 'small', 'thumb']) {
                        const { type, data } = await bytes(media.id, variant);
                        assert.equal(type, 'image/webp');
                        assert.ok(!data.includes('EXIF') && !data.includes(SECRET), variant);
                }
        }
});

test('variants are AVIF for clients that accept it, and WebP otherwise', async () => {
        const media = await bring(heic);
        const ask = async (variant, headers) => {
                const answer = await fetch(new URL(`/media/${media.id}/${variant}`, process.env.SONET_URL), { headers: { authorization: `Bearer ${owner.token}`, ...headers } });
                return { status: answer.status, type: answer.headers.get('content-type'), vary: answer.headers.get('vary'), etag: answer.headers.get('etag'), data: Buffer.from(await answer.arrayBuffer()) };
        };
        for (const variant of ['large', 'medium', 'small', 'thumb']) {
                const [asAvif, asWebp] = [await ask(variant, { accept: 'text/html,image/AVIF ; q=0.5, */*' }), await ask(variant, { accept: 'image/webp,image/*,*/*;q=0.8' })];
                assert.deepEqual([asAvif.status, asAvif.type, asAvif.data.toString('latin1', 4, 12)], [200, 'image/avif', 'ftypavif']);
                assert.ok(!/Exif|mime|rdf|xmpmeta|at home/.test(asAvif.data.toString('latin1')), variant);
                assert.equal(asWebp.type, 'image/webp');
                assert.notEqual(asAvif.etag, asWebp.etag);
                for (const answer of [asAvif, asWebp, await ask(variant, { accept: 'image/avif', 'if-none-match': asAvif.etag })]) {
                        assert.match(answer.vary, /\bAccept\b(?!-)/i);
                }
                assert.equal((await ask(variant, { accept: 'image/avif;q=0' })).type, 'image/webp');
        }
        const original = await ask('original', { accept: 'image/avif' });
        assert.deepEqual([original.type, /\bAccept\b(?!-)/.test(original.vary ?? '')], ['image/heic', false]);
        assert.equal((await ask('large.avif', {})).status, 422);
        // libvips can read its own output.
        const again = await bring((await ask('large', { accept: 'image/avif' })).data);
        assert.deepEqual([again.status, again.width, again.height], ['ready', 48, 32], again.reason);
});

test('HEIC and AVIF lose EXIF and XMP in place, and keep their pictures', async () => {
        for (const [picture, type] of [[heic, 'image/heic'], [avif, 'image/avif']]) {
                assert.ok(picture.includes(SECRET));
                const media = await bring(picture);
                assert.deepEqual([media.status, media.mime_type, media.width, media.height], ['ready', type, 48, 32], media.reason);
                const original = await bytes(media.id, 'original');
                assert.equal(original.type, type);
                assert.equal(original.data.length, picture.length);
                assert.ok(!/Exif|mime|rdf|xmpmeta|at home/.test(original.data.toString('latin1')), type);
                const again = await bring(original.data);
                assert.equal(again.status, 'ready', again.reason);
                assert.deepEqual((await bytes(again.id, 'original')).data, original.data, 'there was something left to remove');
                assert.deepEqual((await bytes(again.id, 'large')).data, (await bytes(media.id, 'large')).data, 'its pixels are not the same');
                const cut = await bring(picture.subarray(0, picture.length / 2));
                assert.deepEqual([cut.status, cut.reason], ['failed', 'it is not a readable picture']);
        }
});

test('a picture rotated by EXIF is upright without it', async () => {
        const media = await bring(jpegWith(jpegSegment(0xe1, exif(6, SECRET))));
        assert.deepEqual([media.status, media.width, media.height], ['ready', 32, 48], media.reason);
        const { data } = await bytes(media.id, 'original');
        assert.ok(!data.includes('Exif') && !data.includes(SECRET));
        assert.deepEqual(sizeOfWebp((await bytes(media.id, 'large')).data), [32, 48]);
});

test('variants fit their sizes and are never larger than the picture; the thumb is a square', async () => {
        const media = await bring(png(2000, 1000, (x) => (x < 1500 ? [200, 30, 40] : [10, 20, 250])));
        assert.deepEqual([media.status, media.width, media.height], ['ready', 2000, 1000], media.reason);
        assert.match(media.blurhash, /^[0-9A-Za-z#$%*+,\-.:;=?@[\]^_{|}~]{28}$/);
        const [r, g, b] = media.dominant_color.match(/[0-9a-f]{2}/g).map((hex) => parseInt(hex, 16));
        assert.ok(Math.abs(r - 200) < 6 && Math.abs(g - 30) < 6 && Math.abs(b - 40) < 6, media.dominant_color);
        for (const [variant, size] of [['large', [1600, 800]], ['medium', [800, 400]], ['small', [400, 200]], ['thumb', [160, 160]]]) {
                assert.deepEqual(sizeOfWebp((await bytes(media.id, variant)).data), size, variant);
        }
        const small = await bring(png(50, 60));
        assert.deepEqual(sizeOfWebp((await bytes(small.id, 'large')).data), [50, 60]);
});

test('bombs and truncated, damaged or polyglot pictures fail with a reason, and the next one is processed', async () => {
        const whole = png(300, 300, () => randomBytes(3));
        const head = (width, height) => {
                const data = Buffer.alloc(13);
                data.writeUInt32BE(width, 0);
                data.writeUInt32BE(height, 4);
                data.set([8, 2, 0, 0, 0], 8);
                return data;
        };
        const huge = (width, height) => Buffer.concat([whole.subarray(0, 8), pngChunk('IHDR', head(width, height)), whole.subarray(33)]);
        const damaged = png(300, 300);
        damaged.fill(0xff, damaged.length >> 2, damaged.length >> 1);
        const cases = [
                [huge(100_000, 10), /pixels/],
                [huge(15_000, 15_000), /pixels/],
                [whole.subarray(0, whole.length / 2), /truncated/],
                [jpeg.subarray(0, 400), /truncated/],
                [damaged, /damaged|decoded/],
                [gif(10_000), /frames/],
                [Buffer.concat([gif(1).subarray(0, 20), Buffer.from(SECRET)]), /read|decoded|truncated/],
        ];
        for (const [picture, reason] of cases) {
                const media = await bring(picture);
                assert.equal(media.status, 'failed', `${reason}`);
                assert.match(media.reason, reason);
                assert.equal(media.url, '');
        }
        assert.equal((await bring(png(10, 10))).status, 'ready');
        assert.equal((await bring(gif(3))).status, 'ready');
});

test('a focus changed during processing is used for the thumb', async () => {
        const picture = png(2400, 1200, (x) => (x < 1200 ? [220, 20, 20] : [20, 20, 220]));
        const form_of = (fields) => api('POST', '/v1/media', { token: owner.token, ...form(picture, fields) });
        const expected = must(await form_of({ focus_x: '1' }), 202);
        const changed = must(await form_of({ focus_x: '-1' }), 202);
        for (let n = 0; n < 20; n++) {
                must(await owner.patch(`/v1/media/${changed.id}`, { focus_x: n % 2 ? 0.9 : -0.9 }));
        }
        must(await owner.patch(`/v1/media/${changed.id}`, { focus_x: 1 }));
        await processed(owner, expected.id);
        const thumb = (await bytes(expected.id, 'thumb')).data;
        await eventually('it has the last focus', async () => (await bytes(changed.id, 'thumb')).data.equals(thumb), 60_000);
});

test('blocked pictures fail in any size, and cannot be uploaded again', async () => {
        // Waves that are not similar to any other test's picture.
        const waves = (size) => png(size, size, (x, y) => Array(3).fill(Math.round(128 + 60 * Math.cos(9 * x / size) * Math.sin(2 + 8 * y / size) + 60 * Math.sin(1 + 5 * x / size - 11 * y / size))), []);
        const [whole, small, other] = [await bring(waves(300)), await bring(waves(120)), await bring(png(50, 50))];
        assert.deepEqual([whole.status, small.status, other.status], ['ready', 'ready', 'ready']);
        const blocked = await admin('media', 'block', whole.id, 'a test');
        assert.equal(blocked.code, 0, blocked.stderr);
        assert.match(blocked.stdout, /^2 hashes blocked/); // it had no metadata, so it is served as uploaded
        try {
                await eventually('both have failed', async () => {
                        for (const { id } of [whole, small]) {
                                const media = must(await owner.get(`/v1/media/${id}`));
                                assert.deepEqual([media.status, media.reason, media.url], ['failed', 'it must not be kept on this server', '']);
                                assert.equal((await fetch(`${process.env.SONET_URL}/media/${id}/small`, { headers: { authorization: `Bearer ${owner.token}` } })).status, 404);
                        }
                }, 60_000);
                assert.equal(must(await owner.get(`/v1/media/${other.id}`)).status, 'ready');
                problem(await api('POST', '/v1/media', { token: owner.token, ...form(waves(300)) }), 403, { code: 'media_blocked', field: 'file' });
                const again = await bring(waves(200));
                assert.deepEqual([again.status, again.reason], ['failed', 'it must not be kept on this server']);
                must(await owner.patch(`/v1/media/${again.id}`, { focus_x: 0.5 })); // a failed media is not processed again
                assert.equal(must(await owner.get(`/v1/media/${again.id}`)).status, 'failed');
        } finally {
                for (const line of (await admin('media', 'blocks')).stdout.split('\n').filter((text) => text.endsWith('a test'))) {
                        assert.equal((await admin('media', 'unblock', line.split(' ')[0])).code, 0);
                }
        }
        assert.equal((await bring(waves(300))).status, 'ready');
        assert.match((await admin('media', 'block', 'cat.png', 'x')).stderr, /neither a SHA-256/);
        assert.match((await admin('media', 'block', '01890000-0000-7000-8000-000000000000', 'x')).stderr, /media: /);
        assert.match((await admin('media', 'unblock', 'f'.repeat(64))).stderr, /not on the block list/);
});
