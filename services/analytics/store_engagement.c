/* Owns the SQL of engagement profiles; store_events.c writes them. */
#include "services/analytics/store_insights.h"

DB_STATEMENT(SELECT_PROFILED, "analytics_service", NULL, "select profiled from analytics_people where user_id = $1");
/* Erased authors have no id; scores below a thousandth are dropped. */
DB_STATEMENT(SELECT_ENGAGEMENT, "analytics_service", &analytics_insights__engaged_with__message,
             "with now as (select analytics_decay(now()) as w)"
             " select a.user_id, reads / w as reads, likes / w as likes, renotes / w as renotes, answers / w as answers"
             " from now, analytics_people p join user_engagement_profiles u on u.visitor = p.visitor"
             " join analytics_people a on a.visitor = u.author"
             " where p.user_id = $1 and a.user_id is not null and (reads + likes + renotes + answers) / w >= 0.001"
             " order by reads + 2 * likes + 3 * renotes + 4 * answers desc, a.user_id limit 100");

sn_status store_engagement(struct db_tx *tx, const char *user_id, bool *enabled, size_t *n,
                           AnalyticsInsights__EngagedWith ***out)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_PROFILED, DB_BINDS(bind_uuid(user_id)), &rows));
        *enabled = db_rows_count(rows) == 0 || db_i64(rows, 0, "profiled") != 0;
        return db_list(tx, &SELECT_ENGAGEMENT, DB_BINDS(bind_uuid(user_id)), n, out);
}

DB_STATEMENT(RESET_ENGAGEMENT, "analytics_service", NULL,
             "delete from user_engagement_profiles u using analytics_people p"
             " where p.user_id = $1 and u.visitor = p.visitor");

/* Under the lock of storing events: a batch in progress would bring rows back. */
sn_status store_reset_engagement(struct db_tx *tx, const char *user_id)
{
        TRY(db_lock_one(tx, "analytics", "events"));
        return db_exec(tx, &RESET_ENGAGEMENT, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(SWITCH_ENGAGEMENT, "analytics_service", NULL,
             "insert into analytics_people (user_id, first_day, profiled) values ($1, date 'infinity', $2)"
             " on conflict (user_id) do update set profiled = excluded.profiled");

sn_status store_switch_engagement(struct db_tx *tx, const char *user_id, bool enabled)
{
        if (!enabled) {
                TRY(store_reset_engagement(tx, user_id));
        }
        return db_exec(tx, &SWITCH_ENGAGEMENT, DB_BINDS(bind_uuid(user_id), bind_bool(enabled)), NULL);
}

DB_STATEMENT(PRUNE_ENGAGEMENT, "analytics_service", NULL,
             "delete from user_engagement_profiles where ctid = any (array (select ctid from user_engagement_profiles"
             " where updated_at < now() - $1::bigint * interval '1 month' order by updated_at limit 1000"
             " for update skip locked))");

sn_status store_prune_engagement(struct db_tx *tx, int64_t months, bool *more)
{
        int64_t n = 0;

        TRY(db_exec(tx, &PRUNE_ENGAGEMENT, DB_BINDS(bind_i64(months)), &n));
        *more = n == 1000;
        return SN_OK;
}
