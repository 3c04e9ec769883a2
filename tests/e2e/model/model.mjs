// A model of docs/api.md: members, their relationships, notes, and who sees them. Pure: it has no server, no time and no randomness. Members and
// notes have labels (m1, n1); order is always order of creation, so a counter serves as the time.

const HASHTAG = /#(\w+)/g;
const MENTION = /@(m\d+)/g;
const unique = (list) => [...new Set(list)];

export class Model {
        constructor(labels) {
                this.members = new Map(labels.map((label) => [label, { label, name: `Name of ${label}`, private: false, gone: false }])); // gone: deactivated
                this.notes = new Map(); // label → note, deleted ones too
                this.edges = { follow: new Map(), ask: new Map(), block: new Map(), mute: new Map() }; // 'from to' → when
                this.marks = { like: new Map(), renote: new Map(), bookmark: new Map() }; // 'member note' → {when, renote}
                this.cursors = new Map(); // label → where a reader stopped; null: at the end
                this.now = 0;
        }

        // ---- members

        gone(label) { return this.members.get(label).gone; }
        active() { return [...this.members.keys()].filter((label) => !this.gone(label)); }
        person(label) {
                const { name, private: isPrivate } = this.members.get(label);
                return { id: label, name, private: isPrivate };
        }
        // The lists of a private account are visible to itself and its followers.
        knows(viewer, label) { return !this.members.get(label).private || viewer === label || this.has('follow', viewer, label); }

        // ---- relationships

        has(kind, from, to) { return this.edges[kind].has(`${from} ${to}`); }
        link(kind, from, to) {
                if (!this.has(kind, from, to)) {
                        this.edges[kind].set(`${from} ${to}`, ++this.now);
                }
        }
        unlink(kind, from, to) { this.edges[kind].delete(`${from} ${to}`); }
        blocked(a, b) { return this.has('block', a, b) || this.has('block', b, a); }

        block(from, to) {
                this.link('block', from, to);
                for (const kind of ['follow', 'ask']) {
                        this.unlink(kind, from, to);
                        this.unlink(kind, to, from);
                }
        }

        // A private account gets one request from each member who does not follow it yet.
        follow(from, to) {
                if (this.members.get(to).private && !this.has('follow', from, to)) {
                        this.link('ask', from, to);
                } else {
                        this.accept(from, to);
                }
        }
        accept(from, to) {
                this.unlink('ask', from, to);
                this.link('follow', from, to);
        }
        open(label) {
                this.members.get(label).private = false;
                this.askersOf(label).forEach(([from]) => this.accept(from, label));
        }

        // The members whom a member follows (or their followers), newest first: [[label, when]].
        followersOf(label) { return this.#side('follow', 1, label); }
        followedBy(label) { return this.#side('follow', 0, label); }
        askersOf(label) { return this.#side('ask', 1, label); }
        #side(kind, side, label) {
                return [...this.edges[kind]].map(([pair, when]) => [pair.split(' '), when]).filter(([pair]) => pair[side] === label)
                        .map(([pair, when]) => [pair[1 - side], when]).sort((a, b) => b[1] - a[1]);
        }

        // ---- notes

        #add(label, note) {
                this.notes.set(label, { label, when: ++this.now, edited: false, deleted: false, parent: null, renoteOf: null, text: '', mentions: this.#mentions(note.text ?? ''), ...note });
                return this.notes.get(label);
        }

        // visibility null: the account's default.
        post(label, author, text, visibility) {
                return this.#add(label, { author, text, visibility: visibility ?? (this.members.get(author).private ? 'followers' : 'public'), owner: author });
        }

        // A comment or renote has the audience of its note; by a private account, only those of them who follow it, and it is not counted.
        #audience(author, of) {
                const same = { visibility: of.visibility, owner: of.owner };
                if (!this.members.get(author).private || (of.visibility !== 'public' && of.owner === author)) {
                        return same;
                }
                return of.visibility === 'public' ? { visibility: 'followers', owner: author, uncounted: true } : { ...same, narrowed: true, uncounted: true };
        }

        comment(label, author, text, parent) {
                return this.#add(label, { author, text, ...this.#audience(author, parent), parent: parent.label });
        }

        edit(note, text) {
                note.edited ||= note.text !== text;
                note.text = text;
                note.mentions = this.#mentions(text);
        }

        remove(note) {
                note.deleted = true;
                if (note.renoteOf) {
                        this.marks.renote.delete(`${note.author} ${note.renoteOf}`);
                }
        }

        // ---- reactions: one per 'member note'

        marked(what, member, note) { return this.marks[what].get(`${member} ${note.label}`); }

        mark(what, member, note, renoteLabel) {
                if (this.marked(what, member, note)) {
                        return;
                }
                const mark = { when: ++this.now, renote: renoteLabel };
                this.marks[what].set(`${member} ${note.label}`, mark);
                if (what === 'renote') {
                        const audience = this.#audience(member, note);
                        mark.uncounted = audience.uncounted;
                        this.#add(renoteLabel, { author: member, ...audience, owner: member, renoteOf: note.label });
                }
        }

        unmark(what, member, note) {
                const mark = this.marked(what, member, note);
                this.marks[what].delete(`${member} ${note.label}`);
                if (mark?.renote) {
                        this.notes.get(mark.renote).deleted = true;
                }
        }

        count(what, note) {
                return [...this.marks[what]].filter(([key, mark]) => key.endsWith(` ${note.label}`) && !mark.uncounted).length;
        }

        commentsOf(note) { return this.live().filter((n) => n.parent === note.label); }
        live() { return [...this.notes.values()].filter((n) => !n.deleted); }
        inner(note) { return note.renoteOf ? this.notes.get(note.renoteOf) : note; }
        // As first written; case is ignored.
        hashtags(note) {
                const written = [...note.text.matchAll(HASHTAG)].map((m) => m[1]);
                return written.filter((tag, i) => written.findIndex((t) => t.toLowerCase() === tag.toLowerCase()) === i);
        }
        hasTag(note, tag) { return this.hashtags(note).some((t) => t.toLowerCase() === tag.toLowerCase()); }
        // The members mentioned in a text, of those who exist when it is written.
        #mentions(text) { return unique([...text.matchAll(MENTION)].map((m) => m[1])).filter((m) => this.members.has(m) && !this.gone(m)); }
        mentions(note) { return note.mentions.filter((m) => !this.gone(m)); }

        // Everyone can renote public notes; only the author can renote followers-only notes.
        mayPassOn(member, note) {
                return note.visibility === 'public' || (note.visibility === 'followers' && note.author === member && note.owner === member);
        }

        // ---- who sees what; viewer null: not logged in

        visible(viewer, note) {
                if (!note || note.deleted || this.gone(note.author)) {
                        return false;
                }
                if (note.renoteOf) {
                        // Renotes by members whom the author has blocked are hidden from everyone.
                        const passes = note.author === viewer || !this.has('block', this.inner(note).author, note.author);
                        return passes && this.visible(viewer, this.inner(note)) && (viewer === null || !this.blocked(viewer, note.author)) && this.#isFor(viewer, note);
                }
                if (note.author === viewer) {
                        return true;
                }
                if (note.removed || (viewer !== null && this.blocked(viewer, note.author))) {
                        return false;
                }
                return this.#isFor(viewer, note);
        }
        #isFor(viewer, note) {
                const follows = (label) => viewer === label || this.has('follow', viewer, label);
                return note.visibility === 'public' || note.author === viewer ||
                       (note.visibility === 'followers' && viewer !== null && follows(note.owner) && (!note.narrowed || this.has('follow', viewer, note.author)));
        }
        // Whether muting leaves a note out of lists: notes by muted members, and others' renotes of them. Not explicitly requested notes.
        muted(viewer, note, askedFor = null) {
                const mutes = (author) => author !== askedFor && this.has('mute', viewer, author);
                return note.author !== viewer && (mutes(note.author) || mutes(this.inner(note).author));
        }
}
