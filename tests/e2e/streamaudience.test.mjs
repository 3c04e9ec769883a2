// What each kind of reader sees on a shared channel: the same as on its page, and nothing else.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { net, registerMany } from './shared.mjs';
import { Stream } from './streams.mjs';

const streams = {};

const heard = (name, text) => streams[name].find(`${text} for ${name}`, (m) => m.type === 'event' && m.data.text === text);
after(() => Object.values(streams).forEach((stream) => stream.socket.terminate()));

test('on one channel each reader gets what they may see, whoever else is subscribed', async () => {
        const [author, follower, stranger, blocked] = await registerMany(4);
        await follower.follow(author);
        const readers = { nobody: undefined, author, follower, stranger, blocked };
        for (const [name, reader] of Object.entries(readers)) {
                streams[name] = new Stream(net.url);
                await streams[name].opened;
                if (reader) {
                        assert.equal((await streams[name].ask({ type: 'authenticate', access_token: reader.token })).type, 'authenticated');
                }
                assert.equal((await streams[name].subscribe(`user:${author.id}`)).type, 'subscribed', name);
        }
        await author.note('one');
        await author.note('to myself', 'only_me');
        await author.note('to followers', 'followers');
        await heard('blocked', 'one');
        await heard('follower', 'to followers');
        await author.relate(blocked, 'block'); // while they are subscribed
        await author.note('two');
        await heard('follower', 'two');
        await follower.unrelate(author, 'follow');
        await author.note('to those who are left', 'followers');
        await author.note('three');
        const expected = {
                nobody: ['one', 'two', 'three'],
                stranger: ['one', 'two', 'three'],
                follower: ['one', 'to followers', 'two', 'three'],
                author: ['one', 'to followers', 'two', 'to those who are left', 'three'], // only_me notes have no events
                blocked: ['one'],
        };
        for (const [name, texts] of Object.entries(expected)) {
                await heard(name, texts.at(-1));
                assert.deepEqual(streams[name].events().map((m) => m.data.text), texts, name);
        }
});

test('an event names its channel as in the subscription', async () => {
        const [author, fan] = await registerMany(2);
        const note = await author.note('answer me');
        const stream = streams.several = new Stream(net.url);
        await stream.opened;
        const channels = { posted: `user:${author.username}`, answered: `note:${note.id}`, tagged: `hashtag:${author.username}`, own: `user:${fan.id}` };
        for (const channel of Object.values(channels)) {
                assert.equal((await stream.subscribe(channel)).type, 'subscribed', channel);
        }
        const texts = { posted: 'something', answered: 'an answer', own: 'my own' };
        await author.note(texts.posted);
        await fan.comment(note.id, texts.answered);
        await fan.note(texts.own);
        for (const [name, text] of Object.entries(texts)) {
                assert.equal((await heard('several', text)).channel, channels[name]);
        }
});
