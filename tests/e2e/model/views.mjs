// What a reader gets, according to docs/api.md: the model's notes, lists and profiles, in labels. Pure, without side effects.

// A note as a viewer sees it; null if it is hidden.
export function noteView(model, viewer, note) {
        if (!model.visible(viewer, note)) {
                return null;
        }
        const counted = (what) => model.count(what, note);
        const did = (what) => viewer !== null && model.marked(what, viewer, note) !== undefined;
        return {
                id: note.label, author: model.person(note.author), text: note.text, visibility: note.visibility, edited: note.edited,
                counts: { likes: counted('like'), renotes: counted('renote'), comments: model.commentsOf(note).filter((n) => !n.removed && !n.uncounted).length, bookmarks: counted('bookmark') },
                viewer: { liked: did('like'), renoted: did('renote'), bookmarked: did('bookmark') },
                hashtags: model.hashtags(note), mentions: model.mentions(note), parent: note.parent,
                renote: note.renoteOf ? noteView(model, viewer, model.inner(note)) : null,
                renotedBy: note.renoteOf ? renotedBy(model, [note]) : null,
        };
}

// The renoters, newest first.
function renotedBy(model, renotes) {
        return { items: renotes.slice(0, 10).map(({ author }) => model.person(author)), count: renotes.length };
}

const newestFirst = (a, b) => b.when - a.when;
const oldestFirst = (a, b) => a.when - b.when;
const shown = (model, viewer, notes) => notes.map((note) => ({ when: note.when, view: noteView(model, viewer, note) })).filter((item) => item.view);

// The lists. Each returns {status, items: [{when, view}]}, or only an error status; `when` is the item's position.
export const LISTS = {
        // A note appears once, with all renoters: at the newest renote that existed when the reading began. `older`: where it would be without the
        // newer ones, which may not have arrived.
        home(model, viewer, step, began = Infinity) {
                const wanted = (n) => n.parent === null && (n.author === viewer || model.has('follow', viewer, n.author)) && !model.muted(viewer, n);
                const places = model.live().filter((n) => wanted(n) && model.visible(viewer, n)).sort(newestFirst);
                const renotesOf = (n) => places.filter((r) => r.renoteOf === model.inner(n).label);
                const stands = (n) => !renotesOf(n).some((r) => r.when > n.when && r.when <= began);
                const item = (n) => ({ when: n.when, view: { ...noteView(model, viewer, n), renotedBy: n.renoteOf ? renotedBy(model, renotesOf(n)) : null } });
                return { status: 200, items: places.filter(stands).map(item), older: places.filter((n) => !stands(n)).map(item) };
        },
        user(model, viewer, { of }) {
                if (model.gone(of)) {
                        return { status: 404 };
                }
                const notes = model.live().filter((n) => n.author === of && n.parent === null);
                return { status: 200, items: shown(model, viewer, notes).sort(newestFirst) };
        },
        hashtag(model, viewer, { tag }) {
                const notes = model.live().filter((n) => n.visibility === 'public' && model.hasTag(n, tag) && !model.muted(viewer, n));
                return { status: 200, items: shown(model, viewer, notes).sort(newestFirst) };
        },
        comments(model, viewer, { of }) {
                if (!model.visible(viewer, model.notes.get(of))) {
                        return { status: 404 };
                }
                const note = model.inner(model.notes.get(of));
                return { status: 200, items: answers(model, viewer, note, model.commentsOf(note)) };
        },
        thread(model, viewer, { of }) {
                if (!model.visible(viewer, model.notes.get(of))) {
                        return { status: 404 };
                }
                const note = model.inner(model.notes.get(of));
                const above = ancestors(model, note);
                const below = [...model.notes.values()].filter((n) => ancestors(model, n).includes(note));
                return { status: 200, note: noteView(model, viewer, note), ancestors: shown(model, viewer, above).map((item) => item.view),
                         items: answers(model, viewer, note, below) };
        },
        bookmarks(model, viewer) {
                const marked = [...model.notes.values()].filter((n) => model.marked('bookmark', viewer, n))
                        .map((note) => ({ when: model.marked('bookmark', viewer, note).when, view: noteView(model, viewer, note) }));
                return { status: 200, items: marked.filter((item) => item.view).sort(newestFirst) };
        },
        followers: (model, viewer, { of }) => people(model, viewer, of, model.followersOf(of)),
        following: (model, viewer, { of }) => people(model, viewer, of, model.followedBy(of)),
        requests: (model, viewer) => people(model, viewer, viewer, model.askersOf(viewer)),
};

// The replies to a note: without muted members, except its author.
function answers(model, viewer, note, notes) {
        return shown(model, viewer, notes.filter((n) => !model.muted(viewer, n, note.author))).sort(oldestFirst);
}

// From the first note of the conversation down to the parent, deleted ones too.
export function ancestors(model, note) {
        const above = [];
        for (let parent = note.parent; parent !== null; parent = model.notes.get(parent).parent) {
                above.unshift(model.notes.get(parent));
        }
        return above;
}

// A list of `of`: for others, without private accounts that they do not follow.
function people(model, viewer, of, edges) {
        if (model.gone(of)) {
                return { status: 404 };
        }
        const listed = edges.filter(([label]) => model.knows(viewer, of) && !model.gone(label) && (viewer === of || model.knows(viewer, label)));
        return { status: 200, items: listed.map(([label, when]) => ({ when, view: model.person(label) })) };
}

// The viewer's relationship with a member.
export function relationView(model, viewer, other) {
        const has = (kind, from, to) => !model.gone(other) && model.has(kind, from, to);
        return {
                id: other,
                following: has('follow', viewer, other), followed_by: has('follow', other, viewer),
                blocking: has('block', viewer, other), blocked_by: has('block', other, viewer), muting: has('mute', viewer, other),
                requested: has('ask', viewer, other), requested_by: has('ask', other, viewer),
        };
}

export function profileView(model, viewer, label) {
        const counted = model.live().filter((n) => n.author === label && n.parent === null && !n.renoteOf && n.visibility !== 'only_me');
        const counts = { notes: counted.length, followers: model.followersOf(label).length, following: model.followedBy(label).length };
        return { ...model.person(label), counts: viewer === label || !model.members.get(label).private ? counts : null };
}
