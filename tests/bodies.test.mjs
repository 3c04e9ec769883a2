// Bodies that hostile or unlucky clients send, against the service that `./dev new-service poll` makes (tests/test_new_service.sh puts
// this file beside the others of tests/e2e).
import assert from 'node:assert/strict';
import net from 'node:net';
import { before, test } from 'node:test';
import { api, eventually, must, register, sleep } from './shared.mjs';
import { serversKey, signedBy } from './signing.mjs';

const address = new URL(process.env.SONET_URL);
let author;

before(async () => {
        author = await register();
});

// An upload that is sent piece by piece; answer() waits for the server's word, which may come before the end.
function upload(name, { token = author.token, size = 1000, from, headers = '' } = {}) {
        const socket = net.connect({ host: address.hostname, port: Number(address.port), localAddress: from });
        let text = '';
        const over = new Promise((resolve) => {
                socket.setEncoding('latin1').on('data', (piece) => {
                        text += piece;
                        const head = /^HTTP\/1.1 (\d+)[\s\S]*?\r\nContent-Length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(text);
                        if (head !== null && head[3].length >= Number(head[2])) {
                                socket.destroy();
                                resolve({ status: Number(head[1]), head: text, json: JSON.parse(head[3]) });
                        }
                });
                socket.on('error', () => {}).on('close', () => resolve({ status: 0, head: text }));
        });
        socket.write(`PUT /v1/poll/files/${name} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${size}\r\n${headers}\r\n`);
        let answered = false;
        over.then(() => {
                answered = true;
        });
        return { send: (bytes) => socket.write(bytes), answer: () => over, answered: () => answered, close: () => socket.destroy() };
}

test('an upload ends with its session', async () => {
        const member = await register();
        const one = upload('ended', { token: member.token, size: 1 << 24 });
        one.send('some');
        must(await api('POST', '/v1/auth/logout', { token: member.token }), 204);
        await eventually('the next piece is refused', async () => {
                one.send('.'.repeat(4096));
                await sleep(20);
                return one.answered();
        });
        const { status, json } = await one.answer();
        assert.deepEqual([status, json.code], [401, 'token_revoked']);
});

test('an upload outlives its access token, while its session is open', async () => {
        const [header, claims] = author.token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
        const jwk = must(await api('GET', '/.well-known/jwks.json')).keys.find((k) => k.kid === header.kid);
        const short = signedBy(serversKey(jwk), header, { ...claims, exp: Math.floor(Date.now() / 1000) + 5 });
        const size = 1 << 20;
        const one = upload('outlived', { token: short, size });
        let left = size;
        await eventually('the token has expired', async () => {
                one.send('.'.repeat(4096));
                left -= 4096;
                return (await api('GET', '/v1/users/me', { token: short })).status === 401;
        });
        one.send('.'.repeat(left));
        const { status, json } = await one.answer();
        assert.deepEqual([status, json.size], [200, size], JSON.stringify(json));
});
