/* Lease: work of a service that one process does at a time although many run it (its consumers). It comes and goes: who
 * loses it stops, and tries again. Services that one process runs alone have their process's ownership instead
 * (db/ownership.h). */
#ifndef DB_LEASE_H
#define DB_LEASE_H

#include <stdbool.h>

struct db_lease;

/* Starts a thread that takes the lease and keeps it, on a connection of its own. */
struct db_lease *db_lease_new(const char *url, const char *name);
/* Certain at this moment, see LEASE_TRUST_MS. */
bool db_lease_held(const struct db_lease *lease);
void db_lease_free(struct db_lease *lease); /* lets go; takes NULL */

#endif
