/* Partitions of messages exist before their months begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "services/test_support.h"

#define DATABASE "messaging_service"
#define JOB      "make_message_months"

/* How many of this month and the next three (by the database's clock) have a partition with a unique index of the
 * numbers of logs and one for pages. */
static const char *count_ahead(void)
{
        return test_admin(
            DATABASE,
            "select count(*) from generate_series(0, 3) ahead cross join lateral (select i.inhrelid from pg_inherits i"
            " where i.inhparent = 'public.messages'::regclass and i.inhrelid = to_regclass('message_months.messages_' "
            "||"
            " to_char(now() at time zone 'UTC' + ahead * interval '1 month', 'YYYY_MM'))) m"
            " where exists (select from pg_index x where x.indrelid = m.inhrelid and x.indisunique and"
            " pg_get_indexdef(x.indexrelid) like '%(chat_id, seq)')"
            " and exists (select from pg_index x where x.indrelid = m.inhrelid and"
            " pg_get_indexdef(x.indexrelid) like '%(chat_id, n) WHERE (kind = 1)')");
}

static void drop_months(int first)
{
        char sql[600];

        (void)snprintf(sql, sizeof(sql),
                       "do $$ declare name text; begin for name in select to_regclass('message_months.messages_' ||"
                       " to_char(now() at time zone 'UTC' + ahead * interval '1 month', 'YYYY_MM'))::text"
                       " from generate_series(%d, 3) ahead loop execute 'drop table ' || name; end loop; end $$;"
                       " select 1",
                       first);
        (void)test_admin(DATABASE, sql);
}

/* After a month, and after several, the job creates what is missing and nothing else. */
static void the_job_creates_missing_months(void **state)
{
        static const char *const left[] = {"0", "1", "2", "3"};

        assert_string_equal(count_ahead(), "4");
        for (int first = 3; first >= 0; first--) {
                drop_months(first);
                assert_string_equal(count_ahead(), left[first]);
                (void)test_network_run_job("messaging", JOB);
                assert_string_equal(count_ahead(), "4");
        }
        const char *before = test_admin(DATABASE, "select string_agg(inhrelid::text, ' ' order by inhrelid) from"
                                                  " pg_inherits where inhparent = 'public.messages'::regclass");

        (void)test_network_run_job("messaging", JOB);
        assert_string_equal(test_admin(DATABASE, "select string_agg(inhrelid::text, ' ' order by inhrelid) from"
                                                 " pg_inherits where inhparent = 'public.messages'::regclass"),
                            before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(the_job_creates_missing_months)};

        return cmocka_run_group_tests(tests, test_start_plain, test_stop);
}
