/* Delivery to many followers: its cost per portion, that it continues where it was stopped, and that nothing is
 * repeated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/test_home.h"

/* How many rows each statement of delivery inserts, in a table of the test. */
static void count_rows_of_statements(void)
{
        (void)test_admin("timeline_service",
                         "create table statements (n bigint);"
                         "grant all on statements to public;"
                         "create function count_rows() returns trigger language plpgsql as"
                         " $$ begin insert into statements select count(*) from added; return null; end $$;"
                         "create trigger counting after insert on timeline_entries referencing new table as added"
                         " for each statement execute function count_rows()");
}

static void stop_counting(void)
{
        (void)test_admin("timeline_service", "drop table statements; drop function count_rows cascade");
}

/* A line of /proc/self/status, in KiB. */
static long memory_kib(const char *name)
{
        char line[128];
        long kib = 0;
        FILE *file = fopen("/proc/self/status", "r");

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (strncmp(line, name, strlen(name)) == 0) {
                        kib = strtol(line + strlen(name), NULL, 10);
                }
        }
        (void)fclose(file);
        return kib;
}

static void forget_peak_of_memory(void)
{
        FILE *file = fopen("/proc/self/clear_refs", "w");

        assert_non_null(file);
        (void)fputs("5", file);
        assert_int_equal(fclose(file), 0);
}

static int statements(void)
{
        return (int)strtol(test_admin("timeline_service", "select count(*) from statements"), NULL, 10);
}

static void wait_for_statements(int n)
{
        char sql[80];

        (void)snprintf(sql, sizeof(sql), "select count(*) >= %d from statements", n);
        test_wait_for("timeline_service", sql);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* they retain freed memory, or shadow memory */
#define MEMORY_KIB (512 * 1024)
#else
#define MEMORY_KIB (32 * 1024)
#endif
#define FLOOD_FOLLOWERS 5000
#define ROWS_AT_ONCE    10000 /* services/timeline/deliver.c */

/* Many notes at once by a member with many followers: SONET_TEST_FLOOD=300 once took 181 MiB. */
static void a_flood_is_delivered_in_portions_and_none_is_repeated(void **state)
{
        const char *given = getenv("SONET_TEST_FLOOD"), *author = test_member("flooding");
        int n = given != NULL ? (int)strtol(given, NULL, 10) : 40, before;
        long memory;
        char sql[200];

        test_give_followers(author, FLOOD_FOLLOWERS);
        test_network_settle();
        test_network_stop_consumers("timeline");
        test_post_many(author, n);
        test_wait_for("note_service", "select count(*) = 0 from outbox where position is null");
        count_rows_of_statements();
        forget_peak_of_memory();
        memory = memory_kib("VmHWM:");
        test_network_start_consumers("timeline");
        wait_for_statements(3);
        before = statements();
        test_network_stop_consumers("timeline");
        assert_true(statements() <=
                    before + 2); /* the one that was running at the request, and one that ended meanwhile */
        test_network_start_consumers("timeline");
        for (int done = before; done < n * FLOOD_FOLLOWERS / ROWS_AT_ONCE; done += 10) {
                wait_for_statements(done);
        }
        test_network_settle();
        memory = memory_kib("VmHWM:") - memory;
        (void)snprintf(sql, sizeof(sql), "select max(n) = %d and sum(n) = %d and count(*) = %d from statements",
                       ROWS_AT_ONCE, n * FLOOD_FOLLOWERS, n * FLOOD_FOLLOWERS / ROWS_AT_ONCE);
        assert_string_equal(test_admin("timeline_service", sql), "t");
        if (memory > MEMORY_KIB) {
                fail_msg("delivery took %ld KiB", memory);
        }
        stop_counting();
        test_remove_followers(author);
}

/* A delivery in the same batch, by a member with few followers. */
static void a_note_reaches_each_of_many_followers(void **state)
{
        const char *author = test_member("known"), *other = test_member("unknown"),
                   *reader = test_member("one_of_many");
        char sql[400];

        test_give_followers(author, 9000);
        test_follow(reader, author);
        test_follow(reader, other);
        test_home_load();
        test_home_check(reader, 5, "before");
        for (int i = 0; i < 3; i++) {
                test_post_many(author, 1);
                test_post_many(other, 1);
        }
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "after");
        (void)snprintf(sql, sizeof(sql),
                       "select count(*) = 3 * 9001 and count(distinct owner_id) = 9001 from timeline_entries"
                       " where author_id = '%s'",
                       author);
        assert_string_equal(test_admin("timeline_service", sql), "t");
        test_remove_followers(author);
}

/* 27,003 entries: some 105 of them record their owners, and pruning checks no others. */
static void pruning_only_checks_tails_that_grew(void **state)
{
        int noted = (int)strtol(test_admin("timeline_service", "select count(*) from timeline_grown"), NULL, 10);

        assert_in_range(noted, 40, 250);
        assert_in_range(test_network_run_job("timeline", "prune_timelines"), noted / 30, noted / 30 + 2);
        assert_string_equal(test_admin("timeline_service", "select count(*) from timeline_grown"), "0");
        (void)test_admin("timeline_service",
                         "update timeline_cache set read_at = now() - interval '31 days'"
                         " where owner_id between lpad(to_hex(1), 32, '0')::uuid and lpad(to_hex(50), 32, '0')::uuid");
        assert_in_range(test_network_run_job("timeline", "prune_timelines"), 50 / 12, 50 / 12 + 2);
        assert_string_equal(test_admin("timeline_service",
                                       "select count(*) from timeline_entries where owner_id between"
                                       " lpad(to_hex(1), 32, '0')::uuid and lpad(to_hex(50), 32, '0')::uuid"),
                            "0");
}

static bool has_entries(const char *sql, const char *author)
{
        char text[200];

        (void)snprintf(text, sizeof(text), "select count(*) > 0 from timeline_entries where author_id = '%s'%s", author,
                       sql);
        return strcmp(test_admin("timeline_service", text), "t") == 0;
}

static void check_after_settling(const char *reader, const char *how)
{
        test_network_settle();
        test_home_check_deep(reader, how);
}

/* A member who becomes famous, one who already was, one who is not; notes delivered before do not appear twice. */
static void notes_of_famous_members_are_on_all_timelines_without_delivery(void **state)
{
        const char *rising = test_member("rising"), *star = test_member("star"), *small = test_member("small"),
                   *reader = test_member("fan");
        char beyond[80];

        test_follow(reader, rising);
        test_follow(reader, small);
        test_post_many(rising, 30);
        test_post_many(small, 30);
        check_after_settling(reader, "before anybody is famous");
        test_give_followers(rising, 10000);
        (void)snprintf(beyond, sizeof(beyond), " and note_id > '%s'", test_post(small));
        test_post_many(rising, 150); /* more than note_service caches */
        test_post_many(small, 3);
        check_after_settling(reader, "one is famous");
        assert_false(has_entries(beyond, rising));
        assert_true(has_entries(beyond, small));
        test_give_followers(star, 10001);
        test_post_many(star, 40);
        test_follow(reader, star);
        check_after_settling(reader, "two are famous, one followed later");
        test_post_many(star, 5);
        test_post_many(rising, 5);
        check_after_settling(reader, "both write");
        (void)ASK(reader, FOLLOW(MUTE_USER), .id = rising);
        check_after_settling(reader, "one is muted");
        (void)ASK(reader, FOLLOW(UNFOLLOW_USER), .id = star);
        check_after_settling(reader, "the other is not followed any more");
        test_remove_followers(rising);
        test_remove_followers(star);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_note_reaches_each_of_many_followers),
            cmocka_unit_test(pruning_only_checks_tails_that_grew),
            cmocka_unit_test(a_flood_is_delivered_in_portions_and_none_is_repeated),
            cmocka_unit_test(notes_of_famous_members_are_on_all_timelines_without_delivery),
        };

        return cmocka_run_group_tests_name("timelines, delivery", tests, test_start_plain, test_stop);
}
