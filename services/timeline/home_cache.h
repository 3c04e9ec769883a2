/* Cached home timelines: in Redis one string per member, of a header and the newest entries (README.md), and copies
 * in the memory of the delivering process. Everything that uses Redis may fail with SN_UNAVAILABLE: then
 * note_service is asked. */
#ifndef SERVICES_TIMELINE_HOME_CACHE_H
#define SERVICES_TIMELINE_HOME_CACHE_H

#include "services/timeline/home_list.h"
#include "services/timeline/timeline_rows.rpc.h"

/* The token of a build: what is delivered meanwhile is appended to the token, and kept. */
struct home_build {
        uint8_t token[17];
        bool redis;      /* the token is there */
        uint64_t memory; /* home_memory_token */
};

/* Entries beyond the scan's position, as far as the cached timeline goes; *whole: everything that the scan asks for.
 * *found is false if it is not cached, or may lack an entry. header.day is that of an earlier read until then. */
SN_CHECKED sn_status home_cache_read(struct rpc_call *c, const char *owner, const struct page_scan *scan, bool *found,
                                     struct home_header *header, struct refs *out, bool *whole);
/* Call it before reading what will be stored. False: nothing can be stored. */
bool home_cache_prepare(struct rpc_call *c, const char *owner, struct home_build *build);
/* Stores what was built, unless another build was started, or it was cleared; best effort. */
void home_cache_store(struct rpc_call *c, const char *owner, const struct home_build *build,
                      const struct home_list *list);
/* Adds entries to their owners' cached timelines, if there are any; sorted by owner. Idempotent for readers. */
SN_CHECKED sn_status home_cache_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n);
/* Drops all cached timelines, and all builds. */
SN_CHECKED sn_status home_cache_clear(struct rpc_call *c);

uint32_t home_cache_today(const struct rpc_call *c);

#endif
