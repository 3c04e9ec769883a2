/* Keeps the counts: each note counts exactly once, however often its event comes. */
#include "services/media/media.h"

#include <string.h>
#include "db/db.h"
#include "services/media/store.h"
#include "services/note/note.rpc.h"

static sn_status count_notes(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char **authors = ARENA_ARRAY(c->arena, char *, batch->n);
        int64_t *notes = ARENA_ARRAY(c->arena, int64_t, batch->n);

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                authors[i] = event->actor_id;
                notes[i] = strcmp(event->type, "note.created") == 0 ? 1 : -1;
        }
        TRY(media_store_add(tx, authors, notes, batch->n));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"note.created", "note.deleted", NULL};

const struct bus_consumer media_count_notes = {
    .name = "count_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = count_notes,
};
