/* Lease: user, note and follow run as one active instance each, because they cache their own rows in memory. The lease
 * is a session advisory lock on a connection of its own: it goes with its holder, whatever kills it. */
#ifndef DB_LEASE_H
#define DB_LEASE_H

#include <stdbool.h>
#include "base/status.h"

struct db_lease;

/* Starts a thread that takes the lease and keeps checking it (every 500 ms). on_lost is called at once when the
 * connection is gone (the owner drops its caches); after a wait behind another holder the lease is only held 2 s later,
 * when that one must have noticed. */
struct db_lease *db_lease_new(const char *url, const char *name, void (*on_lost)(void *context), void *context);
bool db_lease_held(const struct db_lease *lease);
void db_lease_free(struct db_lease *lease); /* lets go; takes NULL */

#endif
