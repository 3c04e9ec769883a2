/* Who may see a note: the one predicate, from author, audience, and the viewer's relations as follow_service gave them
 * for this request. */
#ifndef SERVICES_NOTE_VISIBILITY_H
#define SERVICES_NOTE_VISIBILITY_H

#include <stdbool.h>
#include "services/follow/follow.rpc.h"
#include "services/note/note_rows.rpc.h"

/* viewer "" is a reader who is not logged in. author: the viewer's relation with the note's author; owner: with the
 * owner of its audience (the same one for all but comments). */
bool note_visible(const char *viewer, const NoteRows__StoredNote *stored, const Follow__Relationship *author,
                  const Follow__Relationship *owner);
/* Others must not learn of a note that is for its author only: neither that it exists nor when it was written. */
bool note_is_for_others(int visibility);
/* Whose followers are meant: the audience's owner, or the author of a public note. */
char *note_audience_owner(const NoteRows__StoredNote *stored);

#endif
