/* Shared by provision.c and migrate.c: blocking queries, with one sentence on failure. Private to db/. */
#ifndef DB_MIGRATE_INTERNAL_H
#define DB_MIGRATE_INTERNAL_H

#include <libpq-fe.h>
#include "db/migrate.h"

/* The platform's own migrations, compiled in by tools/embed. */
extern const struct db_schema db_platform_schema;

void migrate_finish_p(PGconn **pg);
/* database NULL: the one that url names. */
SN_CHECKED sn_status migrate_connect(const char *url, const char *database, PGconn **pg, struct buf *error);
/* result may be NULL. what completes "cannot …". */
SN_CHECKED sn_status migrate_query(PGconn *pg, const char *sql, const char *what, struct buf *error, PGresult **result);
/* The same with a format: only %I, a quoted identifier, and %L, a quoted literal, are supported. */
SN_CHECKED sn_status migrate_format(PGconn *pg, const char *what, struct buf *error, PGresult **result,
                                    const char *format, ...);

/* Whether all migrations of the schema have run, on a connection from db_pg_connect or migrate_connect:
 * SN_UNAVAILABLE without a response before deadline_us. */
SN_CHECKED sn_status migrate_check(PGconn *pg, const struct db_schema *schema, int64_t deadline_us, struct buf *error);
/* Runs the missing ones as the owner (the session has its role), with the migration lock held. */
SN_CHECKED sn_status migrate_run(PGconn *pg, const struct db_schema *schema, const char *app_role, struct buf *error);

#endif
