/* Members as chats show them, and their relations (blocks, follows). Calls other services. */
#ifndef SERVICES_MESSAGING_PEOPLE_H
#define SERVICES_MESSAGING_PEOPLE_H

#include "base/call.h"
#include "services/follow/follow.rpc.h"
#include "services/messaging/messaging.h"
#include "services/user/user.rpc.h"

#define PEOPLE_ASKED_MAX 1000 /* per call: the limit in user.proto and follow.proto */

/* people[i] belongs to ids[i]; NULL for "" and for accounts that are gone. Ids may repeat. */
SN_CHECKED sn_status people_get(struct rpc_call *c, char *const *ids, size_t n, User__Author ***people);
/* The distinct ids of members given by id or username, without the actor. SN_INVALID_ARGUMENT on user_ids names one
 * that does not exist. */
SN_CHECKED sn_status people_find(struct rpc_call *c, char *const *names, size_t n, char ***ids, size_t *n_ids);
/* The actor's current relations with others. */
SN_CHECKED sn_status people_relations(struct rpc_call *c, char *const *ids, size_t n,
                                      Follow__Relationship ***relations);
/* Members' privacy settings, or the defaults: privacy[i] belongs to ids[i], which may repeat. */
SN_CHECKED sn_status people_privacy(struct rpc_call *c, char *const *ids, size_t n, User__PrivacySettings ***privacy);
/* relations[i]: of viewers[i] to ids[i]. At most PEOPLE_ASKED_MAX. */
SN_CHECKED sn_status people_relations_of(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                                         Follow__Relationship ***relations);
/* blocked[i]: viewers[i] blocks ids[i]; false if either is "". */
SN_CHECKED sn_status people_blocked(struct rpc_call *c, char *const *viewers, char *const *ids, size_t n,
                                    bool **blocked);
/* Whether either member of a direct chat blocks the other; always false in other chats. */
SN_CHECKED sn_status people_is_blocked(struct rpc_call *c, const chat_member *member, bool *blocked);
/* SN_PERMISSION_DENIED if one does, since nothing in the chat may reach the other. Call it before the transaction: a
 * block applies to every request that begins after it was acknowledged. */
SN_CHECKED sn_status people_check_not_blocked(struct rpc_call *c, const chat_member *member);

#endif
