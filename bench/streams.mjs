// Streams (GET /v1/stream): the cost of idle ones, and how fast a note is on the streams of a thousand followers.
import assert from 'node:assert/strict';
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { sleep } from '../tests/e2e/harness.mjs';
import { must } from './network.mjs';
import { memoryNow } from './machine.mjs';
import { percentile } from './report.mjs';

// A minimal WebSocket client: the server's frames are text, unmasked, and under 64 KiB.
class Socket {
        constructor(port, token) {
                this.rest = Buffer.alloc(0);
                this.waiting = [];
                this.socket = net.connect(port, '127.0.0.1');
                this.socket.setNoDelay(true);
                this.socket.on('data', (data) => this.take(data));
                this.broken = new Promise((resolve, reject) => this.socket.on('error', reject));
                this.broken.catch(() => {});
                this.socket.write(`GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
                        + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
        }

        take(data) {
                this.rest = Buffer.concat([this.rest, data]);
                if (!this.upgraded) {
                        const end = this.rest.indexOf('\r\n\r\n');
                        if (end < 0) {
                                return;
                        }
                        if (!this.rest.toString('latin1', 0, end).startsWith('HTTP/1.1 101')) {
                                throw new Error(this.rest.toString('utf8', 0, 500));
                        }
                        this.upgraded = true;
                        this.rest = this.rest.subarray(end + 4);
                }
                while (this.rest.length >= 2) {
                        const long = this.rest[1] === 126 ? 2 : 0;
                        if (this.rest.length < 2 + long) {
                                return;
                        }
                        const length = long ? this.rest.readUInt16BE(2) : this.rest[1];
                        if (this.rest.length < 2 + long + length) {
                                return;
                        }
                        const text = this.rest.toString('utf8', 2 + long, 2 + long + length);
                        const opcode = this.rest[0] & 15;
                        this.rest = this.rest.subarray(2 + long + length);
                        if (opcode === 1) {
                                this.onmessage?.(JSON.parse(text), performance.now());
                        }
                }
        }

        send(message) {
                const text = Buffer.from(JSON.stringify(message)); // under 126 bytes; a zero mask leaves the payload unchanged
                this.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
        }

        next() {
                return Promise.race([this.broken, new Promise((resolve) => (this.onmessage = resolve))]);
        }
}

async function openMany(server, members, n) {
        const sockets = [];
        for (let at = 0; at < n; at += 200) {
                const some = Array.from({ length: Math.min(200, n - at) }, (_, i) => new Socket(server.port, members[(at + i) % members.length].token));
                await Promise.all(some.map((s) => s.next())); // authenticated
                sockets.push(...some);
        }
        return sockets;
}

// Fewer at a time than the server's queue holds.
async function subscribeAll(sockets, channel) {
        for (let at = 0; at < sockets.length; at += 50) {
                await Promise.all(sockets.slice(at, at + 50).map(async (s) => {
                        s.send({ type: 'subscribe', channel });
                        assert.equal((await s.next()).type, 'subscribed');
                }));
        }
}

// In the process with the streams: {streams, bytes} of resident memory per stream. They are authenticated, and subscribed to nothing or to one
// channel.
export async function idleStreams(server, members, n, channel) {
        const before = memoryNow(server).sonet.rss;
        const sockets = await openMany(server, members, n);
        await (channel ? subscribeAll(sockets, channel) : undefined);
        await sleep(2000);
        const bytes = ((memoryNow(server).sonet.rss - before) * 2 ** 20) / n;
        sockets.forEach((s) => s.socket.destroy());
        return { streams: n, bytes };
}

// All members follow the first one.
export async function followEverywhere(server, members) {
        for (const member of members.slice(1)) {
                await must(server, 'PUT', `/v1/users/${members[0].id}/follow`, { token: member.token });
        }
}

// From before the first member's post, after a warm-up, until the note is on the `home` streams of n other members: {requests, per_s, p50_us, p99_us}.
export async function followersStreams(server, [author, ...followers], n, notes) {
        const sockets = await openMany(server, followers, n);
        await subscribeAll(sockets, 'home');
        const times = [];
        let began;
        for (let i = -1; i < notes; i++) {
                if (i === 0) {
                        times.length = 0;
                        began = performance.now();
                }
                const start = performance.now();
                const all = sockets.map((s) => new Promise((resolve) => (s.onmessage = (message, at) => {
                        if (message.type === 'event') {
                                times.push((at - start) * 1000);
                                resolve();
                        }
                })));
                await must(server, 'POST', '/v1/notes', { token: author.token, json: { text: `Number ${i} for a thousand streams` } });
                await Promise.all(all);
                await sleep(50);
        }
        const seconds = (performance.now() - began) / 1000;
        sockets.forEach((s) => s.socket.destroy());
        return { requests: times.length, per_s: times.length / seconds, p50_us: percentile(times, 0.5), p99_us: percentile(times, 0.99) };
}
