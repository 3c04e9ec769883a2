/* Joining and leaving a chat. */
#ifndef SERVICES_MESSAGING_JOIN_H
#define SERVICES_MESSAGING_JOIN_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Who is to be brought in. */
struct joining {
        char **ids; /* of members, each once */
        size_t n;
        int role;    /* Messaging__Role */
        int *states; /* of each: in, or invited; set by join_check. NULL: in */
};

/* Whether the actor may add them, and whether they are asked first: by blocks in either direction, and by their
 * setting of who may write to them. SN_PERMISSION_DENIED when one of them may not be added. Called before the
 * transaction. */
SN_CHECKED sn_status join_check(struct rpc_call *c, struct joining *joining);
/* As what one comes into a chat of this kind. */
int join_role(int kind);
/* Locks a group or a channel for who administers it; SN_PERMISSION_DENIED for others: "only … can <verb>". */
SN_CHECKED sn_status join_lock(struct db_tx *tx, const char *chat_id, const char *verb, chat_member *member);
/* Those who are not in the chat yet, each with an entry of the log. The chat is locked, or new; member is the actor's
 * and is brought up to date. SN_FAILED_PRECONDITION when a group would grow beyond GROUP_MAX. */
SN_CHECKED sn_status join_all(struct db_tx *tx, chat_member *member, const struct joining *joining);
/* A member leaves the chat, or the actor removes them. When the owner leaves, another member becomes owner. */
SN_CHECKED sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id);
/* Makes a member the owner of a group or channel that has none, because its owner left while all others had not
 * accepted it yet. */
SN_CHECKED sn_status join_find_owner(struct db_tx *tx, chat_member *member);

#endif
