/* The pace of mails: how many go at once, how many in an hour, and that domains do not wait for one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "mail/pace.h"

#define HOUR_US INT64_C(3600000000)
#define START   (INT64_C(5) * HOUR_US)

static int64_t count_in(struct mail_pace *pace, const char *to, int64_t from_us, int64_t until_us)
{
        int64_t n = 0;

        for (int64_t now_us = from_us; now_us < until_us;) {
                int64_t wait_ms = mail_pace_wait_ms(pace, to, now_us);

                n += wait_ms == 0;
                now_us += wait_ms * 1000; /* as long as it says, and no longer */
        }
        return n;
}

static void a_domain_has_so_many_in_an_hour_and_a_minutes_worth_at_once(void **state)
{
        static const int64_t rates[] = {1, 7, 60, 600, 36000};

        for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
                struct mail_pace pace = {.per_hour = rates[i]};
                int64_t at_once = rates[i] >= 60 ? rates[i] / 60 : 1, n;

                for (int64_t k = 0; k < at_once; k++) {
                        assert_int_equal(mail_pace_wait_ms(&pace, "ada@a.example", START), 0);
                }
                assert_true(mail_pace_wait_ms(&pace, "bob@A.Example", START) > 0);
                assert_int_equal(mail_pace_wait_ms(&pace, "ada@b.example", START), 0);
                n = at_once + count_in(&pace, "cem@a.example", START, START + 10 * HOUR_US);
                assert_in_range(n, 10 * rates[i] - 10, 10 * rates[i] + at_once);
                assert_int_equal(mail_pace_wait_ms(&pace, "ada@a.example", START + 20 * HOUR_US), 0);
        }
}

static void without_a_rate_nothing_waits(void **state)
{
        struct mail_pace pace = {.per_hour = 0};

        for (int i = 0; i < 10000; i++) {
                assert_int_equal(mail_pace_wait_ms(&pace, "ada@a.example", START), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_domain_has_so_many_in_an_hour_and_a_minutes_worth_at_once),
            cmocka_unit_test(without_a_rate_nothing_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
