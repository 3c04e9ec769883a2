/* Showing notes to a viewer: the one road from ids to what people see. Applies the predicate of visibility.h with
 * relations asked from follow_service for this request. */
#ifndef SERVICES_NOTE_SHOW_H
#define SERVICES_NOTE_SHOW_H

#include "cache/read_from.h"
#include "services/note/note.rpc.h"
#include "services/note/note_rows.rpc.h"

/* For whom notes are shown. Muting hides a member's notes, and others' renotes of them, from lists that the reader did
 * not ask that member for. */
struct reader {
        const char *id;        /* "": not logged in; show_to_viewers has one for each note */
        bool hides_muted;      /* in this list */
        const char *asked_for; /* the member whose note the list belongs to: shown although muted; NULL: none */
        enum read_from from;
        bool
            with_deleted; /* notes that are deleted or removed count as they were: for who is told that they are gone */
};

/* The notes that the reader may see, in the order asked. */
SN_CHECKED sn_status show_notes(struct rpc_call *c, const struct reader *reader, char **ids, size_t n, size_t *n_items,
                                Note__Note ***items);
/* One viewer for each of n notes. */
char **show_one_viewer(struct arena *arena, const char *viewer, size_t n);
/* notes[i] is ids[i] as viewers[i] sees it, NULL when they may not: with as many reads as for one of them. At most 500.
 */
SN_CHECKED sn_status show_to_viewers(struct rpc_call *c, const struct reader *reader, char *const *viewers, char **ids,
                                     size_t n, Note__Note **notes);
/* One note for the actor; without *found out is left alone. What they may not see is found out by the same reads as
 * what is not there: neither shows by its time that it is in memory. */
SN_CHECKED sn_status show_find(struct rpc_call *c, char *id, Note__Note *out, bool *found);
/* The same; SN_NOT_FOUND when there is none that they may see. */
SN_CHECKED sn_status show_note(struct rpc_call *c, char *id, Note__Note *out);
sn_status show_not_found(struct rpc_call *c);
/* The stored note when the actor may see it, for a change; a renote stands for the note that it passes on. */
SN_CHECKED sn_status show_check(struct rpc_call *c, char *id, NoteRows__StoredNote **stored);
/* The same with the note itself: what lists below it need, and show. */
SN_CHECKED sn_status show_opened(struct rpc_call *c, char *id, Note__Note *out, NoteRows__StoredNote **stored);
/* The note on which the actor may undo something by this id, whether or not they see it any more. A renote stands for
 * the note that it passes on only to who sees it, and to its maker: nobody learns by an undo what a hidden one passes
 * on. */
SN_CHECKED sn_status show_target(struct rpc_call *c, char *id, char **target);

#endif
