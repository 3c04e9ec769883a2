// Steps against a server: labels become its IDs, names and tags, and responses are converted back to labels.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PASSWORD, eventually, inBatches, must } from '../client.mjs';

const NEVER = '01890000-0000-7000-8000-000000000000';
const MAX_PAGES = 500;
const PATHS = {
        home: () => '/v1/timelines/home',
        user: (world, { of }) => `/v1/timelines/users/${world.id(of)}`,
        hashtag: (world, { tag }) => `/v1/timelines/hashtags/${tag}_${world.suffix}`,
        comments: (world, { of }) => `/v1/notes/${world.id(of)}/comments`,
        thread: (world, { of }) => `/v1/notes/${world.id(of)}/thread`,
        bookmarks: () => '/v1/bookmarks',
        followers: (world, { of }) => `/v1/users/${world.id(of)}/followers`,
        following: (world, { of }) => `/v1/users/${world.id(of)}/following`,
        requests: () => '/v1/follow_requests',
};

export class World {
        // net: a client (client.mjs). labels: m1, m2, …
        static async create(net, labels) {
                const world = new World(net);
                world.suffix = randomBytes(4).toString('hex');
                await inBatches(labels, 2, async (label) => {
                        const member = await net.register({ username: `${label}_${world.suffix}`, display_name: `Name of ${label}` });
                        world.members.set(label, member);
                        world.learn(label, member.id);
                });
                return world;
        }

        constructor(net) {
                this.net = net;
                this.members = new Map();
                this.ids = new Map(); // label → id
                this.labels = new Map(); // id → label
                this.created = new Map(); // label → created_at, which never changes
                this.cursors = new Map(); // label → {step, cursor}
        }

        learn(label, id) {
                this.ids.set(label, id);
                this.labels.set(id, label);
        }
        id(label) { return this.ids.get(label) ?? NEVER; }
        label(id) { return this.labels.get(id) ?? `unknown ${id}`; }
        sent(text) { return text.replace(/#(\w+)/g, `#$1_${this.suffix}`).replace(/@(m\d+)/g, `@$1_${this.suffix}`); }
        plain(text) { return text.replaceAll(`_${this.suffix}`, ''); }

        ask(by, method, path, body) {
                const token = by === null ? undefined : this.members.get(by).token;
                return this.net.api(method, path, { token, body });
        }

        // ---- responses in labels

        noteOf(json) {
                const label = this.label(json.id);
                assert.equal(this.created.get(label) ?? json.created_at, json.created_at, `created_at of ${label} has changed`);
                this.created.set(label, json.created_at);
                return {
                        id: label, author: this.personOf(json.author), text: this.plain(json.text), visibility: json.visibility, edited: json.edited_at !== null,
                        counts: json.counts, viewer: json.viewer, hashtags: json.hashtags.map((tag) => this.plain(tag)),
                        mentions: json.mentions.map((m) => this.label(m.id)), parent: json.parent_id && this.label(json.parent_id),
                        renote: json.renote_of ? this.noteOf({ ...json.renote_of, renote_of: null, renoted_by: null }) : null,
                        renotedBy: json.renoted_by && { items: json.renoted_by.items.map((author) => this.personOf(author)), count: json.renoted_by.count },
                };
        }

        personOf(json) {
                assert.equal(this.plain(json.username), this.label(json.id), 'a username that is another member\'s');
                return { id: this.label(json.id), name: json.display_name, private: json.private };
        }

        relationOf({ user_id: id, ...flags }) { return { id: this.label(id), ...flags }; }
        userOf(json) { return { ...this.personOf(json), counts: json.counts }; }

        // ---- steps; each returns {status, note | relation | user | pages, …}

        async run(step) {
                return (this[step.do] ?? this.change).call(this, step);
        }

        async #object(kind, answer) {
                const { status, body } = await answer;
                return status >= 300 || body === null ? { status } : { status, [kind]: this[`${kind}Of`](body) };
        }

        // The step's label is for the ID in the response.
        async #made(step, asked) {
                const answer = await asked;
                if (answer.status === 201) {
                        this.learn(step.as, answer.body.id);
                }
                return this.#object('note', answer);
        }

        post(step) {
                return this.#made(step, this.ask(step.by, 'POST', '/v1/notes', { text: this.sent(step.text), visibility: step.visibility ?? undefined }));
        }
        comment(step) {
                return this.#made(step, this.ask(step.by, 'POST', `/v1/notes/${this.id(step.of)}/comments`, { text: this.sent(step.text) }));
        }
        edit({ by, of, text }) { return this.#object('note', this.ask(by, 'PATCH', `/v1/notes/${this.id(of)}`, { text: this.sent(text) })); }
        remove({ by, of }) { return this.#object('note', this.ask(by, 'DELETE', `/v1/notes/${this.id(of)}`)); }

        removeComment({ by, of, comment }) {
                return this.#object('note', this.ask(by, 'DELETE', `/v1/notes/${this.id(of)}/comments/${this.id(comment)}`));
        }

        // Reactions and relationships.
        change({ do: verb, by, of, to }) {
                const undo = verb.startsWith('un');
                const what = undo ? verb.slice(2) : verb;
                const path = to === undefined ? `/v1/notes/${this.id(of)}/${what}` : `/v1/users/${this.id(to)}/${what}`;
                return this.#object(to === undefined ? 'note' : 'relation', this.ask(by, undo ? 'DELETE' : 'PUT', path));
        }

        // The response is the original; the renote itself has to be found.
        async renote(step) {
                const got = await this.change(step);
                if (got.status === 200) {
                        const { body } = await this.ask(step.by, 'GET', `/v1/timelines/users/${this.id(step.by)}?limit=100`);
                        const renote = body.items.find((item) => item.renote_of && this.label(item.renote_of.id) === got.note.id);
                        if (renote && !this.labels.has(renote.id)) {
                                this.learn(step.as, renote.id);
                        }
                }
                return got;
        }

        async rename({ by, name }) {
                const { status, body } = await this.ask(by, 'PATCH', '/v1/users/me', { display_name: name });
                return { status, user: this.personOf(body) };
        }

        accept({ by, to }) { return this.#object('relation', this.ask(by, 'PUT', `/v1/follow_requests/${this.id(to)}`)); }
        decline({ by, to }) { return this.#object('relation', this.ask(by, 'DELETE', `/v1/follow_requests/${this.id(to)}`)); }

        async #setPrivate(by, value) {
                const { status } = await this.ask(by, 'PATCH', '/v1/users/me/settings', { privacy: { private: value } });
                return { status };
        }
        closeAccount({ by }) { return this.#setPrivate(by, true); }
        // Pending requests are accepted by an event.
        async openAccount({ by }) {
                const answer = await this.#setPrivate(by, false);
                await eventually('nobody asks any more', async () => must(await this.ask(by, 'GET', '/v1/follow_requests')).items.length === 0, 60_000);
                return answer;
        }

        // A world may exist for longer than a log-in counts as recent.
        async leave({ by }) {
                await this.comeBack({ by });
                const { status } = await this.ask(by, 'DELETE', '/v1/users/me', { password: PASSWORD });
                return { status };
        }
        async comeBack({ by }) {
                this.members.set(by, await this.net.logIn(this.members.get(by).username));
                return { status: 200 };
        }

        note({ by, of }) { return this.#object('note', this.ask(by, 'GET', `/v1/notes/${this.id(of)}`)); }
        profile({ by, of }) { return this.#object('user', this.ask(by, 'GET', `/v1/users/${this.id(of)}`)); }
        async relation({ by, to }) {
                const { status, body } = await this.ask(by, 'GET', `/v1/relationships?user_ids=${this.id(to)}`);
                return { status, relation: this.relationOf(body.items[0]) };
        }

        // ---- lists: {status, pages: [{items, cursor}], note, ancestors}

        list(step) { return this.#pages(step, undefined, MAX_PAGES); }

        async open(step) {
                const got = await this.#pages(step, undefined, 1);
                this.cursors.set(step.as, { step, cursor: got.pages?.at(-1).cursor, after: got.pages?.at(-1).prev });
                return got;
        }

        turn({ of }) {
                const { step, cursor } = this.cursors.get(of);
                return this.#pages(step, cursor, MAX_PAGES);
        }

        // It may be repeated if something has not been delivered, so the next one continues from here only if it is kept.
        async newer({ of }) {
                const { step, after } = this.cursors.get(of);
                const got = { status: 200, pages: [] };
                let at = after;
                do {
                        const { status, body } = await this.#page(step, `&after=${at}`);
                        if (status !== 200) {
                                return { status };
                        }
                        assert.equal(body.next_cursor, undefined, 'what is newer goes on by prev_cursor alone');
                        at = body.prev_cursor;
                        got.pages.push({ items: this.#views(step, body.items), prev: at });
                } while (got.pages.at(-1).items.length > 0 && got.pages.length < MAX_PAGES);
                this.cursors.get(of).asked = at;
                return got;
        }
        keep(step) {
                if (step.do === 'newer') {
                        const at = this.cursors.get(step.of);
                        at.after = at.asked ?? at.after;
                }
        }

        #page(step, query) { return this.ask(step.by, 'GET', `${PATHS[step.list](this, step)}?limit=${step.limit}${query}`); }
        #views(step, items) {
                const viewOf = ['followers', 'following', 'requests'].includes(step.list) ? this.personOf : this.noteOf;
                return items.map((item) => viewOf.call(this, item));
        }

        async #pages(step, cursor, most) {
                const got = { status: 200, pages: [] };
                do {
                        const { status, body } = await this.#page(step, cursor ? `&cursor=${encodeURIComponent(cursor)}` : '');
                        if (status !== 200) {
                                return { status };
                        }
                        cursor = body.next_cursor;
                        got.pages.push({ items: this.#views(step, body.items), cursor, prev: body.prev_cursor });
                        if (body.note) {
                                got.note = this.noteOf(body.note);
                                got.ancestors = body.ancestors.map((item) => this.noteOf(item));
                        }
                } while (cursor !== undefined && got.pages.length < most);
                return got;
        }
}
