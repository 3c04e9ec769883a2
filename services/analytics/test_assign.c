/* The hash of assignment: vectors that any program can check (sha256sum), and shares that are what they should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "services/analytics/assign.h"
#include "services/analytics/stats.h"

static void buckets_match_the_published_vectors(void **state)
{
        assert_int_equal(assign_bucket("layer:home", "01890000-0000-7000-8000-000000000001"), 404);
        assert_int_equal(assign_bucket("layer:search", "01890000-0000-7000-8000-000000000001"), 5954);
        assert_int_equal(assign_bucket("01890000-0000-7000-8000-0000000000aa", "01890000-0000-7000-8000-000000000001"),
                         1619);
}

static void people_are_divided_evenly_and_layers_independently(void **state)
{
        double both[4] = {0}, thirds[3] = {0};

        for (int i = 0; i < 60000; i++) {
                char visitor[40];

                (void)snprintf(visitor, sizeof(visitor), "%08x-0000-4000-8000-000000000000", (unsigned)i);
                uint32_t layer = assign_bucket("layer:a", visitor), experiment = assign_bucket("x", visitor);
                both[assign_variant(layer, 2) * 2 + assign_variant(experiment, 2)]++;
                thirds[assign_variant(experiment, 3)]++;
        }
        assert_true(stats_srm(both, (const double[]){1, 1, 1, 1}, 4) > 0.001);
        assert_true(stats_srm(thirds, (const double[]){3334, 3333, 3333}, 3) > 0.001);
}

static void participants_are_decided_by_layer_holdout_and_audience(void **state)
{
        struct assign_plan all = {"home", 0, 100, 0, 1}, half = all, held = all, new = all, others = all;
        int in_half = 0, in_held = 0, both = 0;

        half.to_percent = 50;
        held.holdout_percent = 20;
        new.audience = 2;
        others.audience = 3;
        for (int i = 0; i < 20000; i++) {
                char visitor[40];

                (void)snprintf(visitor, sizeof(visitor), "%08x-0000-4000-8000-000000000000", (unsigned)i);
                assert_true(assign_takes_part(&all, visitor, false));
                assert_true(assign_takes_part(&new, visitor, true) && !assign_takes_part(&new, visitor, false));
                assert_true(!assign_takes_part(&others, visitor, true) && assign_takes_part(&others, visitor, false));
                in_half += assign_takes_part(&half, visitor, false);
                in_held += assign_takes_part(&held, visitor, false);
                both += assign_takes_part(&half, visitor, false) && assign_takes_part(&held, visitor, false);
        }
        assert_true(in_half > 9700 && in_half < 10300);
        assert_true(in_held > 15700 && in_held < 16300);
        assert_true(both > 7700 && both < 8300); /* the holdout is independent of the layer */
}

static void every_bucket_has_a_variant(void **state)
{
        for (size_t n = 2; n <= 5; n++) {
                assert_int_equal(assign_variant(0, n), 0);
                assert_int_equal(assign_variant(ASSIGN_BUCKETS - 1, n), n - 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(buckets_match_the_published_vectors),
            cmocka_unit_test(people_are_divided_evenly_and_layers_independently),
            cmocka_unit_test(participants_are_decided_by_layer_holdout_and_audience),
            cmocka_unit_test(every_bucket_has_a_variant),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
