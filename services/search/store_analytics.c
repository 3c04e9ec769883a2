/* Owns the SQL of search statistics. */
#include "services/search/store_analytics.h"

#include "services/cleanup.h"

#define SLOT "(pg_backend_pid() % 8)::smallint"

DB_STATEMENT(
    COUNT_SEARCH, "search_service", NULL,
    "insert into search_analytics as a (query_id, day, slot, searches, no_results, took_ms, longest_ms)"
    " select id, current_date, " SLOT ", 1, $2::bigint, $3::bigint, $3::bigint from search_suggestions"
    " where query_key = $1 and shown_until > now() for key share on conflict (query_id, day, slot) do update set"
    " searches = a.searches + 1, no_results = a.no_results + excluded.no_results,"
    " took_ms = a.took_ms + excluded.took_ms, longest_ms = greatest(a.longest_ms, excluded.longest_ms)"
    " returning query_id");

sn_status store_count_search(struct db_tx *tx, const char *key, bool no_results, int64_t took_ms, const char **id)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_SEARCH, DB_BINDS(bind_text(key), bind_i64(no_results), bind_i64(took_ms)), &rows));
        *id = db_rows_count(rows) > 0 ? db_text(rows, 0, "query_id") : "";
        return SN_OK;
}

DB_STATEMENT(COUNT_CLICK, "search_service", NULL,
             "insert into search_analytics as a (query_id, day, slot, clicks, positions)"
             " select id, current_date, " SLOT
             ", 1, $2::bigint from search_suggestions where id = $1 and shown_until > now()"
             " on conflict (query_id, day, slot) do update set clicks = a.clicks + 1,"
             " positions = a.positions + excluded.positions");

sn_status store_count_click(struct db_tx *tx, const char *id, int64_t position)
{
        return db_exec(tx, &COUNT_CLICK, DB_BINDS(bind_uuid(id), bind_i64(position)), NULL);
}

DB_STATEMENT(SELECT_ANALYTICS, "search_service", &search__query_analytics__message,
             "select query, searches, no_results, clicks, coalesce(positions * 1000 / nullif(clicks, 0), 0)"
             " as position_thousandths, coalesce(took_ms / nullif(searches, 0), 0) as mean_ms, longest_ms from ("
             "select s.query, sum(a.searches)::bigint as searches, sum(a.no_results)::bigint as no_results,"
             " sum(a.clicks)::bigint as clicks, sum(a.positions)::bigint as positions, sum(a.took_ms)::bigint"
             " as took_ms, max(a.longest_ms) as longest_ms from search_analytics a"
             " join search_suggestions s on s.id = a.query_id where a.day > current_date - $1::bigint::integer"
             " and s.shown_until > now() group by s.id, s.query) q where not $2 or no_results > 0"
             " order by case when $2 then no_results else searches end desc, query limit $3");

sn_status store_search_analytics(struct db_tx *tx, const Search__GetSearchAnalyticsRequest *in, int64_t days,
                                 size_t limit, size_t *n, Search__QueryAnalytics ***rows)
{
        return db_list(tx, &SELECT_ANALYTICS,
                       DB_BINDS(bind_i64(days), bind_bool(in->no_results), bind_i64((int64_t)limit)), n, rows);
}

DB_STATEMENT(CLEANUP_ANALYTICS, "search_service", NULL,
             "with gone as (delete from search_analytics where ctid = any(array(select ctid from search_analytics"
             " where day < current_date - 90 order by day limit $1 for update skip locked)) returning 1)"
             " select count(*) as most from gone");

sn_status store_cleanup_analytics(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_ANALYTICS, more);
}
