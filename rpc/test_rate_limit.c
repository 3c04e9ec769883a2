/* How many requests are allowed, for whom, and the header fields. Time stands still unless a test moves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/rate_limit.h"

static _Atomic int64_t now_us;

static int64_t fixed_monotonic_us(void)
{
        return atomic_load(&now_us);
}

static struct rate_limiter *limiter(uint32_t read, uint32_t write, size_t max_clients)
{
        struct rate_limits limits = {.max_clients = max_clients};
        limits.per_minute[RPC_RATE_READ] = read;
        limits.per_minute[RPC_RATE_WRITE] = write;
        struct rate_limiter *l = rate_limiter_new(&limits);
        assert_non_null(l);
        return l;
}

static int taken(struct rate_limiter *l, enum rpc_rate class, const char *who, int tries)
{
        int n = 0;
        struct rate_verdict verdict;
        for (int i = 0; i < tries; i++) {
                n += rate_limit_take(l, class, who, &verdict);
        }
        return n;
}

static void a_minutes_requests_may_arrive_at_once_and_no_more(void **state)
{
        struct rate_limiter *l = limiter(60, 5, 0);
        assert_int_equal(taken(l, RPC_RATE_READ, "ann", 1000), 60);
        assert_int_equal(taken(l, RPC_RATE_WRITE, "ann", 1000), 5); /* each class separately */
        assert_int_equal(taken(l, RPC_RATE_READ, "bob", 1000), 60); /* each client separately */
        rate_limiter_free(l);
}

static void requests_become_available_one_by_one(void **state)
{
        struct rate_limiter *l = limiter(60, 0, 0);
        taken(l, RPC_RATE_READ, "ann", 60);
        for (int i = 0; i < 10; i++) {
                now_us += 999999;
                assert_int_equal(taken(l, RPC_RATE_READ, "ann", 5), 0);
                now_us += 1;
                assert_int_equal(taken(l, RPC_RATE_READ, "ann", 5), 1);
        }
        now_us += 30 * 1000000LL;
        assert_int_equal(taken(l, RPC_RATE_READ, "ann", 100), 30);
        now_us += 3600 * 1000000LL;
        assert_int_equal(taken(l, RPC_RATE_READ, "ann", 100), 60); /* never more than the quota */
        rate_limiter_free(l);
}

static void over_time_no_more_than_the_limit_is_allowed(void **state)
{
        static const uint32_t limits[] = {1, 7, 60, 1200, 9999};
        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
                struct rate_limiter *l = limiter(limits[i], 0, 0);
                int through = taken(l, RPC_RATE_READ, "ann", 20000), expected = (int)limits[i];
                for (int ms = 0; ms < 120000; ms += 5) {
                        now_us += 5000;
                        through += taken(l, RPC_RATE_READ, "ann", 1);
                }
                assert_in_range(through, 3 * expected - 1, 3 * expected + 1); /* the quota, and two minutes */
                rate_limiter_free(l);
        }
}

static void a_verdict_says_what_is_left_and_when_there_is_more(void **state)
{
        struct rate_limiter *l = limiter(3, 0, 0);
        struct rate_verdict v;
        for (uint32_t left = 2; left + 1 > 0; left--) {
                assert_true(rate_limit_take(l, RPC_RATE_READ, "ann", &v));
                assert_int_equal(v.limit, 3);
                assert_int_equal(v.remaining, left);
                assert_int_equal(v.reset_s, 20);
        }
        now_us += 4500000;
        assert_false(rate_limit_take(l, RPC_RATE_READ, "ann", &v));
        assert_int_equal(v.remaining, 0);
        assert_int_equal(v.reset_s, 16); /* 15.5, rounded up: after that wait a request is allowed */
        now_us += v.reset_s * 1000000LL;
        assert_true(rate_limit_take(l, RPC_RATE_READ, "ann", &v));
        assert_int_equal(v.remaining, 0);
        rate_limiter_free(l);
}

static void a_rejected_client_must_wait_at_least_a_second(void **state)
{
        struct rate_limiter *l = limiter(100000, 0, 0);
        struct rate_verdict v;
        taken(l, RPC_RATE_READ, "ann", 100000);
        assert_false(rate_limit_take(l, RPC_RATE_READ, "ann", &v));
        assert_int_equal(v.reset_s, 1);
        rate_limiter_free(l);
}

static void the_header_fields_are_structured_fields(void **state)
{
        char value[RATE_LIMIT_VALUE_SIZE];
        struct rate_limiter *l = limiter(1200, 4294967295u, 0);
        struct rate_verdict v;
        rate_limit_take(l, RPC_RATE_READ, "ann", &v);
        assert_string_equal(v.policy, "\"read\";q=1200;w=60");
        assert_string_equal(rate_limit_value(&v, value), "\"read\";r=1199;t=1");
        rate_limit_take(l, RPC_RATE_WRITE, "ann", &v);
        assert_string_equal(v.policy, "\"write\";q=4294967295;w=60");
        assert_string_equal(rate_limit_value(&v, value), "\"write\";r=4294967294;t=1");
        rate_limiter_free(l);
}

static void addresses_of_one_customer_share_a_quota(void **state)
{
        static const char *const one_network[] = {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:DB8::1:0:0:0:4",
                                                  "2001:db8:0:1::1%eth0"};
        struct rate_limiter *l = limiter(10, 0, 0);
        int through = 0;
        for (size_t i = 0; i < sizeof(one_network) / sizeof(one_network[0]); i++) {
                through += taken(l, RPC_RATE_READ, one_network[i], 100);
        }
        assert_int_equal(through, 10);
        assert_int_equal(taken(l, RPC_RATE_READ, "2001:db8:0:2::1", 100), 10);
        assert_int_equal(taken(l, RPC_RATE_READ, "192.0.2.1", 100) + taken(l, RPC_RATE_READ, "::ffff:192.0.2.1", 100),
                         10);
        assert_int_equal(taken(l, RPC_RATE_READ, "192.0.2.2", 100), 10);
        assert_int_equal(taken(l, RPC_RATE_READ, "::ffff:192.0.2.3", 100), 10);
        assert_int_equal(taken(l, RPC_RATE_READ, "", 100), 10);
        assert_int_equal(taken(l, RPC_RATE_READ, ":::", 100), 10);
        assert_int_equal(taken(l, RPC_RATE_READ, "1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:", 100), 10);
        rate_limiter_free(l);
}

static void checking_uses_no_quota_and_no_entry(void **state)
{
        struct rate_limiter *l = limiter(60, 0, 8);
        struct rate_verdict v;
        char who[24];
        assert_int_equal(taken(l, RPC_RATE_READ, "quiet", 1), 1);
        for (int i = 0; i < 1000; i++) { /* in a set of eight, the least busy would be evicted first */
                snprintf(who, sizeof(who), "client%d", i);
                assert_true(rate_limit_ask(l, RPC_RATE_READ, who, &v));
                assert_int_equal(v.remaining, 59);
        }
        assert_true(rate_limit_ask(l, RPC_RATE_READ, "quiet", &v));
        assert_int_equal(v.remaining, 58);
        assert_int_equal(taken(l, RPC_RATE_READ, "quiet", 100), 59);
        assert_false(rate_limit_ask(l, RPC_RATE_READ, "quiet", &v));
        assert_int_equal(v.reset_s, 1);
        rate_limiter_free(l);
}

static void without_a_limit_everything_is_allowed(void **state)
{
        struct rate_verdict v;
        struct rate_limiter *l = limiter(5, 0, 0);
        assert_int_equal(taken(l, RPC_RATE_WRITE, "ann", 1000), 1000);
        assert_int_equal(taken(l, RPC_RATE_NONE, "ann", 1000), 1000);
        assert_int_equal(taken(NULL, RPC_RATE_READ, "ann", 1000), 1000);
        assert_true(rate_limit_take(NULL, RPC_RATE_READ, "ann", &v));
        assert_int_equal(v.limit, 0);
        rate_limiter_free(l);
        rate_limiter_free(NULL);
}

static void a_full_table_evicts_clients_nearest_to_their_quota(void **state)
{
        /* One set: eight clients fit. The busy one stays, however many others there are. */
        struct rate_limiter *l = limiter(60, 0, 8);
        char who[24];
        assert_int_equal(taken(l, RPC_RATE_READ, "busy", 60), 60);
        for (int i = 0; i < 1000; i++) {
                snprintf(who, sizeof(who), "client%d", i);
                assert_int_equal(taken(l, RPC_RATE_READ, who, 1), 1);
        }
        assert_int_equal(taken(l, RPC_RATE_READ, "busy", 60), 0);
        rate_limiter_free(l);
}

static void many_clients_are_remembered(void **state)
{
        enum { CLIENTS = 10000 };
        struct rate_limiter *l = limiter(2, 0, 0);
        char who[24];
        int through = 0;
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < CLIENTS; i++) {
                        snprintf(who, sizeof(who), "client%d", i);
                        through += taken(l, RPC_RATE_READ, who, 1);
                }
        }
        assert_in_range(through, 2 * CLIENTS, 2 * CLIENTS + CLIENTS / 100); /* sets overflow rarely at this load */
        rate_limiter_free(l);
}

struct shared {
        struct rate_limiter *l;
        _Atomic int through;
};

static void *take_many(void *context)
{
        struct shared *shared = context;
        atomic_fetch_add(&shared->through, taken(shared->l, RPC_RATE_READ, "ann", 5000));
        return NULL;
}

static void threads_share_one_quota(void **state)
{
        struct shared shared = {.l = limiter(7000, 0, 0)};
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, take_many, &shared), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_int_equal(shared.through, 7000);
        rate_limiter_free(shared.l);
}

/* ---- Of calls ---- */

/* Takes one request from the process's own limiter. */
static sn_status take(struct rpc_call *c, enum rpc_rate class, const char *actor, const char *address)
{
        const struct rpc_method method = {.rate = class};
        struct rate_verdict verdict;
        c->method = &method;
        c->actor = actor;
        c->client_address = address;
        sn_status status = rpc_take_rate(c, &verdict);
        c->method = NULL;
        return status;
}

static void limit_rates(bool on, int64_t read, int64_t auth)
{
        const struct settings settings = {.rate_limits = on, .rate_read = read, .rate_write = 1, .rate_auth = auth};
        assert_int_equal(rpc_limit_rates(&settings), SN_OK);
}

static void members_have_a_quota_each_and_others_one_per_address(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        c->caller = ""; /* external */
        limit_rates(true, 1, 1);
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_READ, "bob", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_READ, "", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.2"), SN_RESOURCE_EXHAUSTED);
        assert_int_equal(take(c, RPC_RATE_READ, "", "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
        assert_int_equal(take(c, RPC_RATE_WRITE, "ann", "192.0.2.1"), SN_OK);
        rpc_limit_rates_end();
}

static void log_ins_are_counted_by_address_even_with_a_token(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        c->caller = "";
        limit_rates(true, 100, 2);
        assert_int_equal(take(c, RPC_RATE_AUTH, "ann", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_AUTH, "bob", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_AUTH, "cid", "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
        assert_int_equal(c->problem.retry_after_s, 30);
        assert_non_null(strstr(c->problem.detail, "30 seconds"));
        assert_int_equal(take(c, RPC_RATE_AUTH, "cid", "192.0.2.2"), SN_OK);
        rpc_limit_rates_end();
}

static void services_and_disabled_limits_allow_everything(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        limit_rates(true, 1, 1);
        c->caller = "gateway";
        for (int i = 0; i < 5; i++) {
                assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_OK);
        }
        c->caller = "";
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
        limit_rates(false, 1, 1);
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_OK);
        assert_int_equal(take(c, RPC_RATE_READ, "ann", "192.0.2.1"), SN_OK);
}

static int with_fixed_time(void **state)
{
        static const struct clock_source source = {.monotonic_us = fixed_monotonic_us};
        clock_set_source(&source);
        now_us = 1000000;
        return 0;
}

static int with_real_time(void **state)
{
        clock_set_source(NULL);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_minutes_requests_may_arrive_at_once_and_no_more),
            cmocka_unit_test(requests_become_available_one_by_one),
            cmocka_unit_test(over_time_no_more_than_the_limit_is_allowed),
            cmocka_unit_test(a_verdict_says_what_is_left_and_when_there_is_more),
            cmocka_unit_test(a_rejected_client_must_wait_at_least_a_second),
            cmocka_unit_test(the_header_fields_are_structured_fields),
            cmocka_unit_test(addresses_of_one_customer_share_a_quota),
            cmocka_unit_test(checking_uses_no_quota_and_no_entry),
            cmocka_unit_test(without_a_limit_everything_is_allowed),
            cmocka_unit_test(a_full_table_evicts_clients_nearest_to_their_quota),
            cmocka_unit_test(many_clients_are_remembered),
            cmocka_unit_test(threads_share_one_quota),
            cmocka_unit_test(members_have_a_quota_each_and_others_one_per_address),
            cmocka_unit_test(log_ins_are_counted_by_address_even_with_a_token),
            cmocka_unit_test(services_and_disabled_limits_allow_everything),
        };
        return cmocka_run_group_tests(tests, with_fixed_time, with_real_time);
}
