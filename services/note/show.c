/* Owns rendering notes for a viewer: stored note, author, the viewer's relationships and reactions. */
#include "services/note/show.h"

#include "services/follow/follow.rpc.h"
#include "services/note/marks.h"
#include "services/note/mentions.h"
#include "services/note/renoters.h"
#include "services/note/show_media.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"
#include "services/user/user.rpc.h"

/* A requested note, and everything known about it for its viewer. */
struct item {
        char *id, *viewer;
        const NoteRows__StoredNote *stored; /* NULL: it does not exist */
        char *author_id, *owner_id;         /* the viewer's relationships with these decide */
        const Follow__Relationship *with_author, *with_owner;
        bool visible;
        struct item
            *original; /* of a renote: the renoted note; of an invisible note: the same note again; otherwise NULL */
        User__Author *author;
        Note__NoteViewer marks;
        struct shown_media media;
};

struct batch {
        const struct reader *reader;
        size_t n;
        struct item *items;
};

static bool is_renote(const struct item *item)
{
        return item->stored != NULL && item->stored->renote_of_id[0] != '\0';
}

/* A note that does not exist is looked up like one that exists, with its ID as author, so that the reads do not
 * reveal whether there is an invisible note. */
static sn_status load_stored(struct rpc_call *c, struct batch *b, char *const *viewers, char **ids, size_t n)
{
        NoteRows__StoredNote **stored = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n);

        b->n = n;
        b->items = ARENA_ARRAY(c->arena, struct item, n);
        TRY(stored_get(c, b->reader->from, ids, n, stored));
        if (b->reader->with_deleted && n > 0) {
                TRY(stored_get_deleted(c, ids, n, stored, NULL));
        }
        for (size_t i = 0; i < n; i++) {
                b->items[i] = (struct item){.id = ids[i], .viewer = viewers[i], .stored = stored[i]};
                b->items[i].author_id = stored[i] != NULL ? stored[i]->note->author->id : ids[i];
                b->items[i].owner_id = stored[i] != NULL ? note_audience_owner(stored[i]) : ids[i];
        }
        return SN_OK;
}

static bool has_one_viewer(const struct batch *b)
{
        for (size_t i = 1; i < b->n; i++) {
                if (b->items[i].viewer != b->items[0].viewer) {
                        return false;
                }
        }
        return true;
}

/* For pairs of a viewer and a member. With a single viewer the request is shorter. */
static sn_status ask_relations(struct rpc_call *c, const struct batch *b, char **viewers, char **users, size_t n,
                               Follow__Relations *out)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__GetViewersRelationsRequest pairs = FOLLOW__GET_VIEWERS_RELATIONS_REQUEST__INIT;

        in.from = pairs.from = (Follow__ReadFrom)b->reader->from;
        in.viewer_id = viewers[0];
        in.user_ids = pairs.user_ids = users;
        in.n_user_ids = pairs.n_user_ids = pairs.n_viewer_ids = n;
        pairs.viewer_ids = viewers;
        TRY(has_one_viewer(b) ? follow_get_relations(c, &in, out) : follow_get_viewers_relations(c, &pairs, out));
        if (b->reader->relations_version != NULL) {
                *b->reader->relations_version = out->version;
        }
        return SN_OK;
}

static sn_status load_relations(struct rpc_call *c, struct batch *b)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, 2 * b->n), **users = ARENA_ARRAY(c->arena, char *, 2 * b->n);
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        for (size_t i = 0; i < b->n; i++) {
                viewers[2 * i] = viewers[2 * i + 1] = b->items[i].viewer;
                users[2 * i] = b->items[i].author_id;
                users[2 * i + 1] = b->items[i].owner_id;
        }
        TRY(ask_relations(c, b, viewers, users, 2 * b->n, &out));
        if (out.n_items != 2 * b->n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
        }
        for (size_t i = 0; i < b->n; i++) {
                b->items[i].with_author = out.items[2 * i];
                b->items[i].with_owner = out.items[2 * i + 1];
        }
        return SN_OK;
}

/* Loads what is needed to decide whether each note by itself is visible. */
static sn_status load_batch(struct rpc_call *c, struct batch *b, char *const *viewers, char **ids, size_t n)
{
        TRY(load_stored(c, b, viewers, ids, n));
        if (n == 0) {
                return SN_OK;
        }
        TRY(load_relations(c, b));
        for (size_t i = 0; i < n; i++) {
                struct item *item = &b->items[i];

                item->visible = item->stored != NULL &&
                                note_visible(item->viewer, item->stored, item->with_author, item->with_owner);
        }
        return SN_OK;
}

/* Loads the notes that renotes refer to. For an invisible note, the note itself is loaded again: a renote may be
 * hidden because of what it refers to, which takes as many reads. */
static sn_status load_originals(struct rpc_call *c, struct batch *b, struct batch *originals)
{
        char **ids = ARENA_ARRAY(c->arena, char *, b->n), **viewers = ARENA_ARRAY(c->arena, char *, b->n);
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                struct item *item = &b->items[i];

                if (!item->visible || is_renote(item)) {
                        viewers[n] = item->viewer;
                        ids[n++] = item->visible ? item->stored->renote_of_id : item->id;
                }
        }
        *originals = (struct batch){.reader = b->reader};
        TRY(load_batch(c, originals, viewers, ids, n));
        n = 0;
        for (size_t i = 0; i < b->n; i++) {
                struct item *item = &b->items[i];

                if (!item->visible || is_renote(item)) {
                        item->original = &originals->items[n++];
                }
        }
        return SN_OK;
}

/* Whether it matters for this item that the original's author may block the renoter. For a single invisible note,
 * the same is read. */
static bool needs_block(const struct batch *b, const struct item *item)
{
        return item->original != NULL && (item->visible || b->reader->from != READ_FROM_ANYWHERE);
}

/* Members blocked by an author cannot renote their notes: such a renote is shown as if its original were hidden. */
static sn_status apply_blocks(struct rpc_call *c, struct batch *b)
{
        Follow__GetBlocksRequest in = FOLLOW__GET_BLOCKS_REQUEST__INIT;
        Follow__Blocks out = FOLLOW__BLOCKS__INIT;
        struct item **asked = ARENA_ARRAY(c->arena, struct item *, b->n);
        size_t n = 0;

        in.from = (Follow__ReadFrom)b->reader->from;
        in.blocker_ids = ARENA_ARRAY(c->arena, char *, b->n);
        in.blocked_ids = ARENA_ARRAY(c->arena, char *, b->n);
        for (size_t i = 0; i < b->n; i++) {
                if (needs_block(b, &b->items[i])) {
                        in.blocker_ids[n] = b->items[i].original->author_id;
                        in.blocked_ids[n] = b->items[i].author_id;
                        asked[n++] = &b->items[i];
                }
        }
        in.n_blocker_ids = in.n_blocked_ids = n;
        if (n == 0) {
                return SN_OK;
        }
        TRY(follow_get_blocks(c, &in, &out));
        if (out.n_items != n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of blocks");
        }
        for (size_t i = 0; i < n; i++) {
                asked[i]->original->visible = asked[i]->original->visible && !out.items[i];
        }
        return SN_OK;
}

/* A renote is only shown together with the note that it refers to. */
static bool is_visible(const struct item *item)
{
        return item->visible && (!is_renote(item) || (item->original != NULL && item->original->visible));
}

static bool any_visible(const struct batch *b)
{
        for (size_t i = 0; i < b->n; i++) {
                if (is_visible(&b->items[i])) {
                        return true;
                }
        }
        return false;
}

/* The notes of an author whose account is gone are hidden. */
static bool has_author(const struct item *item)
{
        return item->author != NULL && (!is_renote(item) || item->original->author != NULL);
}

static bool mutes_author(const struct reader *reader, const struct item *item)
{
        return item->with_author->muting &&
               (reader->asked_for == NULL || !uuid_equal(reader->asked_for, item->author_id));
}

/* Readers' own renotes are not hidden by muting, whoever wrote the original. */
static bool is_muted(const struct reader *reader, const struct item *item)
{
        return reader->hides_muted && !uuid_equal(item->viewer, item->author_id) &&
               (mutes_author(reader, item) || (is_renote(item) && mutes_author(reader, item->original)));
}

static bool is_unfollowed(const struct reader *reader, const struct item *item)
{
        return reader->only_followed && !item->with_author->following && !uuid_equal(item->viewer, item->author_id);
}

static bool is_shown(const struct reader *reader, const struct item *item)
{
        return is_visible(item) && has_author(item) && !is_muted(reader, item) && !is_unfollowed(reader, item);
}

/* ---- Read only for visible notes ---- */

/* Adjacent items by the same author ask once: one note shown to many viewers. */
static sn_status load_authors(struct rpc_call *c, struct batch *b)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors out = USER__AUTHORS__INIT;
        size_t *places = ARENA_ARRAY(c->arena, size_t, b->n);

        in.ids = ARENA_ARRAY(c->arena, char *, b->n);
        for (size_t i = 0; i < b->n; i++) {
                if (i == 0 || !uuid_equal(b->items[i].author_id, in.ids[in.n_ids - 1])) {
                        in.ids[in.n_ids++] = b->items[i].author_id;
                }
                places[i] = in.n_ids - 1;
        }
        TRY(user_batch_get_authors(c, &in, &out));
        if (out.n_items != in.n_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the user service answered with the wrong number of authors");
        }
        for (size_t i = 0; i < b->n; i++) {
                User__Author *author = out.items[places[i]];

                b->items[i].author = author->id[0] != '\0' ? author : NULL;
        }
        return SN_OK;
}

static sn_status load_marks(struct rpc_call *c, struct batch *b)
{
        Note__NoteViewer *marks = ARENA_ARRAY(c->arena, Note__NoteViewer, b->n);
        char **ids = ARENA_ARRAY(c->arena, char *, b->n), **viewers = ARENA_ARRAY(c->arena, char *, b->n);

        for (size_t i = 0; i < b->n; i++) {
                viewers[i] = b->items[i].viewer;
                ids[i] = b->items[i].id;
        }
        TRY(marks_get(c, viewers, ids, b->n, marks));
        for (size_t i = 0; i < b->n; i++) {
                b->items[i].marks = marks[i];
        }
        return SN_OK;
}

static sn_status load_rest(struct rpc_call *c, struct batch *b)
{
        if (b->n == 0) {
                return SN_OK;
        }
        TRY(load_authors(c, b));
        return load_marks(c, b);
}

/* For visible notes, and the originals of renotes. */
static sn_status load_media(struct rpc_call *c, struct batch *b)
{
        struct shown_media **asked = ARENA_ARRAY(c->arena, struct shown_media *, b->n);
        size_t n = 0;

        for (size_t i = 0; i < b->n; i++) {
                struct item *item = is_renote(&b->items[i]) ? b->items[i].original : &b->items[i];

                if (is_visible(&b->items[i]) && item->stored->n_media_ids > 0) {
                        item->media = (struct shown_media){.stored = item->stored, .viewer = item->viewer};
                        asked[n++] = &item->media;
                }
        }
        return show_media(c, asked, n);
}

/* ---- The response ---- */

/* Parts of a stored note are shared, not copied: it is read-only and outlives the call. */
static Note__Note *as_note(struct arena *arena, struct item *item)
{
        Note__Note *note = ARENA_NEW(arena, Note__Note);

        *note = *item->stored->note;
        note->author = item->author;
        note->viewer = &item->marks;
        note->media = item->media.items;
        note->n_media = item->media.n;
        return note;
}

static Note__RenotedNote *as_renoted(struct arena *arena, struct item *item)
{
        const Note__Note *note = item->stored->note;
        Note__RenotedNote *r = ARENA_NEW(arena, Note__RenotedNote);

        note__renoted_note__init(r);
        r->id = note->id;
        r->author = item->author;
        r->text = note->text;
        r->visibility = note->visibility;
        r->created_at = note->created_at;
        r->edited_at = note->edited_at;
        r->counts = note->counts;
        r->viewer = &item->marks;
        r->hashtags = note->hashtags;
        r->n_hashtags = note->n_hashtags;
        r->mentions = note->mentions;
        r->n_mentions = note->n_mentions;
        r->parent_id = note->parent_id;
        r->media = item->media.items;
        r->n_media = item->media.n;
        return r;
}

static Note__Note *show_item(struct arena *arena, struct item *item)
{
        Note__Note *note = as_note(arena, item);

        if (is_renote(item)) {
                note->renote_of = as_renoted(arena, item->original);
                note->renoted_by = renoters_one(arena, item->author);
        }
        return note;
}

sn_status show_to_viewers(struct rpc_call *c, const struct reader *reader, char *const *viewers, char **ids, size_t n,
                          Note__Note **notes)
{
        struct batch b = {.reader = reader}, originals;

        TRY(load_batch(c, &b, viewers, ids, n));
        TRY(load_originals(c, &b, &originals));
        TRY(apply_blocks(c, &b));
        if (!any_visible(&b)) {
                return SN_OK;
        }
        TRY(load_rest(c, &b));
        TRY(load_media(c, &b));
        TRY(load_rest(c, &originals));
        for (size_t i = 0; i < n; i++) {
                struct item *item = &b.items[i];

                if (is_shown(reader, item)) {
                        notes[i] = show_item(c->arena, item);
                }
        }
        return SN_OK;
}

char **show_one_viewer(struct arena *arena, const char *viewer, size_t n)
{
        char **viewers = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                viewers[i] = (char *)viewer;
        }
        return viewers;
}

sn_status show_notes(struct rpc_call *c, const struct reader *reader, char **ids, size_t n, size_t *n_items,
                     Note__Note ***items)
{
        Note__Note **notes = ARENA_ARRAY(c->arena, Note__Note *, n);

        *items = notes;
        *n_items = 0;
        TRY(show_to_viewers(c, reader, show_one_viewer(c->arena, reader->id, n), ids, n, notes));
        for (size_t i = 0; i < n; i++) {
                if (notes[i] != NULL) {
                        notes[(*n_items)++] = notes[i];
                }
        }
        return mentions_hide_gone(c, *items, *n_items);
}

sn_status show_not_found(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, "id", "there is no note with this id that you may see");
}

/* From memory first; if the note is not in memory, missing or hidden, everything is read again from the databases. */
sn_status show_find(struct rpc_call *c, char *id, Note__Note *out, bool *found)
{
        struct reader reader = {.id = c->actor, .from = READ_FROM_MEMORY};
        Note__Note **items = NULL;
        size_t n = 0;

        TRY(show_notes(c, &reader, &id, 1, &n, &items));
        if (n == 0) {
                reader.from = READ_FROM_DATABASE;
                TRY(show_notes(c, &reader, &id, 1, &n, &items));
        }
        *found = n > 0;
        if (*found) {
                *out = *items[0];
        }
        return SN_OK;
}

sn_status show_note(struct rpc_call *c, char *id, Note__Note *out)
{
        bool found = false;

        TRY(show_find(c, id, out, &found));
        return found ? SN_OK : show_not_found(c);
}

sn_status show_check(struct rpc_call *c, char *id, NoteRows__StoredNote **stored)
{
        Note__Note note = NOTE__NOTE__INIT;

        TRY(show_note(c, id, &note));
        TRY(stored_get(c, READ_FROM_ANYWHERE, note.renote_of != NULL ? &note.renote_of->id : &note.id, 1, stored));
        return *stored != NULL ? SN_OK : show_not_found(c);
}

sn_status show_opened(struct rpc_call *c, char *id, Note__Note *out, NoteRows__StoredNote **stored)
{
        TRY(show_note(c, id, out));
        if (out->renote_of != NULL) {
                TRY(show_note(c, out->renote_of->id, out));
        }
        TRY(stored_get(c, READ_FROM_ANYWHERE, &out->id, 1, stored));
        return *stored != NULL ? SN_OK : show_not_found(c);
}

sn_status show_target(struct rpc_call *c, char *id, char **target)
{
        Note__Note note = NOTE__NOTE__INIT;
        NoteRows__StoredNote *stored = NULL;
        bool found = false;

        TRY(show_find(c, id, &note, &found));
        TRY(stored_get(c, READ_FROM_ANYWHERE, &id, 1, &stored));
        *target = id;
        if (stored != NULL && stored->renote_of_id[0] != '\0' &&
            (found || uuid_equal(stored->note->author->id, c->actor))) {
                *target = stored->renote_of_id;
        }
        return SN_OK;
}
