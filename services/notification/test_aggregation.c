/* What rules make of events, compared with a slow reference, and the lines of digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/status.h"
#include "services/notification/aggregation.h"
#include "services/notification/sentence.h"

#define HOUR_MS INT64_C(3600000)

static void sentences_are_filled_with_known_values(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        static const char *const names[] = {"1", "count"};
        const struct sentence_value values[] = {{"1", "Ada {count}"}, {"count", "3"}};
        struct str unknown;

        assert_string_equal(sentence_write(arena, "{1} likes {count} notes", values, 2), "Ada {count} likes 3 notes");
        assert_string_equal(sentence_write(arena, "{2}{", values, 2), "");
        assert_true(sentence_check("{1} and {count}}", names, 2, &unknown));
        assert_false(sentence_check("{1} and {name} and {1}", names, 2, &unknown));
        assert_true(str_equal_c(unknown, "name"));
        assert_false(sentence_check("{1} and {count", names, 1, &unknown));
}

static void a_text_is_that_of_the_language_or_english(void **state)
{
        struct aggregation_rule rule = {
            .languages = (char *[]){"de", "en"}, .texts = (char *[]){"d", "e"}, .n_texts = 2};

        assert_string_equal(aggregation_text(&rule, "de-AT"), "d");
        assert_string_equal(aggregation_text(&rule, "DE"), "d");
        assert_string_equal(aggregation_text(&rule, "d"), "e");
        assert_string_equal(aggregation_text(&rule, ""), "e");
        assert_null(aggregation_text(&aggregation_default, "en"));
}

/* Four members like a note at 0, 10, 50 and 70 minutes; one of them likes another note in between. */
static void windows_and_least_numbers_determine_deliveries(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(1 << 20);
        static const struct aggregation_event events[] = {{1, 1, 1, 0},
                                                          {1, 1, 2, HOUR_MS / 6},
                                                          {1, 1, 3, 5 * HOUR_MS / 6},
                                                          {1, 1, 4, 7 * HOUR_MS / 6},
                                                          {1, 2, 4, HOUR_MS / 2}};
        static const struct {
                struct aggregation_rule rule;
                struct aggregation_outcome outcome;
        } cases[] = {
            {{.fold_by = FOLD_OBJECT, .least = 2}, {2, 5, 2}},
            {{.fold_by = FOLD_NOTHING, .least = 2}, {5, 5, 5}},
            {{.fold_by = FOLD_NOTHING, .least = 2, .window_s = 3600}, {5, 5, 5}},
            {{.fold_by = FOLD_OBJECT, .least = 2, .window_s = 3600},
             {3, 4, 3}}, /* the first at once, the others at the end; then a new window */
            {{.fold_by = FOLD_OBJECT, .least = 3, .window_s = 3600}, {3, 5, 3}},
            {{.fold_by = FOLD_OBJECT, .least = 2, .window_s = 7200}, {2, 3, 2}},
            {{.fold_by = FOLD_ACTOR, .least = 2}, {2, 5, 1}},
            {{.fold_by = FOLD_ACTOR, .least = 3}, {2, 5, 2}},
            {{.fold_by = FOLD_ACTOR, .least = 2, .window_s = 3600}, {3, 4, 2}},
            {{.fold_by = FOLD_TYPE, .least = 3, .window_s = 3600}, {3, 5, 1}},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct aggregation_outcome out = aggregation_simulate(arena, &cases[i].rule, events, 5);

                assert_int_equal(out.notifications, cases[i].outcome.notifications);
                assert_int_equal(out.deliveries, cases[i].outcome.deliveries);
                assert_int_equal(out.lines, cases[i].outcome.lines);
        }
}

/* ---- The model ---- */

static uint64_t seed = 20261128;

static int any_rule(int n)
{
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        return (int)((seed >> 33) % (uint64_t)n);
}

/* Each item without a line begins one, and takes all that may share it if there are enough. */
static int64_t count_lines(const struct aggregation_rule *rule, const struct aggregation_item *items, size_t n)
{
        int64_t lines = 0;

        for (size_t i = 0; i < n; i++) {
                int64_t before = 0, all = 0;

                for (size_t k = 0; k < n; k++) {
                        bool same = rule->fold_by == FOLD_TYPE ||
                                    (rule->fold_by == FOLD_ACTOR && items[k].actor == items[i].actor);

                        all += same;
                        before += same && k < i;
                }
                lines += all < rule->least || before == 0;
        }
        return lines;
}

static void lines_of_digests_match_the_reference(void **state)
{
        CLEANUP(arena_free_p) struct arena *arena = arena_new(8 << 20);

        for (int round = 0; round < 2000; round++) {
                struct aggregation_item items[30];
                struct aggregation_event events[30];
                struct aggregation all;
                size_t n = (size_t)any_rule(30), counted = 0, lines = 0;

                for (int i = 0; i < TYPE_COUNT; i++) {
                        all.of[i] =
                            (struct aggregation_rule){.fold_by = FOLD_NOTHING + any_rule(4), .least = 2 + any_rule(4)};
                }
                for (size_t i = 0; i < n; i++) {
                        items[i] = (struct aggregation_item){.type = TYPE_LIKE, .actor = any_rule(6)};
                        events[i] = (struct aggregation_event){1, (int64_t)i, items[i].actor, (int64_t)i};
                }
                aggregation_fold(&all, items, n);
                for (size_t i = 0; i < n; i++) {
                        assert_true(items[i].n > 0);
                        lines += items[i].first;
                        counted += items[i].first ? items[i].n : 0;
                        assert_true(items[i].n == 1 || (int64_t)items[i].n >= all.of[TYPE_LIKE].least);
                }
                assert_int_equal(counted, n); /* each item is in exactly one line */
                assert_int_equal(lines, count_lines(&all.of[TYPE_LIKE], items, n));
                assert_int_equal(aggregation_simulate(arena, &all.of[TYPE_LIKE], events, n).lines, (int64_t)lines);
        }
}

static void types_do_not_share_a_line(void **state)
{
        struct aggregation all;
        struct aggregation_item items[] = {{.type = TYPE_LIKE}, {.type = TYPE_RENOTE}, {.type = TYPE_LIKE}};

        for (int i = 0; i < TYPE_COUNT; i++) {
                all.of[i] = (struct aggregation_rule){.fold_by = FOLD_TYPE, .least = 2};
        }
        aggregation_fold(&all, items, 3);
        assert_true(items[0].first && items[0].n == 2);
        assert_true(items[1].first && items[1].n == 1);
        assert_false(items[2].first);
        aggregation_fold(NULL, items, 3);
        assert_true(items[0].first && items[1].first && items[2].first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(sentences_are_filled_with_known_values),
            cmocka_unit_test(a_text_is_that_of_the_language_or_english),
            cmocka_unit_test(windows_and_least_numbers_determine_deliveries),
            cmocka_unit_test(lines_of_digests_match_the_reference),
            cmocka_unit_test(types_do_not_share_a_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
