/* What is known of chats without reading them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "services/messaging/known_chats.h"

#define ANNA    "018f0000-0000-7000-8000-00000000000a"
#define BERT    "018f0000-0000-7000-8000-00000000000b"
#define CLARA   "018f0000-0000-7000-8000-00000000000c"
#define DIRECT  "018f0000-0000-7000-8000-000000000001"
#define GROUP   "018f0000-0000-7000-8000-000000000002"
#define UNKNOWN "018f0000-0000-7000-8000-000000000003"

static struct arena *arena;

static int setup(void **state)
{
        arena = arena_new(16 << 20);
        return 0;
}

static int teardown(void **state)
{
        arena_free(arena);
        return 0;
}

static void keep(const char *chat_id, int kind, const char *user_id, const char *peer_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        member.chat_id = (char *)chat_id;
        member.kind = kind;
        member.user_id = (char *)user_id;
        member.peer_id = (char *)peer_id;
        known_chats_keep(&member);
}

/* expected: the other member; "": of a group; NULL: not found. */
static void check(const char *chat_id, const char *user_id, const char *expected)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        bool found = known_chats_find(arena, chat_id, user_id, &member);

        assert_int_equal(found, expected != NULL);
        if (expected != NULL) {
                assert_string_equal(member.chat_id, chat_id);
                assert_string_equal(member.user_id, user_id);
                assert_string_equal(member.peer_id, expected);
                assert_int_equal(member.kind, expected[0] != '\0' ? MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT
                                                                  : MESSAGING__CHAT_KIND__CHAT_KIND_GROUP);
        }
}

static void both_members_of_a_direct_chat_know_each_other(void **state)
{
        check(DIRECT, ANNA, NULL);
        keep(DIRECT, MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT, ANNA, BERT);
        keep(GROUP, MESSAGING__CHAT_KIND__CHAT_KIND_GROUP, ANNA, "");
        check(DIRECT, ANNA, BERT);
        check(DIRECT, BERT, ANNA);
        check(DIRECT, CLARA, NULL); /* others do not */
        check(GROUP, ANNA, "");
        check(UNKNOWN, ANNA, NULL);
        check("", ANNA, NULL);
}

static void there_is_room_for_a_number_of_chats(void **state)
{
        int found = 0;

        for (int i = 0; i < 10 * KNOWN_CHATS; i++) {
                char *id = arena_printf(arena, "018f0000-0000-7000-8000-%012d", 1000 + i);
                chat_member member = MESSAGING_ROWS__MEMBER__INIT;

                keep(id, MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT, ANNA, BERT);
                check(id, ANNA, BERT);
                found += known_chats_find(arena, DIRECT, ANNA, &member);
        }
        assert_true(found < 10 * KNOWN_CHATS); /* its place is another one's by now */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(both_members_of_a_direct_chat_know_each_other, setup, teardown),
            cmocka_unit_test_setup_teardown(there_is_room_for_a_number_of_chats, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
