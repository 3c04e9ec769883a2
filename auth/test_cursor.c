/* A cursor decodes to its position, only for its own list and member, and is unreadable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "auth/base64url.h"
#include "auth/cursor.h"
#include "auth/keys.h"
#include "base/contract.h"

static const struct rpc_method followers = {.full_name = "/sonet.follow.v1.FollowService/ListFollowers"};
static const struct rpc_method following = {.full_name = "/sonet.follow.v1.FollowService/ListFollowing"};
static struct rpc_call *call;

static const struct cursor cursor = {
    .at = {.sort_key = -1234567890123456789, .id = "0192d5d0-7c1e-7abc-8def-0123456789ab"},
    .n_seen = 2,
    .seen = {7, (UINT64_C(1) << CURSOR_PRINT_BITS) - 1},
};

static void fresh_call(void)
{
        call->method = &followers;
        call->actor = "0192d5d0-7c1e-7abc-8def-000000000001";
        call->problem = (struct rpc_problem){0};
}

static void is_refused(const char *filter, const char *text)
{
        struct cursor found = cursor;
        assert_int_equal(cursor_decode(call, filter, "after", text, &found), SN_INVALID_ARGUMENT);
        assert_string_equal(call->problem.code, "cursor_invalid");
        assert_string_equal(call->problem.field, "after");
        assert_string_equal(found.at.id, ""); /* no data is revealed */
        assert_int_equal(found.at.sort_key, 0);
        assert_int_equal(found.n_seen, 0);
}

static void a_cursor_decodes_to_its_position(void **state)
{
        static const int64_t sort_keys[] = {0, 1, -1, INT64_MAX, INT64_MIN, 1790000000000};
        for (size_t i = 0; i < sizeof(sort_keys) / sizeof(sort_keys[0]); i++) {
                struct cursor sent = cursor, found;
                sent.at.sort_key = sort_keys[i];
                fresh_call();
                assert_int_equal(cursor_decode(call, "x", "cursor", cursor_encode(call, "x", &sent), &found), SN_OK);
                assert_int_equal(found.at.sort_key, sort_keys[i]);
                assert_string_equal(found.at.id, cursor.at.id);
                assert_int_equal(found.n_seen, 2);
                assert_int_equal(found.seen[0], 7);
                assert_true(found.seen[1] == cursor.seen[1]);
        }
}

static void the_largest_cursor_fits_the_contract(void **state)
{
        struct cursor sent = cursor, found;
        sent.n_seen = CURSOR_SEEN_MAX;
        fresh_call();
        const char *text = cursor_encode(call, "", &sent);
        assert_true(strlen(text) <= 2048); /* max_length of the fields cursor and after */
        assert_int_equal(cursor_decode(call, "", "after", text, &found), SN_OK);
        assert_int_equal(found.n_seen, CURSOR_SEEN_MAX);
}

static void an_empty_cursor_is_the_start(void **state)
{
        struct cursor found = cursor;
        fresh_call();
        assert_int_equal(cursor_decode(call, "", "cursor", "", &found), SN_OK);
        assert_string_equal(found.at.id, "");
        found = cursor;
        assert_int_equal(cursor_decode(call, "", "cursor", NULL, &found), SN_OK);
        assert_string_equal(found.at.id, "");
}

static void a_cursor_without_an_id_keeps_its_sort_key(void **state)
{
        struct cursor sent = {.at = {.sort_key = 42}}, found;
        fresh_call();
        assert_int_equal(cursor_decode(call, "", "cursor", cursor_encode(call, "", &sent), &found), SN_OK);
        assert_int_equal(found.at.sort_key, 42);
        assert_string_equal(found.at.id, "");
}

static size_t bytes_in_common(const char *a, const char *b)
{
        uint8_t first[1024], second[1024];
        size_t n = 0, len = 0, common = 0;
        assert_true(base64url_decode((struct str){a, strlen(a)}, first, sizeof(first), &n));
        assert_true(base64url_decode((struct str){b, strlen(b)}, second, sizeof(second), &len));
        assert_int_equal(n, len);
        for (size_t i = 0; i < n; i++) {
                common += first[i] == second[i];
        }
        return common;
}

static void equal_positions_have_equal_texts_and_others_differ_completely(void **state)
{
        struct cursor next = cursor;
        next.at.sort_key++;
        fresh_call();
        const char *text = cursor_encode(call, "", &cursor);
        assert_string_equal(cursor_encode(call, "", &cursor), text);
        assert_true(bytes_in_common(text, cursor_encode(call, "", &next)) < 8);
        assert_true(bytes_in_common(text, cursor_encode(call, "other", &cursor)) < 8);
        call->actor = "0192d5d0-7c1e-7abc-8def-000000000002";
        assert_true(bytes_in_common(text, cursor_encode(call, "", &cursor)) < 8);
}

static void the_length_reveals_only_how_much_was_seen(void **state)
{
        struct cursor sent = {.at = {.sort_key = 1}}, far = cursor;
        far.n_seen = 0;
        fresh_call();
        assert_int_equal(strlen(cursor_encode(call, "", &sent)), 76);
        assert_int_equal(strlen(cursor_encode(call, "a long filter", &far)), 76);
}

static void another_list_or_member_is_rejected(void **state)
{
        fresh_call();
        const char *text = cursor_encode(call, "hashtag:cats", &cursor);
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
        const char *text = cursor_encode(call, "a", &cursor);
        call->actor = "c";
        is_refused("ab", text);
        call->actor = "";
        is_refused("abc", text);
}

static void every_altered_character_is_rejected(void **state)
{
        fresh_call();
        char *text = cursor_encode(call, "", &cursor);
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
        assert_int_equal(cursor_decode(call, "", "cursor", text, &found), SN_OK);
}

static void other_lengths_are_rejected(void **state)
{
        fresh_call();
        const char *text = cursor_encode(call, "", &cursor);
        for (size_t len = 1; len < strlen(text); len++) {
                is_refused("", arena_strndup(call->arena, text, len));
        }
        is_refused("", arena_printf(call->arena, "%sA", text));
        is_refused("", arena_printf(call->arena, "%s=", text));
        is_refused("", arena_printf(call->arena, "%s%s", text, text));
}

static void another_key_file_is_rejected(void **state)
{
        uint8_t master[32] = {2};
        fresh_call();
        const char *text = cursor_encode(call, "", &cursor);
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
            cmocka_unit_test(a_cursor_decodes_to_its_position),
            cmocka_unit_test(the_largest_cursor_fits_the_contract),
            cmocka_unit_test(an_empty_cursor_is_the_start),
            cmocka_unit_test(equal_positions_have_equal_texts_and_others_differ_completely),
            cmocka_unit_test(the_length_reveals_only_how_much_was_seen),
            cmocka_unit_test(a_cursor_without_an_id_keeps_its_sort_key),
            cmocka_unit_test(another_list_or_member_is_rejected),
            cmocka_unit_test(text_cannot_move_between_filter_and_actor),
            cmocka_unit_test(every_altered_character_is_rejected),
            cmocka_unit_test(other_lengths_are_rejected),
            cmocka_unit_test(another_key_file_is_rejected),
        };
        return cmocka_run_group_tests(tests, with_call, without_call);
}
