// Clients of chats: one that follows the live stream and resumes after disconnecting, and one that is offline and
// syncs. Both keep everything they were shown, so that tests can check that it is all that they may see and nothing
// else.
import assert from 'node:assert/strict';
import { eventually, must } from './client.mjs';
import { sleep } from './harness.mjs';
import { Stream } from './streams.mjs';

const LATE = [503, 504];       // a busy machine: it is unknown whether it was done
const KILLED = [500, 502];      // while processes are killed these, and lost connections, mean the same

// Repeats a request until it is answered, as clients can whose messages have client_ids, and whose other requests are
// idempotent; `again`: whether it was repeated. Not requests with a timeout of their own, which are meant to be cut
// off, and not registrations, which accounts() repeats.
export const patient = (api, { killed = false } = {}) => async (method, path, options) => {
        if (options?.timeoutMs || path === '/v1/auth/register') {
                return api(method, path, options);
        }
        for (let tries = 0, end = Date.now() + 90_000; ; tries++) {
                const answer = await api(method, path, options).catch((error) => {
                        assert.ok(killed && !(error instanceof assert.AssertionError) && Date.now() < end, `${method} ${path}: ${error.message}`);
                });
                const away = !answer || LATE.includes(answer.status) || (killed && KILLED.includes(answer.status));
                if (answer && (!away || Date.now() > end)) {
                        return Object.assign(answer, { again: tries > 0 });
                }
                await sleep(100);
        }
};

const MARKS = ['messages.read', 'messages.delivered']; // have numbers, but are not entries

// The parts of a message that must be the same on two clients. A quoted message is as it was when the answer was shown.
export const essence = ({ id, seq, text, deleted, edited_at, sender, reactions }) => ({ id, seq, text, deleted, edited_at, sender: sender?.id ?? null,
        reactions: reactions.map((r) => `${r.emoji} ${r.count} ${r.mine}`).sort() });

export async function pagesOf(member, id) {
        const found = [];
        for (let after = 0, more = true; more;) {
                const page = must(await member.get(`/v1/chats/${id}/messages?limit=100&after_seq=${after}`));
                found.push(...page.items);
                more = page.more_after;
                after = page.items.at(-1)?.seq ?? after;
        }
        return found;
}

export async function logOf(member, id, limit = 100) {
        const found = [];
        for (let after = 0, more = true; more;) {
                const page = must(await member.get(`/v1/chats/${id}/changes?limit=${limit}&after_seq=${after}`));
                found.push(...page.items);
                more = page.more;
                assert.ok(more ? page.count > page.items.length : page.count === page.items.length, 'how many are left is said');
                after = page.items.at(-1)?.seq ?? after;
        }
        return found;
}

// The state of a device that syncs now and then: chats (as listed, null for those left), and their messages by id.
export class Replica {
        constructor(member, limit = 20) {
                Object.assign(this, { member, limit, next: '', chats: new Map(), shown: [], reloads: 0 });
        }

        async sync() {
                for (let more = true; more;) {
                        const answer = must(await this.member.get(`/v1/chats/sync?limit=${this.limit}${this.next ? `&since=${encodeURIComponent(this.next)}` : ''}`));
                        if (answer.reset) {
                                this.chats.clear();
                        }
                        for (const item of answer.items) {
                                await this.take(item);
                        }
                        ({ more, next: this.next } = answer);
                }
        }

        async take(item) {
                const known = this.chats.get(item.chat_id) ?? { messages: new Map(), numbers: new Set() };
                const readable = (seq) => item.readable.some((range) => seq >= range.from_seq && (range.to_seq === 0 || seq <= range.to_seq));
                this.chats.set(item.chat_id, known);
                known.chat = item.chat;
                known.last_seq = item.last_seq;
                this.shown.push(...item.changes);
                if (item.complete) {
                        const seqs = item.changes.map((change) => change.seq);
                        assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), 'in order, each once');
                        seqs.forEach((seq) => known.numbers.add(seq));
                        item.changes.filter((change) => change.message).forEach(({ message }) => known.messages.set(message.id, message));
                } else {
                        this.reloads++;
                        known.numbers = new Set((await logOf(this.member, item.chat_id)).map((change) => change.seq));
                        known.messages = new Map((await pagesOf(this.member, item.chat_id)).map((message) => [message.id, message]));
                }
                item.hidden.forEach((id) => known.messages.delete(id));
                for (const [id, { seq }] of known.messages) {
                        if (!readable(seq)) {
                                known.messages.delete(id);
                        }
                }
                known.isWhole = () => [...known.numbers].filter((seq) => seq <= item.last_seq && readable(seq)).length === item.count;
        }

        // Whether it has every entry that it may read, according to the last response for each chat.
        isWhole() { return [...this.chats.values()].every((known) => known.isWhole()); }

        messages(id) { return [...this.chats.get(id).messages.values()].sort((a, b) => a.seq - b.seq).map(essence); }
}

// A device that follows the live stream: `log` has the entries received, once each, in the order of first receipt. It
// reconnects when the server ends the stream or is gone.
export class Follower {
        constructor(member, url) { Object.assign(this, { member, url, log: [], seen: new Set(), position: null }); }

        connect() { return eventually(`${this.member.username} follows the stream`, () => this.tryToConnect(), 60_000); }

        async tryToConnect() {
                this.stream?.socket.terminate();
                if (this.ended) {
                        return this; // a test has failed while other clients continue
                }
                this.stream = new Stream(this.url, { token: this.member.token });
                await this.stream.opened;
                await Promise.race([this.stream.next(), this.stream.closed.then(() => { throw new Error('closed'); })]);
                const { type, resumed, position, problem } = await Promise.race([this.stream.subscribe('messages', this.position),
                        this.stream.closed.then(() => { throw new Error('closed'); })]);
                assert.equal(type, 'subscribed', problem?.detail);
                assert.ok(this.position === null || resumed, 'it resumes');
                this.position ??= position;
                this.taken = 0;
                return this;
        }

        // What has arrived on this connection since the last call.
        async take() {
                const events = this.stream.events().slice(this.taken);
                this.taken += events.length;
                for (const { event, data, position } of events) {
                        this.position = position ?? this.position;
                        if (data.seq && !MARKS.includes(event) && !this.seen.has(data.id)) { // events come at least once
                                this.seen.add(data.id);
                                this.log.push(data);
                        }
                }
                if (this.stream.socket.readyState !== this.stream.socket.OPEN) {
                        await this.connect();
                }
        }

        // As if the network failed: messages in flight are lost, and repeated when it resumes.
        async cut() {
                await this.take();
                this.stream.socket.terminate();
                await this.connect();
        }

        of(chat) { return this.log.filter((change) => change.chat_id === chat.id); }

        end() {
                this.ended = true;
                this.stream?.socket.terminate();
        }
}
