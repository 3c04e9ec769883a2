/* Owns the connection that checks whether the database answers. */
#include "db/probe.h"

#include <stdlib.h>
#include "base/clock.h"
#include "db/connection.h"
#include "db/migrate_internal.h"

struct db_probe {
        const char *url;
        const struct db_schema *schema;
        PGconn *pg;
        bool migrated; /* once true, not checked again on this connection: migrations are not undone */
};

struct db_probe *db_probe_new(const char *url, const struct db_schema *schema)
{
        struct db_probe *probe = calloc(1, sizeof(*probe));

        if (probe == NULL) {
                abort();
        }
        *probe = (struct db_probe){.url = url, .schema = schema};
        return probe;
}

static void disconnect_probe(struct db_probe *probe)
{
        PQfinish(probe->pg);
        probe->pg = NULL;
        probe->migrated = false;
}

static sn_status connect_before(struct db_probe *probe, int64_t deadline_us, struct buf *reason)
{
        char why[256] = "";

        if (probe->pg == NULL && db_pg_connect(probe->url, deadline_us, &probe->pg, why, sizeof(why)) != DB_DONE) {
                buf_printf(reason, "cannot connect: %s", why);
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

static sn_status ask_server(struct db_probe *probe, int64_t deadline_us, struct buf *reason)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (!probe->migrated) {
                return migrate_check(probe->pg, probe->schema, deadline_us, reason);
        }
        if (db_pg_query(probe->pg, "select 1", deadline_us, &result) != DB_DONE) {
                buf_append_c(reason, "an established connection got no response");
                return SN_UNAVAILABLE;
        }
        return SN_OK;
}

sn_status db_probe_look(struct db_probe *probe, int timeout_ms, struct buf *reason)
{
        int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

        TRY(connect_before(probe, deadline_us, reason));
        sn_status status = ask_server(probe, deadline_us, reason);

        probe->migrated = status == SN_OK;
        if (status == SN_UNAVAILABLE) {
                disconnect_probe(probe);
        }
        return status;
}

void db_probe_free(struct db_probe *probe)
{
        if (probe != NULL) {
                disconnect_probe(probe);
                free(probe);
        }
}
