/* Keeps user_stats.notes: each note counts exactly once, however often its event comes. Comments and renotes do not
 * count. */
#include "services/user/handlers.h"

#include <string.h>
#include "services/note/note.rpc.h"
#include "services/user/store.h"

static sn_status count_note(struct rpc_call *c, const bus_event *event)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        int64_t delta = strcmp(event->type, "note.created") == 0 ? 1 : -1;

        TRY(bus_begin(c, event, &tx));
        TRY(store_count_member(tx, event->actor_id, delta, 0, 0));
        return bus_commit(c, event, &tx);
}

static const char *const types[] = {"note.created", "note.deleted", NULL};

const struct bus_consumer user_count_notes = {
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = count_note,
};
