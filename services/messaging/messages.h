/* Finding single messages of a chat that a member may read. */
#ifndef SERVICES_MESSAGING_MESSAGES_H
#define SERVICES_MESSAGING_MESSAGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Initializes message. SN_NOT_FOUND on message_id if it does not exist, is deleted for all, or the member may not read
 * it. */
SN_CHECKED sn_status messages_find(struct db_tx *tx, const chat_member *member, const char *id, chat_entry *message);
/* The same, including messages that are deleted for all. */
SN_CHECKED sn_status messages_find_place(struct db_tx *tx, const chat_member *member, const char *id,
                                         chat_entry *message);
/* SN_NOT_FOUND on message_id if it is deleted for all. */
SN_CHECKED sn_status messages_check_kept(struct rpc_call *c, const chat_entry *message);
/* Like messages_find_place, but without those that the member has deleted for themselves. */
SN_CHECKED sn_status messages_find_shown(struct db_tx *tx, const chat_member *member, const char *id,
                                         chat_entry *message);

#endif
