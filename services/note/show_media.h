/* A note's media. */
#ifndef SERVICES_NOTE_SHOW_MEDIA_H
#define SERVICES_NOTE_SHOW_MEDIA_H

#include "base/call.h"
#include "services/media/media.rpc.h"
#include "services/note/note_rows.rpc.h"

/* The media of a note that is visible to its viewer. */
struct shown_media {
        const NoteRows__StoredNote *stored;
        char *viewer; /* "": not logged in */
        size_t n;
        Media__Media **items; /* those that still exist */
};

/* Requests all of them at once from media_service, unless there are none. */
SN_CHECKED sn_status show_media(struct rpc_call *c, struct shown_media **notes, size_t n);

#endif
