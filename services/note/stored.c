/* Owns the cache of stored notes. */
#include "services/note/stored.h"

#include "cache/message.h"
#include "json/json.h"
#include "services/note/store.h"

/* The row has mentions as two lists: IDs and names. */
static void join_mentions(struct arena *arena, NoteRows__StoredNote *stored)
{
        size_t n = stored->n_mention_ids;
        Note__Mention *mentions = ARENA_ARRAY(arena, Note__Mention, n);

        stored->note->mentions = ARENA_ARRAY(arena, Note__Mention *, n);
        stored->note->n_mentions = n;
        for (size_t i = 0; i < n; i++) {
                note__mention__init(&mentions[i]);
                mentions[i].id = stored->mention_ids[i];
                mentions[i].username = stored->mention_usernames[i];
                stored->note->mentions[i] = &mentions[i];
        }
        stored->n_mention_ids = stored->n_mention_usernames = 0;
}

static size_t keep_json(ProtobufCMessage *row)
{
        return json_keep(&note__note__message, &((NoteRows__StoredNote *)row)->note->base);
}

static sn_status fill_stored(struct rpc_call *c, struct cache_item *const *missing, size_t n)
{
        NoteRows__StoredNote **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_notes(tx, cache_ids(c->arena, missing, n), n, &n_rows, &rows)));
        for (size_t i = 0; i < n_rows; i++) {
                join_mentions(c->arena, rows[i]);
                TRY(cache_fill_shown_message(c, missing, n, rows[i]->note->id, &rows[i]->base, keep_json));
        }
        return SN_OK;
}

static struct cache notes = {.name = "notes", .fill = fill_stored};

sn_status stored_start(size_t max_bytes)
{
        return cache_start(&notes, max_bytes);
}

void stored_stop(void)
{
        cache_stop(&notes);
}

sn_status stored_get(struct rpc_call *c, enum read_from from, char *const *ids, size_t n, NoteRows__StoredNote **stored)
{
        return cache_get_messages(c, &notes, from, ids, n, stored);
}

sn_status stored_get_deleted(struct rpc_call *c, char *const *ids, size_t n, NoteRows__StoredNote **stored,
                             bool *was_removed)
{
        NoteRows__StoredNote **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_deleted_notes(tx, (char **)ids, n, &n_rows, &rows)));
        for (size_t k = 0; k < n_rows; k++) {
                bool removed = rows[k]->removed;

                rows[k]->removed = false;
                for (size_t i = 0; i < n; i++) {
                        if (uuid_equal(ids[i], rows[k]->note->id)) {
                                stored[i] = rows[k];
                                if (was_removed != NULL) {
                                        was_removed[i] = removed;
                                }
                        }
                }
        }
        return SN_OK;
}

void stored_added(struct db_tx *tx, const NoteRows__StoredNote *row)
{
        cache_shown_message_added(&notes, tx, row->note->id, &row->base, keep_json);
}

void stored_changed(struct db_tx *tx, const char *note_id)
{
        cache_changed(&notes, tx, (struct cache_key){.id = note_id});
}
