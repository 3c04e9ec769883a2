/* Coming into a chat, and going. */
#ifndef SERVICES_MESSAGING_JOIN_H
#define SERVICES_MESSAGING_JOIN_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Who is to be brought in. */
struct joining {
        char **ids; /* of members, each once */
        size_t n;
        int role; /* Messaging__Role */
};

/* Whether the actor may bring them in: SN_PERMISSION_DENIED when one of them and the actor block each other. Asked
 * before the transaction. */
SN_CHECKED sn_status join_check(struct rpc_call *c, const struct joining *joining);
/* Those who are not in the chat yet, each with an entry of the log. The chat is locked, or new; member is the actor's
 * and is brought up to date. SN_FAILED_PRECONDITION when a group would grow beyond GROUP_MAX. */
SN_CHECKED sn_status join_all(struct db_tx *tx, chat_member *member, const struct joining *joining);
/* One who is in the chat leaves it, or is taken out by the actor. */
SN_CHECKED sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id);

#endif
