/* Owns the assembly of notes for a viewer: stored note, author, the viewer's relations and marks. */
#include "services/note/show.h"

#include "services/follow/follow.rpc.h"
#include "services/note/marks.h"
#include "services/note/renoters.h"
#include "services/note/stored.h"
#include "services/note/visibility.h"
#include "services/user/user.rpc.h"

/* All that a batch needs, in parallel arrays of n. The second half of the room is for what renotes pass on. */
struct view {
        const char *viewer;
        enum read_from from;
        size_t n;
        NoteRows__StoredNote **stored;
        User__Author **authors;
        Follow__Relationship **relations; /* 2n: with the author, with the audience's owner */
        Note__NoteViewer *marks;
        bool *visible;
};

static sn_status load_relations(struct rpc_call *c, struct view *v)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        in.from = (Follow__ReadFrom)v->from;
        in.viewer_id = (char *)v->viewer;
        in.n_user_ids = 2 * v->n;
        in.user_ids = ARENA_ARRAY(c->arena, char *, in.n_user_ids);
        for (size_t i = 0; i < v->n; i++) {
                in.user_ids[2 * i] = v->stored[i]->note->author->id;
                in.user_ids[2 * i + 1] = note_audience_owner(v->stored[i]);
        }
        TRY(follow_get_relations(c, &in, &out));
        if (out.n_items != in.n_user_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service gave another number of relations than asked");
        }
        v->relations = out.items;
        return SN_OK;
}

static sn_status load_authors(struct rpc_call *c, struct view *v)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors out = USER__AUTHORS__INIT;

        in.n_ids = v->n;
        in.ids = ARENA_ARRAY(c->arena, char *, v->n);
        for (size_t i = 0; i < v->n; i++) {
                in.ids[i] = v->stored[i]->note->author->id;
        }
        TRY(user_batch_get_authors(c, &in, &out));
        if (out.n_items != v->n) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the user service gave another number of authors than asked");
        }
        v->authors = out.items;
        return SN_OK;
}

static sn_status load_marks(struct rpc_call *c, struct view *v)
{
        char **ids = ARENA_ARRAY(c->arena, char *, v->n);

        for (size_t i = 0; i < v->n; i++) {
                ids[i] = v->stored[i]->note->id;
        }
        v->marks = ARENA_ARRAY(c->arena, Note__NoteViewer, v->n);
        return marks_get(c, v->viewer, ids, v->n, v->marks);
}

/* Stands for a note that is not there, by an author who is not there. The same is asked about it as about one that the
 * viewer may not see, so that the time of the answer does not tell which of the two it is. */
static NoteRows__StoredNote *nothing(struct arena *arena, char *id)
{
        NoteRows__StoredNote *stored = ARENA_NEW(arena, NoteRows__StoredNote);

        note_rows__stored_note__init(stored);
        stored->note = ARENA_NEW(arena, Note__Note);
        note__note__init(stored->note);
        stored->note->id = id;
        stored->note->author = ARENA_NEW(arena, User__Author);
        user__author__init(stored->note->author);
        stored->note->author->id = id;
        return stored;
}

static bool is_nothing(const NoteRows__StoredNote *stored)
{
        return stored->version == 0;
}

static bool is_renote(const struct view *v, size_t i)
{
        return v->stored[i]->renote_of_id[0] != '\0';
}

/* Which of v->stored the viewer sees. */
static sn_status decide(struct rpc_call *c, struct view *v)
{
        v->visible = ARENA_ARRAY(c->arena, bool, v->n);
        if (v->n == 0) {
                return SN_OK;
        }
        TRY(load_relations(c, v));
        for (size_t i = 0; i < v->n; i++) {
                v->visible[i] = !is_nothing(v->stored[i]) &&
                                note_visible(v->viewer, v->stored[i], v->relations[2 * i], v->relations[2 * i + 1]);
        }
        return SN_OK;
}

static sn_status load_stored(struct rpc_call *c, const struct reader *reader, char **ids, size_t n, struct view *v)
{
        *v = (struct view){.viewer = reader->id,
                           .from = reader->from,
                           .n = n,
                           .stored = ARENA_ARRAY(c->arena, NoteRows__StoredNote *, n)};
        TRY(stored_get(c, v->from, ids, n, v->stored));
        for (size_t i = 0; i < n; i++) {
                if (v->stored[i] == NULL) {
                        v->stored[i] = nothing(c->arena, ids[i]);
                }
        }
        return decide(c, v);
}

/* The parts of a stored note are shared, not copied: it is read-only and outlives the call. */
static bool show(const struct view *v, size_t i, Note__Note *out)
{
        if (!v->visible[i] || v->authors[i]->id[0] == '\0') {
                return false;
        }
        *out = *v->stored[i]->note;
        out->author = v->authors[i];
        out->viewer = &v->marks[i];
        return true;
}

static Note__RenotedNote *as_renoted(struct arena *arena, const Note__Note *note)
{
        Note__RenotedNote *r = ARENA_NEW(arena, Note__RenotedNote);

        note__renoted_note__init(r);
        r->id = note->id;
        r->author = note->author;
        r->text = note->text;
        r->visibility = note->visibility;
        r->created_at = note->created_at;
        r->edited_at = note->edited_at;
        r->counts = note->counts;
        r->viewer = note->viewer;
        r->hashtags = note->hashtags;
        r->n_hashtags = note->n_hashtags;
        r->mentions = note->mentions;
        r->n_mentions = note->n_mentions;
        r->parent_id = note->parent_id;
        return r;
}

/* The notes that the batch's renotes pass on; where[i] is the place of what v->stored[i] passes on, n for a note of its
 * own. What the viewer does not see is looked at again instead: a renote may be hidden by what it passes on, and takes
 * as long. */
static sn_status load_renoted(struct rpc_call *c, const struct reader *reader, const struct view *v,
                              struct view *renoted, size_t *where)
{
        char **ids = ARENA_ARRAY(c->arena, char *, v->n);
        size_t n = 0;

        for (size_t i = 0; i < v->n; i++) {
                char *inner = v->visible[i] ? v->stored[i]->renote_of_id : v->stored[i]->note->id;

                where[i] = v->n;
                if (inner[0] != '\0') {
                        where[i] = n;
                        ids[n++] = inner;
                }
        }
        return load_stored(c, reader, ids, n, renoted);
}

/* Whom an author blocks does not go on passing their notes on: the renote is shown to nobody, as if the note inside
 * were hidden. About a single note the viewer does not see the same is asked. */
static sn_status apply_blocks(struct rpc_call *c, const struct view *v, struct view *renoted, const size_t *where)
{
        Follow__GetBlocksRequest in = FOLLOW__GET_BLOCKS_REQUEST__INIT;
        Follow__Blocks out = FOLLOW__BLOCKS__INIT;
        size_t *places = ARENA_ARRAY(c->arena, size_t, v->n);

        in.from = (Follow__ReadFrom)v->from;
        in.blocker_ids = ARENA_ARRAY(c->arena, char *, v->n);
        in.blocked_ids = ARENA_ARRAY(c->arena, char *, v->n);
        for (size_t i = 0; i < v->n; i++) {
                if (v->visible[i] ? is_renote(v, i) : v->from != READ_FROM_ANYWHERE) {
                        places[in.n_blocker_ids] = where[i];
                        in.blocker_ids[in.n_blocker_ids++] = renoted->stored[where[i]]->note->author->id;
                        in.blocked_ids[in.n_blocked_ids++] = v->stored[i]->note->author->id;
                }
        }
        if (in.n_blocker_ids == 0) {
                return SN_OK;
        }
        TRY(follow_get_blocks(c, &in, &out));
        if (out.n_items != in.n_blocker_ids) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the follow service gave another number of blocks than asked");
        }
        for (size_t i = 0; i < out.n_items; i++) {
                renoted->visible[places[i]] = renoted->visible[places[i]] && !out.items[i];
        }
        return SN_OK;
}

/* A renote is only shown with the note that it passes on. */
static bool show_renote(struct rpc_call *c, const struct view *v, size_t i, const struct view *renoted, size_t where,
                        Note__Note *out)
{
        Note__Note original;

        if (!is_renote(v, i)) {
                return true;
        }
        if (!show(renoted, where, &original)) {
                return false;
        }
        out->renote_of = as_renoted(c->arena, &original);
        out->renoted_by = renoters_one(c->arena, out->author);
        return true;
}

static bool mutes_author(const struct reader *reader, const struct view *v, size_t i)
{
        return v->relations[2 * i]->muting &&
               (reader->asked_for == NULL || !uuid_equal(reader->asked_for, v->stored[i]->note->author->id));
}

/* What one passes on oneself is one's own, whoever wrote it. */
static bool is_muted(const struct reader *reader, const struct view *v, size_t i, const struct view *renoted,
                     size_t where)
{
        bool own = uuid_equal(reader->id, v->stored[i]->note->author->id);

        return !own && (mutes_author(reader, v, i) || (is_renote(v, i) && mutes_author(reader, renoted, where)));
}

/* What is only asked about notes that are shown. */
static sn_status load_rest(struct rpc_call *c, struct view *v)
{
        if (v->n == 0) {
                return SN_OK;
        }
        TRY(load_authors(c, v));
        return load_marks(c, v);
}

static bool shows_any(const struct view *v, const struct view *renoted, const size_t *where)
{
        for (size_t i = 0; i < v->n; i++) {
                if (v->visible[i] && (!is_renote(v, i) || renoted->visible[where[i]])) {
                        return true;
                }
        }
        return false;
}

sn_status show_notes(struct rpc_call *c, const struct reader *reader, char **ids, size_t n, size_t *n_items,
                     Note__Note ***items)
{
        size_t *where = ARENA_ARRAY(c->arena, size_t, n);
        Note__Note *all = ARENA_ARRAY(c->arena, Note__Note, n);
        struct view v, renoted;

        *items = ARENA_ARRAY(c->arena, Note__Note *, n);
        *n_items = 0;
        TRY(load_stored(c, reader, ids, n, &v));
        TRY(load_renoted(c, reader, &v, &renoted, where));
        TRY(apply_blocks(c, &v, &renoted, where));
        if (!shows_any(&v, &renoted, where)) {
                return SN_OK;
        }
        TRY(load_rest(c, &v));
        TRY(load_rest(c, &renoted));
        for (size_t i = 0; i < n; i++) {
                if (show(&v, i, &all[i]) && show_renote(c, &v, i, &renoted, where[i], &all[i]) &&
                    !(reader->hides_muted && is_muted(reader, &v, i, &renoted, where[i]))) {
                        (*items)[(*n_items)++] = &all[i];
                }
        }
        return SN_OK;
}

sn_status show_not_found(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, "id", "there is no note with this id that you may see");
}

/* From memory; and once more, all of it from the databases, whether the note is not in memory, not there or hidden. */
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
