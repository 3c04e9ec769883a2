/* Owns the SQL of experiments' results: always from the events themselves. */
#include <string.h>
#include "services/analytics/store_experiments.h"

/* Events stored before the stop count even if the client's clock was fast (by at most EVENT_AHEAD_MS), so that stopping
 * takes nothing away from results that were already shown. */
#define BEFORE_END(event)                                                                                              \
        event ".at < e.ends + interval '5 minutes' and (" event ".at < e.ends or " event ".created_at < e.ends)"
/* Members who have seen the experiment $1, according to the events stored until then: exposures come from clients. */
#define SEEN(until)                                                                                                    \
        "with e as (select *, coalesce(stopped_at, 'infinity') as ends from experiments where id = $1),"               \
        " seen as (select v.visitor, min(v.at) as since, min(v.created_at) as stored from e join user_events v on "    \
        "v.object_id = e.id"                                                                                           \
        " and v.name = 'experiment_seen' and v.member and v.visitor is not null and v.at >= e.started_at"              \
        " and " BEFORE_END("v") " and v.created_at <= " until "::timestamptz group by v.visitor)"
#define IS_NEW "(p.first_day >= (e.started_at at time zone 'UTC')::date)"
/* Whether the person p takes part in the experiment e: the same as assign_takes_part (assign.c). */
#define TAKES_PART                                                                                                     \
        " analytics_bucket('layer:' || e.layer, p.visitor) >= e.from_percent * 100"                                    \
        " and analytics_bucket('layer:' || e.layer, p.visitor) < e.to_percent * 100"                                   \
        " and analytics_bucket('holdout', p.visitor) >= e.holdout_percent * 100"                                       \
        " and (e.audience = 1 or (e.audience = 2) = " IS_NEW ")"
#define WHO_TAKES_PART " from e, seen s join analytics_people p on p.visitor = s.visitor where" TAKES_PART
#define COUNT_OF(name, from, before)                                                                                   \
        "(select count(*) from user_events d where d.visitor = s.visitor and d.name = " name " and d.at >= " from      \
        " and " before " and d.created_at <= $5::timestamptz)"
/* $2: the event; $3: the event that x counts, or ""; $4: whether x is of the 28 days before; $5: only events stored by
 * then. */
#define X_FROM "case when $4 then s.since - interval '28 days' else s.since end"
#define X_TO   "case when $4 then d.at < s.since else " BEFORE_END("d") " end"
#define Y      COUNT_OF("$2", "s.since", BEFORE_END("d"))
#define X      "case when $3 = '' then 0 else " COUNT_OF("$3", X_FROM, X_TO) " end"
#define DID    SEEN("$5") ", did as (select s.visitor, " Y " as y, " X " as x" WHO_TAKES_PART ")"

static struct db_bind bind_until(int64_t ms)
{
        return ms == 0 ? bind_time_ms(INT64_C(4102444800000)) : bind_time_ms(ms); /* 2100 */
}

#define QUERY(q)                                                                                                       \
        bind_uuid((q)->id), bind_text((q)->metric), bind_text((q)->per), bind_bool((q)->before),                       \
            bind_until((q)->stored_ms)

DB_STATEMENT(SELECT_RESULTS, "analytics_service", &analytics_rows__bucket_sums__message,
             DID
             " select analytics_bucket($1::uuid::text, visitor)::bigint as bucket, count(*) as people,"
             " count(*) filter (where y > 0) as active, count(*) filter (where x > 0) as with_x, sum(y)::float8 as y, "
             "sum(y * y)::float8 as yy,"
             " sum(x)::float8 as x, sum(x * x)::float8 as xx, sum(x * y)::float8 as xy, min(y)::float8 as y_low,"
             " max(y)::float8 as y_high, max(x)::float8 as x_high from did group by 1 order by 1");

sn_status store_results(struct db_tx *tx, const struct results_query *q, size_t *n, AnalyticsRows__BucketSums ***out)
{
        return db_list(tx, &SELECT_RESULTS, DB_BINDS(QUERY(q)), n, out);
}

DB_STATEMENT(SELECT_RESULT_COUNTS, "analytics_service", &analytics_rows__bucket_count__message,
             DID " select analytics_bucket($1::uuid::text, visitor)::bigint as bucket, y, count(*) as people from did"
                 " group by 1, 2 order by 2, 1 limit 100000");

sn_status store_result_counts(struct db_tx *tx, const struct results_query *q, size_t *n,
                              AnalyticsRows__BucketCount ***out)
{
        return db_list(tx, &SELECT_RESULT_COUNTS, DB_BINDS(QUERY(q)), n, out);
}

DB_STATEMENT(SELECT_SEEN_BY, "analytics_service", &analytics_rows__seen_by__message,
             SEEN("$5") " select s.visitor, " IS_NEW " as is_new, " Y
                        " as y from e, seen s join analytics_people p on p.visitor = s.visitor"
                        " where s.visitor > coalesce(nullif($3, '')::uuid, '00000000-0000-0000-0000-000000000000')"
                        " order by s.visitor limit $4");

sn_status store_seen_by(struct db_tx *tx, const struct results_query *q, const char *after, int64_t limit, size_t *n,
                        AnalyticsRows__SeenBy ***out)
{
        return db_list(tx, &SELECT_SEEN_BY,
                       DB_BINDS(bind_uuid(q->id), bind_text(q->metric), bind_text(after), bind_i64(limit),
                                bind_until(q->stored_ms)),
                       n, out);
}

DB_STATEMENT(SELECT_EXPERIMENTS_OF, "analytics_service", &analytics_rows__stored_experiment__message,
             "select e.id, e.started_at, e.stopped_at from experiments e join analytics_people p on p.user_id = $1"
             " where e.id = any($2::uuid[]) and e.started_at is not null and" TAKES_PART);

sn_status store_experiments_of(struct db_tx *tx, const char *user_id, char *const *ids, size_t n_ids, size_t *n,
                               stored_experiment ***out)
{
        return db_list(tx, &SELECT_EXPERIMENTS_OF, DB_BINDS(bind_uuid(user_id), bind_uuids(ids, n_ids)), n, out);
}

/* ---- Shown results ---- */

/* Including the events of the 28 days before the start; in whole months, since events are dropped by the month. */
DB_STATEMENT(SELECT_TOLD, "analytics_service", NULL,
             "select coalesce((extract(epoch from told_to) * 1000)::bigint, 0) as ms, started_at - interval '28 days' <"
             " date_trunc('month', now()) - $2::bigint * interval '1 month' as gone from experiments where id = $1");
/* Events are stored at most eight days after they happened (EVENT_OLDEST_MS). */
DB_STATEMENT(SELECT_ACTIVE_SINCE, "analytics_service", &analytics_rows__active_since__message,
             SEEN("$3") " select analytics_bucket($1::uuid::text, s.visitor)::bigint as bucket, count(*) as people,"
                        " count(*) filter (where s.stored > $2::timestamptz) as joined" WHO_TAKES_PART
                        " and exists (select from user_events d where d.visitor = s.visitor"
                        " and d.at > $2::timestamptz - interval '8 days' and " BEFORE_END(
                            "d") " and d.created_at > $2 and d.created_at <= $3) group by 1");
DB_STATEMENT(UPDATE_TOLD, "analytics_service", NULL, "update experiments set told_to = $2 where id = $1");

sn_status store_results_told(struct db_tx *tx, const char *id, int64_t months, int64_t *told_ms, bool *gone)
{
        struct db_rows *rows = NULL;

        TRY(db_lock_one(tx, "analytics_results", id));
        TRY(db_rows(tx, &SELECT_TOLD, DB_BINDS(bind_uuid(id), bind_i64(months)), &rows));
        *told_ms = db_rows_count(rows) > 0 ? db_i64(rows, 0, "ms") : 0;
        *gone = db_rows_count(rows) > 0 && db_i64(rows, 0, "gone") != 0;
        return SN_OK;
}

sn_status store_active_since(struct db_tx *tx, const char *id, int64_t from_ms, int64_t to_ms, size_t *n,
                             AnalyticsRows__ActiveSince ***out)
{
        return db_list(tx, &SELECT_ACTIVE_SINCE, DB_BINDS(bind_uuid(id), bind_time_ms(from_ms), bind_time_ms(to_ms)), n,
                       out);
}

sn_status store_tell_results(struct db_tx *tx, const char *id, int64_t to_ms)
{
        return db_exec(tx, &UPDATE_TOLD, DB_BINDS(bind_uuid(id), bind_time_ms(to_ms)), NULL);
}

/* ---- Saved results ---- */

DB_STATEMENT(INSERT_SAVED, "analytics_service", NULL,
             "insert into experiment_results (experiment_id, counted_to, hash) values ($1, $2, $3)"
             " on conflict do nothing");

sn_status store_save_results(struct db_tx *tx, const char *id, int64_t counted_ms, const uint8_t hash[32])
{
        return db_exec(tx, &INSERT_SAVED, DB_BINDS(bind_uuid(id), bind_time_ms(counted_ms), bind_bytes(hash, 32)),
                       NULL);
}

DB_STATEMENT(SELECT_SAVED, "analytics_service", NULL,
             "select counted_to, hash from experiment_results where experiment_id = $1");

sn_status store_saved_results(struct db_tx *tx, const char *id, bool *found, int64_t *counted_ms, uint8_t hash[32])
{
        struct db_rows *rows = NULL;
        size_t len = 0;

        TRY(db_rows(tx, &SELECT_SAVED, DB_BINDS(bind_uuid(id)), &rows));
        *found = db_rows_count(rows) > 0;
        if (*found) {
                *counted_ms = db_i64(rows, 0, "counted_to");
                const uint8_t *bytes = db_bytes(rows, 0, "hash", &len);

                memcpy(hash, bytes, len < 32 ? len : 32);
        }
        return SN_OK;
}
