// The client of the server that run.mjs started for all test files; each test keeps to members of its own.
import { after } from 'node:test';
import { connect, eventually, problem } from './client.mjs';
import { mode } from './harness.mjs';

if (!process.env.SONET_URL) {
        throw new Error('SONET_URL is not set: run `node run.mjs` (it starts a server), or set it to a server with SONET_RATE_LIMITS=off');
}

export * from './client.mjs';
export { mode, sleep } from './harness.mjs';
export const net = connect(process.env.SONET_URL);
export const { api, register, registerMany, logIn } = net;

// The token of a session that has ended is refused at once in one process, within a second when the services run apart (the wait here
// is longer only because a busy machine may be late).
export async function assertTokenIsRefused(token) {
        const ask = () => api('GET', '/v1/users/me', { token });
        if (mode === 'split') {
                await eventually('the token is refused', async () => (await ask()).status === 401, 3000);
        }
        problem(await ask(), 401);
}

after(() => net.close());
