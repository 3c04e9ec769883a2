/* Ownership: user, note and follow keep rows of theirs in memory, so each of them is run by one process at a time, its
 * owner. A process takes the leases of all its single services as one, serves only while it has all of them, and ends
 * at once when it loses one (fail-stop): nothing is handed over in memory, and whoever starts next starts empty.
 *
 * What it guarantees:
 * - Writes. Every write transaction is fenced (db/fence.h): none of a former owner's lands once the next one reads.
 * - Reads. An answer leaves only after db_ownership_confirm, which returns only while the lease is certain: within
 *   LEASE_TRUST_MS from before the question that PostgreSQL answered last. The answer shows that the session, and its
 *   lock, were there after the question. So the next owner got the lock after it, and as it answers nothing before it
 * has had all locks for DB_OWNERSHIP_WAIT_MS, the former one has said its last word by then, whatever ended its
 * session. A process that was stopped anywhere, and wakes up later, finds the lease uncertain and says nothing more. It
 * takes that the clocks of the two processes run equally fast to within a quarter, and count the time in which a
 * machine sleeps; that they agree is not needed, and PostgreSQL's has no part in it. */
#ifndef DB_OWNERSHIP_H
#define DB_OWNERSHIP_H

#include <stdbool.h>
#include "db/db.h"
#include "db/lease_session.h"

/* The exit code of a process that lost its ownership (EX_TEMPFAIL of sysexits.h): start it anew. */
#define DB_OWNERSHIP_EXIT    75
#define DB_OWNERSHIP_WAIT_MS (LEASE_TRUST_MS * 5 / 4)
#define DB_OWNERSHIP_MAX     16

struct db_ownership;

struct db_ownership *db_ownership_new(void);
/* Before the start, in the same order in every process: a service, and the database that it alone writes. From now on
 * writes to db are fenced, and impossible until the ownership is held. */
void db_ownership_add(struct db_ownership *o, struct db *db, const char *service);
bool db_ownership_covers(struct db *db);
/* Starts the thread that takes the leases, and then keeps them. */
void db_ownership_start(struct db_ownership *o);
/* Certain at this moment. Takes NULL, a process that owns nothing: true. While nobody asks, PostgreSQL is asked seldom,
 * and the first who does mostly finds it uncertain: db_ownership_confirm then costs a round trip. */
bool db_ownership_held(struct db_ownership *o);
/* As held, or it would be if somebody had asked: for who reports, and does not answer from what the owner knows. */
bool db_ownership_kept(const struct db_ownership *o);
/* The service whose lease another process has; NULL: there is none. Takes NULL. */
const char *db_ownership_awaits(const struct db_ownership *o);
/* Returns once it is certain that the ownership was held until now: mostly at once, else as soon as PostgreSQL has
 * answered. Never when it is lost. Takes NULL. */
void db_ownership_confirm(struct db_ownership *o);
/* Logs the reason and ends the process with DB_OWNERSHIP_EXIT. */
_Noreturn void db_ownership_lost(const char *service, const char *reason);
/* Lets go: after the last write, before the databases are freed. Takes NULL. */
void db_ownership_free(struct db_ownership *o);

#endif
