/* What notes show beside their text. */
#ifndef SERVICES_NOTE_SHOW_MEDIA_H
#define SERVICES_NOTE_SHOW_MEDIA_H

#include "base/call.h"
#include "services/media/media.rpc.h"
#include "services/note/note_rows.rpc.h"

/* Of one note that its viewer may see. */
struct shown_media {
        const NoteRows__StoredNote *stored;
        char *viewer; /* "": nobody who is logged in */
        size_t n;
        Media__Media **items; /* those that are still there */
};

/* Asks media_service for all of them at once, and for none when there are none. */
SN_CHECKED sn_status show_media(struct rpc_call *c, struct shown_media **notes, size_t n);

#endif
