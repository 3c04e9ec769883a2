/* The delays after wrong passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/login_limit.h"

static UserRows__LoginFailures failures(int64_t here, int64_t anywhere, int64_t device)
{
        UserRows__LoginFailures f = USER_ROWS__LOGIN_FAILURES__INIT;

        f.of_network = here;
        f.of_name = anywhere;
        f.of_device = device;
        return f;
}

static int wait_s(int64_t here, int64_t anywhere, int64_t device, bool known)
{
        UserRows__LoginFailures f = failures(here, anywhere, device);

        return login_limit_wait_s(&f, known);
}

static void ten_from_a_network_cause_no_delay_and_each_further_one_doubles_it(void **state)
{
        static const int waits[] = {15, 30, 60, 120, 240, 480, 900, 900, 900};

        for (int n = 0; n < 10; n++) {
                assert_int_equal(wait_s(n, n, 0, false), 0);
        }
        for (int i = 0; i < 9; i++) {
                assert_int_equal(wait_s(10 + i, 10 + i, 0, false), waits[i]);
        }
        assert_int_equal(wait_s(INT64_MAX, INT64_MAX, 0, false), 900);
}

static void a_hundred_in_total_cause_no_delay(void **state)
{
        assert_int_equal(wait_s(0, 99, 0, false), 0);
        assert_int_equal(wait_s(0, 100, 0, false), 15);
        assert_int_equal(wait_s(0, 101, 0, false), 30);
        assert_int_equal(wait_s(12, 100, 0, false), 60); /* the longer delay */
}

static void a_known_device_is_delayed_only_by_its_own(void **state)
{
        assert_int_equal(wait_s(1000, 1000, 9, true), 0);
        assert_int_equal(wait_s(0, 0, 10, true), 15);
        assert_int_equal(wait_s(0, 0, 1000, false), 0);
}

static void the_delay_starts_at_the_last_failure(void **state)
{
        UserRows__LoginFailures f = failures(11, 11, 0);

        f.of_network_since_ms = 1;
        assert_int_equal(login_limit_wait_s(&f, false), 30);
        f.of_network_since_ms = 29001;
        assert_int_equal(login_limit_wait_s(&f, false), 1);
        f.of_network_since_ms = 30000;
        assert_int_equal(login_limit_wait_s(&f, false), 0);
        f.of_network_since_ms = -500; /* committed between two reads of the clock */
        assert_int_equal(login_limit_wait_s(&f, false), 31);
}

static void a_rejection_has_the_delay(void **state)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(NULL, 10000);
        UserRows__LoginFailures f = failures(11, 11, 0);

        assert_int_equal(login_limit_check(c, &f, true), SN_OK);
        assert_int_equal(login_limit_check(c, &f, false), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "too_many_failures");
        assert_int_equal(c->problem.retry_after_s, 30);
        assert_non_null(strstr(c->problem.detail, "30 seconds"));
}

static void addresses_of_one_customer_count_together(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(4096);

        assert_string_equal(login_limit_network(arena, "192.0.2.1"), "192.0.2.1");
        assert_string_equal(login_limit_network(arena, "2001:db8:1:2:3::4"), "2001:db8:1:2::");
        assert_string_equal(login_limit_network(arena, "2001:db8:1:2:ffff::"), "2001:db8:1:2::");
        assert_string_equal(login_limit_network(arena, ""), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(ten_from_a_network_cause_no_delay_and_each_further_one_doubles_it),
            cmocka_unit_test(a_hundred_in_total_cause_no_delay),
            cmocka_unit_test(a_known_device_is_delayed_only_by_its_own),
            cmocka_unit_test(the_delay_starts_at_the_last_failure),
            cmocka_unit_test(a_rejection_has_the_delay),
            cmocka_unit_test(addresses_of_one_customer_count_together),
        };

        return cmocka_run_group_tests_name("login limit", tests, NULL, NULL);
}
