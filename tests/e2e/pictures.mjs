// Pictures for tests, made here: PNG as RFC 2083 has it, and the form that brings one.
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';

export function pngChunk(type, data) {
        const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
        const out = Buffer.alloc(8 + body.length);
        out.writeUInt32BE(data.length, 0);
        body.copy(out, 4);
        out.writeUInt32BE(crc32(body), 4 + body.length);
        return out;
}

const CRC = Array.from({ length: 256 }, (_, n) => {
        let c = n;
        for (let k = 0; k < 8; k++) {
                c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
        }
        return c >>> 0;
});

function crc32(bytes) {
        let c = 0xffffffff;
        for (const byte of bytes) {
                c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
        }
        return (c ^ 0xffffffff) >>> 0;
}

// RGB, of the colours that colourAt(x, y) gives; chunks stand between head and pixels. Without them no two are alike.
export function png(width, height, colourAt = (x, y) => [x & 255, y & 255, (x + y) & 255], chunks = [pngChunk('tEXt', Buffer.from(`Comment\0${randomBytes(8).toString('hex')}`))]) {
        const head = Buffer.alloc(13);
        head.writeUInt32BE(width, 0);
        head.writeUInt32BE(height, 4);
        head.set([8, 2, 0, 0, 0], 8);
        const rows = Buffer.alloc((1 + width * 3) * height);
        for (let y = 0; y < height; y++) {
                for (let x = 0; x < width; x++) {
                        rows.set(colourAt(x, y), y * (1 + width * 3) + 1 + x * 3);
                }
        }
        return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), pngChunk('IHDR', head), ...chunks, pngChunk('IDAT', zlib.deflateSync(rows)), pngChunk('IEND', Buffer.alloc(0))]);
}

// A body of multipart/form-data: {raw, headers} for api().
export function form(file, fields = {}, fileName = 'picture.png') {
        const parts = Object.entries(fields).map(([name, value]) => Buffer.from(`--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`));
        if (file !== null) {
                parts.push(Buffer.from(`--B\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\n\r\n`), file, Buffer.from('\r\n'));
        }
        return { raw: Buffer.concat([...parts, Buffer.from('--B--\r\n')]), headers: { 'content-type': 'multipart/form-data; boundary=B' } };
}
