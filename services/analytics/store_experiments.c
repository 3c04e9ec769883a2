/* Owns the SQL of experiments. */
#include "services/analytics/store_experiments.h"

#include <string.h>

#define COLUMNS "id, name, layer, from_percent, to_percent, variants, metric, created_at, started_at, stopped_at"
#define RUNS    "started_at is not null and stopped_at is null"

DB_STATEMENT(INSERT_EXPERIMENT, "analytics_service", NULL,
             "insert into experiments (id, name, layer, from_percent, to_percent, variants, metric)"
             " values ($1, $2, $3, $4::bigint, $5::bigint, $6, $7)");

sn_status store_insert_experiment(struct db_tx *tx, const char *id, const char *variants,
                                  const AnalyticsExperiments__CreateExperimentRequest *in)
{
        return db_exec(tx, &INSERT_EXPERIMENT,
                       DB_BINDS(bind_uuid(id), bind_text(in->name), bind_text(in->layer), bind_i64(in->from_percent),
                                bind_i64(in->to_percent), bind_text(variants), bind_text(in->metric)),
                       NULL);
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
             "update experiments set stopped_at = now() where id = $1 and " RUNS);

sn_status store_stop_experiment(struct db_tx *tx, const char *id, bool *done)
{
        int64_t n = 0;

        TRY(db_exec(tx, &STOP_EXPERIMENT, DB_BINDS(bind_uuid(id)), &n));
        *done = n > 0;
        return SN_OK;
}

/* Only members who take part: an exposure is what a client says. */
DB_STATEMENT(SELECT_RESULTS, "analytics_service", &analytics_rows__bucket_sums__message,
             "with seen as (select visitor, min(at) as since from user_events where object_id = $1::uuid and name = "
             "'experiment_seen'"
             " and member and visitor is not null and at >= $2::timestamptz and at < coalesce($3::timestamptz, "
             "'infinity') group by visitor),"
             " did as (select s.visitor, count(e.id) as n from seen s left join user_events e on e.visitor = s.visitor"
             " and e.name = $4 and e.at >= s.since and e.at < coalesce($3::timestamptz, 'infinity')"
             " where analytics_bucket('layer:' || $5, s.visitor) >= $6::bigint * 100"
             " and analytics_bucket('layer:' || $5, s.visitor) < $7::bigint * 100 group by s.visitor)"
             " select analytics_bucket($1::uuid::text, visitor)::bigint as bucket, count(*) as people,"
             " count(*) filter (where n > 0) as active, sum(n)::float8 as sum, sum(n * n)::float8 as squares"
             " from did group by 1 order by 1");

static struct db_bind bind_moment(const Google__Protobuf__Timestamp *at)
{
        return at == NULL ? bind_null() : bind_time_ms(at->seconds * 1000 + at->nanos / 1000000);
}

sn_status store_results(struct db_tx *tx, const stored_experiment *e, size_t *n, AnalyticsRows__BucketSums ***out)
{
        return db_list(tx, &SELECT_RESULTS,
                       DB_BINDS(bind_uuid(e->id), bind_moment(e->started_at), bind_moment(e->stopped_at),
                                bind_text(e->metric), bind_text(e->layer), bind_i64(e->from_percent),
                                bind_i64(e->to_percent)),
                       n, out);
}

DB_STATEMENT(UPSERT_VISITOR, "analytics_service", NULL,
             "insert into analytics_people as p (user_id, first_day) values ($1, (now() at time zone 'UTC')::date)"
             " on conflict (user_id) do update set first_day = p.first_day returning visitor");

sn_status store_visitor(struct db_tx *tx, const char *user_id, const char **visitor)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &UPSERT_VISITOR, DB_BINDS(bind_uuid(user_id)), &rows));
        *visitor = db_text(rows, 0, "visitor");
        return SN_OK;
}
