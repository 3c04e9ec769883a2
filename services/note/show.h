/* Rendering notes for a viewer: the only path from IDs to what people see. Applies the predicate in visibility.h,
 * with relationships requested from follow_service for this request. */
#ifndef SERVICES_NOTE_SHOW_H
#define SERVICES_NOTE_SHOW_H

#include "cache/read_from.h"
#include "services/note/note.rpc.h"
#include "services/note/note_rows.rpc.h"

/* The viewer. In lists that do not belong to a muted member, their notes, and others' renotes of them, are hidden. */
struct reader {
        const char *id;        /* "": not logged in; show_to_viewers has one per note */
        bool hides_muted;      /* in this list */
        const char *asked_for; /* the member to whom the list belongs: shown even if muted; NULL: none */
        bool only_followed;    /* hides notes of members whom the viewer does not follow, except for their own */
        enum read_from from;
        bool with_deleted;          /* deleted or removed notes count as they were: for announcing deletions */
        int64_t *relations_version; /* gets that of the viewer's relationships, if they were read; or NULL */
};

/* The notes that the viewer may see, in the requested order. */
SN_CHECKED sn_status show_notes(struct rpc_call *c, const struct reader *reader, char **ids, size_t n, size_t *n_items,
                                Note__Note ***items);
/* One viewer per note, for n notes. */
char **show_one_viewer(struct arena *arena, const char *viewer, size_t n);
/* notes[i] is ids[i] as seen by viewers[i], or NULL if invisible: with as many reads as for a single note. At most
 * 500. */
SN_CHECKED sn_status show_to_viewers(struct rpc_call *c, const struct reader *reader, char *const *viewers, char **ids,
                                     size_t n, Note__Note **notes);
/* One note for the actor; if *found is false, out is unchanged. An invisible note takes the same reads as one that
 * does not exist, so timing does not reveal that it is in memory. */
SN_CHECKED sn_status show_find(struct rpc_call *c, char *id, Note__Note *out, bool *found);
/* The same, but SN_NOT_FOUND if there is no visible note. */
SN_CHECKED sn_status show_note(struct rpc_call *c, char *id, Note__Note *out);
sn_status show_not_found(struct rpc_call *c);
/* The stored note if it is visible to the actor, for a change; for a renote, the note that it refers to. */
SN_CHECKED sn_status show_check(struct rpc_call *c, char *id, NoteRows__StoredNote **stored);
/* The same, but for the note itself: for lists below it, which show it. */
SN_CHECKED sn_status show_opened(struct rpc_call *c, char *id, Note__Note *out, NoteRows__StoredNote **stored);
/* The note on which the actor may undo a reaction, whether or not it is still visible. A renote is resolved to the
 * note that it refers to only for those who see it, and its author: an undo must not reveal what a hidden renote
 * refers to. */
SN_CHECKED sn_status show_target(struct rpc_call *c, char *id, char **target);

#endif
