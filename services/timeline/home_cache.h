/* Home timelines in Redis: one sorted set a member, of a header and the tail's entries (README.md). Everything here may
 * fail with SN_UNAVAILABLE: then PostgreSQL answers. */
#ifndef SERVICES_TIMELINE_HOME_CACHE_H
#define SERVICES_TIMELINE_HOME_CACHE_H

#include "services/timeline/page.h"
#include "services/timeline/timeline_rows.rpc.h"

struct home_header {
        int64_t version; /* of the owner's relations, that the set takes into account */
        uint32_t day;    /* since 1970: when the owner was last noted as reading */
        bool complete;   /* nothing older exists */
};

/* *found is false when there is no set, or one that may lack something. */
SN_CHECKED sn_status home_cache_read(struct rpc_call *c, const char *owner, const char *before_id, size_t limit,
                                     bool *found, struct home_header *header, struct refs *out);
/* Before reading what will be stored: leaves a token that any delivery takes away. */
SN_CHECKED sn_status home_cache_prepare(struct rpc_call *c, const char *owner, char token[UUID_SIZE]);
/* Stores the set if the token is still there. */
SN_CHECKED sn_status home_cache_store(struct rpc_call *c, const char *owner, const char *token,
                                      const struct home_header *header, const struct refs *refs);
/* One note to many members' sets, where there are sets; pipelined. After a failure no set is read until the next
 * home_cache_recover. */
SN_CHECKED sn_status home_cache_deliver(struct rpc_call *c, TimelineRows__Owner *const *owners, size_t n,
                                        const char *note_id, const char *author_id);
/* Removes all sets after Redis missed a delivery or came back; nothing to do otherwise. */
SN_CHECKED sn_status home_cache_recover(struct rpc_call *c);

uint32_t home_cache_today(const struct rpc_call *c);

#endif
