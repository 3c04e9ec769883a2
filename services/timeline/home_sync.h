/* Keeps the cached home timelines in step with PostgreSQL: readers in any process trust them only while everything
 * that was delivered has reached them, too. Next to them, Redis holds how far delivery has come there and, for a
 * short time at once, the name of the server that has all of it. */
#ifndef SERVICES_TIMELINE_HOME_SYNC_H
#define SERVICES_TIMELINE_HOME_SYNC_H

#include "bus/bus.h"
#include "cache/redis.h"
#include "services/timeline/timeline_rows.rpc.h"

/* ---- For delivery: on the delivering thread ---- */

/* Entries for cached timelines; sorted by owner. SN_UNAVAILABLE: retry. If Redis has failed for so long that no
 * reader trusts it any more, SN_OK without it; the cached timelines are then dropped before they are trusted again. */
SN_CHECKED sn_status home_sync_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n);
/* The consumer's checkpoint. */
SN_CHECKED sn_status home_sync_checkpoint(struct rpc_call *c, const struct bus_progress *progress, bool first);

/* ---- For readers ---- */

/* Queries it in the same round trip as a timeline. */
void home_sync_ask(struct rpc_call *c, struct redis_pipeline *p);
/* Whether the timeline of this response can be trusted. */
bool home_sync_is_in_step(struct rpc_call *c, const struct redisReply *answer);

#endif
