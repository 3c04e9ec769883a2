/* Home timelines in the memory of the delivering process. Everything delivered to a timeline passes through it, so a
 * list in memory is complete, and costs readers no round trip. That holds only while this process is certain to be
 * the one that delivers: by its lease, as long as that is valid (bus/lease.h), and within one term of it. At other
 * times, and in all other processes, nothing is in memory, and Redis is read. */
#ifndef SERVICES_TIMELINE_HOME_MEMORY_H
#define SERVICES_TIMELINE_HOME_MEMORY_H

#include "bus/bus.h"
#include "services/timeline/home_list.h"
#include "services/timeline/timeline_rows.rpc.h"

/* The term of the delivering consumer, from home_memory_start on. */
extern struct bus_term *home_memory_term;

SN_CHECKED sn_status home_memory_start(size_t max_bytes);
void home_memory_stop(void);

/* ---- For delivery: on the delivering thread ---- */

/* Drops everything, including what readers are about to store. */
void home_memory_clear(void);
/* Delivery starts here, in this term of the lease: another process may have delivered in the meantime to whatever is
 * in memory. */
void home_memory_begin(uint64_t term);
/* Entries for timelines in memory; sorted by owner. After Redis has them, or is no longer trusted: readers must not
 * see here what a crash would hide again. */
void home_memory_deliver(TimelineRows__Entry *const *entries, size_t n);

/* ---- For readers ---- */

/* False: not in memory. The list is valid as long as the call. */
bool home_memory_get(struct rpc_call *c, const char *owner, struct home_list *list);
/* Call it before reading what will be stored, from Redis or PostgreSQL; 0: nothing can be stored. */
uint64_t home_memory_token(const char *owner);
/* Stores it, unless something was delivered since. */
void home_memory_put(const char *owner, uint64_t token, const struct home_list *list);

#endif
