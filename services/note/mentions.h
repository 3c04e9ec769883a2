/* Shows only mentions of existing members. */
#ifndef SERVICES_NOTE_MENTIONS_H
#define SERVICES_NOTE_MENTIONS_H

#include "base/call.h"
#include "services/note/note.rpc.h"

/* Removes mentions of deleted or deactivated accounts from the notes, and from the notes that they renote. */
SN_CHECKED sn_status mentions_hide_gone(struct rpc_call *c, Note__Note *const *notes, size_t n);

#endif
