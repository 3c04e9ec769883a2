/* A Redis that is killed, restarted and stopped: the breaker, and readiness. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "cache/test_redis_server.h"

static void a_killed_redis_opens_the_breaker_and_a_new_one_closes_it(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        assert_int_equal(ping(r), SN_OK);
        uint64_t generation = redis_generation(r);
        kill_server();
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        assert_string_equal(c->problem.code, "unavailable");
        assert_int_equal(breaker(), REDIS_OPEN);
        assert_false(redis_up(r));
        start_server("0", "");
        assert_int_equal(ping(r), SN_UNAVAILABLE); /* although it is up: it is not retried yet */
        pass_ms(REDIS_OPEN_MIN_MS);
        assert_int_equal(ping(r), SN_OK);
        assert_int_equal(breaker(), REDIS_CLOSED);
        assert_true(redis_up(r));
        assert_true(redis_generation(r) > generation);
        redis_free(r);
}

static void the_breaker_retries_at_intervals_growing_to_2_seconds(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        kill_server();
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        static const int waits_ms[] = {250, 500, 1000, 2000, 2000};
        for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
                int64_t before = failures();
                pass_ms(waits_ms[i] - 1);
                assert_int_equal(ping(r), SN_UNAVAILABLE);
                assert_int_equal(failures(), before);
                pass_ms(1);
                assert_int_equal(ping(r), SN_UNAVAILABLE);
                assert_int_equal(failures(), before + 1);
        }
        redis_free(r);
}

static void a_restart_between_two_commands_only_changes_the_generation(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        struct redisReply *reply;
        const char *argv[] = {"sum", "5"};
        assert_int_equal(redis_script(c, r, add_lua, 1, 2, argv, NULL, &reply), SN_OK);
        uint64_t generation = redis_generation(r);
        int64_t before = failures();
        kill_server();
        start_server("0", "");
        assert_int_equal(redis_script(c, r, add_lua, 1, 2, argv, NULL, &reply), SN_OK);
        assert_int_equal(reply->integer, 5); /* its data has been lost */
        assert_int_equal(failures(), before);
        assert_int_equal(redis_generation(r), generation + 1);
        redis_free(r);
}

static void *ping_in_thread(void *arg)
{
        struct rpc_call *own = rpc_call_new_background(NULL, 3600000);
        struct redisReply *reply;
        const char *argv[] = {"PING"};
        sn_status status = redis_command(own, arg, 1, argv, NULL, &reply);
        rpc_call_free(own);
        return (void *)(intptr_t)status;
}

static void a_hanging_redis_is_abandoned_and_only_one_call_retries_it(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        assert_int_equal(ping(r), SN_OK);
        kill(server, SIGSTOP);
        int64_t before = failures();
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        assert_int_equal(failures(), before + 1);
        pass_ms(REDIS_OPEN_MIN_MS);
        pthread_t prober;
        assert_int_equal(pthread_create(&prober, NULL, ping_in_thread, r), 0);
        while (breaker() != REDIS_HALF_OPEN) {
                usleep(1000);
        }
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        assert_int_equal(breaker(), REDIS_HALF_OPEN); /* it did not wait for the other one */
        kill(server, SIGCONT);
        void *status;
        pthread_join(prober, &status);
        assert_int_equal((intptr_t)status, SN_OK);
        assert_int_equal(ping(r), SN_OK);
        redis_free(r);
}

static void readiness_pings_if_there_were_no_calls(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        assert_true(redis_up(r));
        kill_server();
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        pass_ms(REDIS_OPEN_MIN_MS);
        assert_false(redis_up(r));
        start_server("0", "");
        assert_false(redis_up(r));
        pass_ms(REDIS_OPEN_MAX_MS);
        assert_true(redis_up(r));
        redis_free(r);
}

static void readiness_does_not_rely_on_a_reply_older_than_a_second(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        assert_int_equal(ping(r), SN_OK);
        kill(server, SIGSTOP);
        assert_true(redis_up(r)); /* it answered just now */
        pass_ms(REDIS_FRESH_MS);
        assert_false(redis_up(r));
        assert_int_equal(breaker(), REDIS_OPEN);
        kill(server, SIGCONT);
        pass_ms(REDIS_OPEN_MIN_MS);
        assert_true(redis_up(r));
        assert_int_equal(breaker(), REDIS_CLOSED);
        kill_server();
        pass_ms(REDIS_FRESH_MS);
        assert_false(redis_up(r));
        assert_int_equal(breaker(), REDIS_OPEN);
        start_server("0", "");
        pass_ms(REDIS_OPEN_MIN_MS);
        assert_true(redis_up(r));
        redis_free(r);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            REDIS_TEST(a_killed_redis_opens_the_breaker_and_a_new_one_closes_it),
            REDIS_TEST(the_breaker_retries_at_intervals_growing_to_2_seconds),
            REDIS_TEST(a_restart_between_two_commands_only_changes_the_generation),
            REDIS_TEST(a_hanging_redis_is_abandoned_and_only_one_call_retries_it),
            REDIS_TEST(readiness_pings_if_there_were_no_calls),
            REDIS_TEST(readiness_does_not_rely_on_a_reply_older_than_a_second),
        };

        return cmocka_run_group_tests_name("redis breaker", tests, NULL, NULL);
}
