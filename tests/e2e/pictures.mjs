// Pictures for tests: generated PNGs (RFC 2083), and upload forms.
import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { eventually, must } from './client.mjs';

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

// An RGB picture with the colours of colourAt(x, y). chunks come between head and pixels; the default makes all
// pictures different.
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

// A JPEG of 48 × 32 pixels without metadata (noise, made by libvips).
export const jpeg = Buffer.from('/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAgADABAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AEDkHkgMBnOOB6UoVSCy44Hbrn/9VLkxvhsFuxA6Y6dPxpCob5FbDAdQvU9cH3/wpXZcA7dzHpg4yc//AK6NoOFJxuPOOf8A9XOaQgcHBCnLfd4A/D+opGyRkKGA7njA/wAOaVZf94Z7+v8Aj9KN3y7CVyTgMTnH8+M0IUPAOOoDdqSTCnO87Bnjp/OjDYxnOB6df8OlK2OSASvrg0KAxyg+Xcfl/T/61IQcMSCBnjnkfSnMwbBRSQVI2jjd/n+tAXHIXJznHce//wBb603OzGzrnnPf3BNIcAHAbBOcEdRT/nZQMnCjOCcgUipgcYx1BA6/5zSnZg7W7cn+lGcbgvY4+XjJr//Z', 'base64');

// The same as HEIC (a grid of one tile) and AVIF, with EXIF (rotated by 90°, which is ignored there) and XMP that
// contain "N 52.5200 E 13.4050, at home".
export const heic = Buffer.from('AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAjBtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAEGlkYXQAAAAAADAAIAAAAGBpbG9jAQAAAERAAAQAAQAAAAAAAAJUAAEAAAAAAAABDgACAAEAAAAAAAAAAQAAAAAAAAAIAAMAAAAAAAADYgABAAAAAAAAANAABAAAAAAAAAQyAAEAAAAAAAAATAAAAHdpaW5mAAAAAAAEAAAAFWluZmUCAAABAAEAAGh2YzEAAAAAFWluZmUCAAAAAAIAAGdyaWQAAAAAFWluZmUCAAABAAMAAEV4aWYAAAAAKmluZmUCAAABAAQAAG1pbWUAYXBwbGljYXRpb24vcmRmK3htbAAAAAAA2GlwcnAAAAC2aXBjbwAAAHZodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uBAQMCAAAAMAIAAAAwAhIgABAAZEAcFzwIkAAAAUaXNwZQAAAAAAAABAAAAAQAAAABRpc3BlAAAAAAAAADAAAAAgAAAAEHBpeGkAAAAAAwgICAAAABppcG1hAAAAAAAAAAIAAQKBAgACAgOEAAAANmlyZWYAAAAAAAAADmRpbWcAAgABAAEAAAAOY2RzYwADAAEAAgAAAA5jZHNjAAQAAQACAAACMm1kYXQAAAEKKAGvGYD3mbNsC+NHqib4nAmdKIBx4F8ifr7Qv4JS7f5O1U39aRS5e5UCtuxU/tW5lWS/FKXjrOMD6HVOWHUMAp2wF/ojI3gJHKoEE4lJWDtjS4byFoXIb30unwMePmxTQVkoqzVRt3/nGpdCNOPyo2aIu9nYr7WcNFNYiYRh3YKPPc0qx61ND3vhvFKksUG1kVl4UTDKAc/kPuukMvFgz6+fr6RiVGJ+NLB7g4xEuk2Q7HvGHEDuEyo/j1axN7FFHBFTfA/TFde/QTvG8UxbWwA1SN5bu4wT7JiQYq7VBidnbW6bPjO8DHU6ococjDzhsIbPwBnGQaktJ/ha0IAmtzwb4831/KfzUMAAAAAGRXhpZgAATU0AKgAAAAgABgEOAAIAAAAdAAAAVgESAAMAAAABAAYAAAEaAAUAAAABAAAAdAEbAAUAAAABAAAAfAEoAAMAAAABAAIAAIdpAAQAAAABAAAAhAAAAABOIDUyLjUyMDAgRSAxMy40MDUwLCBhdCBob21lAAAAAABIAAAAAQAAAEgAAAABAAWQAAAHAAAABDAyMTCgAAAHAAAABDAxMDCgAQADAAAAAf//AACgAgAEAAAAAQAAADCgAwAEAAAAAQAAACAAAAAAPHg6eG1wbWV0YSB4bWxuczp4PSJhZG9iZTpuczptZXRhLyI+TiA1Mi41MjAwIEUgMTMuNDA1MCwgYXQgaG9tZTwveDp4bXBtZXRhPg==', 'base64');
export const avif = Buffer.from('AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAXVtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAARmlsb2MAAAAAREAAAwABAAAAAAGZAAEAAAAAAAAA2wACAAAAAAJ0AAEAAAAAAAAA0AADAAAAAANEAAEAAAAAAAAATAAAAGJpaW5mAAAAAAADAAAAFWluZmUCAAAAAAEAAGF2MDEAAAAAFWluZmUCAAABAAIAAEV4aWYAAAAAKmluZmUCAAABAAMAAG1pbWUAYXBwbGljYXRpb24vcmRmK3htbAAAAAAAamlwcnAAAABLaXBjbwAAABNjb2xybmNseAACAAIABoAAAAAMYXYxQ4EADAAAAAAUaXNwZQAAAAAAAAAwAAAAIAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgYIDhAAAAChpcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAADmNkc2MAAwABAAEAAAH/bWRhdBIACgkYFS/7BAgIGhAyywEbAAAAUOlaFzy79OYJvvwqmiX4/UFaQ39KUyAVTGK4ocftWS7T3HDXVycUxsY+GAEe3ntK9VL++a9c+mPm69UXrlftD5837sLtYzUgDmN/7Nyezx9PhCoBt+HZjxl0mrXcXKkKAfj4EIl+uTZR9F/9OCUo255RxsvzpoBSi6Eh9ak4u26gd1N4GC0b8gzMobpx0jiH96IXGHXMzCQFTSO79sdRd1iCcVLEfU52oOpt1frqyvmp6rVUPF7fPeqMF3o8cdyvo5rDc95QdAAAAAZFeGlmAABNTQAqAAAACAAGAQ4AAgAAAB0AAABWARIAAwAAAAEABgAAARoABQAAAAEAAAB0ARsABQAAAAEAAAB8ASgAAwAAAAEAAgAAh2kABAAAAAEAAACEAAAAAE4gNTIuNTIwMCBFIDEzLjQwNTAsIGF0IGhvbWUAAAAAAEgAAAABAAAASAAAAAEABZAAAAcAAAAEMDIxMKAAAAcAAAAEMDEwMKABAAMAAAAB//8AAKACAAQAAAABAAAAMKADAAQAAAABAAAAIAAAAAA8eDp4bXBtZXRhIHhtbG5zOng9ImFkb2JlOm5zOm1ldGEvIj5OIDUyLjUyMDAgRSAxMy40MDUwLCBhdCBob21lPC94OnhtcG1ldGE+', 'base64');

// A JPEG segment, to be inserted after the first two bytes.
export function jpegSegment(marker, data) {
        const head = Buffer.from([0xff, marker, 0, 0]);
        head.writeUInt16BE(data.length + 2, 2);
        return Buffer.concat([head, data]);
}

// EXIF with an orientation and a text.
export function exif(orientation, text) {
        const tiff = Buffer.alloc(26);
        tiff.write('MM\0*', 'latin1');
        tiff.writeUInt32BE(8, 4);
        tiff.writeUInt16BE(1, 8);
        tiff.writeUInt16BE(0x0112, 10);
        tiff.writeUInt16BE(3, 12);
        tiff.writeUInt32BE(1, 14);
        tiff.writeUInt16BE(orientation, 18);
        return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, Buffer.from(text)]);
}

// A GIF with this many frames of one pixel.
export function gif(frames) {
        const frame = Buffer.from([0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);
        return Buffer.concat([Buffer.from('GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff', 'latin1'), ...Array(frames).fill(frame), Buffer.from(';')]);
}

// Waits until it is processed, successfully or not.
export const processed = (member, id, withinMs = 180_000) => eventually('it is processed', async () => {
        const media = must(await member.get(`/v1/media/${id}`));
        return media.status !== 'processing' && media;
}, withinMs);
