// Owns a headless Chromium over the DevTools protocol, through a pipe: pages, the results of scripts in them, and a virtual authenticator.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { removeFolder } from './harness.mjs';

export class Browser {
        static async start() {
                const browser = new Browser();
                browser.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'sonet-chromium.'));
                browser.process = spawn('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
                        '--disable-component-update', '--disable-sync', `--user-data-dir=${browser.profile}`, '--remote-debugging-pipe', 'about:blank'],
                        { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
                browser.exited = new Promise((resolve) => browser.process.once('exit', resolve));
                browser.listen();
                return browser;
        }

        listen() {
                let rest = '';
                this.calls = new Map();
                this.listeners = new Map();
                this.process.stdio[4].setEncoding('utf8').on('data', (text) => {
                        const messages = (rest + text).split('\0');
                        rest = messages.pop();
                        messages.forEach((m) => this.take(JSON.parse(m)));
                });
                this.exited.then(() => this.calls.forEach(({ reject }) => reject(new Error('Chromium ended'))));
        }

        take({ id, result, error, method, params }) {
                if (id === undefined) {
                        this.listeners.get(method)?.(params);
                        return;
                }
                const call = this.calls.get(id);
                this.calls.delete(id);
                if (error) {
                        call?.reject(new Error(error.message));
                } else {
                        call?.resolve(result);
                }
        }

        send(method, params = {}, sessionId) {
                const id = (this.last = (this.last ?? 0) + 1);
                return new Promise((resolve, reject) => {
                        this.calls.set(id, { resolve, reject });
                        this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
                });
        }

        // Sets the listener for an event, replacing the previous one.
        on(event, listener) {
                this.listeners.set(event, listener);
        }

        // A page with a function for further commands, and one that evaluates an expression there.
        async open(url) {
                const { targetId } = await this.send('Target.createTarget', { url });
                const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
                const send = (method, params) => this.send(method, params, sessionId);
                const run = async (expression) => {
                        const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
                        if (exceptionDetails) {
                                throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
                        }
                        return result.value;
                };
                return { send, run };
        }

        async stop() {
                this.process.kill('SIGKILL');
                await this.exited;
                await removeFolder(this.profile);
        }
}
