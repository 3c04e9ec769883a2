/* Owns checking whether the database answers. */
#include "db/probe.h"

#include <stdlib.h>
#include "base/clock.h"
#include "db/migrate_internal.h"
#include "db/pool.h"

struct db_probe {
        struct db *db;
        const struct db_schema *schema;
        bool incomplete; /* a migration was missing */
};

struct db_probe *db_probe_new(struct db *db, const struct db_schema *schema)
{
        struct db_probe *probe = calloc(1, sizeof(*probe));

        if (probe == NULL) {
                abort();
        }
        *probe = (struct db_probe){.db = db, .schema = schema};
        return probe;
}

static sn_status ask_server(const struct db_probe *probe, struct db_connection *connection, int64_t deadline_us,
                            struct buf *reason)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (!connection->migrated) {
                TRY(migrate_check(connection->pg, probe->schema, deadline_us, reason));
                connection->migrated = true;
                return SN_OK;
        }
        if (db_pg_query(connection->pg, "select 1", deadline_us, &result) != DB_DONE) {
                buf_append_c(reason, "an established connection got no response");
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

/* A session that began before the last migration lacks the settings of its role: it is not used further. */
static void leave_connection(struct db_probe *probe, struct db_connection *connection, sn_status status)
{
        bool lost = PQstatus(connection->pg) != CONNECTION_OK, old = probe->incomplete && status == SN_OK;

        probe->incomplete = status == SN_FAILED_PRECONDITION;
        if (status == SN_UNAVAILABLE || old) {
                db_give_up(connection, false);
        } else {
                db_release(connection);
        }
        if (lost || old) {
                db_drop_idle(probe->db);
        }
}

sn_status db_probe_look(struct db_probe *probe, int timeout_ms, struct buf *reason)
{
        int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
        struct db_connection *connection;
        char why[256] = "";

        if (db_acquire_for_probe(probe->db, deadline_us, &connection, why, sizeof(why)) != DB_DONE) {
                buf_printf(reason, "cannot connect: %s", why);
                return SN_UNAVAILABLE;
        }
        sn_status status = ask_server(probe, connection, deadline_us, reason);

        leave_connection(probe, connection, status);
        return status;
}

void db_probe_free(struct db_probe *probe)
{
        free(probe);
}
