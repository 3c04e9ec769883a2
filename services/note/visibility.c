/* Owns the visibility decision. A pure function: no database, no clock. */
#include "services/note/visibility.h"

#include "base/uuid.h"

char *note_audience_owner(const NoteRows__StoredNote *stored)
{
        return stored->audience_owner_id[0] != '\0' ? stored->audience_owner_id : stored->note->author->id;
}

static bool blocked(const Follow__Relationship *relation)
{
        return relation->blocking || relation->blocked_by;
}

bool note_visible(const char *viewer, const NoteRows__StoredNote *stored, const Follow__Relationship *author,
                  const Follow__Relationship *owner)
{
        if (uuid_equal(viewer, stored->note->author->id)) {
                return true;
        }
        if (stored->removed || blocked(author) || blocked(owner)) {
                return false;
        }
        switch (stored->note->visibility) {
        case NOTE__VISIBILITY__VISIBILITY_PUBLIC:
                return true;
        case NOTE__VISIBILITY__VISIBILITY_FOLLOWERS:
                return (owner->following || uuid_equal(viewer, note_audience_owner(stored))) &&
                       (!stored->narrowed || author->following);
        default: /* only its author, and values of newer releases */
                return false;
        }
}

bool note_is_for_others(int visibility)
{
        return visibility != NOTE__VISIBILITY__VISIBILITY_ONLY_ME;
}
