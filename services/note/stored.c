/* Owns the memo of stored notes. */
#include "services/note/stored.h"

#include "cache/by_id.h"
#include "services/note/store.h"

/* Mentions come from the row as two lists: ids and names. */
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

static sn_status load(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, ProtobufCMessage ***rows)
{
        NoteRows__StoredNote **stored = NULL;

        TRY(store_notes(tx, ids, n, n_rows, &stored));
        *rows = ARENA_ARRAY(db_arena(tx), ProtobufCMessage *, *n_rows);
        for (size_t i = 0; i < *n_rows; i++) {
                join_mentions(db_arena(tx), stored[i]);
                (*rows)[i] = &stored[i]->base;
        }
        return SN_OK;
}

static const char *id_of(const ProtobufCMessage *row)
{
        return ((const NoteRows__StoredNote *)row)->note->id;
}

static struct by_id notes = {.name = "notes", .load = load, .id_of = id_of};

sn_status stored_start(size_t max_bytes)
{
        return by_id_start(&notes, max_bytes);
}

void stored_stop(void)
{
        by_id_stop(&notes);
}

sn_status stored_get(struct rpc_call *c, enum read_from from, char *const *ids, size_t n, NoteRows__StoredNote **stored)
{
        ProtobufCMessage **rows = ARENA_ARRAY(c->arena, ProtobufCMessage *, n);

        TRY(by_id_get(c, &notes, from, ids, n, rows));
        for (size_t i = 0; i < n; i++) {
                stored[i] = (NoteRows__StoredNote *)rows[i];
        }
        return SN_OK;
}

void stored_changed(struct db_tx *tx, const char *note_id)
{
        by_id_changed(&notes, tx, note_id);
}
