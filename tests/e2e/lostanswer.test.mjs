// A refresh whose process is killed between COMMIT and response: a retry returns what the lost response would have.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD, connect, eventually, must, randomName } from './client.mjs';
import { mode } from './harness.mjs';
import { Pair } from './pair.mjs';

let pair;
before(async () => { pair = await new Pair(mode).prepare(); pair.replicas.forEach((r) => r.start()); });
after(async () => pair.stop());

// A refresh whose COMMIT succeeds and whose response does not arrive. Once more from the start if a busy machine rejected a call, without any effect, or
// if another process took over meanwhile.
const loseAnAnswer = () => eventually('the COMMIT is delayed', async () => {
        const { owner, standby } = await pair.settled('user');
        const together = pair.gateways.includes(owner); // then the process that takes over also serves the clients
        const gateway = together ? owner : pair.gateways[0];
        const net = connect(gateway.url);
        try {
                const username = randomName();
                const login = must(await net.api('POST', '/v1/auth/register', { body: { username, email: `${username}@example.org`, password: PASSWORD } }), 201);
                const body = { refresh_token: login.refresh_token, client_key: login.client_key };
                const committed = owner.proxy.loseCommit('ROTATE').then(() => 'held up');
                const answer = net.api('POST', '/v1/auth/refresh', { body, once: true }).then(({ status }) => status, () => 'lost');
                assert.equal(await Promise.race([committed, answer]), 'held up', 'the COMMIT passed by another line');
                return { owner, again: (together ? standby : gateway).url, body, answer, net };
        } catch (error) {
                owner.proxy.losesAnswer = false;
                owner.proxy.releaseCommit();
                net.close();
                throw error;
        }
}, 120_000);

test('a committed change whose response was lost is returned on a retry with the key', async () => {
        const { owner, again: url, body, answer, net } = await loseAnAnswer();
        owner.signal('SIGKILL');
        const killedAt = Date.now();
        assert.notEqual(await answer, 200, 'the client has no answer');
        net.close();
        owner.proxy.losesAnswer = false;
        owner.proxy.releaseCommit();
        const again = connect(url);
        const first = await eventually('it responds again', async () => must(await again.api('POST', '/v1/auth/refresh', { body })), 25_000); // of 30 s
        const second = must(await again.api('POST', '/v1/auth/refresh', { body }));
        const { iat } = JSON.parse(Buffer.from(first.access_token.split('.')[1], 'base64url'));
        assert.ok(iat * 1000 <= killedAt, 'the token is the one of the process that was killed');
        assert.deepEqual([first.access_token, first.refresh_token], [second.access_token, second.refresh_token]);
        must(await again.api('GET', '/v1/users/me', { token: first.access_token }));
        must(await again.api('POST', '/v1/auth/refresh', { body: { ...body, refresh_token: first.refresh_token } }));
        again.close();
});
