/* Messages that were committed a moment ago, and their readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "services/messaging/recent_messages.h"

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
        recent_messages_keep(id_of(number), NULL, 0, ids, n);
}

static void assert_kept(int number)
{
        char **ids = NULL;
        size_t n = 0;

        assert_true(recent_messages_find_readers(arena, id_of(number), &n, &ids));
        assert_int_equal(n, (size_t)number % 6 * 2);
        for (size_t i = 0; i < n; i++) {
                assert_string_equal(ids[i], id_of(1000000 + number * 10 + (int)i));
        }
}

static void assert_unknown(const char *message_id)
{
        char **ids = NULL;
        size_t n = 0;

        assert_false(recent_messages_find_readers(arena, message_id, &n, &ids));
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

static void keep_text(int number, char *text)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        entry.id = id_of(number);
        entry.text = text;
        entry.seq = number;
        recent_messages_keep(entry.id, &entry, MESSAGING__CHAT_KIND__CHAT_KIND_GROUP,
                             (char *[]){id_of(1), id_of(3), id_of(5)}, 3);
}

static void a_message_is_shown_to_its_readers_only(void **state)
{
        struct recent_message message;

        keep_text(7000001, "Hello");
        assert_true(recent_messages_find(arena, id_of(7000001), &message));
        assert_string_equal(message.entry->text, "Hello");
        assert_int_equal(message.entry->seq, 7000001);
        assert_int_equal(message.chat_kind, MESSAGING__CHAT_KIND__CHAT_KIND_GROUP);
        for (int i = 0; i < 7; i++) {
                assert_int_equal(recent_message_is_read_by(&message, id_of(i)), i == 1 || i == 3 || i == 5);
        }
        assert_false(recent_message_is_read_by(&message, ""));
}

static void what_is_changed_or_large_or_not_kept_is_not_shown(void **state)
{
        struct recent_message message;
        char *large = arena_alloc(arena, RECENT_BYTES_MAX + 1);

        memset(large, 'x', RECENT_BYTES_MAX);
        large[RECENT_BYTES_MAX] = '\0';
        keep_text(7000002, "It will be deleted");
        keep_text(7000003, large);
        recent_messages_keep(id_of(7000004), NULL, 0, (char *[]){id_of(1)}, 1);
        recent_messages_drop(id_of(7000002));
        recent_messages_drop(id_of(7999999));
        for (int number = 7000002; number <= 7000004; number++) {
                size_t n = 0;
                char **ids = NULL;

                assert_false(recent_messages_find(arena, id_of(number), &message));
                assert_true(recent_messages_find_readers(arena, id_of(number), &n, &ids));
        }
        assert_false(recent_messages_find(arena, id_of(7999999), &message));
        assert_false(recent_messages_find(arena, "", &message));
}

static void a_message_is_shown_from_memory_for_a_short_time(void **state)
{
        struct recent_message message;

        keep_text(7000005, "Hello");
        clock_sleep_ms(RECENT_SHOWN_MS + 1);
        assert_false(recent_messages_find(arena, id_of(7000005), &message));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(the_readers_of_the_newest_messages_are_known, setup, teardown),
            cmocka_unit_test_setup_teardown(a_message_is_shown_to_its_readers_only, setup, teardown),
            cmocka_unit_test_setup_teardown(what_is_changed_or_large_or_not_kept_is_not_shown, setup, teardown),
            cmocka_unit_test_setup_teardown(a_message_is_shown_from_memory_for_a_short_time, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
