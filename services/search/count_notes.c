/* Keeps how engaged members are with the notes of the index. In a consumer of its own: many counts hold up no note. */
#include "services/search/search.h"

#include "services/note/note.rpc.h"
#include "services/search/store.h"

static sn_status count_notes(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        Note__BatchGetIndexedRequest in = NOTE__BATCH_GET_INDEXED_REQUEST__INIT;
        Note__IndexedNotes found = NOTE__INDEXED_NOTES__INIT;

        in.ids = ARENA_ARRAY(c->arena, char *, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                in.ids[in.n_ids++] = batch->events[i]->aggregate_id;
        }
        TRY(note_batch_get_indexed(c, &in, &found));
        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < found.n_items; i++) {
                TRY(store_count_note(tx, found.items[i]->note->id, found.items[i]->note->counts));
        }
        return bus_commit(c, batch, &tx);
}

/* Likes have events of their own. */
static const char *const types[] = {"note.counted", "note.liked", "note.unliked", NULL};

const struct bus_consumer search_count_notes = {
    .name = "count_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = count_notes,
};
