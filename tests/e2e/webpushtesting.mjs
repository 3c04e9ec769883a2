// web-push-testing, a third-party push service.
import { createRequire } from 'node:module';
import { query, sharedDir } from './database.mjs';
import { eventually, must } from './shared.mjs';

const require = createRequire(import.meta.url);
const { PushApiModel } = require('web-push-testing/src/PushApiModel.js');
const WebPushTestingServer = require('web-push-testing/src/server.js');

export const sql = (words) => query(sharedDir(), 'notification', words);
export const idle = (member) => eventually('nothing waits to be sent', () => sql(`select count(*) from notification_queue where user_id = '${member.id}'`) === '0', 60_000);

// Starts web-push-testing, on loopback only.
export async function startPushTesting(t) {
        const model = new PushApiModel();
        const testing = new WebPushTestingServer(model, 0);
        testing.setRequestHandlers();
        const server = testing._app.listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        const url = `http://127.0.0.1:${server.address().port}`;
        model.notifyUrl = `${url}/notify/`;
        t.after(() => server.close() && server.closeAllConnections());
        const post = async (where, body) => (await fetch(url + where, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();
        return {
                url,
                subscribe: async (key) => (await post('/subscribe', { userVisibleOnly: 'true', applicationServerKey: key })).data,
                expire: (hash) => fetch(`${url}/expire-subscription/${hash}`, { method: 'POST' }),
                messages: async (hash) => (await post('/get-notifications', { clientHash: hash })).data.messages.map((text) => JSON.parse(text)),
        };
}
export async function subscribeAt(testing, member) {
        const { public_key: key } = must(await member.get('/v1/push/key'));
        const { clientHash: hash, endpoint, keys } = await testing.subscribe(key);
        must(await member.post('/v1/push/subscriptions', { endpoint, keys }), 201);
        return { hash, wait: (n) => eventually(`message ${n}`, async () => (await testing.messages(hash)).length >= n && (await testing.messages(hash))[n - 1], 60_000) };
}
