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
#include "base/clock.h"
#include "services/test_home.h"

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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* they retain freed memory, or shadow memory */
#define MEMORY_KIB (512 * 1024)
#else
#define MEMORY_KIB (32 * 1024)
#endif
#define FLOOD_FOLLOWERS 5000
#define ROWS_AT_ONCE    10000 /* services/timeline/deliver.c */

static void wait_for_rows(long long n)
{
        for (int64_t until_us = clock_monotonic_us() + 60000000; test_followers_rows(FLOOD_FOLLOWERS) < n;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(1);
        }
}

/* Many notes at once by a member with many followers: SONET_TEST_FLOOD=300 once took 181 MiB. */
static void a_flood_is_delivered_in_portions_and_none_is_repeated(void **state)
{
        const char *given = getenv("SONET_TEST_FLOOD"), *author = test_member("flooding");
        int n = given != NULL ? (int)strtol(given, NULL, 10) : 40;
        long long before, first;

        test_give_followers(author, FLOOD_FOLLOWERS);
        test_network_settle();
        first = test_followers_rows(FLOOD_FOLLOWERS);
        test_network_stop_consumers("timeline");
        test_post_many(author, n);
        test_wait_for("note_service", "select count(*) = 0 from outbox where position is null");
        forget_peak_of_memory();
        long memory = memory_kib("VmHWM:");
        test_network_start_consumers("timeline");
        wait_for_rows(first + ROWS_AT_ONCE / 2);
        before = test_followers_rows(FLOOD_FOLLOWERS);
        test_network_stop_consumers("timeline");
        /* the portion that was running at the request, and one that ended meanwhile */
        assert_true(test_followers_rows(FLOOD_FOLLOWERS) <= before + 2 * ROWS_AT_ONCE);
        test_network_start_consumers("timeline");
        test_network_settle();
        memory = memory_kib("VmHWM:") - memory;
        assert_int_equal(test_followers_rows(FLOOD_FOLLOWERS) - first, (long long)n * FLOOD_FOLLOWERS);
        if (memory > MEMORY_KIB) {
                fail_msg("delivery took %ld KiB", memory);
        }
        test_remove_followers(author);
}

/* A delivery in the same batch, by a member with few followers. */
static void a_note_reaches_each_of_many_followers(void **state)
{
        const char *author = test_member("known"), *other = test_member("unknown"),
                   *reader = test_member("one_of_many");

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
        assert_int_equal(test_followers_rows(9000), 3 * 9000);
        test_remove_followers(author);
}

static void members_who_have_not_read_for_a_month_are_forgotten(void **state)
{
        const char *reader = test_member("recent_reader");
        char sql[120];

        test_home_load();
        test_home_check(reader, 5, "once");
        (void)test_admin("timeline_service", "insert into timeline_cache (owner_id, read_at) select"
                                             " lpad(to_hex(n), 32, '0')::uuid, now() - interval '31 days'"
                                             " from generate_series(1, 1200) n");
        assert_in_range(test_network_run_job("timeline", "prune_timelines"), 1200 / 500, 1200 / 500 + 2);
        assert_string_equal(test_admin("timeline_service", "select count(*) from timeline_cache"
                                                           " where read_at < now() - interval '30 days'"),
                            "0");
        (void)snprintf(sql, sizeof(sql), "select count(*) from timeline_cache where owner_id = '%s'", reader);
        assert_string_equal(test_admin("timeline_service", sql), "1");
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
        char before[UUID_SIZE];

        test_follow(reader, rising);
        test_follow(reader, small);
        test_post_many(rising, 30);
        test_post_many(small, 30);
        check_after_settling(reader, "before anybody is famous");
        test_give_followers(rising, 10000);
        (void)snprintf(before, sizeof(before), "%s", test_post(small));
        test_post_many(rising, 150); /* more than note_service caches */
        test_post_many(small, 3);
        test_network_settle();
        assert_false(test_home_has(reader, rising, before));
        assert_true(test_home_has(reader, small, before));
        check_after_settling(reader, "one is famous");
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
            cmocka_unit_test(members_who_have_not_read_for_a_month_are_forgotten),
            cmocka_unit_test(a_flood_is_delivered_in_portions_and_none_is_repeated),
            cmocka_unit_test(notes_of_famous_members_are_on_all_timelines_without_delivery),
        };

        return cmocka_run_group_tests_name("timelines, delivery", tests, test_start_plain, test_stop);
}
