/* Redis: against a real one, and against one of its own that is stopped, killed and started again. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "cache/redis.h"
#include "cache/redis_pool.h"

/* Time stands still until a test moves it, so that nothing here depends on how fast the machine is. */
static _Atomic int64_t now_us = 1000000000;

static int64_t test_clock(void)
{
        return now_us;
}

static void pass_ms(int64_t ms)
{
        now_us += ms * 1000;
}

static struct rpc_call *c;

static int start(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = test_clock});
        c = rpc_call_new_background(NULL, 3600000);
        return 0;
}

static int finish(void **state)
{
        rpc_call_free(c);
        clock_set_source(NULL);
        return 0;
}

#define COMMAND(r, reply, ...)                                                                                         \
        redis_command(c, (r), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
                      (const char *[]){__VA_ARGS__}, NULL, (reply))
#define ADD(p, ...)                                                                                                    \
        redis_pipeline_add((p), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                         \
                           (const char *[]){__VA_ARGS__}, NULL)

static sn_status ping(struct redis *r)
{
        struct redisReply *reply;
        return COMMAND(r, &reply, "PING");
}

static struct redis *shared_redis(void)
{
        struct redis *r = redis_new(getenv("SONET_TEST_REDIS_URL"), 2);
        assert_non_null(r);
        return r;
}

static int64_t failures(void)
{
        return metric_value(metric_counter("sonet_redis_failures_total", "", NULL));
}

static int64_t breaker(void)
{
        return metric_value(metric_gauge("sonet_redis_breaker", "", NULL));
}

/* A server of the test's own. */
static char socket_path[200], url[220];
static pid_t server;

static void wait_until_it_answers(struct redis_address *address)
{
        for (int i = 0; i < 1000; i++) {
                redisContext *connection = address->path != NULL ? redisConnectUnix(address->path)
                                                                 : redisConnect(address->host, address->port);
                bool up = connection != NULL && connection->err == 0;
                redisReply *reply = up ? redisCommand(connection, "PING") : NULL;
                up = reply != NULL;
                freeReplyObject(reply);
                if (connection != NULL) {
                        redisFree(connection);
                }
                if (up) {
                        return;
                }
                usleep(10000);
        }
        fail_msg("the server does not come up");
}

static void start_server(const char *port, const char *password)
{
        snprintf(socket_path, sizeof(socket_path), "%s/second.sock", getenv("SONET_TEST_DIR"));
        snprintf(url, sizeof(url), "unix://%s", socket_path);
        unlink(socket_path);
        server = fork();
        assert_true(server >= 0);
        if (server == 0) {
                execlp("redis-server", "redis-server", "--port", port, "--unixsocket", socket_path, "--save", "",
                       "--dir", getenv("SONET_TEST_DIR"), "--logfile", "/dev/null", "--bind", "127.0.0.1",
                       "--requirepass", password, (char *)NULL);
                _exit(127);
        }
        wait_until_it_answers(&(struct redis_address){.path = socket_path});
}

static void kill_server(void)
{
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
}

static int stop_server_after(void **state)
{
        if (server > 0) {
                kill_server();
        }
        return finish(state);
}

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

static void an_error_reply_is_internal_and_the_connection_goes_on(void **state)
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

static void an_error_within_a_pipeline_leaves_the_others_alone(void **state)
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
        redis_free(r);
}

static const char add_lua[] = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

static int64_t evals(struct redis *r)
{
        struct redisReply *reply;
        assert_int_equal(COMMAND(r, &reply, "INFO", "commandstats"), SN_OK);
        const char *found = strstr(reply->str, "cmdstat_eval:calls=");
        return found == NULL ? 0 : strtol(found + strlen("cmdstat_eval:calls="), NULL, 10);
}

static void a_script_sends_its_text_once_and_again_when_redis_forgot_it(void **state)
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
        assert_int_equal(ping(r), SN_UNAVAILABLE); /* though it is there: nobody asks it yet */
        pass_ms(REDIS_OPEN_MIN_MS);
        assert_int_equal(ping(r), SN_OK);
        assert_int_equal(breaker(), REDIS_CLOSED);
        assert_true(redis_up(r));
        assert_true(redis_generation(r) > generation);
        redis_free(r);
}

static void the_breaker_tries_ever_less_often_until_2_seconds(void **state)
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

static void a_restart_between_two_commands_is_not_seen_but_in_the_generation(void **state)
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
        assert_int_equal(reply->integer, 5); /* its data is gone */
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

static void a_redis_that_hangs_is_given_up_and_only_one_call_tries_it(void **state)
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
        assert_int_equal(breaker(), REDIS_HALF_OPEN); /* it did not wait for the other's end */
        kill(server, SIGCONT);
        void *status;
        pthread_join(prober, &status);
        assert_int_equal((intptr_t)status, SN_OK);
        assert_int_equal(ping(r), SN_OK);
        redis_free(r);
}

static void readiness_asks_by_itself_when_nobody_did(void **state)
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

static void readiness_does_not_rest_on_an_answer_of_over_a_second_ago(void **state)
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

static void a_call_past_its_deadline_is_not_started(void **state)
{
        struct redis *r = shared_redis();
        c->deadline_us = now_us;
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
                        3); /* and that of start_server */
        redis_free(r);
}

static void a_link_waits_for_what_others_add(void **state)
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
        assert_int_equal(breaker(), REDIS_CLOSED); /* links say nothing about it */
        redis_free(r);
}

static int free_port(void)
{
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        close(fd);
        return ntohs(address.sin_port);
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

static void urls_are_read_strictly(void **state)
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

static void keys_follow_the_table(void **state)
{
        assert_string_equal(redis_key(c->arena, REDIS_KEY_EVENT_STREAM, "note"), "ev:note");
        assert_string_equal(redis_key(c->arena, REDIS_KEY_TIMELINE_HOME, "%s"), "tl:home:%s");
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
#define REDIS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop_server_after)
        const struct CMUnitTest tests[] = {
            REDIS_TEST(commands_and_replies_are_binary_safe),
            REDIS_TEST(an_error_reply_is_internal_and_the_connection_goes_on),
            REDIS_TEST(an_error_within_a_pipeline_leaves_the_others_alone),
            REDIS_TEST(a_script_sends_its_text_once_and_again_when_redis_forgot_it),
            REDIS_TEST(a_killed_redis_opens_the_breaker_and_a_new_one_closes_it),
            REDIS_TEST(the_breaker_tries_ever_less_often_until_2_seconds),
            REDIS_TEST(a_restart_between_two_commands_is_not_seen_but_in_the_generation),
            REDIS_TEST(a_redis_that_hangs_is_given_up_and_only_one_call_tries_it),
            REDIS_TEST(readiness_asks_by_itself_when_nobody_did),
            REDIS_TEST(readiness_does_not_rest_on_an_answer_of_over_a_second_ago),
            REDIS_TEST(a_call_past_its_deadline_is_not_started),
            REDIS_TEST(many_threads_share_few_connections),
            REDIS_TEST(a_link_waits_for_what_others_add),
            REDIS_TEST(a_password_and_a_database_of_the_url_are_used),
            REDIS_TEST(urls_are_read_strictly),
            REDIS_TEST(keys_follow_the_table),
#ifndef NDEBUG
            REDIS_TEST(a_command_within_a_transaction_aborts),
#endif
        };
        redis_free(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
