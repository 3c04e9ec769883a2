// A mail server for tests, based on npm's smtp-server: receives what SoNet sends, and behaves as a test requires. Mails are parsed by postal-mime.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { eventually } from './client.mjs';
import { freePort } from './harness.mjs';

export const MAIL_FROM = 'Das Prüfnetz <no-reply@social.example>';

const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });

export class Mailbox {
        // secure: TLS from the first byte; startTls: offered; user, password: required.
        constructor({ secure = false, startTls = false, user, password, tls } = {}) {
                this.mails = []; // in the order of arrival: the result of postal-mime, with raw, to and session
                this.connections = 0;
                this.refuse = {}; // recipient: () => a rejection, or undefined to accept the mail
                this.onMessage = async () => {}; // before a mail is accepted
                this.options = { secure, ...tls, authOptional: !user, disabledCommands: startTls ? [] : ['STARTTLS'], size: 1 << 20,
                                 onConnect: (session, done) => { this.connections++; done(this.closed ? refusal(421, 'closed') : null); },
                                 onAuth: (auth, session, done) => (auth.username === user && auth.password === password
                                         ? done(null, { user }) : done(refusal(535, 'wrong'))),
                                 onRcptTo: (address, session, done) => done(this.refuse[address.address]?.() ?? null),
                                 onData: (stream, session, done) => this.read(stream, session).then(() => done(), done) };
                this.credentials = user ? `${encodeURIComponent(user)}:${encodeURIComponent(password)}@` : '';
        }

        async open(port = this.port) {
                this.port = port ?? await freePort(1);
                this.url = `${this.options.secure ? 'smtps' : 'smtp'}://${this.credentials}127.0.0.1:${this.port}`;
                this.server = new SMTPServer(this.options);
                this.server.on('error', () => {}); // some tests interrupt connections
                await new Promise((resolve, reject) => {
                        this.server.once('error', reject);
                        this.server.listen(this.port, '127.0.0.1', resolve);
                });
                return this;
        }

        async close() {
                await new Promise((resolve) => this.server.close(resolve));
        }

        async read(stream, session) {
                const chunks = [];
                for await (const chunk of stream) {
                        chunks.push(chunk);
                }
                const raw = Buffer.concat(chunks);
                const mail = await PostalMime.parse(raw);
                Object.assign(mail, { raw: raw.toString('latin1'), recipients: session.envelope.rcptTo.map((r) => r.address),
                                      secure: session.secure, user: session.user });
                await this.onMessage(mail);
                this.mails.push(mail);
        }

        to(address) {
                return this.mails.filter((m) => m.recipients.includes(address));
        }

        // The nth mail to an address, once it has arrived; subject: a part of it.
        async wait(address, subject = '', n = 1) {
                return eventually(`mail ${n} to ${address} '${subject}'`, () => this.to(address).filter((m) => m.subject.includes(subject))[n - 1] ?? false, 60_000);
        }
}

export const temporary = () => refusal(451, 'try again later');
export const policy = () => refusal(550, '5.7.1 we do not trust you');
export const forGood = () => refusal(550, '5.1.1 there is no such mailbox');

// The code and the link in a mail.
export const codeIn = (mail) => mail.text.match(/^ {4}(\d{6})$/m)[1];
export const tokenIn = (mail) => mail.text.match(/https?:\S+#(\S+)/)[1];

// A self-signed certificate for 127.0.0.1, in a folder: {key, cert, file}.
export function makeCertificate(folder) {
        const [key, cert] = [path.join(folder, 'smtp.key'), path.join(folder, 'smtp.crt')];
        execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=mail.test',
                                 '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
        return { key: fs.readFileSync(key), cert: fs.readFileSync(cert), file: cert };
}
