/* Owns checking whether the database answers. */
#include "db/probe.h"

#include <stdlib.h>
#include "base/clock.h"
#include "db/migrate_internal.h"
#include "db/pool.h"

struct db_probe {
        struct db *db;
        const struct db_schema *schema;
        bool migrated; /* once true, not checked again while the pool keeps a connection: migrations are not undone */
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

static sn_status ask_server(struct db_probe *probe, PGconn *pg, int64_t deadline_us, struct buf *reason)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (!probe->migrated) {
                return migrate_check(pg, probe->schema, deadline_us, reason);
        }
        if (db_pg_query(pg, "select 1", deadline_us, &result) != DB_DONE) {
                buf_append_c(reason, "an established connection got no response");
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

sn_status db_probe_look(struct db_probe *probe, int timeout_ms, struct buf *reason)
{
        int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
        struct db_connection *connection;
        char why[256] = "";
        bool opened;

        if (db_acquire_for_probe(probe->db, deadline_us, &connection, &opened, why, sizeof(why)) != DB_DONE) {
                buf_printf(reason, "cannot connect: %s", why);
                return SN_UNAVAILABLE;
        }
        probe->migrated = probe->migrated && !opened;
        sn_status status = ask_server(probe, connection->pg, deadline_us, reason);

        probe->migrated = status == SN_OK;
        if (status == SN_UNAVAILABLE) {
                db_give_up(connection, true);
                db_drop_idle(probe->db);
        } else {
                db_release(connection);
        }
        return status;
}

void db_probe_free(struct db_probe *probe)
{
        free(probe);
}
