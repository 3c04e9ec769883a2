/* Home timelines after a long absence and far down: notes that delivery skipped and that no longer fit are not missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/timeline/home_memory.h"
#include "services/test_home.h"

static bool is_in_redis(const char *owner)
{
        static const char lua[] = "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('none') end";
        char key[80];
        const char *argv[] = {"EVAL", lua, "1", key};

        (void)snprintf(key, sizeof(key), "tl:home:%s", owner);
        return test_redis_do(4, argv);
}

/* As if time had passed: the time of the last read in PostgreSQL, and the day in the header of the cached timeline in
 * Redis, which it does not survive for two days. */
static void let_days_pass(const char *owner, int days)
{
        static const char lua[] =
            "local day = redis.call('GETRANGE', KEYS[1], 25, 28) if day == '' then return end "
            "if tonumber(ARGV[1]) >= 2 then return redis.call('DEL', KEYS[1]) end "
            "redis.call('SETRANGE', KEYS[1], 25, struct.pack('>I4', struct.unpack('>I4', day) - tonumber(ARGV[1])))";
        char sql[200], key[80], count[16];
        const char *argv[] = {"EVAL", lua, "1", key, count};

        (void)snprintf(sql, sizeof(sql),
                       "update timeline_cache set read_at = read_at - interval '%d days' where owner_id = '%s'", days,
                       owner);
        (void)snprintf(key, sizeof(key), "tl:home:%s", owner);
        (void)snprintf(count, sizeof(count), "%d", days);
        (void)test_admin("timeline_service", sql);
        (void)test_redis_do(5, argv);
        home_memory_clear(); /* like a list of another day, which it does not return */
}

static void expect_read_just_now(const char *owner)
{
        char sql[120];

        (void)snprintf(sql, sizeof(sql),
                       "select now() - read_at < interval '1 hour' from timeline_cache"
                       " where owner_id = '%s'",
                       owner);
        assert_string_equal(test_admin("timeline_service", sql), "t");
}

/* Nothing is delivered to members who have been absent; missed notes are there when they return. */
static void a_member_absent_for_a_month_finds_everything(void **state)
{
        const char *reader = test_member("traveller"), *author = test_member("diarist");

        test_follow(reader, author);
        test_post_many(author, 5);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 3, "before");
        let_days_pass(reader, 31);
        test_post_many(author, 7);
        test_network_settle();
        assert_false(is_in_redis(reader));
        test_home_load();
        test_home_check(reader, 3, "after a month");
        expect_read_just_now(reader);
        test_post_many(author, 2);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 3, "at home again");
}

static void yesterdays_timeline_is_marked_as_read_today(void **state)
{
        const char *reader = test_member("weekly"), *author = test_member("daily");

        test_follow(reader, author);
        test_post_many(author, 3);
        test_home_load();
        test_home_check(reader, 2, "first");
        for (int day = 0; day < 6; day++) {
                let_days_pass(reader, 1);
                assert_true(is_in_redis(reader));
                (void)test_post(author);
                test_network_settle();
                test_home_load();
                test_home_check(reader, 2, "a day later");
                expect_read_just_now(reader);
        }
}

/* ---- Depth ---- */

static bool set_is_short(const char *owner)
{
        static const char lua[] = "if redis.call('STRLEN', KEYS[1]) > 10000 then return redis.error_reply('long') end";
        char key[80];
        const char *argv[] = {"EVAL", lua, "1", key};

        (void)snprintf(key, sizeof(key), "tl:home:%s", owner);
        return test_redis_do(4, argv);
}

static void a_cached_timeline_that_grew_long_is_trimmed_by_its_reader_and_complete(void **state)
{
        const char *reader = test_member("seldom_there"), *author = test_member("talkative");

        test_follow(reader, author);
        test_post_many(author, 250);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 50, "as it was built");
        test_post_many(author, 450);
        test_network_settle();
        assert_false(set_is_short(reader));
        test_home_load();
        test_home_check(reader, 50, "with much on top");
        assert_true(set_is_short(reader));
        test_home_check(reader, 33, "after it was cut");
        test_post_many(author, 3);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 50, "with more on top");
}

/* More than a cached timeline can hold, from authors who wrote at different times: following an old one adds notes from
 * below what is cached of another. */
static void far_below_the_cached_timeline_nothing_is_missing(void **state)
{
        const char *reader = test_member("archivist"), *early = test_member("early"), *late = test_member("late"),
                   *between = test_member("between");

        test_post_many(early, 30);
        test_post_many(between, 60);
        test_post_many(early, 870);
        test_post_many(between, 10);
        test_post_many(late, 850);
        test_follow(reader, late);
        test_home_check_deep(reader, "one author beyond the cached timeline");
        test_follow(reader, early);
        test_home_check_deep(reader, "another one who wrote before");
        test_follow(reader, between);
        test_home_check_deep(reader, "a third one in between");
        test_post_many(late, 260); /* long enough for the cached timeline in Redis to be trimmed */
        test_network_settle();
        test_home_check_deep(reader, "with more on top");
        (void)ASK(reader, FOLLOW(UNFOLLOW_USER), .id = late);
        test_home_check_deep(reader, "without the latest");
}

/* A short timeline that was complete, then a follow of a member with many old notes. */
static void old_notes_of_one_author_do_not_hide_older_ones_of_another(void **state)
{
        const char *reader = test_member("collector"), *seldom = test_member("seldom"), *often = test_member("often");

        test_post_many(often, 300);
        test_post_many(seldom, 50);
        test_post_many(often, 820);
        test_follow(reader, seldom);
        test_home_check_deep(reader, "one who writes seldom");
        test_follow(reader, often);
        test_home_check_deep(reader, "and one who writes often");
}

static void deleted_notes_leave_no_gap(void **state)
{
        const char *reader = test_member("reader_of_gaps"), *author = test_member("deleter"),
                   *older = test_member("older");
        char(*ids)[UUID_SIZE] = calloc(900, UUID_SIZE);

        test_post_many(older, 100);
        test_post_many(author, 100);
        for (int i = 0; i < 900; i++) {
                (void)snprintf(ids[i], UUID_SIZE, "%s", test_post(author));
                test_release();
        }
        test_follow(reader, author);
        test_home_check_deep(reader, "whole");
        test_follow(reader, older);
        test_home_check_deep(reader, "with older ones");
        for (int i = 500; i < 900; i++) {
                (void)ASK(author, NOTE(DELETE_NOTE), .id = ids[i]);
                test_release();
        }
        test_network_settle();
        test_home_check_deep(reader, "after deletes");
        free(ids);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_member_absent_for_a_month_finds_everything),
            cmocka_unit_test(yesterdays_timeline_is_marked_as_read_today),
            cmocka_unit_test(a_cached_timeline_that_grew_long_is_trimmed_by_its_reader_and_complete),
            cmocka_unit_test(far_below_the_cached_timeline_nothing_is_missing),
            cmocka_unit_test(old_notes_of_one_author_do_not_hide_older_ones_of_another),
            cmocka_unit_test(deleted_notes_leave_no_gap),
        };
        const struct CMUnitTest encoded[] = {cmocka_unit_test(a_member_absent_for_a_month_finds_everything)};
        const struct CMUnitTest without_redis[] = {
            cmocka_unit_test(a_member_absent_for_a_month_finds_everything),
            cmocka_unit_test(far_below_the_cached_timeline_nothing_is_missing),
        };
        int failed = cmocka_run_group_tests_name("timelines, depth", tests, test_start_plain, test_stop);

        failed += cmocka_run_group_tests_name("timelines, depth, encoded", encoded, test_start_encoded, test_stop);
        return failed + cmocka_run_group_tests_name("timelines, depth, without Redis", without_redis,
                                                    test_start_without_redis, test_stop);
}
