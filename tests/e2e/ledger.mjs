// The expected state of a crash test: every acknowledged effect of one group of members. audit() compares it with the public API.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { eventually, ids, inBatches, must, randomKey, readAll } from './client.mjs';
import { query } from './database.mjs';
import { sleep } from './harness.mjs';

const GIVE_UP_MS = 60_000;
const RETRIED = new Set([409, 429, 500, 502, 503, 504]);

// A finding of an audit: the server responds, but not with what was acknowledged. A failing request is not damage.
export class Damage extends Error {}

const brief = (value) => JSON.stringify(value).slice(0, 500);

function expectSame(actual, expected, what) {
        if (!isDeepStrictEqual(actual, expected)) {
                throw new Damage(`${what}: expected ${brief(expected)}, got ${brief(actual)}`);
        }
}

// Repeats until check() finds no damage; otherwise returns the last finding.
async function undamaged(what, check, withinMs) {
        try {
                await eventually(what, check, withinMs);
        } catch (error) {
                throw error.cause instanceof Damage ? error.cause : error;
        }
}

// Repeats an idempotent request until its outcome is known. The response must be one of `good`, or explained by a retry.
export async function untilAcknowledged(ask, good) {
        const end = Date.now() + GIVE_UP_MS;
        for (let attempt = 0; ; attempt++) {
                let answer = null;
                try {
                        answer = await ask();
                } catch {
                        // the connection was lost: the outcome is unknown
                }
                if (answer && good.includes(answer.status)) {
                        return answer;
                }
                if (answer && !RETRIED.has(answer.status)) {
                        throw new Error(`${answer.request}: ${answer.status} ${answer.text.slice(0, 300)}`);
                }
                if (Date.now() > end) {
                        throw new Error(`no outcome within ${GIVE_UP_MS} ms: ${answer ? `${answer.request} ${answer.status} ${answer.text.slice(0, 300)}` : 'no answer'}`);
                }
                await sleep(50 + Math.min(attempt, 8) * 50);
        }
}

export class Ledger {
        constructor(members, random, label) {
                Object.assign(this, { members, random, label });
                this.notes = new Map(); // id → {id, author, text, likes: Set, comments, deleting}
                this.follows = new Map(members.map((m) => [m.id, new Set()]));
                this.mayDelete = new Set(); // notes that their author may delete later
                this.posted = 0;
                this.events = 0;
        }

        pick(list) {
                return list[Math.floor(this.random() * list.length)];
        }

        async post(member) {
                const text = `${this.label} note ${this.posted++}`;
                const headers = { 'idempotency-key': randomKey() };
                const { body } = await untilAcknowledged(() => member.post('/v1/notes', { text }, { headers, timeoutMs: 10_000 }), [201]);
                assert.equal(body.text, text);
                if (this.notes.size % 7 === 6) {
                        this.mayDelete.add(body.id);
                }
                this.notes.set(body.id, { id: body.id, author: member.id, text, likes: new Set(), comments: 0, deleting: false });
        }

        async like(member, note, on) {
                const ask = () => (on ? member.put : member.del).call(member, `/v1/notes/${note.id}/like`, { timeoutMs: 10_000 });
                const { status } = await untilAcknowledged(ask, [200, ...this.mayBeGone(note)]);
                if (status === 200) {
                        note.likes[on ? 'add' : 'delete'](member.id);
                }
        }

        // 404, or 204 for an undo, is correct if the author deletes the note concurrently.
        mayBeGone(note) {
                return this.mayDelete.has(note.id) ? [404, 204] : [];
        }

        async comment(member, note) {
                const headers = { 'idempotency-key': randomKey() };
                const ask = () => member.post(`/v1/notes/${note.id}/comments`, { text: `${this.label} comment` }, { headers, timeoutMs: 10_000 });
                const { status } = await untilAcknowledged(ask, [201, ...this.mayBeGone(note)]);
                note.comments += status === 201 ? 1 : 0;
        }

        async remove(member, note) {
                note.deleting = true;
                // A retry gets 404 if the first attempt succeeded.
                await untilAcknowledged(() => member.del(`/v1/notes/${note.id}`, { timeoutMs: 10_000 }), [204, 404]);
                this.notes.delete(note.id);
        }

        async follow(member, other, on) {
                const ask = () => (on ? member.put : member.del).call(member, `/v1/users/${other.id}/follow`, { timeoutMs: 10_000 });
                await untilAcknowledged(ask, [200]);
                this.follows.get(member.id)[on ? 'add' : 'delete'](other.id);
        }

        // Follows somebody, or no longer does.
        async toggle(member) {
                const other = this.pick(this.members.filter((m) => m !== member));
                await this.follow(member, other, !this.follows.get(member.id).has(other.id));
        }

        // Sent unchanged until it is acknowledged: an ID counts once.
        async record(member) {
                const events = Array.from({ length: 1 + Math.floor(this.random() * 20) }, () => ({ id: randomUUID(), name: 'click', at: new Date().toISOString(), properties: { target: this.label } }));
                const { body } = await untilAcknowledged(() => member.post('/v1/analytics/events', { events }, { timeoutMs: 10_000 }), [202]);
                assert.equal(body.accepted, events.length);
                this.events += events.length;
        }

        // One step of one member: mostly posts. Every seventh note may be deleted later, the others stay.
        async step(member) {
                const dice = this.random();
                const note = this.pick([...this.notes.values()].filter((n) => !n.deleting));
                const other = this.pick(this.members.filter((m) => m !== member));
                if (dice < 0.1) {
                        await this.record(member);
                } else if (dice < 0.5 || !note) {
                        await this.post(member);
                } else if (dice < 0.72) {
                        await this.like(member, note, this.random() < 0.75);
                } else if (dice < 0.85) {
                        await this.comment(member, note);
                } else if (dice < 0.95) {
                        await this.follow(member, other, this.random() < 0.7);
                } else if (note.author === member.id && this.mayDelete.has(note.id)) {
                        await this.remove(member, note);
                }
        }

        homeOf(member) {
                const seen = [...this.notes.values()].filter((n) => n.author === member.id || this.follows.get(member.id).has(n.author));
                return seen.map((n) => n.id).sort().reverse();
        }

        // Every acknowledged note exactly once, with exact counters: in the first response. Until a process has reconnected to the killed one, it
        // responds with 503.
        async auditNotes() {
                await inBatches(this.members, 2, async (member) => {
                        const listed = await readAll((p) => untilAcknowledged(() => member.get(p), [200]), `/v1/timelines/users/${member.id}`);
                        const expected = [...this.notes.values()].filter((n) => n.author === member.id);
                        expectSame(ids(listed).sort(), expected.map((n) => n.id).sort(), `${this.label}: the notes of ${member.username}`);
                        for (const item of listed) {
                                const note = this.notes.get(item.id);
                                expectSame([item.text, item.counts.likes, item.counts.comments, item.viewer.liked],
                                           [note.text, note.likes.size, note.comments, note.likes.has(member.id)], `${this.label}: ${note.text} and its counters`);
                        }
                });
        }

        // Every home timeline and every profile's counts, which are updated by events: within a generous time.
        async auditDelivery(withinMs) {
                await inBatches(this.members, 2, async (member) => {
                        const whose = `of ${member.username}`;
                        await undamaged(`${this.label}: the home timeline ${whose}`, async () => {
                                const home = await readAll((p) => member.get(p), '/v1/timelines/home');
                                expectSame(ids(home), this.homeOf(member), `${this.label}: the home timeline ${whose}`);
                        }, withinMs);
                        const following = this.follows.get(member.id).size;
                        const followers = this.members.filter((m) => this.follows.get(m.id).has(member.id)).length;
                        await undamaged(`${this.label}: the counts ${whose}`, async () => {
                                const { counts } = must(await member.get(`/v1/users/${member.id}`));
                                expectSame([counts.followers, counts.following], [followers, following], `${this.label}: the counts ${whose}`);
                        }, withinMs);
                });
        }

        // Every acknowledged analytics event exactly once, also in the roll-ups; the API does not return single events.
        async auditEvents(dir, withinMs) {
                await undamaged(`${this.label}: the events`, async () => {
                        const [stored, different] = query(dir, 'analytics', `select count(*), count(distinct id) from user_events where name = 'click' and properties->>'target' = '${this.label}'`).split('|');
                        expectSame([Number(stored), Number(different)], [this.events, this.events], `${this.label}: the events`);
                }, withinMs);
                const counts = query(dir, 'analytics', `select (select count(*) from user_events where name = 'click'), (select coalesce(sum(value), 0) from business_metrics where name = 'click' and grain = 'hour'),
                        (select coalesce(sum(value), 0) from business_metrics where name = 'click' and grain = 'day')`).split('|');
                expectSame(counts, [counts[0], counts[0], counts[0]], `${this.label}: events and their counts by hour and day`);
        }
}
