// The client of the server that run.mjs started for all test files; each test uses its own members.
import { after } from 'node:test';
import { connect, eventually, problem } from './client.mjs';
import { mode } from './harness.mjs';

if (!process.env.SONET_URL) {
        throw new Error('SONET_URL is not set: run `./run.mjs` (it starts a server), or set it to a server with SONET_RATE_LIMITS=off');
}

export * from './client.mjs';
export { mode, sleep } from './harness.mjs';
export const net = connect(process.env.SONET_URL);
export const { api, register, registerMany, logIn } = net;

// The token of an ended session is rejected at once in one process, and within a second if the services run separately (the timeout here is longer
// only because the machine may be busy).
export async function assertTokenIsRefused(token) {
        const ask = () => api('GET', '/v1/users/me', { token });
        if (mode === 'split') {
                await eventually('the token is refused', async () => (await ask()).status === 401, 3000);
        }
        problem(await ask(), 401);
}

after(() => net.close());
