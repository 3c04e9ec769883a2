/* One message of a chat, as far as a member may read it. */
#ifndef SERVICES_MESSAGING_MESSAGES_H
#define SERVICES_MESSAGING_MESSAGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Initialises message. SN_NOT_FOUND on message_id when it does not exist, is deleted for all, or the member may not
 * read it. */
SN_CHECKED sn_status messages_find(struct db_tx *tx, const chat_member *member, const char *id, chat_entry *message);
/* The same, also of one that is deleted for all. */
SN_CHECKED sn_status messages_find_place(struct db_tx *tx, const chat_member *member, const char *id,
                                         chat_entry *message);
/* SN_NOT_FOUND on message_id when it is deleted for all. */
SN_CHECKED sn_status messages_check_kept(struct rpc_call *c, const chat_entry *message);
/* As messages_find_place, without those that the member has deleted for themselves. */
SN_CHECKED sn_status messages_find_shown(struct db_tx *tx, const chat_member *member, const char *id,
                                         chat_entry *message);

#endif
