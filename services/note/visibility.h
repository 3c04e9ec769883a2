/* Who may see a note: the only predicate, from author, audience, and the viewer's relationships as returned by
 * follow_service for this request. */
#ifndef SERVICES_NOTE_VISIBILITY_H
#define SERVICES_NOTE_VISIBILITY_H

#include <stdbool.h>
#include "services/follow/follow.rpc.h"
#include "services/note/note_rows.rpc.h"

/* viewer "" is not logged in. author: the viewer's relationship with the note's author; owner: with the owner of its
 * audience (the same member except for comments). */
bool note_visible(const char *viewer, const NoteRows__StoredNote *stored, const Follow__Relationship *author,
                  const Follow__Relationship *owner);
/* A note for its author only: others must learn neither that it exists nor when it was written. */
bool note_is_for_others(int visibility);
/* The member whose followers may see it: the audience's owner, or the author of a public note. */
char *note_audience_owner(const NoteRows__StoredNote *stored);

#endif
