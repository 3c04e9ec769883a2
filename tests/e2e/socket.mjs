// Owns raw connections: requests that no regular client sends, byte by byte.
import assert from 'node:assert/strict';
import net from 'node:net';

// Opens a connection; returns {send, closed, received(), end, destroy}. closed resolves when the server (or the network) has closed it.
export function open(url) {
        const { hostname, port } = new URL(url);
        const socket = net.connect({ host: hostname, port: Number(port) });
        const chunks = [];
        let isClosed = false;
        socket.on('data', (c) => chunks.push(c));
        socket.on('error', () => {}); // a reset is one way of closing; 'close' follows
        const closed = new Promise((resolve) => socket.on('close', () => {
                isClosed = true;
                resolve();
        }));
        return {
                send: (bytes) => !isClosed && socket.write(bytes),
                received: () => Buffer.concat(chunks).toString('latin1'),
                isClosed: () => isClosed,
                closed,
                end: () => socket.end(),
                destroy: () => socket.destroy(),
        };
}

// Splits the received data into responses: {status, headers, text}. Supports Content-Length and chunks as sent by this server.
export function parseAnswers(text) {
        const answers = [];
        while (text.startsWith('HTTP/1.')) {
                const headEnd = text.indexOf('\r\n\r\n');
                if (headEnd < 0) {
                        break;
                }
                const [start, ...lines] = text.slice(0, headEnd).split('\r\n');
                const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
                const status = Number(start.split(' ')[1]);
                let length = Number(headers['content-length'] ?? 0);
                if (headers['content-length'] === undefined && !(status < 200 || status === 204 || status === 304)) {
                        const next = text.indexOf('HTTP/1.', headEnd + 4);
                        length = (next < 0 ? text.length : next) - headEnd - 4;
                }
                answers.push({ status, headers, text: text.slice(headEnd + 4, headEnd + 4 + length) });
                text = text.slice(headEnd + 4 + length);
        }
        return answers;
}

// Sends bytes, and waits for `count` final responses, the end of the connection or a timeout; returns {answers, closed, raw}. If the connection is still
// open then, another request is sent: any further response to the bytes would come before its response.
export async function exchange(url, bytes, { count = 1, withinMs = 15_000 } = {}) {
        const connection = open(url);
        connection.send(bytes);
        const end = Date.now() + withinMs;
        const has = (n) => parseAnswers(connection.received()).filter((a) => a.status >= 200).length >= n;
        const until = async (n) => {
                while (!connection.isClosed() && !has(n) && Date.now() < end) {
                        await Promise.race([connection.closed, new Promise((resolve) => setTimeout(resolve, 20))]);
                }
        };
        await until(count);
        if (has(count)) {
                connection.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
                await until(count + 1);
        }
        const answers = parseAnswers(connection.received());
        if (has(count + 1)) {
                assert.equal(answers.pop().text, 'ok\n', connection.received());
        }
        const result = { answers, closed: connection.isClosed(), raw: connection.received() };
        connection.destroy();
        return result;
}
