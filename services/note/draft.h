/* Drafts: from a text to a note that can be stored. */
#ifndef SERVICES_NOTE_DRAFT_H
#define SERVICES_NOTE_DRAFT_H

#include "services/note/store.h"

/* Finds hashtags and mentions, and asks user_service for the mentioned members. Rejects a text of only white space.
 * Draws the ID. */
SN_CHECKED sn_status draft_new(struct rpc_call *c, const char *text, struct draft *draft);
/* Asks for the author, and whether their account is private. */
SN_CHECKED sn_status draft_author(struct rpc_call *c, struct draft *draft);
/* The note's media, requested from media_service; they must belong to the author. After its visibility is set. */
SN_CHECKED sn_status draft_media(struct rpc_call *c, struct draft *draft, char **ids, size_t n);
/* A comment or renote has the audience of the note that it refers to, narrowed to the author's followers if the
 * author's account is private. After draft_author. */
void draft_inherit_audience(struct draft *draft, const NoteRows__StoredNote *of);
/* A draft of the call's actor, now; without a text. Draws the ID. */
struct draft draft_empty(struct rpc_call *c);
/* Writes them to the tables. Also drops cached answers that notes with these IDs do not exist. */
SN_CHECKED sn_status draft_store(struct db_tx *tx, const struct draft *const *drafts, size_t n);
/* The note as its author sees it right after writing it. After draft_author. */
void draft_show(struct rpc_call *c, const struct draft *draft, Note__Note *out);
/* Replaces a note's text by the draft's; edited now. */
void draft_show_edit(struct rpc_call *c, const struct draft *draft, Note__Note *out);

#endif
