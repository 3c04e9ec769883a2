/* Maintains user_stats.notes: each note counts exactly once, however often its event is delivered. Comments and
 * renotes do not count. */
#include "services/user/user.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/user/store.h"

static sn_status count_notes(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct member_counts *counts = ARENA_ARRAY(c->arena, struct member_counts, batch->n);

        TRY(bus_begin(c, batch, &tx));
        for (size_t i = 0; i < batch->n; i++) {
                const bus_event *event = batch->events[i];

                counts[i].user_id = event->actor_id;
                counts[i].notes = strcmp(event->type, "note.created") == 0 ? 1 : -1;
        }
        TRY(store_count_members(tx, counts, batch->n));
        return bus_commit(c, batch, &tx);
}

static const char *const types[] = {"note.created", "note.deleted", NULL};

const struct bus_consumer user_count_notes = {
    .name = "count_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = count_notes,
    .pace_ms = 100,
};
