// docs/api.md as a program: members, how they stand to each other, notes, and who sees them. Pure: it knows no server, no time and no
// randomness. Members and notes have labels (m1, n1); what came first stands first everywhere, so a counter is all the time there is.

const HASHTAG = /#(\w+)/g;
const MENTION = /@(m\d+)/g;
const unique = (list) => [...new Set(list)];

export class Model {
        constructor(labels) {
                this.members = new Map(labels.map((label) => [label, { label, name: `Name of ${label}` }]));
                this.notes = new Map(); // label → note, deleted ones too
                this.edges = { follow: new Map(), block: new Map(), mute: new Map() }; // 'from to' → when
                this.marks = { like: new Map(), renote: new Map(), bookmark: new Map() }; // 'member note' → {when, renote}
                this.cursors = new Map(); // label → where a reader stopped; null: there was no more
                this.now = 0;
        }

        // ---- relations

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
                this.unlink('follow', from, to);
                this.unlink('follow', to, from);
        }

        // Whom (or by whom) somebody is followed, the newest first: [[label, when]].
        followersOf(label) { return this.#side('follow', 1, label); }
        followedBy(label) { return this.#side('follow', 0, label); }
        #side(kind, side, label) {
                return [...this.edges[kind]].map(([pair, when]) => [pair.split(' '), when]).filter(([pair]) => pair[side] === label)
                        .map(([pair, when]) => [pair[1 - side], when]).sort((a, b) => b[1] - a[1]);
        }

        // ---- notes

        #add(label, note) {
                this.notes.set(label, { label, when: ++this.now, edited: false, deleted: false, parent: null, renoteOf: null, text: '', ...note });
                return this.notes.get(label);
        }

        post(label, author, text, visibility) {
                return this.#add(label, { author, text, visibility, owner: author });
        }

        // A comment has the audience of the note that it answers.
        comment(label, author, text, parent) {
                return this.#add(label, { author, text, visibility: parent.visibility, owner: parent.owner, parent: parent.label });
        }

        edit(note, text) {
                note.edited ||= note.text !== text;
                note.text = text;
        }

        remove(note) {
                note.deleted = true;
                if (note.renoteOf) {
                        this.marks.renote.delete(`${note.author} ${note.renoteOf}`);
                }
        }

        // ---- reactions: what stands for 'member note' is true once

        marked(what, member, note) { return this.marks[what].get(`${member} ${note.label}`); }

        mark(what, member, note, renoteLabel) {
                if (this.marked(what, member, note)) {
                        return;
                }
                this.marks[what].set(`${member} ${note.label}`, { when: ++this.now, renote: renoteLabel });
                if (what === 'renote') {
                        this.#add(renoteLabel, { author: member, visibility: note.visibility, owner: member, renoteOf: note.label });
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
                return [...this.marks[what].keys()].filter((key) => key.endsWith(` ${note.label}`)).length;
        }

        commentsOf(note) { return this.live().filter((n) => n.parent === note.label); }
        live() { return [...this.notes.values()].filter((n) => !n.deleted); }
        inner(note) { return note.renoteOf ? this.notes.get(note.renoteOf) : note; }
        // As they were first written; case does not tell them apart.
        hashtags(note) {
                const written = [...note.text.matchAll(HASHTAG)].map((m) => m[1]);
                return written.filter((tag, i) => written.findIndex((t) => t.toLowerCase() === tag.toLowerCase()) === i);
        }
        hasTag(note, tag) { return this.hashtags(note).some((t) => t.toLowerCase() === tag.toLowerCase()); }
        mentions(note) { return unique([...note.text.matchAll(MENTION)].map((m) => m[1])).filter((m) => this.members.has(m)); }

        // Public notes anybody passes on; what is for one's own followers, oneself.
        mayPassOn(member, note) {
                return note.visibility === 'public' || (note.visibility === 'followers' && note.author === member && note.owner === member);
        }

        // ---- who sees what; viewer null is nobody

        visible(viewer, note) {
                if (!note || note.deleted) {
                        return false;
                }
                if (note.renoteOf) {
                        // Whom the author has blocked passes nothing of theirs on to anybody.
                        const passes = note.author === viewer || !this.has('block', this.inner(note).author, note.author);
                        return passes && this.visible(viewer, this.inner(note)) && (viewer === null || !this.blocked(viewer, note.author));
                }
                if (note.author === viewer) {
                        return true;
                }
                if (note.removed || (viewer !== null && this.blocked(viewer, note.author))) {
                        return false;
                }
                return note.visibility === 'public' ||
                       (note.visibility === 'followers' && viewer !== null && (note.owner === viewer || this.has('follow', viewer, note.owner)));
        }
        // Whether muting keeps a note out of lists: what the muted wrote, and what others pass on of theirs. Not what one asked them for.
        muted(viewer, note, askedFor = null) {
                const mutes = (author) => author !== askedFor && this.has('mute', viewer, author);
                return note.author !== viewer && (mutes(note.author) || mutes(this.inner(note).author));
        }
}
