// Raw HTTP/2 frames, for input that no client would send.
import { Buffer } from 'node:buffer';
import net from 'node:net';

function frame(type, flags, stream, payload) {
        const head = Buffer.alloc(9);
        head.writeUIntBE(payload.length, 0, 3);
        head.writeUInt8(type, 3);
        head.writeUInt8(flags, 4);
        head.writeUInt32BE(stream, 5);
        return Buffer.concat([head, payload]);
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const text = (name, value) => Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

// HEADERS and RST_STREAM, 20,000 times, without a token (CVE-2023-44487): returns the code of the GOAWAY that ends it. As raw bytes, since node's
// client does not send requests that are cancelled at once.
export function resetRapidly(port, path, type) {
        const block = Buffer.concat([text(':method', 'POST'), text(':scheme', 'http'), text(':authority', 'h'), text(':path', path), text('content-type', type)]);
        const pairs = Array.from({ length: 20_000 }, (_, i) => Buffer.concat([frame(1, 4, 2 * i + 1, block), frame(3, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8]))]));
        return new Promise((resolve) => {
                const socket = net.connect(port, '127.0.0.1');
                let seen = Buffer.alloc(0);
                let code = null;
                socket.on('error', () => {});
                socket.on('close', () => resolve(code));
                socket.on('data', (bytes) => {
                        seen = Buffer.concat([seen, bytes]);
                        while (seen.length >= 9 && seen.length >= 9 + seen.readUIntBE(0, 3)) {
                                const length = seen.readUIntBE(0, 3);
                                code = seen[3] === 7 ? seen.readUInt32BE(13) : code;
                                seen = seen.subarray(9 + length);
                        }
                });
                socket.write(Buffer.concat([PREFACE, frame(4, 0, 0, Buffer.alloc(0)), ...pairs]));
        });
}
