// Owns a stream as a client sees it: over WebSocket (npm ws), and as server-sent events (read from a bare response).
import http from 'node:http';
import { WebSocket } from 'ws';

const WAIT_MS = 30_000;

// Messages as they come; next() and find() wait for them.
class Messages {
        constructor() {
                this.all = [];
                this.taken = 0;
                this.waiting = new Set();
        }

        add(message) {
                this.all.push(message);
                this.waiting.forEach((look) => look());
        }

        wait(what, look) {
                return new Promise((resolve, reject) => {
                        const check = () => {
                                const found = look();
                                if (found !== undefined) {
                                        clearTimeout(timer);
                                        this.waiting.delete(check);
                                        resolve(found);
                                }
                        };
                        const timer = setTimeout(() => {
                                this.waiting.delete(check);
                                reject(new Error(`${what}: not within ${WAIT_MS} ms; there came ${JSON.stringify(this.all.slice(-5))}`));
                        }, WAIT_MS);
                        this.waiting.add(check);
                        check();
                });
        }

        next() {
                return this.wait('a message', () => (this.taken < this.all.length ? this.all[this.taken++] : undefined));
        }

        find(what, matches) {
                return this.wait(what, () => this.all.find(matches));
        }

        events(channel) {
                return this.all.filter((m) => m.type === 'event' && (channel === undefined || m.channel === channel));
        }
}

export class Stream extends Messages {
        constructor(url, { token, ...options } = {}) {
                super();
                this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, { headers: token ? { authorization: `Bearer ${token}` } : {}, ...options });
                this.socket.on('message', (data) => this.add(JSON.parse(data)));
                this.opened = new Promise((resolve, reject) => {
                        this.socket.once('open', resolve);
                        this.socket.once('error', reject);
                });
                this.closed = new Promise((resolve) => this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
                this.opened.catch(() => {});
        }

        send(message) { this.socket.send(typeof message === 'string' ? message : JSON.stringify(message)); }

        // Sends a command and returns its answer: the next message that is not an event.
        async ask(message) {
                const seen = this.all.length;
                this.send(message);
                return this.wait(`the answer to ${JSON.stringify(message)}`, () => this.all.slice(seen).find((m) => m.type !== 'event'));
        }

        subscribe(channel, since) { return this.ask({ type: 'subscribe', channel, ...(since ? { since } : {}) }); }

        close() {
                this.socket.close();
                return this.closed;
        }
}

// Server-sent events: {messages, status, headers, close}. Each message has its `id` in addition to its data.
export class EventStream extends Messages {
        constructor(url, channels, { token, lastEventId } = {}) {
                super();
                const headers = { accept: 'text/event-stream', ...(token ? { authorization: `Bearer ${token}` } : {}), ...(lastEventId ? { 'last-event-id': lastEventId } : {}) };
                this.text = '';
                this.connect(url, channels, headers);
        }

        connect(url, channels, headers) {
                this.opened = new Promise((resolve, reject) => {
                        this.request = http.get(`${url}/v1/stream?channels=${encodeURIComponent(channels)}`, { headers, agent: false }, (response) => {
                                this.status = response.statusCode;
                                this.headers = response.headers;
                                response.setEncoding('utf8');
                                response.on('data', (chunk) => this.take(chunk));
                                this.closed = new Promise((over) => response.on('close', over));
                                resolve(response.statusCode);
                        });
                        this.request.on('error', reject);
                });
        }

        take(chunk) {
                this.text += chunk;
                for (let end; (end = this.text.indexOf('\n\n')) >= 0; this.text = this.text.slice(end + 2)) {
                        const fields = Object.fromEntries(this.text.slice(0, end).split('\n').map((line) => line.split(/: ?(.*)/s)));
                        if (fields.id) {
                                this.lastEventId = fields.id;
                        }
                        if (fields.retry) {
                                this.retry = Number(fields.retry);
                        }
                        if (fields.data) {
                                this.add({ ...JSON.parse(fields.data), id: fields.id });
                        }
                }
        }

        close() { this.request.destroy(); }
}

// The same over HTTP/2: several on one session of node's own client.
export class Http2EventStream extends EventStream {
        connect(session, channels, headers) {
                this.opened = new Promise((resolve, reject) => {
                        this.request = session.request({ ':path': `/v1/stream?channels=${encodeURIComponent(channels)}`, ...headers });
                        this.closed = new Promise((over) => this.request.once('close', () => over(this.request.rstCode)));
                        this.request.once('response', (answer) => {
                                this.status = answer[':status'];
                                this.headers = answer;
                                resolve(this.status);
                        });
                        this.request.setEncoding('utf8');
                        this.request.on('data', (chunk) => this.take(chunk));
                        this.request.on('error', reject);
                });
        }

        close() { this.request.close(); }
}
