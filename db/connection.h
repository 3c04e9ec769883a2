/* One libpq connection: waits that end at a deadline, and the statements prepared on it. Private to db/. */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "db/statement.h"

#define DB_NAME_SIZE 64 /* the maximum length of a name in PostgreSQL, including NUL */

enum db_outcome {
        DB_DONE,    /* the server executed it */
        DB_ERROR,   /* the server refused: the result has the SQLSTATE */
        DB_LOST,    /* the connection is lost (or could not be opened); what was sent may have taken effect */
        DB_EXPIRED, /* the deadline passed while waiting: the connection is in an unknown state, so only db_give_up may
                       follow */
};

struct db_prepared_entry {
        const struct db_statement *statement;
        uint32_t signature; /* of the parameters' types: one statement may be prepared for more than one */
        char name[DB_NAME_SIZE];
};

struct db_prepared {
        struct db_prepared_entry **slots; /* open addressing, a power of two */
        size_t n, capacity;
};

struct db_connection {
        PGconn *pg;
        struct db *db;
        struct db_connection *next; /* in the pool's idle list, or in the list of the reaper */
        struct db_prepared prepared;
        int64_t idle_since_us;
        bool no_slot;  /* taken by a probe */
        bool migrated; /* a probe has found all migrations: they are not undone while it lives */
        bool cancel;   /* in the list of the reaper: a statement is still running on it */
        char boot[48]; /* identifies a run of the server: changes when it recovers from a crash */
};

/* Connects before deadline_us (monotonic). On DB_LOST and DB_EXPIRED *pg is NULL and reason (at least 200 bytes, may be
 * NULL) has a sentence. */
enum db_outcome db_pg_connect(const char *url, int64_t deadline_us, PGconn **pg, char *reason, size_t reason_size);
/* Waits for all results; *result is the last one, or the first error (may be NULL on DB_LOST and DB_EXPIRED). */
enum db_outcome db_pg_wait(PGconn *pg, int64_t deadline_us, PGresult **result);
/* Waits for the end of a pipeline, after the results of all its statements; leaves pipeline mode. */
enum db_outcome db_pg_wait_sync(PGconn *pg, int64_t deadline_us);
/* Simple protocol. */
enum db_outcome db_pg_query(PGconn *pg, const char *sql, int64_t deadline_us, PGresult **result);
void db_pg_clear_p(PGresult **result);
/* "" if there is none. */
const char *db_pg_sqlstate(const PGresult *result);

/* (Re)opens in place: an old connection is closed, and its prepared statements are gone. */
enum db_outcome db_connection_open(struct db_connection *connection, const char *url, int64_t deadline_us, char *reason,
                                   size_t reason_size);
void db_connection_close(struct db_connection *connection); /* cancels first when asked; frees; takes NULL */
/* Reads the server's boot mark, see struct db_connection. */
enum db_outcome db_connection_read_boot(PGconn *pg, int64_t deadline_us, char *boot, size_t boot_size);

bool db_connection_has_prepared(const struct db_connection *connection, const struct db_statement *s,
                                uint32_t signature);
/* Returns the name of the statement prepared for these types, preparing it if necessary. */
enum db_outcome db_connection_prepare(struct db_connection *connection, const struct db_statement *s,
                                      uint32_t signature, int n, const Oid *types, int64_t deadline_us,
                                      const char **name, PGresult **error);

/* 64 bits for advisory locks, from a SHA-256 of the parts (lengths included, so that no two lists meet). */
int64_t db_lock_number(const char *scope, const char *a, const char *b, const char *c);

#endif
