// The expected response to a step, according to docs/api.md; also applies its change to the model. Pure.
//   {status}                                an error, or a response without a body
//   {status, note | relation | user}        one object
//   {status, items, note?, ancestors?}      a whole list, regardless of its pages: [{when, view}]
//   {status, items, first: limit}           only its first page
//   {status, items, optional}               the rest of a list after a cursor; optional: positions that may be present or not
//   {status, items, optional, ascending}    newer items, to the end
import { LISTS, ancestors, noteView, profileView, relationView } from './views.mjs';

const OK = 200;
const CREATED = 201;
const DONE = { status: 204 };
const FORBIDDEN = { status: 403 };
const NOT_FOUND = { status: 404 };
const CONFLICT = { status: 409 };
const INVALID = { status: 422 };

const noteAnswer = (model, viewer, note, status = OK) => ({ status, note: noteView(model, viewer, note) });

// The note to which reactions and comments on an ID apply, if its reader may see it.
function target(model, viewer, label) {
        const note = model.notes.get(label);
        return model.visible(viewer, note) ? model.inner(note) : null;
}

function react(what) {
        return (model, { by, of, as }) => {
                const note = target(model, by, of);
                if (!note) {
                        return NOT_FOUND;
                }
                if (what === 'renote' && !model.mayPassOn(by, note)) {
                        return FORBIDDEN;
                }
                model.mark(what, by, note, as);
                return noteAnswer(model, by, note);
        };
}

// Actions can be undone even if the note is no longer visible, but not by the ID of another member's hidden renote.
function undo(what) {
        return (model, { by, of }) => {
                const asked = model.notes.get(of);
                const ownRenote = asked?.renoteOf && !asked.deleted && asked.author === by;
                const note = asked?.renoteOf && !ownRenote ? target(model, by, of) : asked && model.inner(asked);
                if (note) {
                        model.unmark(what, by, note);
                }
                return model.visible(by, note) ? noteAnswer(model, by, note) : DONE;
        };
}

function relate(kind) {
        return (model, { by, to }) => {
                if (by === to || model.gone(to)) {
                        return by === to ? INVALID : NOT_FOUND;
                }
                if (kind === 'follow' && model.blocked(by, to)) {
                        return FORBIDDEN;
                }
                if (kind === 'mute') {
                        model.link(kind, by, to);
                } else {
                        model[kind](by, to);
                }
                return { status: OK, relation: relationView(model, by, to) };
        };
}

function unrelate(kind) {
        return (model, { by, to }) => {
                if (by === to || model.gone(to)) {
                        return by === to ? INVALID : NOT_FOUND;
                }
                model.unlink(kind, by, to);
                if (kind === 'follow') {
                        model.unlink('ask', by, to);
                }
                return { status: OK, relation: relationView(model, by, to) };
        };
}

// Your own notes can be changed; others' are not found, or forbidden if visible. Returns the error, or null.
function refusedChange(model, by, note) {
        if (note && !note.deleted && note.author === by) {
                return null;
        }
        return model.visible(by, note) ? FORBIDDEN : NOT_FOUND;
}

export const CHANGES = {
        post: (model, { by, as, text, visibility }) => noteAnswer(model, by, model.post(as, by, text, visibility), CREATED),
        comment(model, { by, as, text, of }) {
                const parent = target(model, by, of);
                return parent ? noteAnswer(model, by, model.comment(as, by, text, parent), CREATED) : NOT_FOUND;
        },
        edit(model, { by, of, text }) {
                const note = model.notes.get(of);
                const refused = refusedChange(model, by, note);
                if (refused || note.renoteOf) {
                        return refused ?? CONFLICT;
                }
                model.edit(note, text);
                return noteAnswer(model, by, note);
        },
        remove(model, { by, of }) {
                const note = model.notes.get(of);
                const refused = refusedChange(model, by, note);
                if (!refused) {
                        model.remove(note);
                }
                return refused ?? DONE;
        },
        // From under your own note. The comment stays visible to its author; your own comment is deleted.
        removeComment(model, { by, of, comment: label }) {
                const note = target(model, by, of);
                const comment = model.notes.get(label);
                if (note?.author !== by) {
                        return note ? FORBIDDEN : NOT_FOUND;
                }
                if (!comment || comment.deleted || !ancestors(model, comment).includes(note)) {
                        return NOT_FOUND;
                }
                if (comment.author === by) {
                        model.remove(comment);
                }
                comment.removed = true;
                return DONE;
        },
        like: react('like'), renote: react('renote'), bookmark: react('bookmark'),
        unlike: undo('like'), unrenote: undo('renote'), unbookmark: undo('bookmark'),
        follow: relate('follow'), block: relate('block'), mute: relate('mute'),
        unfollow: unrelate('follow'), unblock: unrelate('block'), unmute: unrelate('mute'),
        rename(model, { by, name }) {
                model.members.get(by).name = name;
                return { status: OK, user: model.person(by) };
        },
        // For requests to follow your private account.
        accept(model, { by, to }) {
                if (by === to || model.gone(to)) {
                        return by === to ? INVALID : NOT_FOUND;
                }
                if (model.has('ask', to, by)) {
                        model.accept(to, by);
                }
                return model.has('follow', to, by) ? { status: OK, relation: relationView(model, by, to) } : NOT_FOUND;
        },
        decline(model, { by, to }) {
                if (by === to || model.gone(to)) {
                        return by === to ? INVALID : NOT_FOUND;
                }
                model.unlink('ask', to, by);
                return { status: OK, relation: relationView(model, by, to) };
        },
        closeAccount(model, { by }) {
                model.members.get(by).private = true;
                return { status: OK };
        },
        openAccount(model, { by }) {
                model.open(by);
                return { status: OK };
        },
        // Deactivated, and restored within the grace period.
        leave(model, { by }) {
                model.members.get(by).gone = true;
                return DONE;
        },
        comeBack(model, { by }) {
                model.members.get(by).gone = false;
                return { status: OK };
        },
};

export const READS = {
        note(model, { by, of }) {
                const view = noteView(model, by, model.notes.get(of));
                return view ? { status: OK, note: view } : NOT_FOUND;
        },
        profile: (model, { by, of }) => (model.gone(of) ? NOT_FOUND : { status: OK, user: profileView(model, by, of) }),
        relation: (model, { by, to }) => ({ status: OK, relation: relationView(model, by, to) }),
        list: (model, step) => LISTS[step.list](model, step.by, step),
        // A first page now; the rest by a `turn` later, after other steps.
        open(model, step) {
                const all = LISTS[step.list](model, step.by, step);
                const places = all.items?.map((item) => item.when) ?? [];
                model.cursors.set(step.as, { step, more: places.length > step.limit, last: places[step.limit - 1], next: places[step.limit], began: places[0],
                                             opened: model.now, polled: model.now, listed: new Set(places), shown: new Set(places.slice(0, step.limit)) });
                return all.items ? { ...all, first: step.limit } : all;
        },
        turn(model, { of }) {
                const { step, last, next, began, opened } = model.cursors.get(of);
                const all = LISTS[step.list](model, step.by, step, began);
                if (all.status !== OK) {
                        return all;
                }
                const beyond = (when, place) => (step.list === 'comments' || step.list === 'thread' ? when > place : when < place);
                // Items that were hidden directly after the first page and no longer are: the cursor may have skipped them.
                const optional = (when) => when <= opened && beyond(next, when);
                return { ...all, items: all.items.filter((item) => beyond(item.when, last)), optional };
        },
        // Items added since the first page, or since the last request: oldest first, to the end. Items that were there then are not included; items
        // that have become visible since, and items not yet delivered below a home timeline's page, may be.
        newer(model, { of }) {
                const at = model.cursors.get(of);
                const all = LISTS[at.step.list](model, at.step.by, at.step);
                if (all.status !== OK) {
                        return all;
                }
                const { polled } = at;
                const never = at.step.list === 'home' ? new Set(at.shown) : new Set(at.listed);
                const comes = (item) => !never.has(item.when);
                all.items.forEach(({ when }) => {
                        at.listed.add(when);
                        at.shown = when > polled ? at.shown.add(when) : at.shown;
                });
                at.polled = model.now;
                return { ...all, items: all.items.filter(comes).reverse(), older: all.older?.filter(comes), optional: (when) => when <= polled, ascending: true };
        },
};

export const expected = (model, step) => (CHANGES[step.do] ?? READS[step.do])(model, step);
