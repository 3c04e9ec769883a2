/* The rate of mails, with a real database: how many are sent at once and per hour, that domains do not wait for each
 * other, and that concurrent senders share it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/log.h"
#include "db/test_support.h"
#include "mail/pace.h"

#define HOUR_MS INT64_C(3600000)
#define START   (INT64_C(5) * HOUR_MS)

static struct test_database database;

static int start(void **state)
{
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        test_database_new(&database, NULL, 0, 4);
        return 0;
}

static int stop(void **state)
{
        test_database_free(&database);
        return 0;
}

static int64_t wait_ms(int64_t per_hour, const char *to, int64_t now_ms)
{
        struct rpc_call *c = rpc_call_new_background(&database.service, 20000);
        int64_t out = -1;

        assert_int_equal(mail_pace_wait_ms(c, per_hour, to, now_ms, &out), SN_OK);
        rpc_call_free(c);
        return out;
}

static int64_t count_in(int64_t per_hour, const char *to, int64_t from_ms, int64_t until_ms)
{
        int64_t n = 0;

        for (int64_t now_ms = from_ms; now_ms < until_ms;) {
                int64_t wait = wait_ms(per_hour, to, now_ms);

                n += wait == 0;
                now_ms += wait; /* exactly as long as returned */
        }
        return n;
}

static void a_domain_has_an_hourly_limit_and_a_minutes_worth_at_once(void **state)
{
        static const int64_t rates[] = {1, 7, 60, 600};

        for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
                int64_t at_once = rates[i] >= 60 ? rates[i] / 60 : 1, n, from = START + (int64_t)i * 100 * HOUR_MS;

                for (int64_t k = 0; k < at_once; k++) {
                        assert_int_equal(wait_ms(rates[i], "ada@a.example", from), 0);
                }
                assert_true(wait_ms(rates[i], "bob@A.Example", from) > 0);
                assert_int_equal(wait_ms(rates[i], "ada@b.example", from), 0);
                n = at_once + count_in(rates[i], "cem@a.example", from, from + 2 * HOUR_MS);
                assert_in_range(n, 2 * rates[i] - 2, 2 * rates[i] + at_once);
                assert_int_equal(wait_ms(rates[i], "ada@a.example", from + 20 * HOUR_MS), 0);
        }
}

static void without_a_rate_no_mail_waits(void **state)
{
        for (int i = 0; i < 1000; i++) {
                assert_int_equal(wait_ms(0, "ada@none.example", START), 0);
        }
}

static atomic_int n_gone;

static void *send_some(void *context)
{
        for (int i = 0; i < 50; i++) {
                struct rpc_call *c = rpc_call_new_background(&database.service, 20000);
                int64_t wait = -1;

                if (mail_pace_wait_ms(c, 1200, "ada@shared.example", START, &wait) == SN_OK && wait == 0) {
                        (void)atomic_fetch_add(&n_gone, 1);
                }
                rpc_call_free(c);
        }
        return NULL;
}

static void concurrent_senders_share_the_limit(void **state)
{
        pthread_t threads[4];

        for (size_t i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, send_some, NULL), 0);
        }
        for (size_t i = 0; i < 4; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(atomic_load(&n_gone), 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_domain_has_an_hourly_limit_and_a_minutes_worth_at_once),
            cmocka_unit_test(without_a_rate_no_mail_waits),
            cmocka_unit_test(concurrent_senders_share_the_limit),
        };

        return cmocka_run_group_tests(tests, start, stop);
}
