/* Whom messages name: members of the chat, by their usernames. */
#ifndef SERVICES_MESSAGING_CHAT_MENTIONS_H
#define SERVICES_MESSAGING_CHAT_MENTIONS_H

#include "db/db.h"
#include "services/messaging/show.h"
#include "services/user/user.rpc.h"

#define MENTIONS_MAX 30

/* Members of a chat whom a text names, in order of id. */
struct named {
        char **ids;
        User__Author **people;
        size_t n;
};

/* Asks user_service: before the transaction. */
SN_CHECKED sn_status chat_mentions_find(struct rpc_call *c, const char *chat_id, const char *text, struct named *named);
/* The message names them, and no others; the entry has its number. */
SN_CHECKED sn_status chat_mentions_put(struct db_tx *tx, const chat_entry *message, const struct named *named);
/* As chat_mentions_show will: of a message that is not stored yet. */
void chat_mentions_fill(struct rpc_call *c, const struct named *named, Messaging__Message *out);
/* Fills in whom messages name. Asks user_service. */
SN_CHECKED sn_status chat_mentions_show(struct rpc_call *c, struct shown *items, size_t n);
/* Fills in how many unread messages name the actor. */
SN_CHECKED sn_status chat_mentions_count(struct rpc_call *c, chat_member *const *members, size_t n,
                                         Messaging__Chat **chats);

#endif
