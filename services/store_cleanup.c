/* Owns clean-up in portions, and the hourly job for the platform's tables in every service's database: idempotency
 * keys older than 24 hours, events older than 7 days that have a position, whether or not every consumer has read
 * them, and mails that were sent or failed 7 days ago. */
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

DB_STATEMENT(
    CLEANUP_MAILS, "*", NULL,
    "with old as (select id from mail_queue where settled_at < now() - interval '7 days' order by settled_at"
    " limit $1 for update skip locked), gone as (delete from mail_queue q using old where q.id = old.id returning 1)"
    " select count(*) as most from gone");

static sn_status cleanup(struct rpc_call *c, bool *more)
{
        bool events = false, mails = false;

        TRY(cleanup_portion(c, &CLEANUP_OLD_DATA, &events));
        TRY(cleanup_portion(c, &CLEANUP_MAILS, &mails));
        *more = events || mails;
        return SN_OK;
}

const struct service_job services_cleanup = {.name = "cleanup_old_data", .every_s = 3600, .run = cleanup};
