/* Chats as one of their members is shown them. */
#ifndef SERVICES_MESSAGING_SHOW_CHATS_H
#define SERVICES_MESSAGING_SHOW_CHATS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Chats of the actor, with the other member of a direct chat and the newest message. Asks other services. */
SN_CHECKED sn_status show_chats(struct rpc_call *c, chat_member **members, size_t n, Messaging__Chat **chats);
/* One of them; SN_NOT_FOUND unless the actor is in it. */
SN_CHECKED sn_status show_chat(struct rpc_call *c, const char *id, Messaging__Chat *out);
/* What the transaction has stored of it: all but `peer`, `picture`, `last_message` and `unread_mentions`. */
SN_CHECKED sn_status show_stored_chat(struct db_tx *tx, const char *id, Messaging__Chat *out);

#endif
