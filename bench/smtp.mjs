// A mail server that only receives mails, and a client that only sends them: the cost of the protocol alone.
import net from 'node:net';

export class Sink {
        constructor() {
                Object.assign(this, { mails: 0, connections: 0 });
        }

        take(socket) {
                let [text, data] = ['', false];
                this.connections++;
                socket.setNoDelay(true);
                socket.setEncoding('latin1');
                socket.write('220 sink\r\n');
                socket.on('error', () => {});
                socket.on('data', (chunk) => {
                        text += chunk;
                        for (;;) {
                                const end = text.indexOf(data ? '\r\n.\r\n' : '\r\n');
                                if (end < 0) {
                                        return;
                                }
                                const line = text.slice(0, Math.min(end, 4)).toUpperCase();
                                text = text.slice(end + (data ? 5 : 2));
                                this.mails += data;
                                data = !data && line === 'DATA';
                                socket.write(data ? '354 go on\r\n' : line === 'EHLO' ? '250-sink\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n' : '250 ok\r\n');
                        }
                });
        }

        async open() {
                this.server = net.createServer((socket) => this.take(socket));
                await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
                this.url = `smtp://127.0.0.1:${this.server.address().port}`;
                return this;
        }

        // The same mail n times over one persistent connection, one command at a time.
        send(mail, times) {
                return new Promise((resolve, reject) => {
                        const socket = net.connect(this.server.address().port, '127.0.0.1');
                        const commands = ['MAIL FROM:<a@a.example>\r\n', 'RCPT TO:<b@b.example>\r\n', 'DATA\r\n', `${mail}\r\n.\r\n`];
                        let step = -1;
                        socket.setNoDelay(true);
                        socket.on('error', reject);
                        socket.on('data', () => {
                                step++;
                                if (step === 4 * times) {
                                        socket.end();
                                        resolve();
                                } else {
                                        socket.write(commands[step % 4]);
                                }
                        });
                });
        }

        async close() {
                this.server.close();
        }
}
