/* Owns the SQL of sketches. */
#include "services/analytics/store_sketches.h"

#include "google/protobuf/timestamp.pb-c.h"

DB_STATEMENT(SELECT_DUE_SKETCH, "analytics_service", &analytics_rows__sketch__message,
             "select m.name, p.property, m.bucket as day, m.value as events from business_metrics m"
             " join (select '' as property, null as event union all select p, e from unnest($1::text[], $2::text[])"
             " x (e, p)) p on p.event is null or p.event = m.name"
             " where m.grain = 'day' and m.bucket < date_trunc('day', now(), 'UTC')"
             " and m.bucket >= date_trunc('month', now(), 'UTC') - $3::bigint * interval '1 month' and not exists"
             " (select from analytics_sketches s where s.name = m.name and s.property = p.property"
             " and s.day = (m.bucket at time zone 'UTC')::date"
             " and (s.events = m.value or s.updated_at > now() - interval '1 hour'))"
             " order by m.bucket, m.name, p.property limit 1");

sn_status store_due_sketch(struct db_tx *tx, char *const *events, char *const *properties, size_t n, int64_t months,
                           sketch_of *out, bool *found)
{
        return db_one(tx, &SELECT_DUE_SKETCH,
                      DB_BINDS(bind_texts(events, n), bind_texts(properties, n), bind_i64(months)), &out->base, found);
}

/* Of the people of $1, $2 on the day $3, by what is stored up to $4. */
#define THOSE                                                                                                          \
        " from user_events where name = $1 and at >= $3::timestamptz and at < $3::timestamptz + interval '1 day'"      \
        " and created_at <= $4::timestamptz and visitor is not null and ($2::text = '' or properties ? $2::text)"
#define OF_DAY "name = $1 and property = $2 and day = ($3::timestamptz at time zone 'UTC')::date"

static int64_t ms_of(const sketch_of *of)
{
        return of->day->seconds * 1000;
}

#define DAY_BINDS(of) bind_text((of)->name), bind_text((of)->property), bind_time_ms(ms_of(of))

DB_STATEMENT(SELECT_LATE_PEOPLE, "analytics_service", NULL,
             "select l.late, l.joined from analytics_sketches s cross join lateral (select count(*) as late,"
             " count(*) filter (where v.first > s.counted_to) as joined from (select min(created_at) as first,"
             " max(created_at) as last" THOSE " group by visitor) v where v.last > s.counted_to) l where " OF_DAY);

sn_status store_late_people(struct db_tx *tx, const sketch_of *of, int64_t to_ms, struct late_people *out)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_LATE_PEOPLE, DB_BINDS(DAY_BINDS(of), bind_time_ms(to_ms)), &rows));
        out->has_sketch = db_rows_count(rows) > 0;
        if (out->has_sketch) {
                out->late = db_i64(rows, 0, "late");
                out->joined = db_i64(rows, 0, "joined");
        }
        return SN_OK;
}

DB_STATEMENT(KEEP_SKETCH, "analytics_service", NULL, "update analytics_sketches set events = $4 where " OF_DAY);

sn_status store_keep_sketch(struct db_tx *tx, const sketch_of *of)
{
        return db_exec(tx, &KEEP_SKETCH, DB_BINDS(DAY_BINDS(of), bind_i64(of->events)), NULL);
}

DB_STATEMENT(SELECT_SKETCHED_PEOPLE, "analytics_service", &analytics_rows__sketched_person__message,
             "select visitor, coalesce(avg((properties->>$2::text)::float8), 0) as value" THOSE
             " and visitor > coalesce(nullif($5, '')::uuid, '00000000-0000-0000-0000-000000000000')"
             " group by visitor order by visitor limit $6");

sn_status store_sketched_people(struct db_tx *tx, const sketch_of *of, int64_t to_ms, const char *after, size_t *n,
                                AnalyticsRows__SketchedPerson ***out)
{
        return db_list(tx, &SELECT_SKETCHED_PEOPLE,
                       DB_BINDS(DAY_BINDS(of), bind_time_ms(to_ms), bind_text(after), bind_i64(SKETCH_PAGE)), n, out);
}

DB_STATEMENT(SAVE_SKETCH, "analytics_service", NULL,
             "insert into analytics_sketches (name, property, day, events, n_people, people, digest, counted_to)"
             " values ($1, $2, ($3::timestamptz at time zone 'UTC')::date, $4, $5, $6, $7, $8)"
             " on conflict (name, property, day) do update set events = excluded.events, n_people = excluded.n_people,"
             " people = excluded.people, digest = excluded.digest, counted_to = excluded.counted_to");

sn_status store_save_sketch(struct db_tx *tx, const sketch_of *of, int64_t to_ms, struct sketch *sketch)
{
        uint8_t digest[TDIGEST_MAX_BYTES];
        size_t len = of->property[0] != '\0' ? tdigest_pack(&sketch->numbers, digest) : 0;

        return db_exec(tx, &SAVE_SKETCH,
                       DB_BINDS(DAY_BINDS(of), bind_i64(of->events), bind_i64(sketch->n_people),
                                bind_bytes(sketch->people.registers, HLL_BYTES), bind_bytes(digest, len),
                                bind_time_ms(to_ms)),
                       NULL);
}

DB_STATEMENT(SELECT_SKETCHES, "analytics_service", NULL,
             "select people, digest, n_people from analytics_sketches where name = $1 and property = $2"
             " and day >= ($3::timestamptz at time zone 'UTC')::date"
             " and day < ($4::timestamptz at time zone 'UTC')::date and n_people >= $5::bigint order by day limit 366");

static void merge_row(const struct db_rows *rows, size_t row, struct sketch *into)
{
        size_t len = 0;
        const uint8_t *bytes = db_bytes(rows, row, "people", &len);

        if (len == HLL_BYTES) {
                hll_merge(&into->people, bytes);
        }
        bytes = db_bytes(rows, row, "digest", &len);
        (void)tdigest_merge(&into->numbers, bytes, len);
        into->n_people += db_i64(rows, row, "n_people");
        into->n_days++;
}

sn_status store_merged_sketch(struct db_tx *tx, const char *name, const char *property, struct days days, int64_t min,
                              struct sketch *out)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_SKETCHES,
                    DB_BINDS(bind_text(name), bind_text(property), bind_time_ms(days.from_ms), bind_time_ms(days.to_ms),
                             bind_i64(min)),
                    &rows));
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                merge_row(rows, i, out);
        }
        return SN_OK;
}
