// The push service of our tests keeps and replaces messages as RFC 8030 says (5.2, 5.4): no push service that is published as a package does so with topics.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PushService } from './pushreceiver.mjs';

const service = new PushService();
before(() => service.open());
after(() => service.close());

const subscribe = () => service.subscription();
async function push({ json: { endpoint } }, body, headers) {
        return (await fetch(endpoint, { method: 'POST', body, headers: { TTL: '60', ...headers } })).status;
}
const kept = (subscription, ...when) => service.outstanding(subscription, ...when).map((p) => String(p.body));

test('a message replaces the one with the same topic that was not delivered, and takes its own place', async () => {
        const browser = subscribe();
        for (const [body, topic] of [['a1', 'a'], ['b1', 'b'], ['a2', 'a']]) {
                assert.equal(await push(browser, body, { Topic: topic }), 201);
        }
        assert.deepEqual(kept(browser), ['b1', 'a2']);
});

test('topics belong to a subscription, and what has none replaces nothing', async () => {
        const [one, other] = [subscribe(), subscribe()];
        await push(one, 'one', { Topic: 'same' });
        await push(other, 'other', { Topic: 'same' });
        await push(one, 'first');
        await push(one, 'second');
        await push(one, 'third', { Topic: '1' });
        assert.deepEqual(kept(one), ['one', 'first', 'second', 'third']);
        assert.deepEqual(kept(other), ['other']);
});

test('what was delivered is not replaced: the next with its topic is one more', async () => {
        const browser = subscribe();
        await push(browser, 'shown', { Topic: 'a' });
        assert.deepEqual(kept(browser), ['shown']);
        await push(browser, 'later', { Topic: 'a' });
        await push(browser, 'latest', { Topic: 'a' });
        assert.deepEqual(kept(browser, 1), ['latest']);
});

test('the time to live is replaced too, and what is over it is not kept', async () => {
        const browser = subscribe();
        const later = Date.now() + 600_000;
        await push(browser, 'long', { Topic: 'a', TTL: '3600' });
        await push(browser, 'short', { Topic: 'a', TTL: '60' });
        await push(browser, 'short', { Topic: 'b', TTL: '60' });
        await push(browser, 'long', { Topic: 'b', TTL: '3600' });
        await push(browser, 'alone', { TTL: '60' });
        assert.deepEqual(kept(browser, 0, later), ['long']);
        assert.deepEqual(service.outstanding(browser, 0, later).map((p) => p.headers.topic), ['b']);
        await push(browser, 'at once or never', { Topic: 'b', TTL: '0' });
        assert.deepEqual(kept(browser, 0), ['short', 'alone']);
});

test('what is refused or put off replaces nothing', async () => {
        const browser = subscribe();
        await push(browser, 'kept', { Topic: 'a' });
        for (const [topic, ttl] of [['x'.repeat(33), '60'], ['a b', '60'], ['a+b', '60'], ['', '60'], ['a', ''], ['a', '-1'], ['a', 'soon']]) {
                assert.equal(await push(browser, 'refused', { Topic: topic, TTL: ttl }), 400, topic);
        }
        service.answers[browser.path] = () => [429, { 'retry-after': '1' }];
        assert.equal(await push(browser, 'later', { Topic: 'a' }), 429);
        service.answers[browser.path] = undefined;
        assert.equal(await push(browser, 'x', { Topic: `${'aZ09-_'.repeat(5)}xy` }), 201);
        assert.deepEqual(kept(browser), ['kept', 'x']);
});
