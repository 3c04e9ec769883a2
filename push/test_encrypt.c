/* Encryption follows RFC 8291: its example, byte by byte, and hidden lengths. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "auth/base64url.h"
#include "push/parts.h"

/* RFC 8291, Appendix A. */
#define TEXT            "When I grow up, I want to be a watermelon"
#define SENDER_SCALAR   "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
#define SENDER_POINT    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
#define RECEIVER_POINT  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define RECEIVER_SECRET "BTBZMqHH6r4Tts7J_aSIgg"
#define SALT            "DGv6ra1nlYgDCS1FRnbzlw"
#define BODY                                                                                                           \
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"                                                               \
        "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru"                                              \
        "3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"

static void decode(const char *text, uint8_t *out, size_t size)
{
        size_t len = 0;

        assert_true(base64url_decode(str_of(text), out, size, &len));
        assert_int_equal(len, size);
}

static struct push_subscription receiver(void)
{
        struct push_subscription to = {.endpoint = "https://push.example.net/x"};

        decode(RECEIVER_POINT, to.point, sizeof(to.point));
        decode(RECEIVER_SECRET, to.secret, sizeof(to.secret));
        return to;
}

static void the_example_of_the_standard_is_reproduced(void **state)
{
        struct push_subscription to = receiver();
        struct push_once once;
        uint8_t point[PUSH_POINT_BYTES], scalar[ES256_NUMBER_BYTES], body[PUSH_BODY_MAX];
        char text[BASE64URL_CHARS(PUSH_BODY_MAX) + 1];

        decode(SENDER_POINT, point, sizeof(point));
        decode(SENDER_SCALAR, scalar, sizeof(scalar));
        decode(SALT, once.salt, sizeof(once.salt));
        once.key = es256_key(point + 1, point + 1 + ES256_NUMBER_BYTES, scalar);
        assert_non_null(once.key);
        size_t len = push_encrypt_with(&once, &to, TEXT, strlen(TEXT), strlen(TEXT), body);
        assert_string_equal(base64url_encode(body, len, text), BODY);
        EVP_PKEY_free(once.key);
}

static void no_two_bodies_are_equal_and_lengths_reveal_little(void **state)
{
        struct push_subscription to = receiver();
        uint8_t first[PUSH_BODY_MAX], second[PUSH_BODY_MAX];
        size_t len = push_encrypt(&to, "yes", 3, first);

        assert_int_equal(push_encrypt(&to, "perhaps, or perhaps not", 23, second), len);
        assert_int_equal(push_encrypt(&to, "yes", 3, second), len);
        assert_memory_not_equal(first, second, PUSH_SALT_BYTES);
        assert_memory_not_equal(first + 21, second + 21, PUSH_POINT_BYTES);
        assert_memory_not_equal(first + 86, second + 86, 32);
}

static void the_longest_text_fills_the_record_and_a_longer_one_is_rejected(void **state)
{
        static const char text[PUSH_TEXT_MAX + 1];
        struct push_subscription to = receiver();
        uint8_t body[PUSH_BODY_MAX];

        assert_int_equal(push_encrypt(&to, text, PUSH_TEXT_MAX, body), PUSH_BODY_MAX);
        assert_int_equal(push_encrypt(&to, text, PUSH_TEXT_MAX + 1, body), 0);
        assert_true(push_encrypt(&to, "", 0, body) > 0);
}

static void a_point_that_is_not_on_the_curve_is_rejected(void **state)
{
        struct push_subscription to = receiver();
        uint8_t body[PUSH_BODY_MAX];

        to.point[PUSH_POINT_BYTES - 1] ^= 1;
        assert_int_equal(push_encrypt(&to, "x", 1, body), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_example_of_the_standard_is_reproduced),
            cmocka_unit_test(no_two_bodies_are_equal_and_lengths_reveal_little),
            cmocka_unit_test(the_longest_text_fills_the_record_and_a_longer_one_is_rejected),
            cmocka_unit_test(a_point_that_is_not_on_the_curve_is_rejected),
        };

        return cmocka_run_group_tests_name("push encrypt", tests, NULL, NULL);
}
