/* Owns the memo of stored notes. */
#include "services/note/stored.h"

#include "cache/memo.h"
#include "cache/message.h"
#include "services/note/store.h"

static struct memo *notes;

sn_status stored_start(size_t max_bytes)
{
        notes = memo_new("notes", max_bytes);
        return notes != NULL ? SN_OK : SN_INTERNAL;
}

void stored_stop(void)
{
        memo_free(notes);
        notes = NULL;
}

void stored_forget(void)
{
        memo_clear(notes);
}

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

static void remember(const NoteRows__StoredNote *row, uint64_t ticket)
{
        struct memo_message *message = memo_message_new(&row->base);
        uint8_t key[16];

        if (message != NULL) {
                uuid_to_bytes(row->note->id, key);
                memo_put(notes, key, sizeof(key), ticket, message);
                memo_unref(message);
        }
}

/* What the memo did not have, in one query. The rows come in no order. */
static sn_status load_missing(struct rpc_call *c, char *const *ids, NoteRows__StoredNote **stored, const size_t *missing,
                              const uint64_t *tickets, size_t n)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        char **wanted = ARENA_ARRAY(c->arena, char *, n);
        NoteRows__StoredNote **rows = NULL;
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                wanted[i] = ids[missing[i]];
        }
        TRY(db_read(c, &tx));
        TRY(store_notes(tx, wanted, n, &n_rows, &rows));
        for (size_t r = 0; r < n_rows; r++) {
                bool kept = false;

                join_mentions(c->arena, rows[r]);
                for (size_t i = 0; i < n; i++) {
                        if (!uuid_equal(rows[r]->note->id, wanted[i])) {
                                continue;
                        }
                        stored[missing[i]] = rows[r];
                        if (!kept) {
                                remember(rows[r], tickets[i]);
                                kept = true;
                        }
                }
        }
        return SN_OK;
}

sn_status stored_get(struct rpc_call *c, char *const *ids, size_t n, NoteRows__StoredNote **stored)
{
        size_t *missing = ARENA_ARRAY(c->arena, size_t, n);
        uint64_t *tickets = ARENA_ARRAY(c->arena, uint64_t, n);
        size_t n_missing = 0;

        for (size_t i = 0; i < n; i++) {
                const struct memo_message *message = NULL;
                uint8_t key[16];

                stored[i] = NULL;
                if (!uuid_to_bytes(ids[i], key)) {
                        continue;
                }
                message = memo_get(notes, c->arena, key, sizeof(key), &tickets[n_missing]);
                if (message != NULL) {
                        stored[i] = (NoteRows__StoredNote *)message->message;
                } else {
                        missing[n_missing++] = i;
                }
        }
        return n_missing == 0 ? SN_OK : load_missing(c, ids, stored, missing, tickets, n_missing);
}

static void drop(void *context)
{
        memo_drop(notes, context, 16);
}

void stored_changed(struct db_tx *tx, const char *note_id)
{
        uint8_t *key = arena_alloc(db_arena(tx), 16);

        if (uuid_to_bytes(note_id, key)) {
                db_on_end(tx, drop, key);
        }
}
