/* Counts notes, comments and renotes. */
#include "services/analytics/analytics.h"

#include "services/analytics/count_events.h"
#include "services/note/note.rpc.h"

static const char *const types[] = {"note.created",    "note.deleted",    "note.liked",     "comment.created",
                                    "comment.deleted", "comment.removed", "renote.created", NULL};

const struct bus_consumer analytics_count_notes = {
    .name = "count_notes",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = count_events,
    .batch_max = BUS_BATCH_MOST,
    .pace_ms = 250,
};
