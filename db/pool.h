/* The pool of one database, and the slots of the server behind it. Private to db/. */
#ifndef DB_POOL_H
#define DB_POOL_H

#include "db/connection.h"
#include "db/db.h"
#include "db/fence.h"

/* Takes a connection for exclusive use until db_release or db_give_up. DB_LOST or DB_EXPIRED if none is available
 * before deadline_us. */
enum db_outcome db_acquire(struct db *db, int64_t deadline_us, struct db_connection **connection);
/* The same at once, whatever is in use: a busy pool is not a database that is down. On failure reason (at least 200
 * bytes) has a sentence. */
enum db_outcome db_acquire_for_probe(struct db *db, int64_t deadline_us, struct db_connection **connection,
                                     char *reason, size_t reason_size);
/* Returns it to the pool if it is usable and outside a transaction. */
void db_release(struct db_connection *connection);
/* Releases the slot and leaves the connection to the reaper, which cancels its statement if `cancel`, and closes it:
 * with a dead host that may take long, and the caller has a deadline. */
void db_give_up(struct db_connection *connection, bool cancel);
/* The connection is broken: reopens it in place. Idle connections of its pool are closed, as they lead to the same
 * server. On failure the caller must still release it. */
enum db_outcome db_reopen(struct db_connection *connection, int64_t deadline_us);
/* Closes idle connections, after one to the same server was lost. */
void db_drop_idle(struct db *db);

/* The fence of all write transactions on this database; off unless this process owns its service. */
struct db_fence *db_fence(struct db *db);

/* For tests: how long a connection may be idle (60,000 by default), and what the pool holds. */
void db_set_idle_ms(int64_t ms);
struct db_pool_counts {
        int idle, busy;
};
struct db_pool_counts db_pool_counts(struct db *db);

#endif
