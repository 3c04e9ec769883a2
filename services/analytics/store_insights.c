/* Owns the SQL of authors' statistics. */
#include "services/analytics/store_insights.h"

#include "google/protobuf/timestamp.pb-c.h"

DB_STATEMENT(KNOW_NOTE, "analytics_service", NULL,
             "insert into content_performance (note_id, author)"
             " values ($1, (select visitor from analytics_people where user_id = $2)) on conflict do nothing");

/* Events may be stored eight days after they happened (EVENT_OLDEST_MS); that far back the index by time is read. Hours
 * are those in which they were stored, so that an hour which is over stays as it is. */
#define UNTOLD                                                                                                         \
        " from content_performance c join user_events e on e.object_id = c.note_id"                                    \
        " and e.at > coalesce(c.counted_to, '-infinity') - interval '8 days'"                                          \
        " and e.created_at >= coalesce(c.counted_to, '-infinity')"                                                     \
        " and e.name in ('note_view', 'note.liked', 'renote.created', 'comment.created')"                              \
        " where c.note_id = $1"
#define VIEWS       "count(*) filter (where e.name = 'note_view')"
#define ENGAGEMENTS "count(distinct e.name || coalesce(e.visitor, e.id)) filter (where e.name <> 'note_view')"
#define PEOPLE      "count(distinct e.visitor) filter (where e.name = 'note_view')"

DB_STATEMENT(SELECT_UNTOLD_HOURS, "analytics_service", &analytics_rows__note_hour__message,
             "select date_trunc('hour', e.created_at, 'UTC') as at, " PEOPLE " as people, coalesce(array_to_string("
             "(array_agg(distinct e.visitor) filter (where e.name = 'note_view' and e.visitor is not null))"
             "[1:$2::integer], ','), '') as some" UNTOLD
             " and e.created_at < date_trunc('hour', now() - interval '1 minute', 'UTC')"
             " group by 1 order by 1 limit 2000");

sn_status store_untold_hours(struct db_tx *tx, const char *note_id, const char *author, int64_t min, size_t *n,
                             AnalyticsRows__NoteHour ***hours)
{
        TRY(db_lock_one(tx, "analytics_note", note_id));
        TRY(db_exec(tx, &KNOW_NOTE, DB_BINDS(bind_uuid(note_id), bind_uuid(author)), NULL));
        return db_list(tx, &SELECT_UNTOLD_HOURS, DB_BINDS(bind_uuid(note_id), bind_i64(min)), n, hours);
}

DB_STATEMENT(SELECT_SPAN_CELLS, "analytics_service", &analytics_rows__note_cell__message,
             "with spans as (select to_timestamp(f / 1000.0) as f, to_timestamp(t / 1000.0) as t"
             " from unnest($2::bigint[], $3::bigint[]) s (f, t)),"
             " told as (select e.*, case when e.properties->>'from' in ('home', 'profile', 'hashtag', 'search', 'link')"
             " then e.properties->>'from' else 'other' end as source" UNTOLD ")"
             " select s.f as from, s.t as to, coalesce(e.source, '') as source, " VIEWS " as views, " ENGAGEMENTS
             " as engagements, " PEOPLE " as people from spans s join told e"
             " on e.created_at >= s.f and e.created_at < s.t"
             " group by grouping sets ((s.f, s.t), (s.f, s.t, e.source)) order by s.f, grouping(e.source) desc, 3");

static void to_ms(struct arena *arena, const struct span *spans, size_t n, int64_t **from, int64_t **to)
{
        *from = ARENA_ARRAY(arena, int64_t, n + 1);
        *to = ARENA_ARRAY(arena, int64_t, n + 1);
        for (size_t i = 0; i < n; i++) {
                (*from)[i] = spans[i].from_ms;
                (*to)[i] = spans[i].to_ms;
        }
}

sn_status store_span_cells(struct db_tx *tx, const char *note_id, const struct span *spans, size_t n_spans, size_t *n,
                           AnalyticsRows__NoteCell ***cells)
{
        int64_t *from = NULL, *to = NULL;

        to_ms(db_arena(tx), spans, n_spans, &from, &to);
        return db_list(tx, &SELECT_SPAN_CELLS,
                       DB_BINDS(bind_uuid(note_id), bind_i64s(from, n_spans), bind_i64s(to, n_spans)), n, cells);
}

DB_STATEMENT(INSERT_CELLS, "analytics_service", NULL,
             "insert into content_analytics (note_id, from_at, to_at, source, views, engagements)"
             " select $1, to_timestamp(f / 1000.0), to_timestamp(t / 1000.0), s, v, e"
             " from unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[]) c (f, t, s, v, e)"
             " on conflict do nothing");
/* After the cells: totals of what is shown, and of how many different people it is. Old months are deleted, so views
 * may be counted whose events are gone; reach never falls because of that. */
DB_STATEMENT(
    UPDATE_PERFORMANCE, "analytics_service", NULL,
    "update content_performance p set views = a.views, engagements = a.engagements, counted_to = a.counted_to,"
    " reach = greatest(p.reach, (select count(distinct e.visitor) from user_events e where e.object_id = $1"
    " and e.name = 'note_view' and e.created_at < a.counted_to))"
    " from (select sum(views)::bigint as views, sum(engagements)::bigint as engagements, max(to_at) as counted_to"
    " from content_analytics where note_id = $1 and source = '') a"
    " where p.note_id = $1 and a.counted_to is not null");

struct cell_columns {
        int64_t *from, *to, *views, *engagements;
        char **sources;
};

static int64_t ms_of(const Google__Protobuf__Timestamp *at)
{
        return at->seconds * 1000;
}

static struct cell_columns cells_to_columns(struct arena *arena, AnalyticsRows__NoteCell *const *cells, size_t n)
{
        int64_t *numbers = ARENA_ARRAY(arena, int64_t, 4 * n + 1);
        struct cell_columns c = {numbers, numbers + n, numbers + 2 * n, numbers + 3 * n,
                                 ARENA_ARRAY(arena, char *, n + 1)};

        for (size_t i = 0; i < n; i++) {
                c.from[i] = ms_of(cells[i]->from);
                c.to[i] = ms_of(cells[i]->to);
                c.views[i] = cells[i]->views;
                c.engagements[i] = cells[i]->engagements;
                c.sources[i] = cells[i]->source;
        }
        return c;
}

sn_status store_tell_cells(struct db_tx *tx, const char *note_id, AnalyticsRows__NoteCell *const *cells, size_t n)
{
        struct cell_columns c = cells_to_columns(db_arena(tx), cells, n);

        TRY(db_exec(tx, &INSERT_CELLS,
                    DB_BINDS(bind_uuid(note_id), bind_i64s(c.from, n), bind_i64s(c.to, n), bind_texts(c.sources, n),
                             bind_i64s(c.views, n), bind_i64s(c.engagements, n)),
                    NULL));
        return db_exec(tx, &UPDATE_PERFORMANCE, DB_BINDS(bind_uuid(note_id)), NULL);
}

/* ---- Shown statistics ---- */

DB_STATEMENT(SELECT_PERFORMANCE, "analytics_service", &analytics_rows__note_performance__message,
             "select note_id, views, engagements, reach, (select a.to_at from (select to_at, sum(views) over (order by"
             " from_at) as so_far from content_analytics where note_id = $1 and source = '') a"
             " where a.so_far * 2 >= p.views order by to_at limit 1) as half_at"
             " from content_performance p where note_id = $1");

sn_status store_performance(struct db_tx *tx, const char *note_id, AnalyticsRows__NotePerformance *out)
{
        return db_one(tx, &SELECT_PERFORMANCE, DB_BINDS(bind_uuid(note_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_POINTS, "analytics_service", &analytics_insights__insight_span__message,
             "select * from (select from_at as from, to_at as to, views, engagements from content_analytics"
             " where note_id = $1 and source = '' order by from_at desc limit 1000) p order by p.from");

sn_status store_points(struct db_tx *tx, const char *note_id, size_t *n, AnalyticsInsights__InsightSpan ***out)
{
        return db_list(tx, &SELECT_POINTS, DB_BINDS(bind_uuid(note_id)), n, out);
}

DB_STATEMENT(SELECT_SOURCES, "analytics_service", &analytics_insights__insight_source__message,
             "select source as name, sum(views)::bigint as views from content_analytics"
             " where note_id = $1 and source <> '' group by 1 order by 2 desc, 1");

sn_status store_sources(struct db_tx *tx, const char *note_id, size_t *n, AnalyticsInsights__InsightSource ***out)
{
        return db_list(tx, &SELECT_SOURCES, DB_BINDS(bind_uuid(note_id)), n, out);
}

/* ---- A member's notes and followers ---- */

DB_STATEMENT(SELECT_OWN_NOTES, "analytics_service", &analytics_rows__note_performance__message,
             "select c.note_id from analytics_people p join content_performance c on c.author = p.visitor"
             " where p.user_id = $1 and c.created_at >= $2::timestamptz order by c.note_id desc limit 30");

sn_status store_own_notes(struct db_tx *tx, const char *user_id, int64_t since_ms, size_t *n,
                          AnalyticsRows__NotePerformance ***out)
{
        return db_list(tx, &SELECT_OWN_NOTES, DB_BINDS(bind_uuid(user_id), bind_time_ms(since_ms)), n, out);
}

DB_STATEMENT(
    SELECT_FOLLOWER_DAYS, "analytics_service", &analytics_insights__follower_day__message,
    "select date_trunc('day', e.at, 'UTC') as day, count(*) filter (where e.name = 'follow.created') as gained,"
    " count(*) filter (where e.name = 'follow.deleted') as lost from analytics_people p"
    " join user_events e on e.object_id = p.visitor and e.name in ('follow.created', 'follow.deleted')"
    " and e.at >= $2::timestamptz where p.user_id = $1 group by 1 order by 1 limit 91");

sn_status store_follower_days(struct db_tx *tx, const char *user_id, int64_t since_ms, size_t *n,
                              AnalyticsInsights__FollowerDay ***out)
{
        return db_list(tx, &SELECT_FOLLOWER_DAYS, DB_BINDS(bind_uuid(user_id), bind_time_ms(since_ms)), n, out);
}

DB_STATEMENT(
    SELECT_BEST_NOTES, "analytics_service", &analytics_insights__best_note__message,
    "select note_id, views, engagements from content_performance where note_id = any ($1::uuid[]) and views > 0"
    " order by views desc, note_id desc limit 5");

sn_status store_best_notes(struct db_tx *tx, char *const *note_ids, size_t n_ids, size_t *n,
                           AnalyticsInsights__BestNote ***out)
{
        return db_list(tx, &SELECT_BEST_NOTES, DB_BINDS(bind_uuids(note_ids, n_ids)), n, out);
}

DB_STATEMENT(SELECT_BEST_HOURS, "analytics_service", NULL,
             "select extract(hour from from_at at time zone 'UTC')::integer as hour from content_analytics"
             " where note_id = any ($1::uuid[]) and source = '' and to_at = from_at + interval '1 hour'"
             " group by 1 order by sum(views) desc, 1 limit 3");

sn_status store_best_hours(struct db_tx *tx, char *const *note_ids, size_t n_ids, size_t *n, uint32_t *out)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_BEST_HOURS, DB_BINDS(bind_uuids(note_ids, n_ids)), &rows));
        *n = db_rows_count(rows);
        for (size_t i = 0; i < *n; i++) {
                out[i] = (uint32_t)db_i64(rows, i, "hour");
        }
        return SN_OK;
}
