// Many concurrent clients of the same chats see one complete log in the same order by every API, and only what they may
// read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { Browser } from './browser.mjs';
import { Replica, logOf, patient } from './chatclients.mjs';
import { begin, clients, of, play, seed, thumb } from './chatworld.mjs';
import { accounts, eventually, must, net, problem, registerMany } from './shared.mjs';

const direct = (one, other) => begin(one, [other], { kind: 'direct', title: undefined });
const ask = (member, chat, more) => member.post(`/v1/chats/${chat.id}/messages`, { client_id: randomUUID(), ...more });
const send = async (member, chat, text, more) => must(await ask(member, chat, { text, ...more }), 201);
const followers = [];
after(() => followers.forEach((f) => f.end()));

test('the log of a chat by number has all kinds of entries, as far as the member may read them', async () => {
        const [ada, bob] = await registerMany(2);
        const chat = await begin(ada, []);
        const before = await send(ada, chat, 'Before');
        must(await ada.post(`/v1/chats/${chat.id}/participants`, { user_ids: [bob.id] }), 204);
        const message = await send(ada, chat, 'One');
        must(await ada.patch(of(chat, before), { text: 'Before all' }));
        must(await bob.put(of(chat, message, thumb)), 204);
        must(await ada.del(of(chat, message, '?for=all')), 204);
        const kinds = ['joined', 'message', 'joined', 'message', 'edited', 'reacted', 'deleted'];
        for (const limit of [1, 3, 100]) {
                assert.deepEqual((await logOf(ada, chat.id, limit)).map((c) => [c.seq, c.kind]), kinds.map((kind, i) => [i + 1, kind]));
        }
        assert.deepEqual((await logOf(bob, chat.id, 2)).map((c) => [c.seq, c.kind, c.message?.id ?? null]),
                [[3, 'joined', null], [4, 'message', message.id], [5, 'edited', null], [6, 'reacted', message.id], [7, 'deleted', message.id]]);
        const page = must(await bob.get(`/v1/chats/${chat.id}/changes?after_seq=4&limit=1`));
        assert.deepEqual([page.items.length, page.last_seq, page.more, page.count], [1, 7, true, 3]);
        problem(await bob.get(`/v1/chats/${chat.id}/changes?after_seq=8`), 422, { field: 'after_seq' });
        must(await ada.del(`/v1/chats/${chat.id}/participants/${bob.id}`), 204);
        await send(ada, chat, 'Without bob');
        assert.equal((await logOf(bob, chat.id)).at(-1).kind, 'left');
        const [eve] = await registerMany(1);
        problem(await eve.get(`/v1/chats/${chat.id}/changes`), 404);
});

test('a device that was offline syncs changed chats, gone chats, and chats with too many changes', async () => {
        const [ada, bob, cay] = await registerMany(3);
        const [pair, group, quiet, open] = [await direct(ada, bob), await begin(ada, [bob]), await begin(ada, [bob]), await begin(cay, [], { history: true })];
        await send(cay, open, 'Long ago');
        const first = await send(ada, pair, 'First');
        const device = new Replica(bob, 2);
        await device.sync();
        assert.deepEqual([...device.chats.keys()].sort(), [pair.id, group.id, quiet.id].sort());
        assert.deepEqual(device.messages(pair.id).map((m) => m.text), ['First']);
        await eventually('nothing more has changed', async () => { // recent changes may be repeated
                device.shown.length = device.reloads = 0;
                await device.sync();
                return device.shown.length === 0;
        });
        await send(ada, pair, 'Second', { reply_to_id: first.id });
        must(await ada.patch(of(pair, first), { text: 'First, edited' }));
        must(await bob.put(`/v1/chats/${pair.id}/draft`, { body: { text: 'Dear' } }), 204);
        await device.sync();
        assert.deepEqual([...new Set(device.shown.map((c) => c.chat_id))], [pair.id], 'what has not changed is not told');
        assert.deepEqual([device.messages(pair.id).map((m) => m.text), device.chats.get(pair.id).chat.draft, device.reloads], [['First, edited', 'Second'], 'Dear', 0]);

        must(await bob.del(of(pair, first)), 204);
        must(await ada.del(`/v1/chats/${group.id}/participants/${bob.id}`), 204);
        await send(ada, group, 'Without bob');
        await device.sync();
        assert.deepEqual(device.messages(pair.id).map((m) => m.text), ['Second']);
        assert.deepEqual([device.chats.get(group.id).chat, device.shown.some((c) => c.message?.text === 'Without bob')], [null, false]);

        must(await bob.del(`/v1/chats/${pair.id}`), 204);
        must(await ada.del(`/v1/chats/${quiet.id}`), 204);
        await device.sync();
        assert.deepEqual([device.messages(pair.id), device.chats.get(quiet.id).chat], [[], null]);

        for (let i = 0; i < 6; i++) { // a hundred and one are more than a sync returns per chat
                await Promise.all(Array.from({ length: 17 }, (_, j) => send(ada, pair, `m${i} ${j}`)));
        }
        must(await cay.post(`/v1/chats/${open.id}/participants`, { user_ids: [bob.id] }), 204);
        const reloads = device.reloads;
        await device.sync();
        assert.equal(device.reloads, reloads + 2);
        assert.ok(device.isWhole(), 'the counts prove it');
        device.chats.get(pair.id).numbers.delete(device.messages(pair.id)[50].seq);
        assert.ok(!device.isWhole(), 'and show that one is missing');
        assert.equal(device.messages(pair.id).length, 102);
        assert.deepEqual(device.messages(open.id).map((m) => m.text), ['Long ago']);

        problem(await bob.get('/v1/chats/sync?since=nonsense'), 400, { field: 'since' });
        problem(await ada.get(`/v1/chats/sync?since=${encodeURIComponent(device.next)}`), 400, { field: 'since' });
});

// ---- Third-party clients ----

const SNAKE = `
import asyncio, json, sys, websockets
position = None
async def show(ws):
    global position
    try:
        async for text in ws:
            position = json.loads(text).get("position", position)
            print(text, flush=True)
    except websockets.ConnectionClosed:
        pass
async def main(url, token):
    while command := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        if command == "cut\\n":
            ws.transport.abort()
        else:
            ws = await websockets.connect(url, extra_headers={"Authorization": "Bearer " + token})
            await ws.send(json.dumps({"type": "subscribe", "channel": "messages", **({"since": position} if position else {})}))
            task = asyncio.create_task(show(ws))
asyncio.run(main(*sys.argv[1:]))
`;

// Debian's python3-websockets: follows when told to, from its last position.
class Snake {
        async start(url, token) {
                this.heard = [];
                this.process = spawn('/usr/bin/python3', ['-c', SNAKE, url, token], { stdio: ['pipe', 'pipe', 'inherit'] });
                createInterface({ input: this.process.stdout }).on('line', (line) => this.heard.push(JSON.parse(line)));
        }

        follow() { this.process.stdin.write('follow\n'); }
        cut() { this.process.stdin.write('cut\n'); }
        async all() { return this.heard; }

        stop() {
                const exited = new Promise((resolve) => this.process.once('exit', resolve));
                this.process.stdin.end();
                return exited;
        }
}

const PAGE = `
window.heard = [];
window.follow = (url, access_token) => {
        window.socket = new WebSocket(url);
        socket.onopen = () => [{ type: 'authenticate', access_token }, { type: 'subscribe', channel: 'messages', ...(window.position && { since: position }) }]
                .forEach((message) => socket.send(JSON.stringify(message)));
        socket.onmessage = ({ data }) => {
                heard.push(JSON.parse(data));
                window.position = heard.at(-1).position ?? window.position;
        };
};
window.cut = () => {
        socket.onmessage = null;
        socket.close();
};`;

// A page in Chromium.
class Page {
        async start(...address) {
                this.address = address.map((text) => JSON.stringify(text)).join(', ');
                this.browser = await Browser.start();
                ({ run: this.run } = await this.browser.open(net.url));
                await eventually('the page is there', () => this.run(`document.readyState === 'complete' && location.origin === '${net.url}'`), 180_000);
                await this.run(PAGE);
        }

        follow() { return this.run(`follow(${this.address})`); }
        cut() { return this.run('cut()'); }
        all() { return this.run('heard'); }
        stop() { return this.browser?.stop(); }
}

for (const [name, Client] of [['python3-websockets', Snake], ['a browser', Page]]) {
        test(`${name} follows a chat, is disconnected and resumes: all messages, once each and in order`, async () => {
                const [ada, bob] = await registerMany(2);
                const chat = await direct(ada, bob);
                const client = new Client();
                const has = (what, check) => eventually(`${name} ${what}`, async () => check(await client.all()));
                const texts = (heard) => heard.filter((m) => m.event === 'message.created').map((m) => m.data.message.text);
                const subscriptions = (heard) => heard.filter((m) => m.type === 'subscribed').map((m) => m.resumed);
                try {
                        await client.start(`${net.url.replace('http', 'ws')}/v1/stream`, bob.token);
                        await client.follow();
                        await has('follows', (heard) => subscriptions(heard).length === 1);
                        await send(ada, chat, 'One');
                        await send(ada, chat, 'Two');
                        await has('was told', (heard) => texts(heard).length === 2);
                        await client.cut();
                        await send(ada, chat, 'While it was cut off');
                        await client.follow();
                        await has('resumed', (heard) => subscriptions(heard).length === 2);
                        await send(ada, chat, 'Afterwards');
                        await has('was told of all', (heard) => texts(heard).length >= 4);
                        assert.deepEqual(texts(await client.all()), ['One', 'Two', 'While it was cut off', 'Afterwards']);
                        assert.deepEqual(subscriptions(await client.all()), [false, true]);
                } finally {
                        await client.stop();
                }
        });
}

// ---- Concurrent random members ----

test(`${clients} concurrent clients of random members with broken connections: one log without gaps, the same by every API, and nothing unreadable (seed ${seed})`, { timeout: 1_200_000 },
        () => play({ url: net.url, ...accounts(patient(net.api)) }, followers));
