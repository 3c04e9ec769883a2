/* Shared by the files of follow_service. */
#ifndef SERVICES_FOLLOW_FOLLOW_H
#define SERVICES_FOLLOW_FOLLOW_H

#include "db/db.h"
#include "services/services.h"
#include "services/follow/follow.service.h"

#define EVENT_FOLLOW_CREATED   "follow.created" /* aggregate: the follower; object: the followed member */
#define EVENT_FOLLOW_DELETED   "follow.deleted"
#define EVENT_FOLLOW_REQUESTED "follow.requested" /* once per request; there is no event for its end */

/* The ID of a member given by ID or username; SN_INVALID_ARGUMENT ("you cannot <verb> yourself") if it is the actor. */
SN_CHECKED sn_status find_other_member(struct rpc_call *c, char *name, const char *verb, char **id);
/* Creates a follow and emits its event, unless it exists. Under the locks of store_lock. */
SN_CHECKED sn_status begin_follow(struct db_tx *tx, const char *follower, const char *followee);
/* Ends a follow and emits its event, if it exists. */
SN_CHECKED sn_status end_follow(struct db_tx *tx, const char *follower, const char *followee);

/* store_export.c */
extern const struct service_export follow_exports[];

#endif
