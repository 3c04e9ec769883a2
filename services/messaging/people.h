/* Members as chats show them, and their relations (blocks, follows). Asks other services. */
#ifndef SERVICES_MESSAGING_PEOPLE_H
#define SERVICES_MESSAGING_PEOPLE_H

#include "base/call.h"
#include "services/follow/follow.rpc.h"
#include "services/messaging/messaging.h"
#include "services/user/user.rpc.h"

#define PEOPLE_ASKED_MAX 1000 /* at once, of others: user.proto, follow.proto */

/* people[i] belongs to ids[i]; NULL for "" and for whose account is gone. Ids may repeat. */
SN_CHECKED sn_status people_get(struct rpc_call *c, char *const *ids, size_t n, User__Author ***people);
/* The ids of members by ids or usernames, each once, without the actor; SN_INVALID_ARGUMENT on user_ids names
 * one that is missing. */
SN_CHECKED sn_status people_find(struct rpc_call *c, char *const *names, size_t n, char ***ids, size_t *n_ids);
/* The actor's relations with others, as they are now. */
SN_CHECKED sn_status people_relations(struct rpc_call *c, char *const *ids, size_t n,
                                      Follow__Relationship ***relations);
/* What members have set, or what holds when they have not: privacy[i] of ids[i], which may repeat. */
SN_CHECKED sn_status people_privacy(struct rpc_call *c, char *const *ids, size_t n, User__PrivacySettings ***privacy);
/* relations[i]: of viewers[i] with ids[i]. At most PEOPLE_ASKED_MAX. */
SN_CHECKED sn_status people_relations_of(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                                         Follow__Relationship ***relations);
/* blocked[i]: viewers[i] blocks ids[i]; "" blocks nobody, and nobody "". */
SN_CHECKED sn_status people_blocked(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                                    bool **blocked);
/* Whether one of the two of a direct chat blocks the other; false in other chats, whoever blocks whom in them. */
SN_CHECKED sn_status people_is_blocked(struct rpc_call *c, const chat_member *member, bool *blocked);
/* SN_PERMISSION_DENIED when they do: nothing that one does in the chat reaches the other. Called before the
 * transaction: a block is in force for every request that begins after it was acknowledged. */
SN_CHECKED sn_status people_check_not_blocked(struct rpc_call *c, const chat_member *member);

#endif
