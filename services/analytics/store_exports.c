/* Owns the SQL of background exports. */
#include "services/analytics/store_exports.h"

/* One index look-up per name. */
DB_STATEMENT(SELECT_METRIC_NAMES, "analytics_service", NULL,
             "with recursive n as ((select name from business_metrics order by name limit 1) union all"
             " select (select m.name from business_metrics m where m.name > n.name order by m.name limit 1) from n"
             " where n.name is not null) select name from n where name is not null limit 1000");

sn_status store_metric_names(struct db_tx *tx, char ***names, size_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_METRIC_NAMES, DB_NO_BINDS, &rows));
        *n = db_rows_count(rows);
        *names = ARENA_ARRAY(db_arena(tx), char *, *n + 1);
        for (size_t i = 0; i < *n; i++) {
                (*names)[i] = arena_strdup(db_arena(tx), db_text(rows, i, "name"));
        }
        return SN_OK;
}

DB_STATEMENT(INSERT_METRIC_EXPORT, "analytics_service", NULL,
             "insert into analytics_exports (id, kind, format, grain, names, from_at, to_at, portions, expires_at)"
             " select $1, $2, $3, $4, $5::text[], $6, $7, $8, date_trunc('second', now()) + make_interval(days =>"
             " $9::integer) where (select count(*) from analytics_exports where expires_at > now()) < $10::bigint");

sn_status store_insert_metric_export(struct db_tx *tx, const metric_export *e, int64_t days, int64_t most, bool *added)
{
        int64_t n = 0;

        TRY(db_lock_one(tx, "analytics", "exports"));
        TRY(db_exec(tx, &INSERT_METRIC_EXPORT,
                    DB_BINDS(bind_uuid(e->id), bind_i64(e->kind), bind_i64(e->format), bind_i64(e->grain),
                             bind_texts(e->names, e->n_names), bind_time_ms(e->from_ms), bind_time_ms(e->to_ms),
                             bind_i64(e->portions), bind_i64(days), bind_i64(most)),
                    &n));
        *added = n > 0;
        return SN_OK;
}

#define SHOWN                                                                                                          \
        "id, kind, format, grain as interval, names, from_at as \"from\", to_at as \"to\", (done * 100 / portions)"    \
        "::integer as progress, rows, size_bytes, created_at, ready_at, expires_at, failure from analytics_exports"

DB_STATEMENT(SELECT_METRIC_EXPORT, "analytics_service", &analytics__metric_export__message,
             "select " SHOWN " where id = $1 and expires_at > now()");

sn_status store_metric_export(struct db_tx *tx, const char *id, Analytics__MetricExport *out)
{
        bool found = false;

        TRY(db_one(tx, &SELECT_METRIC_EXPORT, DB_BINDS(bind_uuid(id)), &out->base, &found));
        return found ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no such export, or it has expired");
}

DB_STATEMENT(SELECT_METRIC_EXPORTS, "analytics_service", &analytics__metric_export__message,
             "select " SHOWN " where expires_at > now() order by id desc limit 100");

sn_status store_metric_exports(struct db_tx *tx, size_t *n, Analytics__MetricExport ***out)
{
        return db_list(tx, &SELECT_METRIC_EXPORTS, DB_NO_BINDS, n, out);
}

DB_STATEMENT(DELETE_METRIC_EXPORT, "analytics_service", NULL, "delete from analytics_exports where id = $1");

sn_status store_delete_metric_export(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &DELETE_METRIC_EXPORT, DB_BINDS(bind_uuid(id)), NULL);
}

/* ---- Making them ---- */

#define TASK                                                                                                           \
        "id, kind, format, grain, names, (extract(epoch from from_at) * 1000)::bigint as from_ms,"                     \
        " (extract(epoch from to_at) * 1000)::bigint as to_ms, portions, done, parts, size_bytes, tries"

/* An unfinished export belongs to the process that took it for a minute, longer than a part takes. */
DB_STATEMENT(NEXT_METRIC_EXPORT, "analytics_service", &analytics_rows__metric_export__message,
             "update analytics_exports set tried_at = clock_timestamp(), tries = tries + 1 where id = (select id from"
             " analytics_exports where ready_at is null and failure = '' and (tries = 0 or tried_at < now() - interval"
             " '60 seconds') order by tried_at limit 1 for update skip locked) returning " TASK);

sn_status store_next_metric_export(struct db_tx *tx, metric_export *out)
{
        bool found = false;

        return db_one(tx, &NEXT_METRIC_EXPORT, DB_NO_BINDS, &out->base, &found);
}

DB_STATEMENT(
    ADVANCE_METRIC_EXPORT, "analytics_service", NULL,
    "update analytics_exports set done = $3, parts = parts + 1, rows = rows + $4, size_bytes = size_bytes + $5,"
    " tries = 0, ready_at = case when $3 = portions then now() end where id = $1 and parts = $2"
    " and ready_at is null and failure = ''");
DB_STATEMENT(INSERT_METRIC_EXPORT_PART, "analytics_service", NULL,
             "insert into analytics_export_parts (export_id, position, data) values ($1, $2, $3)");

sn_status store_metric_export_part(struct db_tx *tx, const metric_export *e, int64_t done, int64_t rows,
                                   const char *data, size_t len)
{
        int64_t n = 0;

        TRY(db_exec(
            tx, &ADVANCE_METRIC_EXPORT,
            DB_BINDS(bind_uuid(e->id), bind_i64(e->parts), bind_i64(done), bind_i64(rows), bind_i64((int64_t)len)),
            &n));
        return n == 0 ? SN_OK
                      : db_exec(tx, &INSERT_METRIC_EXPORT_PART,
                                DB_BINDS(bind_uuid(e->id), bind_i64(e->parts), bind_bytes((const uint8_t *)data, len)),
                                NULL);
}

DB_STATEMENT(FAIL_METRIC_EXPORT, "analytics_service", NULL, "update analytics_exports set failure = $2 where id = $1");
DB_STATEMENT(DROP_METRIC_EXPORT_PARTS, "analytics_service", NULL,
             "delete from analytics_export_parts where export_id = $1");

sn_status store_fail_metric_export(struct db_tx *tx, const char *id, const char *failure)
{
        TRY(db_exec(tx, &FAIL_METRIC_EXPORT, DB_BINDS(bind_uuid(id), bind_text(failure)), NULL));
        return db_exec(tx, &DROP_METRIC_EXPORT_PARTS, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(EXPIRE_METRIC_EXPORTS, "analytics_service", NULL,
             "delete from analytics_exports where id = (select id from analytics_exports where expires_at <= now()"
             " order by expires_at limit 1 for update skip locked)");

sn_status store_expire_metric_exports(struct db_tx *tx)
{
        return db_exec(tx, &EXPIRE_METRIC_EXPORTS, DB_NO_BINDS, NULL);
}

/* ---- Reading them ---- */

DB_STATEMENT(SELECT_FINISHED_METRIC_EXPORT, "analytics_service", &analytics_rows__metric_export__message,
             "select " TASK " from analytics_exports where id = $1 and ready_at is not null and expires_at > now()");

sn_status store_metric_export_parts(struct db_tx *tx, const char *id, metric_export *out)
{
        bool found = false;

        return db_one(tx, &SELECT_FINISHED_METRIC_EXPORT, DB_BINDS(bind_uuid(id)), &out->base, &found);
}

DB_STATEMENT(SELECT_METRIC_EXPORT_PART, "analytics_service", NULL,
             "select data from analytics_export_parts where export_id = $1 and position = $2");

sn_status store_read_metric_export_part(struct db_tx *tx, const char *id, int64_t position, const uint8_t **data,
                                        size_t *len)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_METRIC_EXPORT_PART, DB_BINDS(bind_uuid(id), bind_i64(position)), &rows));
        if (db_rows_count(rows) == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "this export was deleted");
        }
        *data = db_bytes(rows, 0, "data", len);
        return SN_OK;
}

DB_STATEMENT(SELECT_EVENTS_OF_HOUR, "analytics_service", &analytics_rows__event_group__message,
             "select name, coalesce(properties::text, '') as properties, count(distinct visitor) / $3::bigint * $3 as"
             " people from user_events where name = any($1::text[]) and at >= $2::timestamptz and at <"
             " $2::timestamptz + interval '1 hour' and visitor is not null group by 1, 2"
             " having count(distinct visitor) >= $3 order by 3 desc, 1, 2 limit 10000");

sn_status store_events_of_hour(struct db_tx *tx, char *const *names, size_t n_names, int64_t hour_ms, int64_t min,
                               size_t *n, AnalyticsRows__EventGroup ***out)
{
        return db_list(tx, &SELECT_EVENTS_OF_HOUR,
                       DB_BINDS(bind_texts(names, n_names), bind_time_ms(hour_ms), bind_i64(min)), n, out);
}
