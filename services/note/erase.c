/* Erases members whose accounts have ended. Their notes are deleted and their reactions undone as if they had done
 * it, with the same events and counts; then texts are removed, and the members themselves from all rows that must
 * stay: a deleted comment with replies remains as a row without author and text. */
#include "services/note/note.h"

#include <stdio.h>
#include "bus/bus.h"
#include "services/note/marks.h"
#include "services/note/store.h"
#include "services/note/stored.h"
#include "services/user/user.rpc.h"

enum { ROWS_AT_ONCE = 100 };

/* Each handles a portion of its kind and returns how many there were. */
typedef sn_status erase_kind(struct db_tx *tx, const char *id, size_t *n);

static sn_status delete_written_ones(struct db_tx *tx, const char *id, size_t *n)
{
        NoteRows__StoredNote **notes = NULL;
        size_t n_notes = 0;
        bool counted = false;
        char **ids = NULL;

        TRY(store_written(tx, id, ROWS_AT_ONCE, n, &ids));
        TRY(store_notes(tx, ids, *n, &n_notes, &notes));
        for (size_t i = 0; i < n_notes; i++) {
                TRY(notes[i]->renote_of_id[0] != '\0' ? end_renote(tx, notes[i]->renote_of_id, &counted)
                                                      : delete_written(tx, notes[i]->note));
        }
        return SN_OK;
}

static sn_status undo_some(struct db_tx *tx, const char *id, char **ids, size_t n,
                           sn_status (*store)(struct db_tx *, const char *, const char *, bool *),
                           const Note__NoteCounts *delta)
{
        bool changed = false;

        for (size_t i = 0; i < n; i++) {
                TRY(store(tx, id, ids[i], &changed));
                marks_changed(tx, id, ids[i]);
                TRY(count_reaction(tx, ids[i], delta));
        }
        return SN_OK;
}

static sn_status undo_likes(struct db_tx *tx, const char *id, size_t *n)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        char **ids = NULL;

        delta.likes = -1;
        TRY(store_liked(tx, id, ROWS_AT_ONCE, n, &ids));
        return undo_some(tx, id, ids, *n, store_delete_like, &delta);
}

static sn_status undo_bookmarks(struct db_tx *tx, const char *id, size_t *n)
{
        Note__NoteCounts delta = NOTE__NOTE_COUNTS__INIT;
        char **ids = NULL;

        delta.bookmarks = -1;
        TRY(store_bookmarked(tx, id, ROWS_AT_ONCE, n, &ids));
        return undo_some(tx, id, ids, *n, store_delete_bookmark, &delta);
}

/* For services that store whom a note mentions. */
static sn_status tell_redacted(struct db_tx *tx, char **ids, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                stored_changed(tx, ids[i]);
                TRY(outbox_put(
                    tx, &(struct outbox_event){.type = EVENT_NOTE_REDACTED, .aggregate_id = ids[i], .object_id = ""}));
        }
        return SN_OK;
}

static sn_status erase_mentions(struct db_tx *tx, const char *id, size_t *n)
{
        char **ids = NULL;

        TRY(store_erase_mentions(tx, id, ROWS_AT_ONCE, n, &ids));
        return tell_redacted(tx, ids, *n);
}

static sn_status erase_audience(struct db_tx *tx, const char *id, size_t *n)
{
        char **ids = NULL;

        TRY(store_erase_audience(tx, id, ROWS_AT_ONCE, n, &ids));
        return tell_redacted(tx, ids, *n);
}

static sn_status erase_texts(struct db_tx *tx, const char *id, size_t *n)
{
        return store_erase_texts(tx, id, ROWS_AT_ONCE, n);
}

/* The order matters: texts are removed from deleted notes only. */
static erase_kind *const kinds[] = {delete_written_ones, undo_likes,     undo_bookmarks,
                                    erase_mentions,      erase_audience, erase_texts};

/* For services that store who commented on a note: from now on they read no name. */
static sn_status tell_erased(struct db_tx *tx, const char *id)
{
        TRY(store_erase_removals(tx, id));
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_AUTHOR_ERASED, .aggregate_id = id, .object_id = ""});
}

static sn_status erase_some(struct db_tx *tx, const char *id, bool *more)
{
        size_t n = 0;

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && n == 0; i++) {
                TRY(kinds[i](tx, id, &n));
        }
        *more = n > 0;
        return *more ? SN_OK : tell_erased(tx, id);
}

/* Erases a portion of one member's data, as if they did it themselves; the cursor only says that there was one. */
static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *id = batch->events[0]->aggregate_id;
        bool more = false;

        c->actor = id;
        TRY(db_begin(c, &tx));
        TRY(erase_some(tx, id, &more));
        batch->n_done = more ? 0 : 1;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", more ? uuid_new_in(c->arena) : "");
        return db_commit(c, NULL, &tx);
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer note_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
