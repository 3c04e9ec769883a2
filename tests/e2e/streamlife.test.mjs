// How streams end and resume: the server's restart, clients that do not read, limits, and browsers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net_ from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { removeFolder } from './harness.mjs';
import { eventually, must, problem } from './client.mjs';
import { ownServer } from './own.mjs';
import { EventStream, Http2EventStream, Stream } from './streams.mjs';

const it = ownServer({ env: { STREAM_UNSENT_BYTES: '16384', STREAMS_PER_MEMBER: '3', STREAM_CHANNELS: '2', CORS_ORIGINS: '*' } });

const open = async (member, ...channels) => {
        const stream = new Stream(it.server.url, { token: member?.token });
        await stream.opened;
        if (member) {
                assert.equal((await stream.next()).type, 'authenticated');
        }
        for (const channel of channels) {
                assert.equal((await stream.subscribe(channel)).type, 'subscribed', channel);
        }
        return stream;
};
const slowReaders = async () => Number((await (await fetch(`${it.server.url}/metrics`)).text()).match(/^sonet_stream_slow_readers_total (\d+)/m)?.[1] ?? 0);
const created = (stream, note) => stream.find(`note ${note.id}`, (m) => m.type === 'event' && m.data.id === note.id);

test('a browser’s own WebSocket and EventSource work', async () => {
        const author = await it.register();
        const page = `<script>
                const say = (what) => fetch('/said?' + encodeURIComponent(what));
                const socket = new WebSocket('${it.server.url.replace('http', 'ws')}/v1/stream');
                socket.onopen = () => socket.send(JSON.stringify({ type: 'authenticate', access_token: '${author.token}' }));
                socket.onmessage = ({ data }) => {
                        const m = JSON.parse(data);
                        if (m.type === 'authenticated') socket.send(JSON.stringify({ type: 'subscribe', channel: 'home' }));
                        say('socket ' + m.type + ' ' + (m.data ? m.data.text : ''));
                };
                const source = new EventSource('${it.server.url}/v1/stream?channels=user:${author.id}');
                source.onmessage = ({ data, lastEventId }) => {
                        const m = JSON.parse(data);
                        say('source ' + m.type + ' ' + (m.data ? m.data.text : '') + (lastEventId ? ' with id' : ''));
                };
        </script>`;
        const said = new Set();
        const { createServer } = await import('node:http');
        const pages = createServer((request, response) => {
                if (request.url.startsWith('/said?')) {
                        said.add(decodeURIComponent(request.url.slice(6)));
                }
                response.setHeader('content-type', 'text/html').end(request.url === '/' ? page : '');
        });
        await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
        const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-chromium.'));
        const browser = spawn('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
                '--disable-sync', '--remote-debugging-port=0', `--user-data-dir=${profile}`, `http://127.0.0.1:${pages.address().port}/`], { stdio: 'ignore', detached: true });
        const ended = new Promise((resolve) => browser.once('exit', resolve));
        const until = async (what) => {
                for (const end = Date.now() + 60_000; !said.has(what);) {
                        assert.ok(Date.now() < end, `${what}: there came ${[...said].join('; ')}`);
                        await new Promise((resolve) => setTimeout(resolve, 50));
                }
        };
        try {
                await until('socket subscribed ');
                await until('source subscribed  with id');
                await author.note('Hello, browser');
                await until('socket event Hello, browser');
                await until('source event Hello, browser with id');
        } finally {
                process.kill(-browser.pid, 'SIGKILL'); // with its children
                await ended;
                pages.closeAllConnections();
                pages.close();
                await removeFolder(profile);
        }
});

test('limits per address, member and stream apply', async () => {
        const member = await it.register();
        const streams = [await open(member), await open(member), await open(member, `user:${member.id}`, 'home')];
        const refused = await streams[2].subscribe('hashtag:one');
        assert.deepEqual([refused.problem.status, refused.problem.code], [429, 'too_many_channels']);
        assert.equal((await streams[2].subscribe('home')).type, 'subscribed', 'again, for one that it has');
        problem(await it.api('GET', '/v1/stream?channels=home', { token: member.token, headers: { accept: 'text/event-stream' } }), 429, { code: 'too_many_streams' });
        const anonymous = await open(null);
        assert.equal((await anonymous.ask({ type: 'authenticate', access_token: member.token })).problem.code, 'too_many_streams');
        await streams[0].close();
        for (;;) { // the slot is free once the server has seen it close
                const answer = await anonymous.ask({ type: 'authenticate', access_token: member.token });
                if (answer.type === 'authenticated') {
                        break;
                }
        }
        await Promise.all([...streams.slice(1), anonymous].map((s) => s.close()));
});

test('a client that does not read is disconnected with a reason, and delays no other', async () => {
        const [author, reader] = [await it.register(), await it.register()];
        const good = await open(reader, `user:${author.id}`);
        const { hostname, port } = new URL(it.server.url);
        const socket = net_.connect({ host: hostname, port: Number(port) });
        let received = Buffer.alloc(0);
        socket.on('data', (data) => { received = Buffer.concat([received, data]); });
        socket.on('error', () => {});
        const ended = new Promise((resolve) => socket.once('close', resolve));
        socket.write(`GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
        const text = Buffer.from(JSON.stringify({ type: 'subscribe', channel: `user:${author.id}` }));
        socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
        while (!received.includes('"subscribed"')) {
                await new Promise((resolve) => socket.once('data', resolve));
        }
        socket.pause();
        for (let i = 0; (await slowReaders()) === 0; i++) {
                assert.ok(i < 3000, 'it is cut off at last');
                const note = await author.note(`${i} ${'字'.repeat(4900)}`);
                await created(good, note); // others get each at once
        }
        socket.resume();
        await ended;
        assert.ok(received.subarray(-4000).includes('slow_reader'), 'the reason comes behind what was sent');
        await good.close();
});

test('a client that does not read over HTTP/2 is disconnected, too, and other streams of the connection continue', async () => {
        const author = await it.register();
        const session = http2.connect(it.server.url, { settings: { initialWindowSize: 65535 } });
        const [good, slow] = [new Http2EventStream(session, `user:${author.id}`), new Http2EventStream(session, `user:${author.id}`)];
        await Promise.all([good, slow].map((stream) => stream.find('its channel', (m) => m.type === 'subscribed')));
        session.setLocalWindowSize(1 << 20); // a client that does not read delays no other
        slow.request.pause();
        const before = await slowReaders();
        for (let i = 0; (await slowReaders()) === before; i++) {
                assert.ok(i < 200, 'it is cut off at last');
                await created(good, await author.note(`${i} ${'字'.repeat(4900)}`));
        }
        slow.request.resume();
        await slow.closed;
        await created(good, await author.note('Still here'));
        session.destroy();
});

test('a restart closes streams with a reason, and resuming sends all missed events', async () => {
        const [author, reader] = [await it.register(), await it.register()];
        const [stream, events] = [await open(reader, 'home', `user:${author.id}`), new EventStream(it.server.url, `user:${author.id}`)];
        await events.opened;
        await events.find('its channel', (m) => m.type === 'subscribed');
        const before = await author.note('Before');
        const { position } = await created(stream, before);
        await created(events, before);
        const session = http2.connect(it.server.url);
        const over2 = new Http2EventStream(session, `user:${author.id}`);
        await over2.find('its channel', (m) => m.type === 'subscribed');
        await it.server.stop({ keep: true });
        const { code, reason } = await stream.closed;
        assert.deepEqual([code, reason], [1001, 'the server is restarting; reconnect in a second']);
        await events.closed;
        assert.equal(events.retry, 1000);
        assert.equal(await over2.closed, http2.constants.NGHTTP2_NO_ERROR);
        assert.equal(over2.retry, 1000);
        session.close();
        await it.server.up();
        const missed = await author.note('Since the restart');
        const again = await open(reader);
        const subscribed = await eventually('it is subscribed', async () => { // a busy machine may have to be asked twice, like any server that just started
                const answer = await again.subscribe(`user:${author.id}`, position);
                assert.equal(answer.type, 'subscribed', JSON.stringify(answer));
                return answer;
        });
        assert.equal(subscribed.resumed, true);
        await created(again, missed);
        assert.deepEqual(again.events().map((m) => m.data.id), [missed.id]);
        const eventsAgain = new EventStream(it.server.url, `user:${author.id}`, { lastEventId: events.lastEventId });
        await eventsAgain.opened;
        await created(eventsAgain, missed);
        eventsAgain.close();
        must(await author.del(`/v1/notes/${missed.id}`), 204);
        await again.close();
});
