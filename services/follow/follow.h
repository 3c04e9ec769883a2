/* What the files of follow_service share. */
#ifndef SERVICES_FOLLOW_FOLLOW_H
#define SERVICES_FOLLOW_FOLLOW_H

#include "db/db.h"
#include "services/services.h"
#include "services/follow/follow.service.h"

#define EVENT_FOLLOW_CREATED   "follow.created" /* aggregate: the follower; object: the followed member */
#define EVENT_FOLLOW_DELETED   "follow.deleted"
#define EVENT_FOLLOW_REQUESTED "follow.requested" /* once for each request; it ends without an event */

/* The id of a member named by id or username; SN_INVALID_ARGUMENT when it is the actor, with "you cannot <verb>
 * yourself". */
SN_CHECKED sn_status find_other_member(struct rpc_call *c, char *name, const char *verb, char **id);
/* One new follow with its event; nothing when there is one. Under the locks of store_lock. */
SN_CHECKED sn_status begin_follow(struct db_tx *tx, const char *follower, const char *followee);
/* Ends one follow with its event, when there is one. */
SN_CHECKED sn_status end_follow(struct db_tx *tx, const char *follower, const char *followee);

/* store_export.c */
extern const struct service_export follow_exports[];

#endif
