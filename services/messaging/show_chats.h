/* Chats as shown to a member. */
#ifndef SERVICES_MESSAGING_SHOW_CHATS_H
#define SERVICES_MESSAGING_SHOW_CHATS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Shows chats of the actor, with the other member of a direct chat and the newest message. Calls other services. */
SN_CHECKED sn_status show_chats(struct rpc_call *c, chat_member **members, size_t n, Messaging__Chat **chats);
/* The same for one chat. SN_NOT_FOUND unless the actor is in it. */
SN_CHECKED sn_status show_chat(struct rpc_call *c, const char *id, Messaging__Chat *out);
/* Fills in what is stored, within the transaction: everything except `peer`, `picture`, `last_message` and
 * `unread_mentions`. */
SN_CHECKED sn_status show_stored_chat(struct db_tx *tx, const char *id, Messaging__Chat *out);

#endif
