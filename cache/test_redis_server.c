/* Owns the Redis server of a test, and its clock. */
#include "cache/test_redis_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/metrics.h"

/* Time stands still until a test moves it, so that nothing here depends on how fast the machine is. */
static _Atomic int64_t now_us = 1000000000;

static int64_t test_clock(void)
{
        return now_us;
}

void pass_ms(int64_t ms)
{
        now_us += ms * 1000;
}

struct rpc_call *c;

int redis_test_start(void **state)
{
        clock_set_source(&(struct clock_source){.monotonic_us = test_clock});
        c = rpc_call_new_background(NULL, 3600000);
        return 0;
}

sn_status ping(struct redis *r)
{
        struct redisReply *reply;
        return COMMAND(r, &reply, "PING");
}

struct redis *shared_redis(void)
{
        struct redis *r = redis_new(getenv("SONET_TEST_REDIS_URL"), 2);
        assert_non_null(r);
        return r;
}

int64_t failures(void)
{
        return metric_value(metric_counter("sonet_redis_failures_total", "", NULL));
}

int64_t breaker(void)
{
        return metric_value(metric_gauge("sonet_redis_breaker", "", NULL));
}

/* A separate server for the test. */
char url[220];
pid_t server;
static char socket_path[200];

void wait_until_it_answers(struct redis_address *address)
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

void start_server(const char *port, const char *password)
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

void kill_server(void)
{
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
}

int redis_test_end(void **state)
{
        if (server > 0) {
                kill_server();
        }
        rpc_call_free(c);
        clock_set_source(NULL);
        return 0;
}
