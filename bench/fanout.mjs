// Owns runs of bench/fanout.c: the plan of a run for SoNet and for ejabberd, the program, and the CPU time of both.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { cpuNow } from './machine.mjs';
import { DOMAIN, ROOMS } from './ejabberd.mjs';

const ID = '00000000-0000-4000-8000-000000000000', TEXT = `fanout-number-########## ${'Shall we meet at the old mill, or is it too far for you? '.repeat(2)}`; // placeholders for bench/fanout_plan.c
const PASSWORD = 'bench-password';
let seed = Date.now() % 2 ** 31; // runs use different IDs

// ---- SoNet ----

function frame(message) {
        const text = Buffer.from(JSON.stringify(message)); // under 126 bytes; a zero mask leaves the payload unchanged
        return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]).toString('latin1');
}

export const streamSteps = (token) => [
        [`GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n`
                + `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`, '"authenticated"'],
        [frame({ type: 'subscribe', channel: 'messages' }), '"subscribed"'],
];

export function post(token, chatId) {
        const body = JSON.stringify({ client_id: ID, text: TEXT });
        return `POST /v1/chats/${chatId}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`
                + `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

// ---- XMPP ----

const OPEN = `<?xml version='1.0'?><stream:stream to='${DOMAIN}' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`;
const FEATURES = '</stream:features>';

export const registerSteps = (name) => [
        [OPEN, FEATURES],
        [`<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>${name}</username><password>${PASSWORD}</password></query></iq>`, "type='result'"],
];

export const xmppSteps = (name, room) => [
        [OPEN, FEATURES],
        [`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from(`\0${name}\0${PASSWORD}`).toString('base64')}</auth>`, '<success'],
        [OPEN, FEATURES],
        ["<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>", "type='result'"],
        ['<presence/>', '<presence'],
        ...(room === undefined ? [] : [[`<presence to='${room}@${ROOMS}/${name}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`, "code='110'"]]),
];

export const stanza = (type, to) => `<message type='${type}' to='${to}' id='${ID}'><body>${TEXT}</body></message>`;

// ---- A run ----

const bytes = (text) => Buffer.from(text, 'latin1');

// streams: [[send, until]…] of each; messages: {stream (-1: by HTTP), deliveries, text}.
function writePlan(file, streams, messages) {
        const parts = [`plan ${streams.length} ${messages.length}\n`];
        for (const steps of streams) {
                parts.push(`stream ${steps.length}\n`, ...steps.map(([send, until]) => `${bytes(send).length} ${bytes(until).length}\n${send}\n${until}\n`));
        }
        parts.push(...messages.map((m) => `message ${m.stream} ${m.deliveries} ${bytes(m.text).length}\n${m.text}\n`));
        fs.writeFileSync(file, bytes(parts.join('')), { mode: 0o600 });
}

// All processes of a server.
const secondsOf = (cpu) => [...cpu.values()].reduce((sum, { seconds }) => sum + seconds, 0);

// warm: seconds of the same load before the measurement. {…the program's result (cpu_s: its own), server_s: CPU seconds of all server processes}
export async function fanOut(out, server, { streams, messages = [], rate = 0, seconds = 0, warm = 0 }) {
        const file = path.join(out, 'plan');
        writePlan(file, streams, messages);
        const child = spawn(path.join(out, 'fanout'), [file, server.port, server.port, rate, seconds, seed++, warm].map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
        let [said, wrong, before] = ['', '', null];
        child.stdout.on('data', (text) => (said += text));
        child.stderr.on('data', (text) => {
                wrong += text;
                before ??= secondsOf(cpuNow(server));
        });
        const code = await new Promise((resolve) => child.once('close', resolve));
        if (code !== 0) {
                throw new Error(`fanout ended with ${code}: ${wrong.slice(-2000)}`);
        }
        return { ...JSON.parse(said), server_s: secondsOf(cpuNow(server)) - before, trouble: wrong.split('\n').slice(1).join(' ') };
}
