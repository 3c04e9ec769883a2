// A refresh whose process is killed between COMMIT and response: a retry returns what the lost response would have.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, connect, eventually, must, randomName } from './client.mjs';
import { mode } from './harness.mjs';
import { Pair } from './pair.mjs';

let pair;
before(async () => { pair = await new Pair(mode).prepare(); pair.replicas.forEach((r) => r.start()); });
after(async () => pair.stop());

test('a committed change whose response was lost is returned on a retry with the key', async () => {
        const { owner, standby } = await pair.settled('user');
        const together = pair.gateways.includes(owner); // then the process that takes over also serves the clients
        const gateway = together ? owner : pair.gateways[0];
        const net = connect(gateway.url);
        await eventually('the gateway serves', async () => (await net.api('GET', '/readyz')).status === 200, 60_000);
        const login = await eventually('a member registers', async () => {
                const username = randomName();
                return must(await net.api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: PASSWORD } }), 201);
        }, 60_000);
        const body = { refresh_token: login.refresh_token, client_key: login.client_key };
        const committed = owner.proxy.loseCommit('ROTATE');
        const lost = await eventually('the COMMIT is delayed', async () => { // a busy machine rejects some, without any effect
                const answer = net.api('POST', '/v1/auth/refresh', { body }).then(({ status }) => status, () => 'lost');
                assert.equal(await Promise.race([committed.then(() => 'held up'), answer]), 'held up', 'the COMMIT passed by another line');
                return { answer };
        }, 60_000);
        owner.signal('SIGKILL');
        const killedAt = Date.now();
        assert.notEqual(await lost.answer, 200, 'the client has no answer');
        net.close();
        owner.proxy.losesAnswer = false;
        owner.proxy.releaseCommit();
        const again = connect((together ? standby : gateway).url);
        const first = await eventually('it responds again', async () => must(await again.api('POST', '/v1/auth/refresh', { body })), 25_000); // of 30 s
        const second = must(await again.api('POST', '/v1/auth/refresh', { body }));
        const { iat } = JSON.parse(Buffer.from(first.access_token.split('.')[1], 'base64url'));
        assert.ok(iat * 1000 <= killedAt, 'the token is the one of the process that was killed');
        assert.deepEqual([first.access_token, first.refresh_token], [second.access_token, second.refresh_token]);
        must(await again.api('GET', '/v1/users/me', { token: first.access_token }));
        must(await again.api('POST', '/v1/auth/refresh', { body: { ...body, refresh_token: first.refresh_token } }));
        again.close();
});
