// A small RESP client for the private Redis of a server, over its socket: to empty it, and to check whether it is empty.
import net from 'node:net';
import path from 'node:path';

// Sends one command ('FLUSHALL') and returns the first line of the reply.
export function redisCommand(server, ...words) {
        return new Promise((resolve, reject) => {
                const socket = net.connect(path.join(server.data, 'run', 'redis.sock'));
                let reply = '';
                socket.setTimeout(5000, () => socket.destroy(new Error('Redis does not answer')));
                socket.on('error', reject);
                socket.on('data', (chunk) => {
                        reply += chunk;
                        if (reply.includes('\r\n')) {
                                socket.destroy();
                                resolve(reply.split('\r\n')[0]);
                        }
                });
                socket.write(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join('')}`);
        });
}
