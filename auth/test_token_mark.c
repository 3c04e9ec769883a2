/* Only tokens created with the key file have a valid mark, whatever is altered. */
#include "auth/test_token_tools.h"

#include "auth/keys.h"
#include "auth/token_mark.h"

static bool is_marked(const char *token)
{
        char mark[TOKEN_MARK_SIZE];
        return token_marked(str_of(token), mark);
}

static void every_issued_token_has_its_own_mark(void **state)
{
        char marks[2][TOKEN_MARK_SIZE];
        for (int i = 0; i < 2; i++) { /* for the same session, in the same second */
                assert_true(token_marked(str_of(fresh_token()), marks[i]));
                assert_int_equal(strlen(marks[i]), TOKEN_MARK_SIZE - 1);
        }
        assert_string_not_equal(marks[0], marks[1]);
}

static void its_mark_is_its_jti(void **state)
{
        uint8_t payload[1000];
        char mark[TOKEN_MARK_SIZE];
        const char *token = fresh_token(), *dot = strchr(token, '.') + 1;
        json_t *json =
            json_loadb((const char *)payload, decode(dot, strcspn(dot, "."), payload, sizeof(payload)), 0, NULL);
        assert_true(token_marked(str_of(token), mark));
        assert_string_equal(json_string_value(json_object_get(json, "jti")), mark);
        json_decref(json);
}

static void altered_payloads_have_no_valid_mark(void **state)
{
        char *payload = token_add_mark(call->arena, payload_with(""));
        size_t len = strlen(payload);
        char mark[TOKEN_MARK_SIZE];
        assert_true(token_read_mark((struct str){payload, len}, mark));
        for (size_t i = 0; i < len; i++) {
                payload[i] ^= 1;
                assert_false(token_read_mark((struct str){payload, len}, mark));
                payload[i] ^= 1;
                assert_false(token_read_mark((struct str){payload, i}, mark));
                assert_false(token_read_mark((struct str){payload + i + 1, len - i - 1}, mark));
        }
}

static void tokens_signed_without_a_mark_have_none(void **state)
{
        assert_false(is_marked(token_of(good_header(), payload_with(""), own_key)));
        assert_false(
            is_marked(token_of(good_header(), payload_with(",\"jti\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""), own_key)));
        assert_false(is_marked(""));
        assert_false(is_marked("a.b.c"));
}

static void our_marks_are_invalid_with_another_key_file(void **state)
{
        static const uint8_t other[32] = "another key file";
        const char *token = fresh_token();
        assert_true(is_marked(token));
        keys_set_master(other);
        assert_false(is_marked(token));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_issued_token_has_its_own_mark),
            cmocka_unit_test(its_mark_is_its_jti),
            cmocka_unit_test(altered_payloads_have_no_valid_mark),
            cmocka_unit_test(tokens_signed_without_a_mark_have_none),
            cmocka_unit_test(our_marks_are_invalid_with_another_key_file), /* last: it changes the key file */
        };
        return cmocka_run_group_tests(tests, with_keys, without_keys);
}
