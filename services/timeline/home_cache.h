/* Cached home timelines: in Redis one string a member, of a header and the newest entries (README.md), and copies in
 * the memory of the process that delivers. All that asks Redis may fail with SN_UNAVAILABLE: then PostgreSQL answers.
 */
#ifndef SERVICES_TIMELINE_HOME_CACHE_H
#define SERVICES_TIMELINE_HOME_CACHE_H

#include "services/timeline/home_list.h"
#include "services/timeline/timeline_rows.rpc.h"

/* The token of one that is being built: what is delivered meanwhile is appended to the token, and kept. */
struct home_build {
        uint8_t token[17];
        bool redis;      /* the token is there */
        uint64_t memory; /* home_memory_token */
};

/* What stands beyond the scan's position, as far as the cached timeline reaches; *whole: it has all that the scan asks
 * for. *found is false when there is none, or one that may lack something. */
SN_CHECKED sn_status home_cache_read(struct rpc_call *c, const char *owner, const struct page_scan *scan, bool *found,
                                     struct home_header *header, struct refs *out, bool *whole);
/* Before reading what will be stored. False: nothing can be. */
bool home_cache_prepare(struct rpc_call *c, const char *owner, struct home_build *build);
/* Stores what was built, unless another build began, or it was cleared; best effort. refs: newest first. */
void home_cache_store(struct rpc_call *c, const char *owner, const struct home_build *build,
                      const struct home_header *header, const struct refs *refs);
/* Entries to their owners' sets, where there are sets; sorted by owner. Repeating it changes nothing for readers. */
SN_CHECKED sn_status home_cache_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n);
/* Drops all cached timelines, and all that are being built. */
SN_CHECKED sn_status home_cache_clear(struct rpc_call *c);

uint32_t home_cache_today(const struct rpc_call *c);

#endif
