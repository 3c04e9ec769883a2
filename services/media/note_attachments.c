/* Follows which media notes show. */
#include "services/media/attachments.h"
#include "services/media/media.h"
#include "services/note/note.rpc.h"

static const char *const types[] = {"note.media_attached", "note.media_detached", NULL};

const struct bus_consumer media_note_attachments = {
    .name = "attachments",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = attachments_follow,
};
