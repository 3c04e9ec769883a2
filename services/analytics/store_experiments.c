/* Owns the SQL of experiments. */
#include "services/analytics/store_experiments.h"

#include <string.h>

#define COLUMNS                                                                                                        \
        "id, name, layer, from_percent, to_percent, variants, metric, created_at, started_at, stopped_at, audience,"   \
        " holdout_percent, guardrails, stopped_by"
#define RUNS "started_at is not null and stopped_at is null"

DB_STATEMENT(INSERT_EXPERIMENT, "analytics_service", NULL,
             "insert into experiments (id, name, layer, from_percent, to_percent, variants, metric, audience,"
             " holdout_percent, guardrails) values ($1, $2, $3, $4::bigint, $5::bigint, $6, $7, $8::bigint, $9::bigint,"
             " $10)");
DB_STATEMENT(UPDATE_EXPERIMENT, "analytics_service", NULL,
             "update experiments set name = $2, layer = $3, from_percent = $4::bigint, to_percent = $5::bigint,"
             " variants = $6, metric = $7, audience = $8::bigint, holdout_percent = $9::bigint, guardrails = $10"
             " where id = $1 and started_at is null");

static sn_status write_experiment(struct db_tx *tx, const struct db_statement *s, const stored_experiment *e,
                                  int64_t *n)
{
        return db_exec(tx, s,
                       DB_BINDS(bind_uuid(e->id), bind_text(e->name), bind_text(e->layer), bind_i64(e->from_percent),
                                bind_i64(e->to_percent), bind_text(e->variants), bind_text(e->metric),
                                bind_i64(e->audience), bind_i64(e->holdout_percent), bind_text(e->guardrails)),
                       n);
}

sn_status store_insert_experiment(struct db_tx *tx, const stored_experiment *e)
{
        return write_experiment(tx, &INSERT_EXPERIMENT, e, NULL);
}

sn_status store_update_experiment(struct db_tx *tx, const stored_experiment *e, bool *done)
{
        int64_t n = 0;

        TRY(write_experiment(tx, &UPDATE_EXPERIMENT, e, &n));
        *done = n > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_EXPERIMENT, "analytics_service", &analytics_rows__stored_experiment__message,
             "select " COLUMNS " from experiments where id = $1");

sn_status store_experiment(struct db_tx *tx, const char *id, stored_experiment *out, bool *found)
{
        return db_one(tx, &SELECT_EXPERIMENT, DB_BINDS(bind_uuid(id)), &out->base, found);
}

DB_STATEMENT(SELECT_EXPERIMENTS, "analytics_service", &analytics_rows__stored_experiment__message,
             "select " COLUMNS " from experiments where not $1 or (" RUNS ") order by id desc limit 500");

sn_status store_experiments(struct db_tx *tx, bool running, size_t *n, stored_experiment ***out)
{
        return db_list(tx, &SELECT_EXPERIMENTS, DB_BINDS(bind_bool(running)), n, out);
}

DB_STATEMENT(SELECT_RUNNING_EXPERIMENT, "analytics_service", &analytics_rows__stored_experiment__message,
             "select " COLUMNS " from experiments where name = $1 and " RUNS);

sn_status store_running_experiment(struct db_tx *tx, const char *name, stored_experiment *out, bool *found)
{
        return db_one(tx, &SELECT_RUNNING_EXPERIMENT, DB_BINDS(bind_text(name)), &out->base, found);
}

DB_STATEMENT(START_EXPERIMENT, "analytics_service", NULL,
             "update experiments e set started_at = now() where e.id = $1 and e.started_at is null and not exists"
             " (select from experiments o where o.layer = e.layer and o.started_at is not null and o.stopped_at is null"
             " and o.from_percent < e.to_percent and e.from_percent < o.to_percent)");

sn_status store_start_experiment(struct db_tx *tx, const char *id, bool *done)
{
        int64_t n = 0;

        TRY(db_lock_one(tx, "analytics", "experiments"));
        TRY(db_exec(tx, &START_EXPERIMENT, DB_BINDS(bind_uuid(id)), &n));
        *done = n > 0;
        return SN_OK;
}

DB_STATEMENT(STOP_EXPERIMENT, "analytics_service", NULL,
             "update experiments set stopped_at = clock_timestamp(), stopped_by = $2 where id = $1 and " RUNS);

sn_status store_stop_experiment(struct db_tx *tx, const char *id, const char *by, bool *done)
{
        int64_t n = 0;

        /* Under this lock no event is being stored at the moment of the stop, and no results are shown between it and
         * the COMMIT (store_moment). */
        TRY(db_lock_one(tx, "analytics", "events"));
        TRY(db_exec(tx, &STOP_EXPERIMENT, DB_BINDS(bind_uuid(id), bind_text(by)), &n));
        *done = n > 0;
        return SN_OK;
}

/* Asking counts as being active: today becomes the first day, unless there is an earlier one. Late events do not change
 * it. */
DB_STATEMENT(UPSERT_VISITOR, "analytics_service", NULL,
             "insert into analytics_people as p (user_id, first_day) values ($1, (now() at time zone 'UTC')::date)"
             " on conflict (user_id) do update set first_day = least(p.first_day, excluded.first_day)"
             " returning visitor, first_day::timestamp at time zone 'UTC' as first_at");

sn_status store_visitor(struct db_tx *tx, const char *user_id, const char **visitor, int64_t *first_ms)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &UPSERT_VISITOR, DB_BINDS(bind_uuid(user_id)), &rows));
        *visitor = db_text(rows, 0, "visitor");
        *first_ms = db_i64(rows, 0, "first_at");
        return SN_OK;
}

DB_STATEMENT(SELECT_PSEUDONYMS, "analytics_service", &analytics_rows__pseudonym__message,
             "select user_id, visitor, first_day >= ($2::timestamptz at time zone 'UTC')::date as is_new"
             " from analytics_people where user_id = any($1::uuid[])");

sn_status store_pseudonyms(struct db_tx *tx, char *const *user_ids, size_t n_ids, int64_t started_ms, size_t *n,
                           AnalyticsRows__Pseudonym ***out)
{
        return db_list(tx, &SELECT_PSEUDONYMS, DB_BINDS(bind_uuids(user_ids, n_ids), bind_time_ms(started_ms)), n, out);
}
