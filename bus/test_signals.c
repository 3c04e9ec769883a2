/* Signals from this process and from others arrive once, and Redis may be unreachable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/log.h"
#include "bus/signals.h"
#include "cache/redis.h"

#define MEMBER "018f0000-0000-7000-8000-00000000000a"

static struct service chat = {.name = "chat"}, other = {.name = "other"}, gateway = {.name = "gateway"};
static struct bus_signals *signals;
static atomic_int n_own, n_strange;
static atomic_int n_connected, n_disconnected;
static _Atomic int64_t heard;   /* the newest from the other process */
static int to_sibling, n_asked; /* each byte is a signal of another process; they are numbered from 1 on */

static void take(void *context, struct rpc_call *c, bus_event *signal)
{
        if (strcmp(signal->source, "chat") != 0 || strcmp(signal->type, "chat.typing") != 0 ||
            strcmp(signal->aggregate_id, MEMBER) != 0 || signal->position != 0) {
                atomic_fetch_add(&n_strange, 1);
        } else if (signal->version == 0) {
                atomic_fetch_add(&n_own, 1);
        } else {
                atomic_store(&heard, signal->version);
        }
}

static void count_connection(void *context, bool is_connected)
{
        atomic_fetch_add(is_connected ? &n_connected : &n_disconnected, 1);
}

static void give(struct service *service, int64_t number)
{
        struct rpc_call *c = rpc_call_new_background(service, 10000);

        bus_signal(c, &(struct outbox_event){
                          .type = "chat.typing", .aggregate_id = MEMBER, .object_id = "", .version = number});
        rpc_call_free(c);
}

static void run_sibling(int from)
{
        int64_t number = 0;
        char byte;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        chat.redis = redis_new(getenv("SONET_TEST_REDIS_URL"), 2);
        while (read(from, &byte, 1) == 1) {
                give(&chat, ++number);
        }
        _exit(0);
}

static void start_sibling(void)
{
        int ends[2];

        if (pipe(ends) != 0) {
                abort();
        }
        if (fork() == 0) {
                close(ends[1]);
                run_sibling(ends[0]);
        }
        close(ends[0]);
        to_sibling = ends[1];
}

static void start_on(const char *url)
{
        static const char *const sources[] = {"note", "chat"};

        n_own = n_strange = n_connected = n_disconnected = 0;
        chat.redis = other.redis = gateway.redis = redis_new(url, 4);
        signals = bus_signals_new(&(struct bus_signals_options){
            .service = &gateway, .sources = sources, .n_sources = 2, .take = take, .connected = count_connection});
}

static int setup(void **state)
{
        start_on(getenv("SONET_TEST_REDIS_URL"));
        return 0;
}

static int teardown(void **state)
{
        bus_signals_free(signals);
        redis_free(gateway.redis);
        assert_int_equal(n_strange, 0);
        return 0;
}

static void wait_for_own(int n)
{
        for (int i = 0; atomic_load(&n_own) < n; i++) {
                if (i == 4000) {
                        fail_msg("%d of %d", n_own, n);
                }
                clock_sleep_ms(5);
        }
}

static void ask_sibling(void)
{
        assert_int_equal(write(to_sibling, "x", 1), 1);
        n_asked++;
}

/* Before the subscription they are lost. */
static void wait_subscribed(void)
{
        int after = n_asked;

        for (int i = 0; atomic_load(&heard) <= after; i++) {
                assert_true(i < 2000);
                ask_sibling();
                clock_sleep_ms(10);
        }
}

static void wait_for_sibling(void)
{
        for (int i = 0; atomic_load(&heard) < n_asked; i++) {
                if (i == 4000) {
                        fail_msg("%d of %d of the other process", (int)heard, n_asked);
                }
                clock_sleep_ms(5);
        }
}

static void signals_of_this_and_other_processes_arrive_once(void **state)
{
        wait_subscribed();
        for (int i = 0; i < 10; i++) {
                give(&chat, 0);
                give(&other, 0); /* without listeners */
        }
        wait_for_own(10);
        ask_sibling();
        wait_for_sibling(); /* after our own signals have come back from Redis */
        assert_int_equal(n_own, 10);
}

static void a_lost_connection_is_reported_and_reopened(void **state)
{
        struct rpc_call *c = rpc_call_new_background(&gateway, 10000);
        const char *argv[] = {"CLIENT", "KILL", "TYPE", "pubsub"};
        struct redisReply *reply;

        wait_subscribed();
        assert_int_equal(n_connected, 1);
        assert_int_equal(n_disconnected, 0);
        assert_int_equal(redis_command(c, gateway.redis, 4, argv, NULL, &reply), SN_OK);
        rpc_call_free(c);
        wait_subscribed();
        assert_int_equal(n_connected, 2);
        assert_int_equal(n_disconnected, 1);
}

static void while_redis_is_unreachable_local_signals_arrive(void **state)
{
        bus_signals_free(signals);
        redis_free(gateway.redis);
        start_on("redis://127.0.0.1:1");
        give(&chat, 0);
        give(&chat, 0);
        wait_for_own(2);
        assert_int_equal(n_connected, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(signals_of_this_and_other_processes_arrive_once, setup, teardown),
            cmocka_unit_test_setup_teardown(a_lost_connection_is_reported_and_reopened, setup, teardown),
            cmocka_unit_test_setup_teardown(while_redis_is_unreachable_local_signals_arrive, setup, teardown),
        };

        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        start_sibling();
        return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
