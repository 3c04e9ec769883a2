/* Mentions in messages: members of the chat, by username. */
#ifndef SERVICES_MESSAGING_CHAT_MENTIONS_H
#define SERVICES_MESSAGING_CHAT_MENTIONS_H

#include "db/db.h"
#include "services/messaging/show.h"
#include "services/user/user.rpc.h"

#define MENTIONS_MAX 30

/* The members of a chat who are mentioned in a text, ordered by id. */
struct named {
        char **ids;
        User__Author **people;
        size_t n;
};

/* Calls user_service, so it must run before the transaction. */
SN_CHECKED sn_status chat_mentions_find(struct rpc_call *c, const char *chat_id, const char *text, struct named *named);
/* Replaces the mentions of a message. The entry must have its number. */
SN_CHECKED sn_status chat_mentions_put(struct db_tx *tx, const chat_entry *message, const struct named *named);
/* Fills them in for a message that is not stored yet, as chat_mentions_show will. */
void chat_mentions_fill(struct rpc_call *c, const struct named *named, Messaging__Message *out);
/* Fills in the mentions of messages. Calls user_service. */
SN_CHECKED sn_status chat_mentions_show(struct rpc_call *c, struct shown *items, size_t n);
/* Fills in how many unread messages mention the actor. */
SN_CHECKED sn_status chat_mentions_count(struct rpc_call *c, chat_member *const *members, size_t n,
                                         Messaging__Chat **chats);

#endif
