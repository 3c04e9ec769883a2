/* Coming into a chat, and going. */
#ifndef SERVICES_MESSAGING_JOIN_H
#define SERVICES_MESSAGING_JOIN_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Who is to be brought in. */
struct joining {
        char **ids; /* of members, each once */
        size_t n;
        int role;    /* Messaging__Role */
        int *states; /* of each: in, or asked to be; set by join_check. NULL: in */
};

/* Whether the actor may bring them in, and whether they are asked first: by blocks in either direction, and by whom
 * they take messages from. SN_PERMISSION_DENIED when one of them may not be. Asked before the transaction. */
SN_CHECKED sn_status join_check(struct rpc_call *c, struct joining *joining);
/* As what one comes into a chat of this kind. */
int join_role(int kind);
/* Locks a group or a channel for who administers it; SN_PERMISSION_DENIED for others: "only … can <verb>". */
SN_CHECKED sn_status join_lock(struct db_tx *tx, const char *chat_id, const char *verb, chat_member *member);
/* Those who are not in the chat yet, each with an entry of the log. The chat is locked, or new; member is the actor's
 * and is brought up to date. SN_FAILED_PRECONDITION when a group would grow beyond GROUP_MAX. */
SN_CHECKED sn_status join_all(struct db_tx *tx, chat_member *member, const struct joining *joining);
/* One who is in the chat leaves it, or is taken out by the actor. After its owner somebody else owns it. */
SN_CHECKED sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id);

#endif
