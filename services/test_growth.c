/* The cost of a list does not depend on the total amount: statements over thousands of authors, few of whom write much,
 * return the same as a plain query and read a limited number of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"
#include "services/test_plan_support.h"
#include "services/test_support.h"

/* 2,000 authors, 120,000 notes: author n writes 60,000 / n of them and 20 more, at various times; a third of the
 * authors went silent long ago; some notes are for followers, some deleted, some comments, some renotes. */
static const char *const rows[] = {
    "create table written as select a, row_number() over (order by md5(a || '.' || k) ) as n"
    " from generate_series(1, 2000) a, lateral generate_series(1, 20 + 8000 / a) k",
    "update written set n = n - 200000 where a % 3 = 0",
    "insert into notes (id, author_id, text, visibility, parent_id, deleted_at)"
    " select id(n + 1000000), id(a), '', case when n % 7 = 0 then 2 when n % 11 = 0 then 3 else 1 end,"
    " case when n % 13 = 0 then id(1) end, case when n % 17 = 0 then now() end from written",
    "update notes set renote_of_id = id(1000000 + (('x' || right(id::text, 6))::bit(24)::integer / 2) % 90000)"
    " where ('x' || right(id::text, 6))::bit(24)::integer % 5 = 0 and parent_id is null",
    "vacuum analyze",
};

static int setup(void **state)
{
        test_services_provision();
        plan_add_ids("note_service");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                plan_fill("note_service", rows[i]);
        }
        return 0;
}

#define PLAIN(comparison, direction)                                                                                   \
        "select p.id, p.author_id, r.author_id as renoted_author_id from notes p left join notes r"                    \
        " on r.id = p.renote_of_id where p.author_id = any($1::uuid[]) and p.visibility = any($2::bigint[])"           \
        " and p.deleted_at is null and p.parent_id is null and p.id " comparison " $3::uuid and (p.renote_of_id"       \
        " is null or (r.deleted_at is null and r.author_id <> all($4::uuid[]))) order by p.id " direction              \
        " limit $5::bigint"

/* How many rows both return, or -1 if they differ. */
static int compare(PGconn *pg, const char *name, const char *values)
{
        PGresult *result;
        struct buf sql;

        buf_init(&sql, 1 << 16);
        for (int i = 0; i < 2; i++) {
                buf_reset(&sql);
                buf_printf(&sql, "create temporary table found_%d as execute \"%s\" (%s)", i, i == 0 ? name : "plain",
                           values);
                PQclear(plan_must(pg, PQexec(pg, sql.data), name));
        }
        result =
            plan_must(pg,
                      PQexec(pg, "select case when exists (table found_0 except table found_1)"
                                 " or exists (table found_1 except table found_0) or (select count(*) from found_0)"
                                 " <> (select count(*) from found_1) then -1 else (select count(*) from found_0)"
                                 " end"),
                      name);
        int n = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        PQclear(plan_must(pg, PQexec(pg, "drop table found_0, found_1"), name));
        buf_free(&sql);
        return n;
}

static void check_newest(const char *name, const char *plain)
{
        static const char *const authors[] = {"ids(1, 1, 1)",    "ids(3, 3, 1)",      "ids(1, 3, 1)",
                                              "ids(1, 2000, 1)", "ids(7, 2000, 31)",  "ids(1000, 2000, 1)",
                                              "ids(1, 40, 1)",   "ids(5000, 5000, 1)"};
        static const char *const beyond[] = {"id(0)", "id(950000)", "id(1040000)", "id(1080000)", "id(2000000)"};
        static const int limits[] = {1, 2, 21, 200, 800};
        const struct db_statement *s = plan_find("note_service", name);
        PGconn *pg = plan_connect("note_service");
        int most = 0;

        (void)plan_prepare(pg, s);
        PQclear(plan_must(pg, PQprepare(pg, "plain", plain, 0, NULL), "plain"));
        for (int i = 0; i < 8 * 5 * 5; i++) {
                char values[200];

                (void)snprintf(values, sizeof(values), "%s, '{1,2}', %s, array[id(2), id(4)], %d", authors[i / 25],
                               beyond[i % 5], limits[i / 5 % 5]);
                int n = compare(pg, s->name, values);

                if (n < 0) {
                        fail_msg("%s (%s) is not the plain list", name, values);
                }
                most = n > most ? n : most;
        }
        assert_int_equal(most, 800);
        PQfinish(pg);
}

static void the_newest_of_many_authors_equal_those_of_a_plain_query(void **state)
{
        check_newest("SELECT_IDS_BY_AUTHORS", PLAIN("<", "desc"));
        check_newest("SELECT_IDS_BY_AUTHORS_AFTER", PLAIN(">", "asc"));
}

/* Three pages for each probe of the index, two for each renote that it meets; before, it read `limit` notes of each
 * author. */
static void a_first_page_reads_little_more_than_it_shows(void **state)
{
        static const struct {
                const char *values;
                long most;
        } pages[] = {
            {"ids(1, 2000, 1), '{1,2}', id(2000000), '{}', 800", 25000},
            {"ids(1, 40, 1), '{1,2}', id(2000000), '{}', 800", 4500},
            {"ids(1, 2000, 1), '{1,2}', id(2000000), '{}', 21", 22000},
        };
        const struct db_statement *s = plan_find("note_service", "SELECT_IDS_BY_AUTHORS");
        PGconn *pg = plan_connect("note_service");

        (void)plan_prepare(pg, s);
        for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
                long buffers = plan_count_buffers(pg, s, pages[i].values);

                if (buffers > pages[i].most || buffers == 0) {
                        fail_msg("(%s) touches %ld pages, not 1 to %ld", pages[i].values, buffers, pages[i].most);
                }
        }
        PQfinish(pg);
}

/* Delivery asks for the followers of many authors and a limit for all: those of the authors behind it are not read.
 * Without an ORDER BY, which would read all, they come in order. */
static void followers_beyond_the_limit_are_not_read(void **state)
{
        const struct db_statement *s = plan_find("follow_service", "SELECT_FOLLOWER_IDS");
        PGconn *pg = plan_connect("follow_service");

        plan_add_ids("follow_service");
        plan_fill("follow_service", "insert into user_relationships (follower_id, followee_id)"
                                    " select id(n), id(90000 + a) from generate_series(1, 9000) n,"
                                    " generate_series(1, 3) a");
        plan_fill("follow_service", "vacuum analyze user_relationships");
        (void)plan_prepare(pg, s);
        long all = plan_count_buffers(pg, s, "array[id(90002), id(90003), id(90001)], null, 10001, 0");
        long some = plan_count_buffers(pg, s, "array[id(90002), id(90003), id(90001)], null, 10001, 100");

        assert_true(some > 0);
        assert_true(10 * some < all);
        PGresult *listed = plan_must(pg,
                                     PQexec(pg, "execute \"SELECT_FOLLOWER_IDS\""
                                                " (array[id(90002), id(90003), id(90001)], null, 10001, 0)"),
                                     "execute");
        assert_int_equal(PQntuples(listed), 3 * 9000);
        for (int i = 1; i < 3 * 9000; i++) {
                bool same = strcmp(PQgetvalue(listed, i, 0), PQgetvalue(listed, i - 1, 0)) == 0;

                assert_int_equal(same, i % 9000 != 0);
                assert_true(!same || strcmp(PQgetvalue(listed, i, 1), PQgetvalue(listed, i - 1, 1)) > 0);
        }
        PQclear(listed);
        PQfinish(pg);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_newest_of_many_authors_equal_those_of_a_plain_query),
            cmocka_unit_test(a_first_page_reads_little_more_than_it_shows),
            cmocka_unit_test(followers_beyond_the_limit_are_not_read),
        };

        return cmocka_run_group_tests_name("growth", tests, setup, NULL);
}
