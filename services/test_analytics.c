/* What analytics stores: roll-ups equal a recomputation from the events, even with late, repeated and rolled-back
 * batches; nothing identifies erased members; old months and salts are dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <unistd.h>
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/analytics/analytics.h"
#include "services/analytics/journal.h"
#include "services/analytics/store.h"
#include "services/analytics/store_insights.h"
#include "services/test_analytics_support.h"
#include "services/test_support.h"

#define DATABASE TEST_ANALYTICS
#define HOUR_MS  INT64_C(3600000)

/* ---- Roll-ups ---- */

enum { IDS = 400, MEMBERS = 12, VISITORS = 12, ROUNDS = 60, BATCH_MAX = 40 };

static char ids[IDS][UUID_SIZE], members[MEMBERS][UUID_SIZE], visitors[VISITORS][UUID_SIZE];

/* The same sequence in each run, below bound (Knuth's MMIX). */
static size_t draw(size_t bound)
{
        static uint64_t state = 20261127;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)(state >> 33) % bound;
}

/* The event with an id is always the same, except for its time, about which clients may be wrong. */
static void make_event(int64_t now_ms, int i, AnalyticsRows__TakenEvent *out)
{
        static const char *const names[] = {"page_view", "search", "note.created", "note.deleted"};

        analytics_rows__taken_event__init(out);
        out->id = ids[i];
        out->name = (char *)names[i % 4];
        out->at_ms = now_ms - i % 140 * HOUR_MS - (draw(20) == 0 ? 30 * HOUR_MS : 0);
        out->user_id = i % 3 == 0 ? members[i / 3 % MEMBERS] : (char *)"";
        out->visitor = i % 3 == 1 ? visitors[i / 3 % VISITORS] : (char *)"";
        out->properties = i % 5 == 0 ? "{\"path\":\"/\"}" : (char *)"";
}

/* Some of the events, some of them twice; one batch in five is rolled back. */
static void store_some(int64_t now_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        CLEANUP(db_end) struct db_tx *tx = NULL;
        AnalyticsRows__TakenEvent events[BATCH_MAX], *list[BATCH_MAX];
        size_t n = 1 + draw(BATCH_MAX);

        for (size_t i = 0; i < n; i++) {
                make_event(now_ms, (int)draw(IDS), &events[i]);
                list[i] = &events[i];
        }
        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(store_events(tx, list, n, TEST_ANALYTICS_MIN), SN_OK);
        if (draw(5) > 0) {
                assert_int_equal(db_commit(c, NULL, &tx), SN_OK);
        }
}

#define DIFFER_METRICS                                                                                                 \
        "with again as (select name, grain, date_trunc(grain, at, 'UTC') as bucket, count(*) as value,"                \
        " count(distinct visitor) as people from user_events, (values ('hour'), ('day')) g (grain) group by 1, 2, 3)"  \
        " select count(*) from again a full join business_metrics m using (name, grain, bucket)"                       \
        " where (a.value, a.people) is distinct from (m.value, m.people)"
#define DIFFER_SESSIONS                                                                                                \
        "with again as (select (at at time zone 'UTC')::date as day, visitor, bool_or(member) as member,"              \
        " min(at) as first_at, max(at) as last_at, count(*) as events from user_events where visitor is not null"      \
        " group by 1, 2) select count(*) from again a full join user_sessions s using (day, visitor)"                  \
        " where (a.member, a.first_at, a.last_at, a.events)"                                                           \
        " is distinct from (s.member, s.first_at, s.last_at, s.events)"

/* Published and unpublished counts together are all events, and for each name and day only too few people are
 * unpublished. */
#define DIFFER_PUBLISHED                                                                                               \
        "select count(*) from (select m.name, m.bucket as day, m.value, m.published, (select coalesce(sum(u.value),"   \
        " 0) from unpublished_counts u where u.name = m.name and u.grain = 'hour' and u.bucket >= m.bucket and"        \
        " u.bucket < m.bucket + interval '1 day') as waiting, (select count(distinct p.visitor) from"                  \
        " unpublished_people p where p.name = m.name and p.grain = 'hour' and p.bucket >= m.bucket and p.bucket <"     \
        " m.bucket + interval '1 day') as people,"                                                                     \
        " (select coalesce(sum(h.published), 0) from business_metrics h where h.name = m.name and h.grain = 'hour'"    \
        " and h.bucket >= m.bucket and h.bucket < m.bucket + interval '1 day') as by_hours from business_metrics m"    \
        " where m.grain = 'day') d where value <> published + waiting or people >= 5 or by_hours > published"

/* What is counted of those who wait, and their rows: by hours, and of each day together. */
#define DIFFER_WAITING                                                                                                 \
        "with people as (select name, bucket, visitor from unpublished_people where grain = 'hour'), again as"         \
        " (select name, 'day' as grain, date_trunc('day', bucket, 'UTC') as bucket, visitor, count(*) as hours"        \
        " from people group by 1, 3, 4 union all select name, 'hour', bucket, visitor, 1 from people)"                 \
        " select (select count(*) from again a full join unpublished_people p using (name, grain, bucket, visitor)"    \
        " where a.hours is distinct from p.hours) + (select count(*) from (select name, grain, bucket, count(*) as n"  \
        " from again group by 1, 2, 3) a full join unpublished_counts c using (name, grain, bucket) where"             \
        " coalesce(a.n, 0) <> c.people) + (select count(*) from unpublished_counts d where grain = 'day' and value <>" \
        " (select coalesce(sum(value), 0) from unpublished_counts h where h.name = d.name and h.grain = 'hour' and"    \
        " h.bucket >= d.bucket and h.bucket < d.bucket + interval '1 day'))"

static void roll_ups_are_what_a_recomputation_gives(void **state)
{
        int64_t now_ms = clock_wall_ms();

        for (int i = 0; i < IDS; i++) {
                (void)uuid_new(ids[i]);
        }
        for (int i = 0; i < MEMBERS; i++) {
                (void)uuid_new(members[i]);
                (void)uuid_new(visitors[i]);
        }
        for (int round = 0; round < ROUNDS; round++) {
                store_some(now_ms);
                assert_string_equal(test_admin(DATABASE, DIFFER_METRICS), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_SESSIONS), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_PUBLISHED), "0");
                assert_string_equal(test_admin(DATABASE, DIFFER_WAITING), "0");
        }
        assert_string_equal(
            test_admin(DATABASE, "select count(*) = count(distinct id) and count(*) > 300 from user_events"), "t");
        assert_string_equal(test_admin(DATABASE, "select count(*) > 50 from business_metrics"), "t");
        assert_string_equal(test_admin(DATABASE,
                                       "select count(*) > 5 and sum(published) > 50 from business_metrics where"
                                       " grain = 'day' and published < value"),
                            "t"); /* both */
        /* The comparison detects a difference. */
        (void)test_admin(DATABASE, "update business_metrics set value = value + 1 where grain = 'day'; select 1");
        assert_string_not_equal(test_admin(DATABASE, DIFFER_METRICS), "0");
}

/* As if six people had waited for it, in one hour. */
static void let_wait(const char *name, int days_ago)
{
        char sql[700];

        (void)snprintf(
            sql, sizeof(sql),
            "with people as (insert into unpublished_people (name, grain, bucket, visitor, hours) select"
            " '%s', g, date_trunc(g, now() - interval '%d days', 'UTC'), md5('w' || n)::uuid, 1 from"
            " generate_series(1, 6) n, unnest(array['hour', 'day']) g) insert into unpublished_counts (name,"
            " grain, bucket, value, people) select '%s', g, date_trunc(g, now() - interval '%d days', 'UTC'),"
            " 6, 6 from unnest(array['hour', 'day']) g; select 1",
            name, days_ago, name, days_ago);
        (void)test_admin(DATABASE, sql);
}

/* A batch only reads unpublished events of its own names and days. */
static void a_batch_publishes_its_own_names_and_days(void **state)
{
        static const char *const waiting = "select string_agg(name || ' ' || value, ', ' order by bucket, name) from "
                                           "unpublished_counts where name like"
                                           " 'waits_%' and grain = 'hour'";

        let_wait("waits_here", 3);
        let_wait("waits_there", 0);
        analytics_store(&(struct about){.name = "waits_here"});
        assert_string_equal(test_admin(DATABASE, waiting), "waits_here 6, waits_here 1, waits_there 6");
        analytics_store(&(struct about){.name = "waits_there"});
        assert_string_equal(test_admin(DATABASE, waiting), "waits_here 6, waits_here 1");
}

/* ---- From the journal ---- */

/* The same events are ignored the second time. */
static void journal_events(size_t records, int64_t now_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvents taken = ANALYTICS_ROWS__TAKEN_EVENTS__INIT;
        AnalyticsRows__TakenEvent events[500], *list[500];

        taken.events = list;
        taken.n_events = 500;
        for (size_t i = 0; i < records * 500; i++) {
                AnalyticsRows__TakenEvent *event = list[i % 500] = &events[i % 500];

                analytics_rows__taken_event__init(event);
                event->id = arena_printf(c->arena, "00000000-0000-4000-8000-%012zx", i);
                event->name = "app_open";
                event->at_ms = now_ms;
                event->visitor = visitors[i % VISITORS];
                if (i % 500 == 499) {
                        size_t len = protobuf_c_message_get_packed_size(&taken.base);
                        uint8_t *record = arena_alloc(c->arena, len);

                        (void)protobuf_c_message_pack(&taken.base, record);
                        assert_int_equal(journal_append(record, len), JOURNAL_OK);
                }
        }
}

extern const struct service_job analytics_load; /* also in the generated lists */

/* More than one transaction's worth in one file. */
static void everything_in_the_journal_is_stored_once(void **state)
{
        int64_t now_ms = clock_wall_ms();

        analytics_start();
        for (int round = 0; round < 2; round++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
                bool more = true;

                journal_events(25, now_ms);
                while (more) {
                        more = false;
                        assert_int_equal(analytics_load.run(c, &more), SN_OK);
                }
        }
        analytics_stop();
        assert_string_equal(test_admin(DATABASE, "select count(*) from user_events where name = 'app_open'"), "12500");
        assert_string_equal(
            test_admin(DATABASE, "select sum(value) from business_metrics where name = 'app_open' and grain = 'day'"),
            "12500");
}

/* ---- Erasing members ---- */

static void store_one(const char *name, const char *user_id)
{
        analytics_store(&(struct about){.name = name, .user_id = user_id});
}

static const char *rows_that_name(const char *user_id)
{
        char sql[900];

        (void)snprintf(sql, sizeof(sql),
                       "select (select count(*) from analytics_people t where t::text like '%%%s%%')"
                       " + (select count(*) from user_events t where t::text like '%%%s%%')"
                       " + (select count(*) from user_sessions t where t::text like '%%%s%%')"
                       " + (select count(*) from metric_people t where t::text like '%%%s%%')"
                       " + (select count(*) from content_performance t where t::text like '%%%s%%')"
                       " + (select count(*) from user_engagement_profiles t where t::text like '%%%s%%')",
                       user_id, user_id, user_id, user_id, user_id, user_id);
        return test_admin(DATABASE, sql);
}

/* Neither later events about their notes nor events left in a journal recreate a pseudonym. */
static void nothing_identifies_erased_members(void **state)
{
        char member[UUID_SIZE];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();

        store_one("note.created", uuid_new(member));
        store_one("search", member);
        assert_string_equal(rows_that_name(member), "1");
        assert_int_equal(DB_WRITE(c, tx, store_forget_member(tx, member)), SN_OK);
        assert_string_equal(rows_that_name(member), "0");
        store_one("note.deleted", member);
        store_one("search", member);
        assert_string_equal(rows_that_name(member), "0");
        assert_string_equal(test_admin(DATABASE, "select count(*) from analytics_people where user_id is null"), "1");
}

static void addressees_of_remaining_answers_are_erased(void **state)
{
        char member[UUID_SIZE], sql[300];
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();

        (void)snprintf(sql, sizeof(sql),
                       "insert into idempotency_keys (actor_id, method, key, body_hash, answer)"
                       " values ('%s', 'm', 'erased', '', ''), (gen_random_uuid(), 'm', 'erased', '', ''); select 1",
                       uuid_new(member));
        (void)test_admin(DATABASE, sql);
        assert_int_equal(DB_WRITE(c, tx, store_forget_member(tx, member)), SN_OK);
        assert_string_equal(test_admin(DATABASE, "select count(*) from idempotency_keys where key = 'erased'"), "1");
}

/* ---- Followers ---- */

static void followers_are_counted_by_pseudonym(void **state)
{
        char followed[UUID_SIZE], follower[UUID_SIZE];
        AnalyticsInsights__FollowerDay **days = NULL;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        size_t n = 0;

        (void)uuid_new(followed);
        for (int i = 0; i < 3; i++) {
                analytics_store(&(struct about){
                    .name = "follow.created", .user_id = uuid_new(follower), .about_user_id = followed});
        }
        analytics_store(&(struct about){.name = "follow.deleted", .user_id = follower, .about_user_id = followed});
        assert_int_equal(DB_READ(c, tx, store_follower_days(tx, followed, c->now_ms - 25 * HOUR_MS, &n, &days)), SN_OK);
        int64_t gained = 0, lost = 0;
        for (size_t i = 0; i < n; i++) {
                gained += days[i]->gained;
                lost += days[i]->lost;
        }
        assert_int_equal(gained, 3);
        assert_int_equal(lost, 1);
        assert_string_equal(rows_that_name(followed), "1"); /* only their pseudonym */
}

/* ---- Periodic deletion ---- */

static void old_months_are_dropped_and_new_ones_created(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        bool more = true;
        int dropped = 0;

        (void)test_admin(DATABASE, "select analytics_make_months('2020-02-10', 0)");
        (void)test_admin(DATABASE, "insert into user_events (id, at, name, member) values"
                                   " (gen_random_uuid(), '2020-02-29 23:59:59.999+00', 'search', false); select 1");
        assert_string_equal(test_admin(DATABASE, "select count(*) from user_events where at < '2021-01-01'"), "1");
        for (; more; dropped += more ? 1 : 0) {
                assert_int_equal(DB_WRITE(c, tx, store_drop_month(tx, 13, &more)), SN_OK);
        }
        assert_int_equal(dropped, 3);
        assert_string_equal(test_admin(DATABASE, "select to_regclass('user_events_2020_02') is null"), "t");
        assert_int_equal(DB_WRITE(c, tx, store_make_months(tx)), SN_OK);
        assert_string_equal(test_admin(DATABASE,
                                       "select to_regclass('user_events' || to_char(now() + interval '2 months',"
                                       " '_YYYY_MM')) is not null"),
                            "t");
}

/* Events of other services may be older than the partitions, for example after analytics_service was added later. */
static void events_of_months_without_partitions_are_stored(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent event = ANALYTICS_ROWS__TAKEN_EVENT__INIT, *events[] = {&event};

        event.id = uuid_new_in(c->arena);
        event.name = "note.created";
        event.visitor = uuid_new_in(c->arena);
        event.at_ms = INT64_C(1558364400000); /* 20 May 2019 */
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, events, 1, TEST_ANALYTICS_MIN)), SN_OK);
        assert_string_equal(test_admin(DATABASE, "select count(*) from user_events_2019_05"), "1");
        (void)test_admin(DATABASE, "select analytics_drop_month('2020-01-01') + analytics_drop_month('2020-01-01')"
                                   " + analytics_drop_month('2020-01-01')");
}

/* How many rows of events, visits and people it looks at: its session has counted no others. */
static const char *rows_read_by(const char *statement)
{
        char sql[500];

        (void)snprintf(
            sql, sizeof(sql),
            "%s; select coalesce(sum(pg_stat_get_xact_tuples_returned(oid)), 0) from pg_class where relname ~"
            " '^(user_events|user_sessions|metric_people)_20.._..'",
            statement);
        return test_admin_once(DATABASE, sql);
}

static void what_goes_is_not_looked_at(void **state)
{
        (void)test_admin(DATABASE, "select analytics_make_months('2020-02-10', 1)");
        (void)test_admin(DATABASE,
                         "insert into user_events (id, at, name, member) select gen_random_uuid(), timestamptz"
                         " '2020-02-01 00:00Z' + n * interval '1 hour', 'search', false from"
                         " generate_series(1, 1000) n; select 1");
        assert_string_equal(
            rows_read_by("select analytics_drop_month('2021-01-01'), analytics_drop_month('2021-01-01'),"
                         " analytics_drop_month('2021-01-01')"),
            "0");
        assert_string_equal(test_admin(DATABASE, "select to_regclass('user_events_2020_02') is null"), "t");
        assert_string_equal(rows_read_by("select cleanup_old_data()"), "0");
        assert_string_not_equal(rows_read_by("select count(*) from user_events"), "0"); /* it can tell */
}

static void salts_are_shared_for_a_day_and_then_destroyed(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        int64_t day_ms = INT64_C(1798761600000); /* 2027-01-01 */
        uint8_t mine[32] = {1}, others[32] = {2}, got[32], again[32];

        assert_int_equal(DB_WRITE(c, tx, store_share_salt(tx, day_ms, mine, got)), SN_OK);
        assert_int_equal(DB_WRITE(c, tx, store_share_salt(tx, day_ms, others, again)), SN_OK);
        assert_memory_equal(got, mine, 32);
        assert_memory_equal(again, mine, 32);
        assert_int_equal(DB_WRITE(c, tx, store_destroy_salts(tx, day_ms)), SN_OK);
        assert_string_equal(test_admin(DATABASE, "select count(*) from analytics_salts where day = '2027-01-01'"), "1");
        assert_int_equal(DB_WRITE(c, tx, store_destroy_salts(tx, day_ms + 24 * HOUR_MS)), SN_OK);
        assert_string_equal(test_admin(DATABASE, "select count(*) from analytics_salts"), "0");
}

/* ---- For other programs ---- */

/* Reports of an event by three people and one by eight on one day, and of as many visitors. */
static void reports_show_enough_people_to_a_role_that_sees_nothing_else(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        static const char *const shown =
            "select coalesce(string_agg(name || ' ' || events || ' ' || coalesce(people::text,"
            " '-'), ', ' order by name), '-')"
            " from report_events where name like 'report_%'";

        (void)test_admin(DATABASE, "insert into business_metrics (name, grain, bucket, value, people, published) values"
                                   " ('report_few', 'day', date_trunc('day', now()), 9, 3, 0),"
                                   " ('report_many', 'day', date_trunc('day', now()), 9, 8, 7),"
                                   " ('report_many', 'hour', date_trunc('hour', now()), 9, 8, 7); select 1");
        assert_string_equal(test_admin(DATABASE, shown), "report_many 7 5");
        assert_int_equal(DB_WRITE(c, tx, store_limits(tx, 9)), SN_OK);
        assert_string_equal(test_admin(DATABASE, shown), "report_many 7 -");
        assert_int_equal(DB_WRITE(c, tx, store_limits(tx, 5)), SN_OK);
        assert_string_equal(
            test_admin(DATABASE, "select count(*) from report_people where people < 5 or people % 5 <> 0"), "0");
        assert_string_equal(test_admin(DATABASE, "select string_agg(relname, ' ' order by relname) from pg_class where"
                                                 " relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v',"
                                                 " 'm') and has_table_privilege('analytics_service_reader', oid,"
                                                 " 'select')"),
                            "report_events report_people");
        assert_string_equal(test_admin(DATABASE, "select count(*) from pg_class where relnamespace = 'public'"
                                                 "::regnamespace and relkind in ('r', 'p', 'v') and has_table_privilege"
                                                 "('analytics_service_reader', oid, 'insert, update, delete')"),
                            "0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(roll_ups_are_what_a_recomputation_gives),
            cmocka_unit_test(a_batch_publishes_its_own_names_and_days),
            cmocka_unit_test(everything_in_the_journal_is_stored_once),
            cmocka_unit_test(nothing_identifies_erased_members),
            cmocka_unit_test(addressees_of_remaining_answers_are_erased),
            cmocka_unit_test(followers_are_counted_by_pseudonym),
            cmocka_unit_test(old_months_are_dropped_and_new_ones_created),
            cmocka_unit_test(events_of_months_without_partitions_are_stored),
            cmocka_unit_test(what_goes_is_not_looked_at),
            cmocka_unit_test(salts_are_shared_for_a_day_and_then_destroyed),
            cmocka_unit_test(reports_show_enough_people_to_a_role_that_sees_nothing_else),
        };

        return cmocka_run_group_tests(tests, analytics_setup, analytics_teardown);
}
