/* Probe: checks repeatedly whether a database answers and has its migrations, over a connection of its pool, but
 * without a slot, so that a busy pool is not mistaken for a database that is down. Used by one thread. */
#ifndef DB_PROBE_H
#define DB_PROBE_H

#include "db/migrate.h"

struct db;
struct db_probe;

/* Opens nothing yet. db and schema must outlive it. */
struct db_probe *db_probe_new(struct db *db, const struct db_schema *schema);
/* Within timeout_ms, connecting if necessary. SN_OK; SN_UNAVAILABLE: no response; SN_FAILED_PRECONDITION: a
 * migration is missing. reason gets a sentence, for the log only: it may contain hosts and files. */
SN_CHECKED sn_status db_probe_look(struct db_probe *probe, int timeout_ms, struct buf *reason);
void db_probe_free(struct db_probe *probe); /* takes NULL */

#endif
