/* Keeps the cached home timelines in step with PostgreSQL: a reader, in whatever process, believes them only while
 * everything that was delivered has reached them too. Redis holds, beside them, how far delivery has come there, and
 * for a moment at a time the name of the server that has it all. */
#ifndef SERVICES_TIMELINE_HOME_SYNC_H
#define SERVICES_TIMELINE_HOME_SYNC_H

#include "bus/bus.h"
#include "cache/redis.h"
#include "services/timeline/timeline_rows.rpc.h"

/* ---- For delivery: on the one thread that delivers ---- */

/* Entries for cached timelines; sorted by owner. SN_UNAVAILABLE: to be tried again. When Redis has failed for so long
 * that nobody believes it any more, SN_OK without it; the cached timelines are then dropped before they are believed
 * again. */
SN_CHECKED sn_status home_sync_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n);
/* The checkpoint of the consumer. */
SN_CHECKED sn_status home_sync_checkpoint(struct rpc_call *c, const struct bus_progress *progress, bool first);

/* ---- For readers ---- */

/* Asks in the same round trip as for a timeline. */
void home_sync_ask(struct rpc_call *c, struct redis_pipeline *p);
/* Whether what came with this answer may be believed. */
bool home_sync_is_in_step(struct rpc_call *c, const struct redisReply *answer);

#endif
