// Owns the connection between one process and PostgreSQL: a TCP proxy that can go silent, delay a COMMIT, or close only one side.
import net from 'node:net';

const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1'); // a simple query, as the protocol frames it
const LEASE = Buffer.from("application_name = 'sonet lease'");

export class PostgresProxy {
        constructor(socketPath) {
                Object.assign(this, { socketPath, lines: new Set(), silent: false, statement: null, held: [], onHeld: () => {} });
        }

        async listen() {
                this.listener = net.createServer((client) => this.accept(client));
                await new Promise((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
                this.port = this.listener.address().port;
                return this;
        }

        accept(client) {
                const line = { client, server: null, lease: false };
                this.lines.add(line);
                client.on('error', () => {});
                client.on('close', () => this.drop(line));
                if (this.silent) {
                        client.pause();
                } else {
                        this.connect(line);
                }
        }

        connect(line) {
                line.server = net.connect(this.socketPath);
                line.server.on('error', () => {});
                line.server.on('data', (chunk) => (line.deaf ? this.onHeld() : line.client.write(chunk)));
                line.server.on('close', () => !line.oneSided && line.client.destroy());
                line.client.on('data', (chunk) => this.forward(line, chunk));
        }

        forward(line, chunk) {
                line.lease ||= chunk.includes(LEASE);
                line.ran ||= this.statement !== null && chunk.includes(this.statement);
                if (line.ran && chunk.includes(COMMIT) && this.losesAnswer) {
                        line.deaf = true;
                } else if (line.ran && chunk.includes(COMMIT)) {
                        line.client.pause();
                        this.held.push({ line, chunk });
                        this.onHeld();
                        return;
                }
                line.server.write(chunk);
        }

        // What the client sent before it disconnected is still delivered, as on any network.
        drop(line) {
                line.server?.end();
                this.lines.delete(line);
        }

        // Nothing passes in either direction, and no side is notified.
        cut() {
                this.silent = true;
                for (const { client, server } of this.lines) {
                        client.pause();
                        server?.pause();
                }
        }

        heal() {
                this.silent = false;
                for (const line of this.lines) {
                        if (!line.server) {
                                this.connect(line);
                        }
                        line.server.resume();
                        line.client.resume();
                }
        }

        // Resolves when the COMMIT of a transaction that ran this statement was sent, and is being delayed.
        holdCommit(statement) {
                this.statement = statement;
                return new Promise((resolve) => {
                        this.onHeld = resolve;
                });
        }

        // Resolves when the COMMIT of a transaction that ran this statement has succeeded, which the process never learns.
        loseCommit(statement) {
                this.losesAnswer = true;
                return this.holdCommit(statement);
        }

        releaseCommit() {
                this.statement = null;
                for (const { line, chunk } of this.held.splice(0)) {
                        line.ran = false;
                        line.server.write(chunk);
                        line.client.resume();
                }
        }

        // PostgreSQL sees the lease sessions end; the process does not notice.
        endLeasesOneSided() {
                const leases = [...this.lines].filter((line) => line.lease);
                for (const line of leases) {
                        line.oneSided = true;
                        line.client.pause();
                        line.server.destroy();
                }
                return leases.length;
        }

        close() {
                this.listener.close();
                for (const { client, server } of this.lines) {
                        client.destroy();
                        server?.destroy();
                }
        }
}
