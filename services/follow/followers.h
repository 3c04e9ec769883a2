/* The followers of members who have few, cached in memory by the owning process: delivery lists them for every note. */
#ifndef SERVICES_FOLLOW_FOLLOWERS_H
#define SERVICES_FOLLOW_FOLLOWERS_H

#include "db/db.h"
#include "services/follow/follow.rpc.h"

SN_CHECKED sn_status followers_start(size_t max_bytes);
void followers_stop(void);

/* Answers from the cache, and fills it. *answered is false if the request is for a page, or for members with too many
 * followers to be cached: then the database is to be asked. */
SN_CHECKED sn_status followers_list(struct rpc_call *c, const Follow__ListFollowerIdsRequest *in,
                                    Follow__FollowerIds *out, bool *answered);
/* The member's followers change in this transaction. */
void followers_changed(struct db_tx *tx, const char *member);
/* For tests, which write them to the database: they have changed. */
void followers_drop(const char *member);

#endif
