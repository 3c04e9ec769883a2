// Random steps: members' actions and reads, as plain objects that can be replayed, left out and printed. {do, by, …}; by null: not logged in. `of`
// and `to` are the objects of a step, `as` is the label for what it creates.

// mulberry32: the same seed gives the same steps.
export function randomFrom(seed) {
        let state = seed >>> 0;
        return () => {
                state = (state + 0x6d2b79f5) >>> 0;
                let t = Math.imul(state ^ (state >>> 15), 1 | state);
                t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
                return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
        };
}

const TAGS = ['t1', 't2', 't3'];
const VISIBILITIES = [null, null, 'public', 'public', 'followers', 'followers', 'only_me']; // null: the account's default
const LIMITS = [1, 2, 3, 4, 7, 20, 100];
const NEVER = 'n0'; // a note that never existed
const NEWEST_FIRST = new Set(['home', 'user', 'hashtag', 'bookmarks', 'followers', 'following', 'requests']); // these support newer items
export const ON_CURSORS = new Set(['turn', 'newer']); // they continue after an `open`

const WEIGHTS = {
        post: 12, comment: 9, edit: 3, remove: 3, removeComment: 3, like: 5, unlike: 3, renote: 6, unrenote: 3, bookmark: 4, unbookmark: 2,
        follow: 6, unfollow: 2, block: 2, unblock: 3, mute: 2, unmute: 2, rename: 1,
        closeAccount: 1.5, openAccount: 1, accept: 4, decline: 1, leave: 0.5, comeBack: 1,
        readNote: 10, home: 9, user: 7, hashtag: 6, comments: 5, thread: 6, bookmarks: 4, followers: 2, following: 2, requests: 2, relation: 3, profile: 2, open: 6, turn: 5, newer: 8,
};

export class Steps {
        constructor(random) {
                this.random = random;
                this.made = 0; // labels given so far
        }

        below(n) { return Math.floor(this.random() * n); }
        pick(list) { return list[this.below(list.length)]; }
        label(prefix) { return `${prefix}${++this.made}`; }

        // Mostly one of the newest, sometimes any, rarely one that never existed.
        note(model) {
                const notes = [...model.notes.keys()];
                const dice = this.random();
                return notes.length === 0 || dice < 0.02 ? NEVER : dice < 0.7 ? this.pick(notes.slice(-12)) : this.pick(notes);
        }

        text() {
                const words = [`word${this.below(1000)}`];
                for (let i = this.below(3); i > 0; i--) {
                        const tag = this.pick(TAGS);
                        words.push(`#${this.random() < 0.2 ? tag.toUpperCase() : tag}`);
                }
                for (let i = this.below(3) - 1; i > 0; i--) {
                        words.push(`@m${1 + this.below(7)}`); // one of them not logged in
                }
                return words.join(' ');
        }

        // Usually by the author of the note commented on.
        removal(model, by) {
                const comment = this.pick([...model.notes.values()].filter((n) => n.parent !== null)) ?? { label: NEVER, parent: this.note(model) };
                const of = this.random() < 0.7 ? comment.parent : this.note(model);
                return { do: 'removeComment', by: this.random() < 0.7 ? model.notes.get(of)?.author ?? by : by, of, comment: comment.label };
        }

        // Usually for a member who has asked.
        answer(verb, model, by) {
                const asked = this.pick([...model.edges.ask.keys()])?.split(' ');
                return asked && this.random() < 0.9 ? { do: verb, by: asked[1], to: asked[0] } : { do: verb, by, to: this.pick([...model.members.keys()]) };
        }

        list(list, by) {
                return (model) => {
                        const step = { do: 'list', list, by, limit: this.pick(LIMITS) };
                        if (list === 'user' || list === 'followers' || list === 'following') {
                                step.of = this.pick([...model.members.keys()]);
                        } else if (list === 'comments' || list === 'thread') {
                                step.of = this.note(model);
                        } else if (list === 'hashtag') {
                                step.tag = this.pick(TAGS);
                        }
                        return step;
                };
        }

        next(model) {
                const members = [...model.members.keys()];
                const by = this.pick(model.active());
                const reader = this.pick([...model.active(), null]);
                const notes = (verb) => () => ({ do: verb, by, of: this.note(model) });
                const people = (verb) => () => ({ do: verb, by, to: this.pick(members) });
                const make = {
                        post: () => ({ do: 'post', by, as: this.label('n'), text: this.text(), visibility: this.pick(VISIBILITIES) }),
                        comment: () => ({ do: 'comment', by, as: this.label('n'), of: this.note(model), text: this.text() }),
                        edit: () => ({ do: 'edit', by, of: this.note(model), text: this.text() }),
                        removeComment: () => this.removal(model, by),
                        closeAccount: () => ({ do: 'closeAccount', by }),
                        openAccount: () => ({ do: 'openAccount', by }),
                        leave: () => ({ do: 'leave', by }),
                        comeBack: () => ({ do: 'comeBack', by: this.pick(members) }),
                        accept: () => this.answer('accept', model, by),
                        decline: () => this.answer('decline', model, by),
                        renote: () => ({ do: 'renote', by, of: this.note(model), as: this.label('n') }),
                        rename: () => ({ do: 'rename', by, name: `Name ${this.below(1000)}` }),
                        readNote: () => ({ do: 'note', by: reader, of: this.note(model) }),
                        relation: () => ({ do: 'relation', by, to: this.pick(members) }),
                        profile: () => ({ do: 'profile', by: reader, of: this.pick(members) }),
                        open: () => ({ ...this.list(this.pick(['home', 'user', 'hashtag', 'comments', 'thread', 'bookmarks', 'followers', 'following', 'requests']), by)(model),
                                       do: 'open', limit: 1 + this.below(4), as: this.label('c') }),
                        turn: () => ({ do: 'turn', by, of: this.pick([...model.cursors.keys()].slice(-6)) }),
                        newer: () => ({ do: 'newer', by, of: this.pick([...model.cursors.keys()].slice(-6)) }),
                };
                for (const verb of ['remove', 'like', 'unlike', 'unrenote', 'bookmark', 'unbookmark']) {
                        make[verb] = notes(verb);
                }
                for (const verb of ['follow', 'unfollow', 'block', 'unblock', 'mute', 'unmute']) {
                        make[verb] = people(verb);
                }
                for (const list of ['home', 'bookmarks', 'requests']) {
                        make[list] = () => this.list(list, by)(model);
                }
                for (const list of ['user', 'hashtag', 'comments', 'thread', 'followers', 'following']) {
                        make[list] = () => this.list(list, reader)(model);
                }
                return make[this.weighted()]();
        }

        weighted() {
                let dice = this.random() * Object.values(WEIGHTS).reduce((a, b) => a + b);
                return Object.keys(WEIGHTS).find((name) => (dice -= WEIGHTS[name]) < 0);
        }
}

// Deactivated members can only return, and at least one member stays. Pending requests are accepted by an event when an account is opened: with
// several, their order among the followers is undefined.
function mayAct(model, { do: verb, by }) {
        if (by === null || verb === 'comeBack') {
                return by === null || model.gone(by);
        }
        const askers = model.askersOf(by).map(([label]) => label);
        return !model.gone(by) && (verb !== 'leave' || model.active().length > 3) &&
               (verb !== 'openAccount' || (askers.length <= 1 && !askers.some((label) => model.gone(label))));
}

// Whether everything that a step refers to exists: in a shortened script it may have been removed.
export function applies(model, step) {
        if (!mayAct(model, step)) {
                return false;
        }
        if (ON_CURSORS.has(step.do)) {
                const at = model.cursors.get(step.of);
                return at !== undefined && !model.members.get(at.step.by).gone && (step.do === 'turn' ? at.more : at.listed.size > 0 && NEWEST_FIRST.has(at.step.list));
        }
        const isNote = (label) => label === NEVER || model.notes.has(label);
        if (step.comment !== undefined && !isNote(step.comment)) {
                return false;
        }
        return step.of === undefined || isNote(step.of) || model.members.has(step.of);
}
