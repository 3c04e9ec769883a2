// GET /v1/stream: what happens, as it happens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { net, register } from './shared.mjs';
import { Stream } from './streams.mjs';

test('a note is on the streams of those who are subscribed to its author, as they would read it', async () => {
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
        const event = await stream.find('the event', (m) => m.type === 'event');
        assert.equal(event.event, 'note.created');
        assert.equal(event.channel, `user:${ada.username}`);
        assert.deepEqual(event.data, await bob.read(note.id));
        assert.equal((await stream.close()).code, 1000);
});
