/* Owns renoters: the cache of the newest renoters of each note, and which of them a reader sees. */
#include "services/note/renoters.h"

#include <string.h>
#include "cache/message.h"
#include "services/follow/follow.rpc.h"
#include "services/note/store.h"
#include "services/user/user.rpc.h"

enum {
        SHOWN_MAX = 10,  /* note.proto, RenotedBy */
        ASKED_MAX = 1000 /* follow.proto, GetRelations and GetBlocks */
};

static sn_status fill_renoters(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        NoteRows__Renoters **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_renoters(tx, cache_ids(c->arena, missing, n), n, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                TRY(cache_fill_message(c, missing, n, rows[i]->note_id, &rows[i]->base));
        }
        return SN_OK;
}

static struct cache renoters = {.name = "renoters", .fill = fill_renoters};

sn_status renoters_start(size_t max_bytes)
{
        return cache_start(&renoters, max_bytes);
}

void renoters_stop(void)
{
        cache_stop(&renoters);
}

void renoters_changed(struct db_tx *tx, const char *note_id)
{
        cache_changed(&renoters, tx, (struct cache_key){.id = note_id});
}

/* ---- Visible renoters ---- */

struct renote {
        size_t of; /* index of the note */
        char *viewer;
        char *id, *user_id;
        char *author_id; /* of the renoted note */
};

/* The renoters of all the notes, grouped by note and newest first. */
struct renotes {
        size_t n;
        struct renote *items;
};

static char *target_id(const Note__Note *note)
{
        return note->renote_of != NULL ? note->renote_of->id : note->id;
}

static char *author_id(const Note__Note *note)
{
        return note->renote_of != NULL ? note->renote_of->author->id : note->author->id;
}

/* The counts do not tell whether there are any: renotes from private accounts are not counted. */
static sn_status load_renotes(struct rpc_call *c, char *const *viewers, Note__Note *const *notes, size_t n,
                              struct renotes *out)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        NoteRows__Renoters **rows = ARENA_ARRAY(c->arena, NoteRows__Renoters *, n);
        size_t most = 0;

        for (size_t i = 0; i < n; i++) {
                ids[i] = target_id(notes[i]);
        }
        TRY(cache_get_messages(c, &renoters, READ_FROM_ANYWHERE, ids, n, rows));
        for (size_t i = 0; i < n; i++) {
                most += rows[i] != NULL ? rows[i]->n_renote_ids : 0;
        }
        *out = (struct renotes){.items = ARENA_ARRAY(c->arena, struct renote, most)};
        for (size_t i = 0; i < n; i++) {
                const NoteRows__Renoters *row = rows[i];

                for (size_t k = 0; row != NULL && k < row->n_renote_ids; k++) {
                        out->items[out->n++] =
                            (struct renote){i, viewers[i], row->renote_ids[k], row->user_ids[k], author_id(notes[i])};
                }
        }
        return SN_OK;
}

/* keep[i] belongs to items[i]; at most ASKED_MAX items. */
typedef sn_status ask_whom(struct rpc_call *c, const struct renote *items, size_t n, bool *keep);

static sn_status load_relations(struct rpc_call *c, const struct renote *items, size_t n, char **ids,
                                Follow__Relations *out)
{
        Follow__GetViewersRelationsRequest in = FOLLOW__GET_VIEWERS_RELATIONS_REQUEST__INIT;

        follow__relations__init(out);
        in.n_viewer_ids = in.n_user_ids = n;
        in.viewer_ids = ARENA_ARRAY(c->arena, char *, n);
        in.user_ids = ids;
        for (size_t i = 0; i < n; i++) {
                in.viewer_ids[i] = items[i].viewer;
        }
        TRY(follow_get_viewers_relations(c, &in, out));
        return out->n_items == n
                   ? SN_OK
                   : rpc_fail(c, SN_INTERNAL, NULL, "the follow service answered with the wrong number of relations");
}

/* The renoters whose renotes are on the viewer's home timeline. */
static sn_status ask_relations(struct rpc_call *c, const struct renote *items, size_t n, bool *keep)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        Follow__Relations found;

        for (size_t i = 0; i < n; i++) {
                ids[i] = items[i].user_id;
        }
        TRY(load_relations(c, items, n, ids, &found));
        for (size_t i = 0; i < n; i++) {
                keep[i] = uuid_equal(ids[i], items[i].viewer) || (found.items[i]->following && !found.items[i]->muting);
        }
        return SN_OK;
}

/* A muted member's note is on the home timeline only through the viewer's own renote. */
static sn_status ask_mutes(struct rpc_call *c, const struct renote *items, size_t n, bool *keep)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        Follow__Relations found;

        for (size_t i = 0; i < n; i++) {
                ids[i] = items[i].author_id;
        }
        TRY(load_relations(c, items, n, ids, &found));
        for (size_t i = 0; i < n; i++) {
                keep[i] = uuid_equal(items[i].user_id, items[i].viewer) || !found.items[i]->muting;
        }
        return SN_OK;
}

/* The renoters visible to everyone: not those blocked by the note's author. */
static sn_status ask_blocks(struct rpc_call *c, const struct renote *items, size_t n, bool *keep)
{
        Follow__GetBlocksRequest in = FOLLOW__GET_BLOCKS_REQUEST__INIT;
        Follow__Blocks out = FOLLOW__BLOCKS__INIT;

        in.n_blocker_ids = in.n_blocked_ids = n;
        in.blocker_ids = ARENA_ARRAY(c->arena, char *, n);
        in.blocked_ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                in.blocker_ids[i] = items[i].author_id;
                in.blocked_ids[i] = items[i].user_id;
        }
        TRY(follow_get_blocks(c, &in, &out));
        for (size_t i = 0; i < n && i < out.n_items; i++) {
                keep[i] = !out.items[i];
        }
        return SN_OK;
}

static sn_status keep_some(struct rpc_call *c, ask_whom *ask, struct renotes *r)
{
        bool *keep = ARENA_ARRAY(c->arena, bool, r->n);
        size_t kept = 0;

        memset(keep, 0, r->n * sizeof(bool));
        for (size_t from = 0; from < r->n; from += ASKED_MAX) {
                size_t n = r->n - from < ASKED_MAX ? r->n - from : ASKED_MAX;

                TRY(ask(c, r->items + from, n, keep + from));
        }
        for (size_t i = 0; i < r->n; i++) {
                if (keep[i]) {
                        r->items[kept++] = r->items[i];
                }
        }
        r->n = kept;
        return SN_OK;
}

/* ---- Rendering ---- */

static Note__RenotedBy *renoted_by(struct arena *arena, size_t count, size_t n)
{
        Note__RenotedBy *by = ARENA_NEW(arena, Note__RenotedBy);

        note__renoted_by__init(by);
        by->count = (int64_t)count;
        by->items = ARENA_ARRAY(arena, User__Author *, n);
        return by;
}

Note__RenotedBy *renoters_one(struct arena *arena, User__Author *author)
{
        Note__RenotedBy *by = renoted_by(arena, 1, 1);

        by->items[by->n_items++] = author;
        return by;
}

/* The renotes of note i are items[from] … items[to - 1]. */
static size_t end_of(const struct renotes *r, size_t from, size_t i)
{
        while (from < r->n && r->items[from].of == i) {
                from++;
        }
        return from;
}

static char *next_after(const struct renotes *r, size_t from, size_t to, const char *id)
{
        while (to > from && strcmp(r->items[to - 1].id, id) <= 0) {
                to--;
        }
        return to > from ? r->items[to - 1].id : (char *)protobuf_c_empty_string;
}

/* Includes the member who made the renote itself, last if there are more than are cached. */
static void fill(struct arena *arena, const struct renotes *r, size_t from, size_t to, User__Author *const *authors,
                 Note__Note *note)
{
        Note__RenotedBy *by = NULL;
        bool maker = false;

        for (size_t i = from; i < to; i++) {
                maker = maker || uuid_equal(r->items[i].user_id, note->author->id);
        }
        by = renoted_by(arena, to - from + !maker, SHOWN_MAX);
        for (size_t i = from; i < to && by->n_items < SHOWN_MAX; i++) {
                by->items[by->n_items++] = authors[i];
        }
        if (!maker && by->n_items < SHOWN_MAX) {
                by->items[by->n_items++] = note->author;
        }
        note->renoted_by = by;
}

static sn_status load_authors(struct rpc_call *c, const struct renotes *r, User__Author ***authors)
{
        *authors = ARENA_ARRAY(c->arena, User__Author *, r->n);
        for (size_t from = 0; from < r->n; from += ASKED_MAX) {
                User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
                User__Authors out = USER__AUTHORS__INIT;

                in.n_ids = r->n - from < ASKED_MAX ? r->n - from : ASKED_MAX;
                in.ids = ARENA_ARRAY(c->arena, char *, in.n_ids);
                for (size_t i = 0; i < in.n_ids; i++) {
                        in.ids[i] = r->items[from + i].user_id;
                }
                TRY(user_batch_get_authors(c, &in, &out));
                if (out.n_items != in.n_ids) {
                        return rpc_fail(c, SN_INTERNAL, NULL,
                                        "the user service answered with the wrong number of authors");
                }
                memcpy(*authors + from, out.items, in.n_ids * sizeof(**authors));
        }
        return SN_OK;
}

/* Deleted and deactivated accounts are not counted either. */
static void drop_gone(struct renotes *r, User__Author **authors)
{
        size_t n = 0;

        for (size_t i = 0; i < r->n; i++) {
                if (authors[i]->id[0] != '\0') {
                        authors[n] = authors[i];
                        r->items[n++] = r->items[i];
                }
        }
        r->n = n;
}

sn_status renoters_show(struct rpc_call *c, char *const *viewers, Note__Note *const *notes, size_t n, char **next)
{
        User__Author **authors = NULL;
        struct renotes r;

        TRY(load_renotes(c, viewers, notes, n, &r));
        TRY(keep_some(c, ask_relations, &r));
        TRY(keep_some(c, ask_mutes, &r));
        TRY(keep_some(c, ask_blocks, &r));
        TRY(load_authors(c, &r, &authors));
        drop_gone(&r, authors);
        for (size_t i = 0, from = 0; i < n; i++) {
                size_t to = end_of(&r, from, i);

                next[i] = next_after(&r, from, to, notes[i]->id);
                if (notes[i]->renote_of != NULL) {
                        fill(c->arena, &r, from, to, authors, notes[i]);
                }
                from = to;
        }
        return SN_OK;
}
