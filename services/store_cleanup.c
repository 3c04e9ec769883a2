/* Owns the job that forgets what the platform kept long enough in every service's database: idempotency keys after 24
 * hours, events after 7 days. */
#include "db/db.h"
#include "services/services.h"

DB_STATEMENT(CLEANUP_OLD_DATA, "*", NULL,
             "select idempotency_keys_deleted + outbox_deleted as removed from cleanup_old_data()");

static sn_status run(struct rpc_call *c)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(db_exec(tx, &CLEANUP_OLD_DATA, DB_NO_BINDS, NULL));
        return db_commit(c, NULL, &tx);
}

const struct service_job services_cleanup = {.name = "cleanup_old_data", .every_s = 3600, .run = run};
