/* Reading the newest and the most engaged of many matches through windows gives the same result as reading every note.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "services/search/search.rpc.h"
#include "services/search/windows.h"
#include "services/test_plan_support.h"
#include "services/test_support.h"

static struct db *db;
static PGconn *pg;

static int setup(void **state)
{
        /* Spread over 400 days; some words occur only in the first half, in the second, or in one week. */
        static const char *const rows[] = {
            "create function at(n bigint) returns uuid language sql as $$ select (lpad(to_hex(1700000000000 +"
            " n * 1728000), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid"
            " $$",
            "insert into search_index (note_id, author_id, version, words, length, engagement, likes)"
            " select at(n), at(n % 500), 1, (':all common' || case when n % 7 = 0 then ' often' else '' end ||"
            " case when n % 50 = 3 then ' seldom' else '' end || case when n < 10000 then ' old' else ' new' end ||"
            " case when n between 15000 and 15300 then ' once' else '' end || ' many' || n % 50)::tsvector, 5,"
            " n % 1000 + ((n * 7919 % 1000) ^ 2)::bigint / 500, n % 1000 from generate_series(1, 20000) n",
            "select search_merge_words()", "select search_make_steps()", "vacuum analyze"};
        const struct service_definition *search = service_definition_find("search");
        struct buf error;
        char url[300];

        buf_init(&error, 4096);
        assert_int_equal(db_provision(test_admin_url(), search->schema, NULL, &error), SN_OK);
        buf_free(&error);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                plan_fill("search_service", rows[i]);
        }
        test_url(url, "search_service", "search_service");
        db = db_new(&(struct db_options){.name = "search_service", .url = url, .max_connections = 1});
        pg = test_admin_connect("search_service");
        return 0;
}

static int teardown(void **state)
{
        PQfinish(pg);
        db_free(db);
        return 0;
}

/* Notes that were found, in the same order as by reading every note. */
static void assert_same(struct arena *arena, const struct terms *terms, SearchRows__Candidate *const *rows, size_t n,
                        const char *order, const struct candidates_asked *asked, int64_t min_likes)
{
        char *sql = arena_printf(arena,
                                 "select note_id from search_index where words @@ $q$%s$q$::tsquery and likes >= %d"
                                 " and ('%s' = '' or note_id > nullif('%s', '')::uuid)"
                                 " and ('%s' = '' or note_id < nullif('%s', '')::uuid) and engagement >= %d"
                                 " order by %s note_id desc limit %zu",
                                 terms->query.text, (int)min_likes, asked->above, asked->above, asked->before,
                                 asked->before, (int)asked->least_engaged, order, asked->room);
        PGresult *expected = PQexec(pg, sql);

        assert_int_equal(PQresultStatus(expected), PGRES_TUPLES_OK);
        if ((size_t)PQntuples(expected) != n) {
                fail_msg("%zu of %d are found: %s", n, PQntuples(expected), sql);
        }
        for (size_t i = 0; i < n; i++) {
                assert_string_equal(rows[i]->note_id, PQgetvalue(expected, (int)i, 0));
        }
        PQclear(expected);
}

/* By time and by engagement, in pages of several sizes. */
static void compare(struct rpc_call *c, const struct terms *terms, const struct candidates_asked *base)
{
        static const size_t rooms[] = {1, 30, 600};

        for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
                struct candidates_asked asked = *base;
                SearchRows__Candidate **rows = NULL;
                size_t n = 0;
                bool all = false;

                asked.room = rooms[i];
                assert_int_equal(windows_read_newest(c, terms, &terms->query, &asked, &n, &rows, &all), SN_OK);
                assert_same(c->arena, terms, rows, n, "", &asked, asked.min_likes);
                assert_int_equal(all, n < asked.room);
                asked.by_engagement = true;
                asked.most_engaged = INT64_MAX;
                assert_int_equal(windows_read_engaged(c, terms, &terms->query, &asked, false, &n, &rows), SN_OK);
                assert_same(c->arena, terms, rows, n, "engagement desc,", &asked, asked.min_likes);
                assert_int_equal(windows_read_engaged(c, terms, &terms->query, &asked, true, &n, &rows), SN_OK);
                asked.least_engaged = 10;
                assert_same(c->arena, terms, rows, n, "engagement desc,", &asked, asked.min_likes);
        }
}

/* Where half of the room is enough, the newest or most engaged notes are found, and at least so many unless there are
 * no others. Returns whether there would have been room for more. */
static bool stops_early(struct rpc_call *c, const struct terms *terms, const struct candidates_asked *base, bool newest)
{
        struct candidates_asked asked = *base;
        SearchRows__Candidate **rows = NULL;
        size_t n = 0;
        bool all = false;

        asked.room = 300;
        asked.enough = 150;
        asked.by_engagement = !newest;
        asked.most_engaged = INT64_MAX;
        assert_int_equal(newest ? windows_read_newest(c, terms, &terms->query, &asked, &n, &rows, &all)
                                : windows_read_engaged(c, terms, &terms->query, &asked, false, &n, &rows),
                         SN_OK);
        all = newest ? all : n < asked.enough;
        assert_true(all || n >= asked.enough);
        asked.room = all ? asked.room : n;
        assert_same(c->arena, terms, rows, n, newest ? "" : "engagement desc,", &asked, asked.min_likes);
        return !all && n < 300;
}

static const char *const queries[] = {"common",
                                      "often",
                                      "seldom",
                                      "once",
                                      "old",
                                      "new",
                                      "often common",
                                      "old often",
                                      "new OR often",
                                      "old new",
                                      "common -often",
                                      "seldom min_likes:900",
                                      "once seldom",
                                      "often since:2024-11",
                                      "new until:2024-11",
                                      "old until:2023-12",
                                      "common since:2023-12 until:2024-03",
                                      "oft*",
                                      "common since:2010-01-01",
                                      "seldom since:1971-01-01",
                                      "often until:2099-01-01",
                                      "often since:2024-11-20 until:2099-01-01",
                                      "common until:2024-02-11",
                                      "often until:2024-09-01",
                                      "many*",
                                      "old many*",
                                      "seldom many*",
                                      "often -many*",
                                      "often -(old many*)",
                                      "often -(old -many*)",
                                      "seldom OR many*",
                                      "old (often OR many*)",
                                      "-(many1 OR many*) many2",
                                      "many* min_likes:900",
                                      "many* since:2024-11 until:2024-11"};
enum { QUERIES = sizeof(queries) / sizeof(queries[0]) };

static void windows_find_the_same_as_reading_every_note(void **state)
{
        struct service self = {.name = "search", .contract = &search_contract, .db = db};
        size_t n_newest = 0, n_compared = 0; /* n_compared: queries of which a part is not looked up */

        for (size_t i = 0; i < QUERIES; i++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 20000);
                struct query_error error;
                struct terms terms;
                struct candidates_asked asked = {.viewer = "", .below = ""};

                assert_int_equal(terms_make(c, query_parse(c->arena, queries[i], &error), true, &terms), SN_OK);
                assert_true(terms.n_steps > 10);
                asked.query = terms.query.index;
                asked.rest = terms.query.whole ? NULL : terms.query.text;
                asked.few = terms.query.few;
                asked.above = terms.above;
                asked.before = terms.below;
                asked.min_likes = terms.min_likes;
                compare(c, &terms, &asked);
                n_newest += stops_early(c, &terms, &asked, true);
                (void)stops_early(c, &terms, &asked, false);
                n_compared += !terms.query.whole;
        }
        assert_int_equal(n_compared, 11);
        assert_in_range(n_newest, 1, QUERIES - 1);
}

/* ---- Newest notes that are unlike the others ---- */

/* Otherwise a connection reports what it read once a second. */
DB_STATEMENT(REPORT_READS, "search_service", NULL, "select pg_stat_force_next_flush()");

static long notes_read(struct rpc_call *c)
{
        PGresult *result;

        assert_int_equal(DB_READ(c, tx, db_exec(tx, &REPORT_READS, DB_NO_BINDS, NULL)), SN_OK);
        result =
            PQexec(pg, "select idx_tup_fetch + seq_tup_read from pg_stat_user_tables where relname = 'search_index'");
        assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
        long n = strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        return n;
}

struct cost {
        const char *text;
        size_t room;
        int64_t most_engaged; /* -1: the newest; otherwise the most engaged, of those with fewer reactions */
        size_t found;
        long most; /* notes read */
};

static sn_status read_matches(struct rpc_call *c, const struct terms *terms, const struct cost *cost, size_t *n)
{
        struct candidates_asked asked = {.viewer = "", .below = "", .before = "", .above = "", .room = cost->room};
        SearchRows__Candidate **rows = NULL;
        bool all = false;

        asked.query = terms->query.index;
        asked.rest = terms->query.whole ? NULL : terms->query.text;
        asked.few = terms->query.few;
        if (cost->most_engaged < 0) {
                TRY(windows_read_newest(c, terms, &terms->query, &asked, n, &rows, &all));
                assert_same(c->arena, terms, rows, *n, "", &asked, 0);
                return SN_OK;
        }
        asked.by_engagement = true;
        asked.most_engaged = cost->most_engaged;
        asked.below = cost->most_engaged < INT64_MAX ? "00000000-0000-7000-8000-000000000000" : "";
        return windows_read_engaged(c, terms, &terms->query, &asked, false, n, &rows);
}

static void assert_cost(const struct cost *cost)
{
        struct service self = {.name = "search", .contract = &search_contract, .db = db};
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&self, 20000);
        struct query_error error;
        struct terms terms;
        size_t n = 0;

        assert_int_equal(terms_make(c, query_parse(c->arena, cost->text, &error), true, &terms), SN_OK);

        long before = notes_read(c);

        assert_int_equal(read_matches(c, &terms, cost, &n), SN_OK);

        long read = notes_read(c) - before;

        assert_int_equal(n, cost->found);
        if (read < (long)n || read > cost->most) {
                fail_msg("%s: %ld notes are read, not %zu to %ld", cost->text, read, n, cost->most);
        }
}

/* The newest 4,000 notes are from one hour; all have "loud" and "common", ten of them "old", and none has "new", as the
 * 10,000 before them have. Reading all notes of the hour would be 4,000, reading all with "new" 10,000, and walking
 * down until there are enough with both "old" and "loud" 24,000. */
static void unusual_notes_do_not_make_searches_expensive(void **state)
{
        static const char *const rows[] = {
            "insert into search_index (note_id, author_id, version, words, length, engagement, likes)"
            " select (lpad(to_hex(1763136000000 + n * 500), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' ||"
            " lpad(to_hex(n), 15, '0'))::uuid, at(1), 1, (':all common loud' || case when n % 400 = 7 then ' old' else"
            " '' end)::tsvector, 2, 0, 0 from generate_series(1, 4000) n",
            "select search_merge_words()", "select search_make_steps()", "vacuum analyze",
            "select pg_stat_force_next_flush()"};
        static const struct cost costs[] = {{"loud", 300, -1, 300, 1500},
                                            {"common", 300, -1, 300, 1000},
                                            {"new", 300, -1, 300, 6000},
                                            {"old loud", 20, INT64_MAX, 10, 1000},
                                            {"old loud", 20, 5, 10, 1000}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                PQclear(plan_must(pg, PQexec(pg, rows[i]), rows[i]));
        }
        for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
                assert_cost(&costs[i]);
        }
}

static void steps_are_the_notes_at_their_places(void **state)
{
        assert_string_equal(test_admin("search_service",
                                       "select string_agg(s.notes::text, ' ' order by s.notes) from search_steps s"
                                       " join (select note_id, row_number() over (order by note_id desc) as place"
                                       " from search_index) n on n.place = s.notes and n.note_id = s.note_id"
                                       " join (select engagement, row_number() over (order by engagement desc) as place"
                                       " from search_index) e on e.place = s.notes and e.engagement = s.engagement"),
                            "1 16 32 64 128 256 512 1024 2048 4096 8192 16384 20000");
}

/* Each hour is covered once, by as few spans as possible. */
static void spans_cover_each_hour_once(void **state)
{
        static const struct {
                int64_t from, to;
                size_t n;
        } asked[] = {{768, 1535, 1}, {768, 1536, 2}, {24, 24, 1},  {24, 47, 1},
                     {25, 48, 24},   {0, 767, 1},    {20, 800, 45}};
        int64_t spans[WINDOW_SPANS_MAX];

        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                int64_t hours = 0;

                assert_int_equal(window_spans(asked[i].from, asked[i].to, spans), asked[i].n);
                for (size_t k = 0; k < asked[i].n; k++) {
                        hours += spans[k] >= 20000000 ? 768 : spans[k] >= 10000000 ? 24 : 1;
                }
                assert_int_equal(hours, asked[i].to - asked[i].from + 1);
        }
        assert_int_equal(window_spans(1, 768 * 2100, spans), 0); /* more than the maximum */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(steps_are_the_notes_at_their_places),
            cmocka_unit_test(windows_find_the_same_as_reading_every_note), cmocka_unit_test(spans_cover_each_hour_once),
            cmocka_unit_test(unusual_notes_do_not_make_searches_expensive), /* last: adds notes */
        };

        return cmocka_run_group_tests_name("search windows", tests, setup, teardown);
}
