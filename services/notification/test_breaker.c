/* The circuit breakers of lanes and of phone codes, and which push services lanes trust. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "services/notification/lane_breaker.h"
#include "services/notification/lane_trust.h"

#define SECOND_US INT64_C(1000000)

static int64_t now_us = 1000 * SECOND_US;

static int64_t read_now_us(void)
{
        return now_us;
}

static void note_failures(struct lane_breaker *breaker, const char *origin, int times)
{
        for (int i = 0; i < times; i++) {
                lane_breaker_note(breaker, origin, true);
        }
}

static void a_provider_that_fails_five_times_is_left_alone_for_a_while(void **state)
{
        struct lane_breaker breaker = {0};

        (void)state;
        note_failures(&breaker, "sms", 4);
        assert_true(lane_breaker_admits(&breaker, "sms"));
        note_failures(&breaker, "sms", 1);
        assert_false(lane_breaker_admits(&breaker, "sms"));
        assert_true(lane_breaker_admits(&breaker, "other")); /* other providers are unaffected */
        now_us += 5 * SECOND_US;
        assert_true(lane_breaker_admits(&breaker, "sms"));
}

static void each_further_failure_doubles_the_pause_up_to_five_minutes(void **state)
{
        static const int pauses_s[] = {5, 10, 20, 40, 80, 160, 300, 300};
        struct lane_breaker breaker = {0};

        (void)state;
        note_failures(&breaker, "sms", 4);
        for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
                note_failures(&breaker, "sms", 1);
                now_us += pauses_s[i] * SECOND_US - 1;
                assert_false(lane_breaker_admits(&breaker, "sms"));
                now_us += 1;
                assert_true(lane_breaker_admits(&breaker, "sms"));
        }
}

static void one_answer_and_it_is_trusted_again(void **state)
{
        struct lane_breaker breaker = {0};

        (void)state;
        note_failures(&breaker, "sms", 20);
        lane_breaker_note(&breaker, "sms", false);
        assert_true(lane_breaker_admits(&breaker, "sms"));
        note_failures(&breaker, "sms", 4);
        assert_true(lane_breaker_admits(&breaker, "sms"));
}

/* With more providers than are tracked, the one that failed longest ago is forgotten, at the cost of one attempt. */
static void many_origins_do_not_use_more_memory(void **state)
{
        struct lane_breaker breaker = {0};
        char origin[32];

        (void)state;
        note_failures(&breaker, "first", 5);
        for (int i = 0; i < BREAKER_REMEMBERED; i++) {
                now_us += 1;
                (void)snprintf(origin, sizeof(origin), "https://p%d.example", i);
                note_failures(&breaker, origin, 5);
                assert_false(lane_breaker_admits(&breaker, origin));
        }
        assert_true(lane_breaker_admits(&breaker, "first"));
}

static void note_answers(struct lane_trust *trust, const char *origin, int times)
{
        for (int i = 0; i < times; i++) {
                lane_trust_note(trust, origin, false);
        }
}

static void a_push_service_is_trusted_once_it_has_answered_often_and_until_it_fails(void **state)
{
        struct lane_trust trust = {0};

        (void)state;
        note_answers(&trust, "push", TRUST_ANSWERS - 1);
        assert_false(lane_trust_has(&trust, "push"));
        note_answers(&trust, "push", 1);
        assert_true(lane_trust_has(&trust, "push"));
        assert_false(lane_trust_has(&trust, "other"));
        lane_trust_note(&trust, "push", true);
        assert_false(lane_trust_has(&trust, "push"));
        note_answers(&trust, "push", TRUST_ANSWERS - 1);
        assert_false(lane_trust_has(&trust, "push"));
}

/* Strangers take the places of strangers only. */
static void any_number_of_strangers_takes_nobodys_trust_away(void **state)
{
        struct lane_trust trust = {0};
        char origin[32];

        (void)state;
        note_answers(&trust, "push", TRUST_ANSWERS);
        for (int i = 0; i < 10 * TRUST_REMEMBERED; i++) {
                now_us += 1;
                (void)snprintf(origin, sizeof(origin), "https://p%d.example", i);
                note_answers(&trust, origin, TRUST_ANSWERS - 1);
        }
        assert_true(lane_trust_has(&trust, "push"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_provider_that_fails_five_times_is_left_alone_for_a_while),
            cmocka_unit_test(each_further_failure_doubles_the_pause_up_to_five_minutes),
            cmocka_unit_test(one_answer_and_it_is_trusted_again),
            cmocka_unit_test(many_origins_do_not_use_more_memory),
            cmocka_unit_test(a_push_service_is_trusted_once_it_has_answered_often_and_until_it_fails),
            cmocka_unit_test(any_number_of_strangers_takes_nobodys_trust_away),
        };

        clock_set_source(&(struct clock_source){.monotonic_us = read_now_us, .boot_us = read_now_us});
        return cmocka_run_group_tests_name("breaker of providers", tests, NULL, NULL);
}
