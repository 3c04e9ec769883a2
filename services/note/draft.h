/* Drafts: from a text to a note that can be stored. */
#ifndef SERVICES_NOTE_DRAFT_H
#define SERVICES_NOTE_DRAFT_H

#include "services/note/store.h"

/* Finds hashtags and mentions, and asks user_service who the mentioned are. Refuses a text of nothing but white space.
 * Draws the id. */
SN_CHECKED sn_status draft_new(struct rpc_call *c, const char *text, struct draft *draft);
/* Asks who the author is, and whether their account is private. */
SN_CHECKED sn_status draft_author(struct rpc_call *c, struct draft *draft);
/* What the note shows: media of its author's, which they are asked for. After its visibility is set. */
SN_CHECKED sn_status draft_media(struct rpc_call *c, struct draft *draft, char **ids, size_t n);
/* An answer, or a renote, has the audience of the note that it is to; from a private account of that those alone who
 * follow its author. After draft_author. */
void draft_inherit_audience(struct draft *draft, const NoteRows__StoredNote *of);
/* Into the tables. Whoever asked for the id before it was there is not told from memory any more that it is not. */
SN_CHECKED sn_status draft_store(struct db_tx *tx, const struct draft *draft);
/* The note as its author sees it right after it was written. After draft_author. */
void draft_show(struct rpc_call *c, const struct draft *draft, Note__Note *out);
/* The draft's text in the place of a note's own, edited now. */
void draft_show_edit(struct rpc_call *c, const struct draft *draft, Note__Note *out);

#endif
