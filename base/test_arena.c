/* Arenas. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/arena.h"

static int order[8];
static int n_order;

static void note_order(void *object)
{
        order[n_order++] = *(int *)object;
}

static void memory_is_zeroed_and_aligned_and_survives_growth(void **state)
{
        struct arena *a = arena_new(8 << 20);
        char *kept[600];
        for (size_t i = 0; i < 600; i++) {
                size_t bytes = i * 13 % 4000;
                kept[i] = arena_alloc(a, bytes);
                assert_int_equal((uintptr_t)kept[i] % _Alignof(max_align_t), 0);
                for (size_t k = 0; k < bytes; k++) {
                        assert_int_equal(kept[i][k], 0);
                }
                memset(kept[i], (int)(i & 0xff), bytes);
        }
        for (size_t i = 0; i < 600; i++) {
                for (size_t k = 0; k < i * 13 % 4000; k++) {
                        assert_int_equal((unsigned char)kept[i][k], i & 0xff);
                }
        }
        arena_free(a);
}

static void a_reused_block_is_zeroed_again(void **state)
{
        for (int round = 0; round < 3; round++) {
                struct arena *a = arena_new(1 << 20);
                unsigned char *p = arena_alloc(a, 8000);
                for (int i = 0; i < 8000; i++) {
                        assert_int_equal(p[i], 0);
                }
                memset(p, 0xff, 8000);
                arena_free(a);
        }
}

static void beyond_its_cap_it_is_exhausted_and_still_returns_memory(void **state)
{
        struct arena *a = arena_new(100000);
        assert_false(arena_exhausted(a));
        struct arena_mark mark = arena_mark(a);
        char *big = arena_alloc(a, 1000000);
        memset(big, 1, 1000000);
        assert_true(arena_exhausted(a));
        assert_true(arena_used(a) >= 1000000);
        arena_reset(a, mark);
        assert_false(arena_exhausted(a));
        arena_free(a);
}

static void reset_runs_deferred_functions_newest_first(void **state)
{
        static int numbers[] = {0, 1, 2, 3};
        n_order = 0;
        struct arena *a = arena_new(1 << 20);
        arena_defer(a, note_order, &numbers[0]);
        struct arena_mark mark = arena_mark(a);
        arena_defer(a, note_order, &numbers[1]);
        arena_alloc(a, 100000);
        arena_defer(a, note_order, &numbers[2]);
        arena_reset(a, mark);
        assert_int_equal(n_order, 2);
        assert_int_equal(order[0], 2);
        assert_int_equal(order[1], 1);
        assert_int_equal(arena_used(a), mark.total);
        arena_defer(a, note_order, &numbers[3]);
        arena_free(a);
        assert_int_equal(n_order, 4);
        assert_int_equal(order[2], 3);
        assert_int_equal(order[3], 0);
}

static void texts_of_any_length_are_formatted_completely(void **state)
{
        struct arena *a = arena_new(1 << 20);
        char long_text[1001];
        memset(long_text, 'x', 1000);
        long_text[1000] = '\0';
        assert_string_equal(arena_printf(a, "%s-%d", "a", 7), "a-7");
        char *formatted = arena_printf(a, "%s!", long_text);
        assert_int_equal(strlen(formatted), 1001);
        assert_int_equal(formatted[1000], '!');
        assert_string_equal(arena_strndup(a, "abc", 2), "ab");
        assert_string_equal(arena_strndup(a, NULL, 0), "");
        arena_free(a);
}

static void *make_many(void *arg)
{
        struct arena *arenas[40];
        for (int i = 0; i < 40; i++) {
                arenas[i] = arena_new(1 << 20);
                arena_alloc(arenas[i], 40000);
        }
        for (int i = 0; i < 40; i++) {
                arena_free(arenas[i]);
        }
        return NULL;
}

static void threads_leave_no_memory_behind(void **state)
{
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, make_many, NULL), 0);
        }
        for (int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL); /* the leak checker checks the rest */
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(memory_is_zeroed_and_aligned_and_survives_growth),
            cmocka_unit_test(a_reused_block_is_zeroed_again),
            cmocka_unit_test(beyond_its_cap_it_is_exhausted_and_still_returns_memory),
            cmocka_unit_test(reset_runs_deferred_functions_newest_first),
            cmocka_unit_test(texts_of_any_length_are_formatted_completely),
            cmocka_unit_test(threads_leave_no_memory_behind),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
