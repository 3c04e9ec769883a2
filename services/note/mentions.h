/* Mentions as they are shown: of members who are there. */
#ifndef SERVICES_NOTE_MENTIONS_H
#define SERVICES_NOTE_MENTIONS_H

#include "base/call.h"
#include "services/note/note.rpc.h"

/* Takes those out whose accounts are gone or deactivated, in the notes and in what they pass on. */
SN_CHECKED sn_status mentions_hide_gone(struct rpc_call *c, Note__Note *const *notes, size_t n);

#endif
