/* Shows that a cursor comes back as it went, and only in its own list, to its own member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "auth/cursor.h"
#include "auth/keys.h"
#include "base/contract.h"

static const struct rpc_method followers = {.full_name = "/sonet.follow.v1.FollowService/ListFollowers"};
static const struct rpc_method following = {.full_name = "/sonet.follow.v1.FollowService/ListFollowing"};
static struct rpc_call *call;

static const struct cursor position = {.sort_key = -1234567890123456789, .id = "0192d5d0-7c1e-7abc-8def-0123456789ab"};

static void fresh_call(void)
{
        call->method = &followers;
        call->actor = "0192d5d0-7c1e-7abc-8def-000000000001";
        call->problem = (struct rpc_problem){0};
}

static void is_refused(const char *filter, const char *text)
{
        struct cursor found = position;
        assert_int_equal(cursor_decode(call, filter, text, &found), SN_INVALID_ARGUMENT);
        assert_string_equal(call->problem.code, "cursor_invalid");
        assert_string_equal(call->problem.field, "cursor");
        assert_string_equal(found.id, ""); /* nothing of it leaks out */
        assert_int_equal(found.sort_key, 0);
}

static void a_cursor_comes_back_as_it_went(void **state)
{
        static const int64_t sort_keys[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1790000000000};
        for (size_t i = 0; i < sizeof(sort_keys) / sizeof(sort_keys[0]); i++) {
                struct cursor sent = position, found;
                sent.sort_key = sort_keys[i];
                fresh_call();
                assert_int_equal(cursor_decode(call, "x", cursor_encode(call, "x", &sent), &found), SN_OK);
                assert_int_equal(found.sort_key, sort_keys[i]);
                assert_string_equal(found.id, position.id);
        }
}

static void no_cursor_is_the_start(void **state)
{
        struct cursor found = position;
        fresh_call();
        assert_int_equal(cursor_decode(call, "", "", &found), SN_OK);
        assert_string_equal(found.id, "");
        found = position;
        assert_int_equal(cursor_decode(call, "", NULL, &found), SN_OK);
        assert_string_equal(found.id, "");
}

static void a_cursor_without_an_id_keeps_its_sort_key(void **state)
{
        struct cursor sent = {.sort_key = 42}, found;
        fresh_call();
        assert_int_equal(cursor_decode(call, "", cursor_encode(call, "", &sent), &found), SN_OK);
        assert_int_equal(found.sort_key, 42);
        assert_string_equal(found.id, "");
}

static void another_list_or_member_is_refused(void **state)
{
        fresh_call();
        const char *text = cursor_encode(call, "hashtag:cats", &position);
        is_refused("hashtag:dogs", text);
        is_refused("", text);
        call->method = &following;
        is_refused("hashtag:cats", text);
        call->method = NULL;
        is_refused("hashtag:cats", text);
        fresh_call();
        call->actor = "0192d5d0-7c1e-7abc-8def-000000000002";
        is_refused("hashtag:cats", text);
        call->actor = "";
        is_refused("hashtag:cats", text);
}

static void text_cannot_move_between_filter_and_actor(void **state)
{
        fresh_call();
        call->actor = "bc";
        const char *text = cursor_encode(call, "a", &position);
        call->actor = "c";
        is_refused("ab", text);
        call->actor = "";
        is_refused("abc", text);
}

static void every_altered_character_is_refused(void **state)
{
        fresh_call();
        char *text = cursor_encode(call, "", &position);
        for (size_t i = 0; text[i] != '\0'; i++) {
                char right = text[i];
                for (int c = 1; c < 256; c++) {
                        if ((char)c != right) {
                                text[i] = (char)c;
                                is_refused("", text);
                        }
                }
                text[i] = right;
        }
        struct cursor found;
        assert_int_equal(cursor_decode(call, "", text, &found), SN_OK);
}

static void other_lengths_are_refused(void **state)
{
        fresh_call();
        const char *text = cursor_encode(call, "", &position);
        for (size_t len = 1; len < strlen(text); len++) {
                is_refused("", arena_strndup(call->arena, text, len));
        }
        is_refused("", arena_printf(call->arena, "%sA", text));
        is_refused("", arena_printf(call->arena, "%s=", text));
        is_refused("", arena_printf(call->arena, "%s%s", text, text));
}

static void another_key_file_is_refused(void **state)
{
        uint8_t master[32] = {2};
        fresh_call();
        const char *text = cursor_encode(call, "", &position);
        keys_set_master(master);
        is_refused("", text);
}

static int with_call(void **state)
{
        uint8_t master[32] = {1};
        keys_set_master(master);
        call = rpc_call_new_background(NULL, 60000);
        return 0;
}

static int without_call(void **state)
{
        rpc_call_free(call);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_cursor_comes_back_as_it_went),
            cmocka_unit_test(no_cursor_is_the_start),
            cmocka_unit_test(a_cursor_without_an_id_keeps_its_sort_key),
            cmocka_unit_test(another_list_or_member_is_refused),
            cmocka_unit_test(text_cannot_move_between_filter_and_actor),
            cmocka_unit_test(every_altered_character_is_refused),
            cmocka_unit_test(other_lengths_are_refused),
            cmocka_unit_test(another_key_file_is_refused),
        };
        return cmocka_run_group_tests(tests, with_call, without_call);
}
