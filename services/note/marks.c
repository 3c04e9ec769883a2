/* Owns the memo of marks by (viewer, note). */
#include "services/note/marks.h"

#include <stdlib.h>
#include "cache/memo.h"
#include "services/note/store.h"

static struct memo *marks_memo;

struct cached_marks {
        struct memo_object object;
        bool liked, renoted, bookmarked;
};

struct marks_key {
        uint8_t viewer[16];
        uint8_t note[16];
};

sn_status marks_start(size_t max_bytes)
{
        marks_memo = memo_new("marks", max_bytes);
        return marks_memo != NULL ? SN_OK : SN_INTERNAL;
}

void marks_stop(void)
{
        memo_free(marks_memo);
        marks_memo = NULL;
}

void marks_forget(void)
{
        memo_clear(marks_memo);
}

static void free_marks(struct memo_object *object)
{
        free(object);
}

static void make_key(const char *viewer, const char *note_id, struct marks_key *key)
{
        uuid_to_bytes(viewer, key->viewer);
        uuid_to_bytes(note_id, key->note);
}

static void remember(const struct marks_key *key, uint64_t ticket, const NoteRows__Mark *row)
{
        struct cached_marks *m = calloc(1, sizeof(*m));

        if (m != NULL) {
                m->object = (struct memo_object){.references = 1, .bytes = sizeof(*m), .free = free_marks};
                m->liked = row->liked;
                m->renoted = row->renoted;
                m->bookmarked = row->bookmarked;
                memo_put(marks_memo, key, sizeof(*key), ticket, m);
                memo_unref(m);
        }
}

static void fill(Note__NoteViewer *out, bool liked, bool renoted, bool bookmarked)
{
        out->liked = liked;
        out->renoted = renoted;
        out->bookmarked = bookmarked;
}

/* One row for each id asked, in the order asked. */
static sn_status load_missing(struct rpc_call *c, const char *viewer, char *const *ids, Note__NoteViewer *marks, const size_t *missing,
                              const uint64_t *tickets, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        char **wanted = ARENA_ARRAY(c->arena, char *, n);
        NoteRows__Mark **rows = NULL;
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                wanted[i] = ids[missing[i]];
        }
        TRY(db_read(c, &tx));
        TRY(store_marks(tx, viewer, wanted, n, &n_rows, &rows));
        for (size_t i = 0; i < n_rows; i++) {
                struct marks_key key;

                make_key(viewer, wanted[i], &key);
                remember(&key, tickets[i], rows[i]);
                fill(&marks[missing[i]], rows[i]->liked, rows[i]->renoted, rows[i]->bookmarked);
        }
        return SN_OK;
}

sn_status marks_get(struct rpc_call *c, const char *viewer, char *const *ids, size_t n, Note__NoteViewer *marks)
{
        size_t *missing = ARENA_ARRAY(c->arena, size_t, n);
        uint64_t *tickets = ARENA_ARRAY(c->arena, uint64_t, n);
        size_t n_missing = 0;

        for (size_t i = 0; i < n; i++) {
                const struct cached_marks *cached = NULL;
                struct marks_key key;

                note__note_viewer__init(&marks[i]);
                if (viewer[0] == '\0') {
                        continue;
                }
                make_key(viewer, ids[i], &key);
                cached = memo_get(marks_memo, c->arena, &key, sizeof(key), &tickets[n_missing]);
                if (cached != NULL) {
                        fill(&marks[i], cached->liked, cached->renoted, cached->bookmarked);
                } else {
                        missing[n_missing++] = i;
                }
        }
        return n_missing == 0 ? SN_OK : load_missing(c, viewer, ids, marks, missing, tickets, n_missing);
}

static void drop(void *context)
{
        memo_drop(marks_memo, context, sizeof(struct marks_key));
}

void marks_changed(struct db_tx *tx, const char *viewer, const char *note_id)
{
        struct marks_key *key = ARENA_NEW(db_arena(tx), struct marks_key);

        make_key(viewer, note_id, key);
        db_on_end(tx, drop, key);
}
