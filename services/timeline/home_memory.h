/* Home timelines in the memory of the process that delivers. All that is delivered to a timeline goes through it, so
 * what it holds lacks nothing, and costs a reader no round trip. That is so only while this process is certain to be
 * the one that delivers: by its lease, for as long as the lease is believed (bus/lease.h), and for one holding of it.
 * At any other moment, and in all other processes, there is nothing here, and Redis answers. */
#ifndef SERVICES_TIMELINE_HOME_MEMORY_H
#define SERVICES_TIMELINE_HOME_MEMORY_H

#include "bus/bus.h"
#include "services/timeline/home_list.h"
#include "services/timeline/timeline_rows.rpc.h"

/* Of the consumer that delivers. */
extern struct bus_term home_memory_term;

SN_CHECKED sn_status home_memory_start(size_t max_bytes);
void home_memory_stop(void);

/* ---- For delivery: on the one thread that delivers ---- */

/* Drops all, and what readers are about to put. */
void home_memory_clear(void);
/* Delivery starts here, in this term of the lease: whatever is held, another process may have delivered to since. */
void home_memory_begin(uint64_t term);
/* Entries for timelines that are held; sorted by owner. After Redis has them, or is not believed any more: a reader is
 * never shown here what a crash would hide again. */
void home_memory_deliver(TimelineRows__Entry *const *entries, size_t n);

/* ---- For readers ---- */

/* False: it is not held. The list is valid as long as the call. */
bool home_memory_get(struct rpc_call *c, const char *owner, struct home_list *list);
/* Before what will be put is read, from Redis or from PostgreSQL; 0: nothing can be put. */
uint64_t home_memory_token(const char *owner);
/* Unless something was delivered since. */
void home_memory_put(const char *owner, uint64_t token, const struct home_list *list);

#endif
