/* Drafts: from a text to a note that can be stored. */
#ifndef SERVICES_NOTE_DRAFT_H
#define SERVICES_NOTE_DRAFT_H

#include "services/note/store.h"

/* Finds hashtags and mentions, and asks user_service who the mentioned are. Refuses a text of nothing but white space.
 * Draws the id. */
SN_CHECKED sn_status draft_new(struct rpc_call *c, const char *text, struct draft *draft);
/* Into the tables. Whoever asked for the id before it was there is not told from memory any more that it is not. */
SN_CHECKED sn_status draft_store(struct db_tx *tx, const struct draft *draft);
/* The note as its author sees it right after it was written. */
SN_CHECKED sn_status draft_show(struct rpc_call *c, const struct draft *draft, Note__Note *out);
/* The draft's text in the place of a note's own, edited now. */
void draft_show_edit(struct rpc_call *c, const struct draft *draft, Note__Note *out);

#endif
