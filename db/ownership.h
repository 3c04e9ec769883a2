/* Ownership: user, note and follow cache rows in memory, so each of them is run by one process at a time, its owner.
 * A process takes the leases of all its single-instance services as one, serves only while it has all of them, and
 * exits at once if it loses one (fail-stop): no memory is handed over, and the next owner starts with empty caches.
 *
 * Guarantees:
 * - Writes. Every write transaction is fenced (db/fence.h): no write of a former owner takes effect once the next
 * one reads.
 * - Reads. A response is sent only after db_ownership_confirm, which returns only while the lease is certain: within
 * LEASE_TRUST_MS of sending the last query that PostgreSQL answered. The answer shows that the session, and its
 * lock, existed after the query was sent. So the next owner got the lock later, and since it responds to nothing
 * before it has had all locks for DB_OWNERSHIP_WAIT_MS, the former one has sent its last response by then, whatever
 * ended its session. A process that was stopped anywhere and resumes later finds the lease uncertain and sends
 * nothing. This assumes that the clocks of both processes run at the same rate to within a quarter, and count time
 * during which a machine sleeps; they need not agree, and PostgreSQL's clock is not involved. */
#ifndef DB_OWNERSHIP_H
#define DB_OWNERSHIP_H

#include <stdbool.h>
#include "db/db.h"
#include "db/lease_session.h"

/* The exit code of a process that lost its ownership (EX_TEMPFAIL of sysexits.h): restart it. */
#define DB_OWNERSHIP_EXIT    75
#define DB_OWNERSHIP_WAIT_MS (LEASE_TRUST_MS * 5 / 4)
#define DB_OWNERSHIP_MAX     16

struct db_ownership;

struct db_ownership *db_ownership_new(void);
/* To be called before the start, in the same order in every process, with a service and the database that only it
 * writes. From now on writes to db are fenced, and impossible until the ownership is held. */
void db_ownership_add(struct db_ownership *o, struct db *db, const char *service);
bool db_ownership_covers(struct db *db);
/* Starts the thread that takes the leases, and then keeps them. */
void db_ownership_start(struct db_ownership *o);
/* Whether ownership is certain at this moment. NULL, a process that owns nothing: true. When idle, PostgreSQL is
 * queried rarely, so the first caller usually finds it uncertain: db_ownership_confirm then costs a round trip. */
bool db_ownership_held(struct db_ownership *o);
/* Whether it is held, or would be found so on demand: for reporting, not for responses from the owner's memory. */
bool db_ownership_kept(const struct db_ownership *o);
/* The service whose lease another process has; NULL: none. Takes NULL. */
const char *db_ownership_awaits(const struct db_ownership *o);
/* What is read from the owner's memory now counts before the end of certainty, wherever that is then
 * (base/stamps.h). Takes NULL. */
void db_ownership_stamp(struct db_ownership *o);
/* Returns once it is certain that the ownership was held until now: usually at once, otherwise when PostgreSQL has
 * answered. Never returns if it is lost. Takes NULL. */
void db_ownership_confirm(struct db_ownership *o);
/* Logs the reason and ends the process with DB_OWNERSHIP_EXIT. */
_Noreturn void db_ownership_lost(const char *service, const char *reason);
/* Gives up the ownership: after the last write, before the databases are freed. Takes NULL. */
void db_ownership_free(struct db_ownership *o);

#endif
