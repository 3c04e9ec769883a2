/* Hours are told only together with enough people, and each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "services/analytics/spans.h"

#define H SPAN_HOUR_MS

static void assert_spans(const struct span_hour *hours, size_t n, const struct span *wanted, size_t n_wanted)
{
        struct arena *arena = arena_new(65536);
        struct span got[8];

        assert_int_equal(spans_of(arena, hours, n, 3, got), n_wanted);
        for (size_t i = 0; i < n_wanted; i++) {
                assert_int_equal(got[i].from_ms, wanted[i].from_ms);
                assert_int_equal(got[i].to_ms, wanted[i].to_ms);
        }
        arena_free(arena);
}

static void an_hour_with_enough_people_is_a_span(void **state)
{
        assert_spans((const struct span_hour[]){{0, 3, "a,b,c"}, {2 * H, 900, "a,b,c"}}, 2,
                     (const struct span[]){{0, H}, {2 * H, 3 * H}}, 2);
}

static void hours_with_few_wait_for_others(void **state)
{
        assert_spans((const struct span_hour[]){{0, 1, "a"}, {5 * H, 2, "b,c"}, {6 * H, 1, "d"}}, 3,
                     (const struct span[]){{0, 6 * H}}, 1);
}

static void repeated_people_are_not_counted_again(void **state)
{
        assert_spans((const struct span_hour[]){{0, 2, "a,b"}, {H, 2, "b,a"}, {2 * H, 1, "a"}}, 3, NULL, 0);
        assert_spans((const struct span_hour[]){{0, 2, "a,b"}, {H, 2, "b,a"}, {2 * H, 1, "c"}}, 3,
                     (const struct span[]){{0, 3 * H}}, 1);
}

static void people_of_one_span_do_not_count_for_the_next(void **state)
{
        assert_spans((const struct span_hour[]){{0, 2, "a,b"}, {H, 3, "b,c,d"}, {2 * H, 2, "a,b"}}, 3,
                     (const struct span[]){{0, 2 * H}}, 1);
        assert_spans(NULL, 0, NULL, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_hour_with_enough_people_is_a_span),
            cmocka_unit_test(hours_with_few_wait_for_others),
            cmocka_unit_test(repeated_people_are_not_counted_again),
            cmocka_unit_test(people_of_one_span_do_not_count_for_the_next),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
