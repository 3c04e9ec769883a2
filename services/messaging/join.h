/* Joining and leaving chats. */
#ifndef SERVICES_MESSAGING_JOIN_H
#define SERVICES_MESSAGING_JOIN_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Members to be added. */
struct joining {
        char **ids; /* distinct */
        size_t n;
        int role;    /* Messaging__Role */
        int *states; /* of each: in or invited, set by join_check; NULL: all are in */
};

/* Determines whether the actor may add them and whether they must accept first, by blocks in either direction and their
 * setting of who may write to them. SN_PERMISSION_DENIED if one of them must not be added. Call it before the
 * transaction. */
SN_CHECKED sn_status join_check(struct rpc_call *c, struct joining *joining);
/* The role of new members in a chat of this kind. */
int join_role(int kind);
/* Locks a group or a channel for an administrator. SN_PERMISSION_DENIED for others: "only … can <verb>". */
SN_CHECKED sn_status join_lock(struct db_tx *tx, const char *chat_id, const char *verb, chat_member *member);
/* Adds those who are not in the chat yet, with a log entry each. The chat must be locked or new. Updates the counts in
 * member, which is the actor's. SN_FAILED_PRECONDITION if a group would exceed GROUP_MAX. */
SN_CHECKED sn_status join_all(struct db_tx *tx, chat_member *member, const struct joining *joining);
/* A member leaves the chat or is removed by the actor. If the owner leaves, another member becomes owner. */
SN_CHECKED sn_status join_end(struct db_tx *tx, chat_member *member, const char *user_id);
/* Makes a member the owner of a group or channel without one, whose owner left before anyone else had accepted it. */
SN_CHECKED sn_status join_find_owner(struct db_tx *tx, chat_member *member);

#endif
