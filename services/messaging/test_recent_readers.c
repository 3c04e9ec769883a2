/* The readers of messages that were committed a moment ago. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "services/messaging/recent_readers.h"

static struct arena *arena;

static int setup(void **state)
{
        arena = arena_new(1 << 20);
        return 0;
}

static int teardown(void **state)
{
        arena_free(arena);
        return 0;
}

static char *id_of(int number)
{
        return arena_printf(arena, "018f0000-0000-7000-8000-%012d", number);
}

/* Each has two readers more than the previous one, up to ten. */
static void keep(int number)
{
        char *ids[10];
        size_t n = (size_t)number % 6 * 2;

        for (size_t i = 0; i < n; i++) {
                ids[i] = id_of(1000000 + number * 10 + (int)i);
        }
        recent_readers_keep(id_of(number), ids, n);
}

static void assert_kept(int number)
{
        char **ids = NULL;
        size_t n = 0;

        assert_true(recent_readers_find(arena, id_of(number), &n, &ids));
        assert_int_equal(n, (size_t)number % 6 * 2);
        for (size_t i = 0; i < n; i++) {
                assert_string_equal(ids[i], id_of(1000000 + number * 10 + (int)i));
        }
}

static void assert_unknown(const char *message_id)
{
        char **ids = NULL;
        size_t n = 0;

        assert_false(recent_readers_find(arena, message_id, &n, &ids));
}

static void the_readers_of_the_newest_messages_are_known(void **state)
{
        int last = 2 * RECENT_MESSAGES + 7;

        assert_unknown(id_of(1));
        assert_unknown("");
        for (int number = 1; number <= last; number++) {
                keep(number);
                assert_kept(number);
        }
        for (int number = last; number > last - RECENT_MESSAGES; number--) {
                assert_kept(number);
        }
        assert_unknown(id_of(last - RECENT_MESSAGES));
        assert_unknown(id_of(last + 1));
        assert_unknown("");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(the_readers_of_the_newest_messages_are_known, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
