/* When home timelines trust Redis: when it is full, when delivery starts and stops, when it returns with old contents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "services/test_home.h"

/* A full Redis responds to readers from its contents, and rejects deliveries. */
static void deliveries_rejected_by_a_full_redis_are_not_missing(void **state)
{
        const char *full[] = {"CONFIG", "SET", "maxmemory", "1"}, *empty[] = {"CONFIG", "SET", "maxmemory", "0"};
        const char *reader = test_member("patient"), *author = test_member("prolific");

        test_follow(reader, author);
        test_post_many(author, 2);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "before");
        assert_true(test_redis_do(4, full));
        test_post_many(author, 2);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "while Redis is full");
        assert_true(test_redis_do(4, empty));
        test_home_check(reader, 5, "afterwards");
        test_post_many(author, 1);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "and later");
}

/* ---- What a start of delivery keeps ---- */

static bool key_exists(const char *key)
{
        static const char lua[] = "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('none') end";
        const char *argv[] = {"EVAL", lua, "1", key};

        return test_redis_do(4, argv);
}

static void wait_key(const char *key, bool exists)
{
        for (int64_t until_us = clock_monotonic_us() + 20000000; key_exists(key) != exists;) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(5);
        }
}

/* Only a timeline that comes from Redis lacks it. */
static void remove_one_entry(const char *key)
{
        static const char lua[] = "return redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, -33))";
        const char *argv[] = {"EVAL", lua, "1", key};

        assert_true(test_redis_do(4, argv));
}

static void a_start_keeps_timelines_in_redis(void **state)
{
        const char *reader = test_member("kept"), *author = test_member("keeper");
        char key[80];

        (void)snprintf(key, sizeof(key), "tl:home:%s", reader);
        test_follow(reader, author);
        test_post_many(author, 3);
        test_network_settle();
        assert_int_equal(test_home_count(reader), 3);
        test_post_many(author, 3);
        test_network_settle();
        test_network_stop_consumers("timeline");
        wait_key("tl:sync:in-step", false);
        test_network_start_consumers("timeline");
        wait_key("tl:sync:in-step", true);
        assert_true(key_exists(key));
        remove_one_entry(key);
        assert_int_equal(test_home_count(reader), 5);
}

/* Like a Redis restored from a copy a few minutes old. */
static void a_start_drops_timelines_that_delivery_had_not_reached(void **state)
{
        const char *reader = test_member("dropped"), *author = test_member("dropping");
        const char *behind[] = {"SET", "tl:sync:progress", "018f0000-0000-7000-8000-000000000000 1 "};
        char key[80];

        (void)snprintf(key, sizeof(key), "tl:home:%s", reader);
        test_follow(reader, author);
        test_post_many(author, 3);
        test_network_settle();
        assert_int_equal(test_home_count(reader), 3);
        assert_true(key_exists(key));
        test_network_stop_consumers("timeline");
        assert_true(test_redis_do(3, behind));
        test_network_start_consumers("timeline");
        wait_key(key, false);
        test_home_load();
        test_home_check(reader, 5, "afterwards");
}

/* A process that only reads: it is not notified when delivery is cut off from Redis and continues without it. */
static void without_delivery_redis_is_not_trusted(void **state)
{
        const char *reader = test_member("doubter"), *author = test_member("doubted");

        test_follow(reader, author);
        test_post_many(author, 3);
        test_network_settle();
        assert_int_equal(test_home_count(reader), 3);
        test_network_stop_consumers("timeline");
        (void)test_post(author);
        wait_key("tl:sync:in-step", false);
        assert_int_equal(test_home_count(reader), 4);
        test_network_start_consumers("timeline");
        test_network_settle();
        assert_int_equal(test_home_count(reader), 4);
}

/* ---- A separate Redis, which can be stopped and restarted ---- */

static char redis_dir[64], redis_socket[96];
static pid_t redis_pid;

static void start_redis(void)
{
        struct stat there;

        redis_pid = fork();
        if (redis_pid == 0) {
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_socket, "--dir", redis_dir,
                       "--save", "", "--logfile", "redis.log", (char *)NULL);
                _exit(127);
        }
        assert_true(redis_pid > 0);
        while (stat(redis_socket, &there) != 0) {
                assert_int_equal(waitpid(redis_pid, NULL, WNOHANG), 0);
                clock_sleep_ms(5);
        }
}

/* Like a power failure: unsaved data is lost. */
static void kill_redis(void)
{
        if (redis_pid > 0) {
                (void)kill(redis_pid, SIGKILL);
                (void)waitpid(redis_pid, NULL, 0);
                (void)unlink(redis_socket);
                redis_pid = 0;
        }
}

/* Its timelines lack notes delivered after they were saved. */
static void a_redis_that_returns_with_old_timelines_is_not_trusted(void **state)
{
        const char *reader = test_member("believer"), *author = test_member("author_of_news"), *save[] = {"SAVE"};

        test_follow(reader, author);
        test_post_many(author, 3);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "before");
        assert_true(test_redis_do(1, save));
        test_post_many(author, 3);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "with what was not saved");
        kill_redis();
        test_home_check(reader, 5, "without Redis");
        start_redis();
        while (!key_exists("tl:sync:in-step")) { /* the test's timeout ends an endless wait */
                test_home_check(reader, 5, "while Redis comes back");
        }
        test_network_settle();
        test_home_check(reader, 5, "when it is back");
        test_post_many(author, 1);
        test_network_settle();
        test_home_load();
        test_home_check(reader, 5, "and later");
}

static int start_own_redis(void **state)
{
        char url[120];

        (void)snprintf(redis_dir, sizeof(redis_dir), "/tmp/sonet-test-redis.XXXXXX");
        assert_non_null(mkdtemp(redis_dir));
        (void)snprintf(redis_socket, sizeof(redis_socket), "%s/socket", redis_dir);
        (void)snprintf(url, sizeof(url), "unix://%s", redis_socket);
        start_redis();
        test_network_start(url, false);
        return 0;
}

static int stop_own_redis(void **state)
{
        static const char *const names[] = {"dump.rdb", "redis.log"};

        test_network_stop();
        kill_redis();
        for (size_t i = 0; i < 2; i++) {
                char path[128];

                (void)snprintf(path, sizeof(path), "%s/%s", redis_dir, names[i]);
                (void)unlink(path);
        }
        return rmdir(redis_dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(deliveries_rejected_by_a_full_redis_are_not_missing),
            cmocka_unit_test(a_start_keeps_timelines_in_redis),
            cmocka_unit_test(a_start_drops_timelines_that_delivery_had_not_reached),
            cmocka_unit_test(without_delivery_redis_is_not_trusted),
        };
        const struct CMUnitTest restored[] = {cmocka_unit_test(a_redis_that_returns_with_old_timelines_is_not_trusted)};
        int failed = cmocka_run_group_tests_name("timelines, Redis", tests, test_start_plain, test_stop);

        return failed +
               cmocka_run_group_tests_name("timelines, a Redis of long ago", restored, start_own_redis, stop_own_redis);
}
