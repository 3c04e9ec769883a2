/* Owns clean-up in portions, and the job that does it once an hour for the platform's tables in every service's
 * database: idempotency keys older than 24 hours, and events older than 7 days that have a position, read by every
 * consumer or not. */
#include "services/cleanup.h"

#include "services/services.h"

#define PORTION 10000

sn_status cleanup_portion(struct rpc_call *c, const struct db_statement *s, bool *more)
{
        struct db_rows *rows;

        TRY(DB_WRITE(c, tx, db_rows(tx, s, DB_BINDS(bind_i64(PORTION)), &rows)));
        *more = db_i64(rows, 0, "most") >= PORTION;
        return SN_OK;
}

DB_STATEMENT(CLEANUP_OLD_DATA, "*", NULL,
             "select greatest(idempotency_keys_deleted, outbox_deleted) as most from cleanup_old_data($1::integer)");

static sn_status cleanup(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_OLD_DATA, more);
}

const struct service_job services_cleanup = {.name = "cleanup_old_data", .every_s = 3600, .run = cleanup};
