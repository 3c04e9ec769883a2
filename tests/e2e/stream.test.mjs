// GET /v1/stream: events as they happen, and nothing that a page would not show.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import http2 from 'node:http2';
import { test } from 'node:test';
import { PASSWORD } from './client.mjs';
import { admin } from './operator.mjs';
import { api, logIn, must, net, problem, randomName, register } from './shared.mjs';
import { EventStream, Http2EventStream, Stream } from './streams.mjs';

const open = async (member, ...channels) => {
        const stream = new Stream(net.url, { token: member?.token });
        await stream.opened;
        if (member) {
                assert.equal((await stream.next()).type, 'authenticated');
        }
        for (const channel of channels) {
                assert.equal((await stream.subscribe(channel)).type, 'subscribed', channel);
        }
        return stream;
};
const eventOf = (name, id) => (m) => m.type === 'event' && m.event === name && m.data.id === id;
const got = (stream, name, note, channel) => stream.find(`${name} of ${note.id}`, (m) => eventOf(name, note.id)(m) && (!channel || m.channel === channel));
const hasNot = (stream, note) => assert.deepEqual(stream.events().filter((m) => m.data.id === note.id), []);

test('a note is sent to subscribers of its author, as they would read it', async () => {
        const [ada, bob] = [await register(), await register()];
        const stream = new Stream(net.url);
        await stream.opened;
        const answer = await stream.ask({ type: 'authenticate', access_token: bob.token });
        assert.equal(answer.type, 'authenticated');
        assert.equal(answer.user_id, bob.id);
        assert.ok(Date.parse(answer.expires_at) > Date.now());
        const subscribed = await stream.subscribe(`user:${ada.username}`);
        assert.deepEqual({ ...subscribed, position: undefined }, { type: 'subscribed', channel: `user:${ada.username}`, position: undefined, resumed: false });
        const note = await ada.note('Is somebody listening?');
        const event = await got(stream, 'note.created', note);
        assert.deepEqual(Object.keys(event), ['type', 'channel', 'event', 'position', 'data']);
        assert.equal(event.channel, `user:${ada.username}`);
        assert.deepEqual(event.data, await bob.read(note.id));
        assert.equal((await stream.close()).code, 1000);
});

test('home has notes by followed members and yourself, from the subscription on', async () => {
        const [reader, friend, stranger, muted] = [await register(), await register(), await register(), await register()];
        await reader.follow(friend);
        await reader.follow(muted);
        await reader.relate(muted, 'mute');
        const stream = await open(reader, 'home');
        const hidden = [await stranger.note('From far away'), await muted.note('Not now'), await friend.note('To myself', 'only_me')];
        const own = await reader.note('Mine');
        const theirs = await friend.note('To my followers', 'followers');
        assert.deepEqual((await got(stream, 'note.created', theirs)).data, await reader.read(theirs.id));
        await got(stream, 'note.created', own);
        const original = await stranger.note('Worth passing on');
        await friend.react(original.id, 'renote');
        const renote = await stream.find('the renote', (m) => m.type === 'event' && m.data.renote_of?.id === original.id);
        assert.deepEqual(renote.data, (await reader.home())[0]);
        must(await friend.patch(`/v1/notes/${theirs.id}`, { text: 'Edited' }));
        assert.equal((await got(stream, 'note.edited', theirs)).data.text, 'Edited');
        must(await friend.del(`/v1/notes/${theirs.id}`), 204);
        assert.deepEqual((await got(stream, 'note.deleted', theirs)).data, { id: theirs.id });
        await reader.follow(stranger);
        await got(stream, 'note.created', await stranger.note('Followed since'));
        await reader.unrelate(friend, 'follow');
        const after = await friend.note('Unfollowed');
        await got(stream, 'note.created', await reader.note('The last one'));
        [...hidden, after].forEach((note) => hasNot(stream, note));
        await stream.close();
});

test('a note’s channel has its edits, its counts, and the replies that the reader may see', async () => {
        const [author, reader, rude] = [await register(), await register(), await register()];
        const note = await author.note('What do you think?');
        await reader.relate(rude, 'block');
        const stream = await open(reader, `note:${note.id}`);
        await author.react(note.id, 'like');
        assert.deepEqual((await got(stream, 'note.counts', note)).data.counts, { likes: 1, renotes: 0, comments: 0, bookmarks: 0 });
        const unseen = await rude.comment(note.id, 'Nothing good');
        const comment = await author.comment(note.id, 'Nobody?');
        const event = await got(stream, 'note.created', comment);
        assert.equal(event.data.parent_id, note.id);
        must(await author.patch(`/v1/notes/${note.id}`, { text: 'And now?' }));
        assert.equal((await got(stream, 'note.edited', note)).data.text, 'And now?');
        must(await author.del(`/v1/notes/${comment.id}`), 204);
        await got(stream, 'note.deleted', comment);
        const removed = await reader.comment(note.id, 'Here!');
        const other = await open(null, `note:${note.id}`);
        must(await author.del(`/v1/notes/${note.id}/comments/${removed.id}`), 204);
        await got(other, 'note.deleted', removed); // its author still sees it
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await got(stream, 'note.deleted', note);
        hasNot(stream, unseen);
        assert.deepEqual(stream.events().filter(eventOf('note.deleted', removed.id)), []);
        assert.equal((await stream.subscribe(`note:${note.id}`)).problem.status, 404);
        await Promise.all([stream.close(), other.close()]);
});

test('replies to a comment are sent to members who can see the comment', async () => {
        const [author, commenter, reader, another] = [await register(), await register(), await register(), await register()];
        const comment = await commenter.comment((await author.note('The beginning')).id, 'An answer');
        const [stream, other] = [await open(reader, `note:${comment.id}`), await open(null, `note:${comment.id}`)];
        await commenter.relate(reader, 'block'); // who still sees the note, and others' replies to it
        const unseen = await another.comment(comment.id, 'An answer to the answer');
        assert.equal((await reader.read(unseen.id)).id, unseen.id);
        await got(other, 'note.created', unseen);
        await commenter.unrelate(reader, 'block');
        await got(stream, 'note.created', await another.comment(comment.id, 'One more'));
        hasNot(stream, unseen);
        await Promise.all([stream.close(), other.close()]);
});

test('removing a comment sends one event; deleting it afterwards is sent only to its author', async () => {
        const [author, maker] = [await register(), await register()];
        const note = await author.note('What do you think?');
        const comment = await maker.comment(note.id, 'Nothing good');
        const [makers, other] = [await open(maker, `note:${note.id}`), await open(null, `note:${note.id}`)];
        must(await author.del(`/v1/notes/${note.id}/comments/${comment.id}`), 204);
        const { position } = await got(other, 'note.deleted', comment);
        must(await maker.del(`/v1/notes/${comment.id}`), 204);
        await got(makers, 'note.deleted', comment);
        const last = await author.comment(note.id, 'Let us go on');
        await Promise.all([makers, other].map((stream) => got(stream, 'note.created', last)));
        const told = (stream) => stream.events().filter(eventOf('note.deleted', comment.id)).length;
        assert.deepEqual([told(makers), told(other)], [1, 1]);
        const again = await open(null);
        assert.equal((await again.subscribe(`note:${note.id}`, position)).resumed, true);
        await got(again, 'note.created', last);
        assert.equal(told(again), 0, 'nor who comes back after it');
        await Promise.all([makers.close(), other.close(), again.close()]);
});

test('a hashtag’s channel has the public notes with it, regardless of case, until they are deleted', async () => {
        const author = await register();
        const tag = randomName('tag');
        const stream = await open(null, `hashtag:${tag.toUpperCase()}`);
        const hidden = [await author.note(`For some: #${tag}`, 'followers'), await author.note('Without')];
        const note = await author.note(`For all: #${tag}`);
        assert.deepEqual((await got(stream, 'note.created', note)).data, must(await api('GET', `/v1/notes/${note.id}`)));
        must(await author.del(`/v1/notes/${note.id}`), 204);
        await got(stream, 'note.deleted', note);
        hidden.forEach((n) => hasNot(stream, n));
        await stream.close();
});

test('blocks and audiences apply at the time of the event', async () => {
        const [author, reader] = [await register(), await register()];
        const [stream, other] = [await open(reader, `user:${author.id}`), await open(null, `user:${author.id}`)];
        const forFollowers = await author.note('Followers only', 'followers');
        await author.relate(reader, 'block');
        const blocked = await author.note('Not for you');
        await got(other, 'note.created', blocked);
        must(await author.del(`/v1/notes/${blocked.id}`), 204);
        await got(other, 'note.deleted', blocked);
        await author.unrelate(reader, 'block');
        await got(stream, 'note.created', await author.note('For you again'));
        [forFollowers, blocked].forEach((note) => hasNot(stream, note));
        await Promise.all([stream.close(), other.close()]);
});

test('resuming from a position sends the missed events, in order and once, and continues', async () => {
        const [author, reader] = [await register(), await register()];
        const first = await open(reader);
        const { position } = await first.subscribe(`user:${author.id}`);
        const before = await got(first, 'note.created', await author.note('Seen'));
        await first.close();
        const missed = [];
        for (let i = 0; i < 12; i++) {
                missed.push((await author.note(`Missed ${i}`, i % 3 === 0 ? 'only_me' : 'public')).id);
        }
        const second = await open(reader);
        const answer = await second.subscribe(`user:${author.id}`, before.position);
        assert.equal(answer.resumed, true);
        const live = await author.note('Live again');
        await got(second, 'note.created', live);
        assert.deepEqual(second.events().map((m) => m.data.id), [...missed.filter((_, i) => i % 3 !== 0), live.id]);
        const third = await open(reader);
        assert.equal((await third.subscribe(`user:${author.id}`, position)).resumed, true);
        await got(third, 'note.created', live);
        assert.equal(third.events().length, second.events().length + 1);
        const wrong = await third.subscribe(`user:${author.id}`, 'AAAA');
        assert.equal(wrong.problem.code, 'cursor_invalid');
        assert.equal(wrong.problem.field, 'since');
        await Promise.all([second.close(), third.close()]);
});

test('errors are the same problems as over REST, and the stream continues', async () => {
        const [member, other] = [await register(), await register()];
        const stream = await open(null);
        const refused = async (message, status, code, field) => {
                const answer = await stream.ask(message);
                assert.equal(answer.type, 'problem', JSON.stringify(answer));
                assert.deepEqual([answer.problem.status, answer.problem.code, answer.problem.field], [status, code, field], JSON.stringify(answer));
        };
        await refused('{', 400, 'malformed_json');
        await refused({}, 422, 'validation_failed', 'type');
        await refused({ type: 'shout' }, 422, 'validation_failed', 'type');
        await refused({ type: 'subscribe' }, 422, 'validation_failed', 'channel');
        await refused({ type: 'subscribe', channel: 'home', access_token: 'x' }, 422, 'validation_failed', 'access_token');
        await refused({ type: 'subscribe', channel: 'home', more: 1 }, 422, 'validation_failed', 'more');
        await refused({ type: 'subscribe', channel: 'home' }, 401, 'token_missing');
        await refused({ type: 'subscribe', channel: 'nothing' }, 404, 'channel_unknown', 'channel');
        await refused({ type: 'subscribe', channel: 'home:x' }, 404, 'channel_unknown', 'channel');
        await refused({ type: 'subscribe', channel: 'user' }, 404, 'channel_unknown', 'channel');
        await refused({ type: 'acknowledge', channel: 'home', position: 'x' }, 409, 'not_subscribed', 'channel');
        await refused({ type: 'subscribe', channel: `user:${randomName()}` }, 404, 'not_found', 'user_id');
        await refused({ type: 'subscribe', channel: 'note:x' }, 422, 'validation_failed', 'id');
        await refused({ type: 'subscribe', channel: 'hashtag:!' }, 422, 'validation_failed', 'tag');
        await refused({ type: 'authenticate', access_token: 'rubbish' }, 401, 'token_malformed');
        const secret = await other.note('Mine alone', 'only_me');
        await refused({ type: 'subscribe', channel: `note:${secret.id}` }, 404, 'not_found', 'id');
        assert.equal((await stream.ask({ type: 'authenticate', access_token: member.token })).user_id, member.id);
        await refused({ type: 'authenticate', access_token: other.token }, 409, 'another_member', 'access_token');
        assert.equal((await stream.subscribe('home')).type, 'subscribed');
        await stream.close();
});

test('unsubscribing stops the events of the channel', async () => {
        const [author, reader] = [await register(), await register()];
        const stream = await open(reader, `user:${author.id}`, 'home');
        stream.send({ type: 'unsubscribe', channel: `user:${author.id}` });
        assert.equal((await stream.ask({ type: 'subscribe', channel: 'home' })).type, 'subscribed'); // in order: it is unsubscribed now
        await author.note('Nobody asked');
        await got(stream, 'note.created', await reader.note('Mine'));
        assert.deepEqual(stream.events(`user:${author.id}`), []);
        assert.equal(stream.events('home').length, 1);
        await stream.close();
});

test('an ended session closes its streams at once, unless another token was sent', async (t) => {
        const member = await register();
        const again = await logIn(member.username);
        const [ends, stays, events] = [await open(member, 'home'), await open(member, 'home'), new EventStream(net.url, 'home', { token: member.token })];
        await events.opened;
        await events.find('its channel', (m) => m.type === 'subscribed');
        assert.equal((await stays.ask({ type: 'authenticate', access_token: again.token })).type, 'authenticated');
        const began = Date.now();
        must(await member.post('/v1/auth/logout'), 204);
        const { code, reason } = await ends.closed;
        const took = Date.now() - began;
        assert.deepEqual([code, reason], [1008, 'token_revoked']);
        t.diagnostic(`its stream ended after ${took} ms`); // aim: within a second
        assert.equal(ends.all.at(-1).problem.code, 'token_revoked');
        await events.closed;
        assert.equal(events.all.at(-1).problem.code, 'token_revoked');
        await got(stays, 'note.created', await again.note('Still here'));
        await stays.close();
});

test('a suspension closes the member’s streams at once, and they cannot be opened again', async () => {
        const member = await register();
        const [stream, events] = [await open(member, 'home'), new EventStream(net.url, 'home', { token: member.token })];
        await events.opened;
        const suspended = await admin('user', 'suspend', member.username, 'spam');
        assert.equal(suspended.code, 0, suspended.stderr);
        const { code, reason } = await stream.closed;
        await events.closed;
        assert.deepEqual([code, reason, events.all.at(-1).problem.code], [1008, 'token_revoked', 'token_revoked']);
        const again = new EventStream(net.url, 'home', { token: member.token });
        assert.equal(await again.opened, 401);
});

test('a changed password ends the streams of other sessions, and tells the one that changed it to refresh its token', async () => {
        const member = await register();
        const [changes, other] = [await open(member, 'home'), await open(await logIn(member.username), 'home')];
        must(await member.post('/v1/auth/password/change', { current_password: PASSWORD, new_password: `${PASSWORD} again` }), 200);
        const [changed, ended] = [await changes.closed, await other.closed];
        assert.deepEqual([changed.code, changed.reason, ended.code, ended.reason], [1008, 'token_outdated', 1008, 'token_revoked']);
});

test('server-sent events have the same messages, fail with a status, and resume by Last-Event-ID', async () => {
        const [author, reader] = [await register(), await register()];
        const stream = new EventStream(net.url, `home,user:${author.id}`, { token: reader.token });
        assert.equal(await stream.opened, 200);
        assert.match(stream.headers['content-type'], /^text\/event-stream/);
        assert.equal(stream.headers['cache-control'], 'no-store');
        await stream.find('both channels', (m) => m.type === 'subscribed' && m.channel !== 'home');
        assert.equal(stream.all[0].type, 'authenticated');
        assert.equal(stream.retry, 2000);
        const note = await author.note('One way');
        const { id, ...event } = await got(stream, 'note.created', note);
        assert.deepEqual(event.data, await reader.read(note.id));
        assert.ok(id);
        stream.close();
        const missed = await author.note('Meanwhile');
        const again = new EventStream(net.url, `user:${author.id}`, { token: reader.token, lastEventId: stream.lastEventId });
        await again.opened;
        assert.equal((await again.find('its answer', (m) => m.type === 'subscribed')).resumed, true);
        await got(again, 'note.created', missed);
        again.close();
        const accept = { accept: 'text/event-stream' };
        problem(await api('GET', '/v1/stream?channels=home', { headers: accept }), 401, { code: 'token_missing' });
        problem(await api('GET', '/v1/stream', { headers: accept }), 422, { field: 'channels' });
        problem(await api('GET', '/v1/stream?channels=nothing', { headers: accept }), 404, { code: 'channel_unknown' });
        problem(await api('GET', '/v1/stream?channels=home&x=1', { headers: accept, token: reader.token }), 422);
        problem(await api('GET', '/v1/stream?channels=home', { headers: { ...accept, 'last-event-id': 'x' }, token: reader.token }), 400, { code: 'cursor_invalid' });
        problem(await api('GET', '/v1/stream'), 426, { code: 'upgrade_required' });
});

test('server-sent events work over HTTP/2, too, many on one connection, next to other requests', async () => {
        const [author, reader] = [await register(), await register()];
        const session = http2.connect(net.url);
        const [home, one, two] = [new Http2EventStream(session, 'home', { token: reader.token }), new Http2EventStream(session, `user:${author.id}`),
                                  new Http2EventStream(session, `user:${author.id},home`, { token: reader.token })];
        for (const stream of [home, one, two]) {
                assert.equal(await stream.opened, 200);
                assert.match(stream.headers['content-type'], /^text\/event-stream/);
                assert.equal(stream.headers.connection, undefined);
        }
        await Promise.all([one.find('its channel', (m) => m.type === 'subscribed'), two.find('both channels', (m) => m.type === 'subscribed' && m.channel === 'home')]);
        const notes = [await author.note('字'.repeat(4900)), await author.note('short')];
        for (const note of notes) { // more than the window of a stream, including that of the connection
                await Promise.all([one, two].map((stream) => got(stream, 'note.created', note)));
        }
        for (let i = 0; i < 8; i++) {
                notes.push(await author.note(`${i} ${'字'.repeat(4900)}`));
        }
        await Promise.all([one, two].map((stream) => got(stream, 'note.created', notes.at(-1))));
        assert.deepEqual(one.events().map((m) => m.data.id), notes.map((n) => n.id));
        one.close();
        await one.closed;
        const missed = await author.note('Meanwhile');
        const again = new Http2EventStream(session, `user:${author.id}`, { lastEventId: one.lastEventId });
        await got(again, 'note.created', missed);
        assert.deepEqual(again.events().map((m) => m.data.id), [missed.id]);
        must(await reader.post('/v1/auth/logout'), 204);
        await Promise.all([home, two].map((stream) => stream.closed));
        assert.equal(home.all.at(-1).problem.code, 'token_revoked');
        await got(again, 'note.created', await author.note('The others go on'));
        const refused = (headers) => new Promise((resolve, reject) => {
                const request = session.request({ ':path': '/v1/stream?channels=home', ...headers });
                request.once('response', (answer) => resolve(answer[':status']));
                request.once('error', reject);
                request.resume();
        });
        assert.equal(await refused({ accept: 'text/event-stream' }), 401);
        assert.equal(await refused({}), 505, 'WebSocket requires HTTP/1.1');
        session.destroy();
});

test('protocol violations close the connection with the code of the RFC', async () => {
        for (const [break_, code] of [[(s) => s._sender.sendFrame([Buffer.from([0x81, 0x02, 0x68, 0x69])]), 1002], // not masked
                                      [(s) => s.send(Buffer.from('binary'), { binary: true }), 1003],
                                      [(s) => s._sender.sendFrame([Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])]), 1007], // not UTF-8
                                      [(s) => s.send('x'.repeat(5000)), 1009],
                                      [(s) => Array.from({ length: 400 }, () => s.ping()), 1008]]) {
                const stream = await open(null);
                break_(stream.socket);
                assert.equal((await stream.closed).code, code);
        }
        const stream = await open(null);
        const ponged = new Promise((resolve) => stream.socket.once('pong', resolve));
        stream.socket.ping('there?');
        assert.equal(String(await ponged), 'there?');
        stream.socket.send('{"type":"subs', { fin: false });
        stream.socket.send('cribe","channel":"home"}', { fin: true });
        assert.equal((await stream.next()).problem.code, 'token_missing');
        stream.socket.close(4000, 'enough');
        assert.equal((await stream.closed).code, 4000);
        for (const [headers, status] of [[{ 'sec-websocket-version': '12' }, 426], [{ 'sec-websocket-key': 'short' }, 400]]) {
                const answer = await api('GET', '/v1/stream', { headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13',
                                                                           'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers } });
                problem(answer, status);
        }
});

// Debian's python3-websockets.
const CLIENT = `
import asyncio, json, sys, websockets
async def main(url, token, channel):
    async with websockets.connect(url, extra_headers={"Authorization": "Bearer " + token}) as ws:
        assert json.loads(await ws.recv())["type"] == "authenticated"
        await ws.send(json.dumps({"type": "subscribe", "channel": channel}))
        assert json.loads(await ws.recv())["type"] == "subscribed"
        print("ready", flush=True)
        print(await ws.recv(), flush=True)
        await (await ws.ping())
    print("closed", ws.close_code, flush=True)
asyncio.run(main(*sys.argv[1:]))
`;

test('python3-websockets works', async () => {
        const [author, reader] = [await register(), await register()];
        const client = execFile('/usr/bin/python3', ['-c', CLIENT, `${net.url.replace('http', 'ws')}/v1/stream`, reader.token, `user:${author.id}`]);
        const output = new Promise((resolve, reject) => {
                let text = '';
                client.stdout.on('data', async (chunk) => {
                        const ready = text.includes('ready');
                        text += chunk;
                        if (!ready && text.includes('ready')) {
                                await author.note('Hello, snake');
                        }
                });
                client.stderr.on('data', (chunk) => { text += chunk; });
                client.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(text))));
        });
        const [, event, closed] = (await output).trim().split('\n');
        assert.equal(JSON.parse(event).data.text, 'Hello, snake');
        assert.equal(closed, 'closed 1000');
});

