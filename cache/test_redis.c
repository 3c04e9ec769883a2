/* Redis: commands, scripts, links and addresses, against a real one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/test_loopback.h"
#include "cache/redis_pool.h"
#include "cache/test_redis_server.h"

static void commands_and_replies_are_binary_safe(void **state)
{
        struct redis *r = shared_redis();
        struct redisReply *reply;
        const char *argv[] = {"SET", "bin\0key", "a\0b\r\nc"};
        assert_int_equal(redis_command(c, r, 3, argv, (const size_t[]){3, 7, 6}, &reply), SN_OK);
        const char *get[] = {"GET", "bin\0key"};
        assert_int_equal(redis_command(c, r, 2, get, (const size_t[]){3, 7}, &reply), SN_OK);
        assert_int_equal(reply->len, 6);
        assert_memory_equal(reply->str, "a\0b\r\nc", 6);
        assert_int_equal(COMMAND(r, &reply, "SET", "empty", ""), SN_OK);
        assert_int_equal(COMMAND(r, &reply, "GET", "empty"), SN_OK);
        assert_int_equal(reply->len, 0);
        assert_true(redis_up(r));
        redis_free(r);
}

static void a_connection_is_not_inherited_by_programs(void **state)
{
        struct redis *r = shared_redis();
        struct redis_checkout checkout;
        (void)state;
        assert_true(redis_checkout_begin(r, 60000, &checkout));
        assert_true((fcntl(checkout.connection->fd, F_GETFD) & FD_CLOEXEC) != 0);
        redis_checkout_end(r, &checkout, true);
        redis_free(r);
}

static void an_error_reply_is_internal_and_the_connection_stays_usable(void **state)
{
        struct redis *r = shared_redis();
        struct redisReply *reply;
        assert_int_equal(COMMAND(r, &reply, "SET", "text", "x"), SN_OK);
        assert_int_equal(COMMAND(r, &reply, "ZADD", "text", "1", "m"), SN_INTERNAL);
        assert_null(reply);
        assert_int_equal(ping(r), SN_OK);
        assert_int_equal(redis_generation(r), 1);
        redis_free(r);
}

static void an_error_in_a_pipeline_does_not_affect_the_others(void **state)
{
        struct redis *r = shared_redis();
        struct redis_pipeline *p = redis_pipeline_new(c, r);
        size_t n;
        struct redisReply **replies;
        assert_int_equal(redis_pipeline_run(p, &n, &replies), SN_OK);
        assert_int_equal(n, 0);
        ADD(p, "SET", "k", "1");
        ADD(p, "ZADD", "k", "1", "m");
        ADD(p, "INCR", "k");
        assert_int_equal(redis_pipeline_run(p, &n, &replies), SN_OK);
        assert_int_equal(n, 3);
        assert_int_equal(replies[1]->type, REDIS_REPLY_ERROR);
        assert_int_equal(replies[2]->integer, 2);
        assert_int_equal(redis_pipeline_finish(p), SN_INTERNAL);
        p = redis_pipeline_new(c, r);
        ADD(p, "SET", "k", "1");
        ADD(p, "INCR", "k");
        assert_int_equal(redis_pipeline_finish(p), SN_OK);
        redis_free(r);
}

static int64_t evals(struct redis *r)
{
        struct redisReply *reply;
        assert_int_equal(COMMAND(r, &reply, "INFO", "commandstats"), SN_OK);
        const char *found = strstr(reply->str, "cmdstat_eval:calls=");
        return found == NULL ? 0 : strtol(found + strlen("cmdstat_eval:calls="), NULL, 10);
}

static void a_script_sends_its_text_once_and_again_after_redis_lost_it(void **state)
{
        struct redis *r = shared_redis();
        struct redisReply *reply;
        const char *argv[] = {"sum", "5"};
        assert_int_equal(COMMAND(r, &reply, "DEL", "sum"), SN_OK);
        int64_t before = evals(r);
        for (int i = 1; i <= 3; i++) {
                assert_int_equal(redis_script(c, r, add_lua, 1, 2, argv, NULL, &reply), SN_OK);
                assert_int_equal(reply->integer, 5 * i);
        }
        assert_int_equal(evals(r) - before, 1);
        assert_int_equal(COMMAND(r, &reply, "SCRIPT", "FLUSH"), SN_OK);
        assert_int_equal(redis_script(c, r, add_lua, 1, 2, argv, NULL, &reply), SN_OK);
        assert_int_equal(reply->integer, 20);

        assert_int_equal(COMMAND(r, &reply, "SCRIPT", "FLUSH"), SN_OK);
        struct redis_pipeline *p = redis_pipeline_new(c, r);
        size_t n;
        struct redisReply **replies;
        redis_pipeline_add_script(p, add_lua, 1, 2, argv, NULL);
        ADD(p, "PING");
        redis_pipeline_add_script(p, add_lua, 1, 2, argv, NULL);
        assert_int_equal(redis_pipeline_run(p, &n, &replies), SN_OK);
        assert_int_equal(n, 3);
        assert_int_equal(replies[0]->integer, 25);
        assert_string_equal(replies[1]->str, "PONG");
        assert_int_equal(replies[2]->integer, 30);
        redis_free(r);
}

static void a_call_past_its_deadline_is_not_started(void **state)
{
        struct redis *r = shared_redis();
        c->deadline_us = clock_monotonic_us();
        assert_int_equal(ping(r), SN_DEADLINE_EXCEEDED);
        assert_int_equal(redis_generation(r), 0); /* no connection was opened */
        redis_free(r);
}

static void *many_commands(void *arg)
{
        struct redis *r = arg;
        intptr_t wrong = 0;
        for (int i = 0; i < 300; i++) {
                struct rpc_call *own = rpc_call_new_background(NULL, 3600000);
                char text[64];
                snprintf(text, sizeof(text), "%lx-%d", (unsigned long)pthread_self(), i);
                const char *argv[] = {"ECHO", text};
                struct redisReply *reply;
                wrong += redis_command(own, r, 2, argv, NULL, &reply) != SN_OK || strcmp(reply->str, text) != 0;
                rpc_call_free(own);
        }
        return (void *)wrong;
}

static void many_threads_share_few_connections(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        pthread_t threads[6];
        for (int i = 0; i < 6; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, many_commands, r), 0);
        }
        for (int i = 0; i < 6; i++) {
                void *wrong;
                pthread_join(threads[i], &wrong);
                assert_null(wrong);
        }
        struct redisReply *reply;
        assert_int_equal(COMMAND(r, &reply, "INFO", "stats"), SN_OK);
        const char *made = strstr(reply->str, "total_connections_received:");
        assert_non_null(made);
        assert_in_range(strtol(made + strlen("total_connections_received:"), NULL, 10), 2,
                        3); /* including that of start_server */
        redis_free(r);
}

static void a_link_waits_for_entries_by_others(void **state)
{
        start_server("0", "");
        struct redis *r = redis_new(url, 2);
        struct redis_link *link;
        struct redisReply *reply;
        assert_int_equal(redis_link_open(r, 250, &link), SN_OK);
        const char *read[] = {"XREAD", "BLOCK", "20", "STREAMS", "s", "0"};
        assert_int_equal(redis_link_command(c, link, 6, read, NULL, 5000, &reply), SN_OK);
        assert_int_equal(reply->type, REDIS_REPLY_NIL);
        assert_int_equal(COMMAND(r, &reply, "XADD", "s", "1-1", "k", "v"), SN_OK);
        assert_int_equal(redis_link_command(c, link, 6, read, NULL, 5000, &reply), SN_OK);
        assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
        kill_server();
        assert_int_equal(redis_link_command(c, link, 6, read, NULL, 5000, &reply), SN_UNAVAILABLE);
        assert_int_equal(redis_link_command(c, link, 6, read, NULL, 5000, &reply), SN_UNAVAILABLE);
        redis_link_close(link);
        assert_int_equal(redis_link_open(r, 250, &link), SN_UNAVAILABLE);
        assert_null(link);
        redis_link_close(NULL);
        assert_int_equal(breaker(), REDIS_CLOSED); /* links do not affect it */
        redis_free(r);
}

static int free_port(void)
{
        int port;

        close(test_listen(&port));
        return port;
}

static void a_password_and_a_database_of_the_url_are_used(void **state)
{
        char port[8], good[80], bad[80];
        snprintf(port, sizeof(port), "%d", free_port());
        start_server(port, "s3cret/");
        snprintf(good, sizeof(good), "redis://:s3cret%%2F@127.0.0.1:%s/3", port);
        snprintf(bad, sizeof(bad), "redis://:wrong@127.0.0.1:%s", port);
        struct redis *r = redis_new(good, 2);
        struct redisReply *reply;
        assert_int_equal(COMMAND(r, &reply, "CLIENT", "LIST"), SN_OK);
        assert_non_null(strstr(reply->str, " db=3 "));
        redis_free(r);
        r = redis_new(bad, 2);
        assert_int_equal(ping(r), SN_UNAVAILABLE);
        redis_free(r);
}

static void urls_are_parsed_strictly(void **state)
{
        static const char *const bad[] = {"",
                                          "localhost:6379",
                                          "http://localhost",
                                          "rediss://localhost",
                                          "redis://",
                                          "redis://:6379",
                                          "redis://host:0",
                                          "redis://host:65536",
                                          "redis://host:6379x",
                                          "redis://host/x",
                                          "redis://user@host",
                                          "redis://:%zz@host",
                                          "redis://:%00@host",
                                          "redis://:%4@host",
                                          "redis://[::1",
                                          "redis://[::1]x",
                                          "unix://relative",
                                          "unix://"};
        struct redis_address a;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                if (redis_address_parse(bad[i], &a)) {
                        fail_msg("%s was taken", bad[i]);
                }
                assert_null(redis_new(bad[i], 1));
        }
        assert_true(redis_address_parse("redis://me:p%40ss@[::1]:7000/2", &a));
        assert_string_equal(a.host, "::1");
        assert_string_equal(a.user, "me");
        assert_string_equal(a.password, "p@ss");
        assert_int_equal(a.port, 7000);
        assert_int_equal(a.database, 2);
        redis_address_free(&a);
        assert_true(redis_address_parse("redis://cache/", &a));
        assert_string_equal(a.host, "cache");
        assert_int_equal(a.port, 6379);
        assert_null(a.password);
        redis_address_free(&a);
}

#ifndef NDEBUG
static void a_command_within_a_transaction_aborts(void **state)
{
        struct redis *r = shared_redis();
        pid_t child = fork();
        if (child == 0) {
                fclose(stderr);
                signal(SIGABRT, SIG_DFL);
                c->open_transactions = 1;
                _exit(ping(r) == SN_OK);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        redis_free(r);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
            REDIS_TEST(commands_and_replies_are_binary_safe),
            REDIS_TEST(a_connection_is_not_inherited_by_programs),
            REDIS_TEST(an_error_reply_is_internal_and_the_connection_stays_usable),
            REDIS_TEST(an_error_in_a_pipeline_does_not_affect_the_others),
            REDIS_TEST(a_script_sends_its_text_once_and_again_after_redis_lost_it),
            REDIS_TEST(a_call_past_its_deadline_is_not_started),
            REDIS_TEST(many_threads_share_few_connections),
            REDIS_TEST(a_link_waits_for_entries_by_others),
            REDIS_TEST(a_password_and_a_database_of_the_url_are_used),
            REDIS_TEST(urls_are_parsed_strictly),
#ifndef NDEBUG
            REDIS_TEST(a_command_within_a_transaction_aborts),
#endif
        };
        redis_free(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
