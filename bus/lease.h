/* Leases of the relay and the lanes of a service that many processes run: rows in its database, in which the holder
 * keeps counting. A process that sees a row unchanged for BUS_LEASE_TAKEOVER_MS, by its own clock, which counts
 * suspended time, takes it; its holder relies on it for a shorter time. Clocks are never compared. A lease divides
 * work: effects in the database do not depend on it, since they are idempotent or fenced by the position's row; what
 * a holder keeps in memory does (struct bus_term). A service with an owner (db/ownership.h) needs none: there they
 * are always held. */
#ifndef BUS_LEASE_H
#define BUS_LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/service.h"
#include "base/stamps.h"

#define BUS_LEASE_BEAT_MS     500
#define BUS_LEASE_BELIEF_MS   1500
#define BUS_LEASE_TAKEOVER_MS 2000

struct bus_lease;
struct bus_leases;

/* Until when a lease is relied on, and in which term of its holder. For data in memory that only the holder knows: a
 * term outlives the leases, and nothing learnt in one term is valid in the next. */
struct bus_term {
        struct stamp_deadline until; /* 0: not held */
        uint64_t number;             /* grows */
};

/* The number of this process's term; 0: another process may hold the lease. */
uint64_t bus_term_number(struct bus_term *term);

/* All leases of a service in this process: one statement every half second keeps them. */
struct bus_leases *bus_leases_new(struct service *service);
/* Added and removed by one thread. From now on the lease is taken when it is free, and then kept. owner: the
 * component that removes it; name: unique in the service; term: where other threads see it, or NULL. The lease
 * exists until it is removed. */
const struct bus_lease *bus_leases_add(struct bus_leases *leases, const void *owner, const char *name,
                                       struct bus_term *term);
/* Gives an owner's back, so that another process has them at once. After its last use of any of them. */
void bus_leases_remove(struct bus_leases *leases, const void *owner);
/* When none is left. Takes NULL. */
void bus_leases_free(struct bus_leases *leases);

bool bus_lease_held(const struct bus_lease *lease);
uint64_t bus_lease_term(const struct bus_lease *lease);

#endif
