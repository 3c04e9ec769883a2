/* Owns the statements that assign positions to the events of a log, and that read those with positions. */
#include "bus/positions.h"

#include <string.h>
#include "base/log.h"

/* server: identifies the database that assigns positions. A different one, or the same on another timeline, was
 * restored from a backup (or is a promoted standby): positions after its head may have been assigned before. */
#define SERVER                                                                                                         \
        "(select system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' ||"           \
        " (select oid::text from pg_database where datname = current_database()) from pg_control_system())"
DB_STATEMENT(LOCK_LOG_HEAD, "*", NULL,
             "select position, log_id, origin, " SERVER " as server from outbox_head for update skip locked");

DB_STATEMENT(
    NAME_LOG, "*", NULL,
    "update outbox_head set origin = $1, log_id = case when origin = '' then log_id else gen_random_uuid() end,"
    " log_start = case when origin = '' then log_start else position end returning log_id");

/* So that readers can tell new positions from those they have seen, however many are assigned before they look. */
static sn_status name_log(struct db_tx *tx, const struct db_rows *head, const char **log_id)
{
        const char *origin = db_text(head, 0, "origin"), *server = db_text(head, 0, "server");
        struct db_rows *rows;

        *log_id = db_text(head, 0, "log_id");
        if (strcmp(origin, server) == 0) {
                return SN_OK;
        }
        if (origin[0] != '\0') {
                log_event(LOG_LEVEL_WARN,
                          "the database was restored from a backup or a standby: renaming its event log",
                          LOG_STR("sonet.service", db_call(tx)->service->name),
                          LOG_INT("sonet.position", db_i64(head, 0, "position")));
        }
        TRY(db_rows(tx, &NAME_LOG, DB_BINDS(bind_text(server)), &rows));
        *log_id = db_text(rows, 0, "log_id");
        return SN_OK;
}

DB_STATEMENT(
    ASSIGN_POSITIONS, "*", &sonet__events__event__message,
    "with batch as ("
    " select id, row_number() over (order by id) as n from"
    " (select id from outbox where position is null order by id limit $2) unassigned"
    "), assigned as ("
    " update outbox o set position = $1 + batch.n, assigned_at = clock_timestamp() from batch where o.id = batch.id "
    "returning o.*"
    "), head as ("
    " update outbox_head set position = $1 + (select count(*) from batch)"
    ") select event_id as id, position, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at"
    " from assigned order by position");

void positions_name_source(const struct rpc_call *c, const struct relay_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                batch->events[i]->source = (char *)c->service->name;
                batch->events[i]->schema_version = 1;
        }
}

#define EVENT "event_id as id, position, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at"

/* Two statements: the snapshot of the second is taken once the first has the lock. It does not wait for the lock, since
 * a COMMIT may take long. (A query takes locks after computing its columns: hence the subquery.) */
DB_STATEMENT(LOCK_FREE_HEAD, "*", NULL,
             "select set_config('sonet.assigns', 'on', true) from (select position from outbox_head for update"
             " skip locked) head");
/* No events without the lock, and none if the log no longer has the name and origin known to this process. */
#define NEXT_BATCH                                                                                                     \
        "with head as (select position from outbox_head where log_id = $1 and origin = " SERVER                        \
        " and current_setting('sonet.assigns', true) = 'on'), batch as ("                                              \
        " select id, (select position from head) + row_number() over (order by id) as position from"                   \
        " (select id from outbox where position is null and exists (select from head) order by id limit $2"            \
        ") unassigned), assigned as ("                                                                                 \
        " update outbox o set position = batch.position, assigned_at = clock_timestamp() from batch"                   \
        " where o.id = batch.id returning o.*)"
#define MOVE_HEAD                                                                                                      \
        " update outbox_head set position = position + (select count(*) from batch) where exists (select from batch)"
DB_STATEMENT(ASSIGN_NEXT, "*", &sonet__events__event__message,
             NEXT_BATCH ", moved as (" MOVE_HEAD ") select " EVENT " from assigned order by position");

sn_status positions_assign_next(struct rpc_call *c, struct relay_batch *batch, bool *busy)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *head;

        TRY(db_begin(c, &tx));
        TRY(db_rows(tx, &LOCK_FREE_HEAD, DB_NO_BINDS, &head));
        *busy = db_rows_count(head) == 0;
        if (*busy) {
                return SN_OK;
        }
        TRY(db_list(tx, &ASSIGN_NEXT, DB_BINDS(bind_uuid(batch->log_id), bind_i64(POSITIONS_BATCH)), &batch->n,
                    &batch->events));
        positions_name_source(c, batch);
        return batch->n > 0 ? db_commit(c, NULL, &tx) : SN_OK;
}

/* Events with positions that were not streamed yet; then, if any have none, one of those. */
DB_STATEMENT(SELECT_ASSIGNED, "*", &sonet__events__event__message,
             "(select " EVENT " from outbox where position > $1 order by position limit $2) union all"
             " (select " EVENT " from outbox where position is null limit 1)");

sn_status positions_read(struct rpc_call *c, int64_t after, struct relay_batch *batch, bool *unassigned)
{
        TRY(DB_READ(c, tx,
                    db_list(tx, &SELECT_ASSIGNED, DB_BINDS(bind_i64(after), bind_i64(POSITIONS_BATCH)), &batch->n,
                            &batch->events)));
        *unassigned = batch->n > 0 && batch->events[batch->n - 1]->position == 0;
        batch->n -= *unassigned;
        positions_name_source(c, batch);
        return SN_OK;
}

sn_status positions_assign(struct rpc_call *c, struct relay_batch *batch, bool *busy)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct db_rows *head;

        TRY(db_begin(c, &tx));
        TRY(db_rows(tx, &LOCK_LOG_HEAD, DB_NO_BINDS,
                    &head)); /* a separate statement: the next one has a newer snapshot */
        *busy = db_rows_count(head) == 0;
        if (*busy) {
                return SN_OK;
        }
        TRY(name_log(tx, head, &batch->log_id));
        TRY(db_list(tx, &ASSIGN_POSITIONS, DB_BINDS(bind_i64(db_i64(head, 0, "position")), bind_i64(POSITIONS_BATCH)),
                    &batch->n, &batch->events));
        positions_name_source(c, batch);
        return batch->n > 0 ? db_commit(c, NULL, &tx) : SN_OK;
}

sn_status positions_assign_later(struct db_tx *tx, const char *log_id, struct db_rows **assigned)
{
        TRY(db_exec_later(tx, &LOCK_FREE_HEAD, DB_NO_BINDS));
        return db_rows_later(tx, &ASSIGN_NEXT, DB_BINDS(bind_uuid(log_id), bind_i64(POSITIONS_EMITTER_BATCH)),
                             assigned);
}
