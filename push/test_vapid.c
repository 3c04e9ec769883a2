/* Push services can verify our identity: the token's claims and its signature, and how long a token is used. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "push/parts.h"

#define ORIGIN "https://push.example.net"
#define NOW_S  INT64_C(1800000000)

static struct push_vapid *vapid;

static int setup(void **state)
{
        static const uint8_t master[32] = {1, 2, 3};

        keys_set_master(master);
        vapid = push_vapid_new("mailto:ada@example.org");
        return 0;
}

static int teardown(void **state)
{
        push_vapid_free(vapid);
        return 0;
}

struct header {
        char line[1400], token[1400], key[PUSH_KEY_SIZE];
};

static void read_header(const char *origin, int64_t now_s, struct header *out)
{
        assert_true(push_vapid_header(vapid, origin, now_s, out->line, sizeof(out->line)));
        assert_int_equal(sscanf(out->line, "Authorization: vapid t=%1399[^,], k=%87s", out->token, out->key), 2);
}

static void the_token_is_signed_with_the_key_given_to_browsers(void **state)
{
        struct header header;
        char public_key[PUSH_KEY_SIZE];
        uint8_t point[PUSH_POINT_BYTES], signature[ES256_SIGNATURE_BYTES];
        size_t len = 0;

        read_header(ORIGIN, NOW_S, &header);
        assert_string_equal(header.key, push_public_key(public_key));
        assert_true(base64url_decode(str_of(header.key), point, sizeof(point), &len));

        const char *last = strrchr(header.token, '.');
        EVP_PKEY *key = push_key(point);
        assert_true(base64url_decode(str_of(last + 1), signature, sizeof(signature), &len));
        assert_true(es256_verify(key, header.token, (size_t)(last - header.token), signature));
        assert_false(es256_verify(key, header.token, (size_t)(last - header.token) - 1, signature));
        EVP_PKEY_free(key);
}

static json_t *part(const char *token, int index)
{
        struct str rest = str_of(token), text = {0};
        char bytes[1000];
        size_t len = 0;

        for (int i = 0; i <= index; i++) {
                assert_true(str_next(&rest, '.', &text));
        }
        assert_true(base64url_decode(text, bytes, sizeof(bytes), &len));
        json_t *json = json_loadb(bytes, len, 0, NULL);
        assert_non_null(json);
        return json;
}

static void the_token_is_for_one_push_service_and_valid_for_half_a_day(void **state)
{
        struct header header;

        read_header(ORIGIN, NOW_S, &header);
        json_t *head = part(header.token, 0), *claims = part(header.token, 1);
        assert_string_equal(json_string_value(json_object_get(head, "typ")), "JWT");
        assert_string_equal(json_string_value(json_object_get(head, "alg")), "ES256");
        assert_string_equal(json_string_value(json_object_get(claims, "aud")), ORIGIN);
        assert_string_equal(json_string_value(json_object_get(claims, "sub")), "mailto:ada@example.org");
        assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW_S + 43200);
        json_decref(head);
        json_decref(claims);
}

static void a_token_is_reused_until_its_last_hour_and_never_for_another_service(void **state)
{
        struct header first, later, other;
        char origin[64];

        read_header(ORIGIN, NOW_S, &first);
        read_header(ORIGIN, NOW_S + 39600, &later);
        assert_string_equal(first.token, later.token);
        read_header(ORIGIN, NOW_S + 39601, &later);
        assert_string_not_equal(first.token, later.token);
        for (int i = 0; i < 40; i++) { /* more than are cached */
                (void)snprintf(origin, sizeof(origin), "https://push%d.example.net", i);
                read_header(origin, NOW_S, &other);
                json_t *claims = part(other.token, 1);
                assert_string_equal(json_string_value(json_object_get(claims, "aud")), origin);
                json_decref(claims);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(the_token_is_signed_with_the_key_given_to_browsers, setup, teardown),
            cmocka_unit_test_setup_teardown(the_token_is_for_one_push_service_and_valid_for_half_a_day, setup,
                                            teardown),
            cmocka_unit_test_setup_teardown(a_token_is_reused_until_its_last_hour_and_never_for_another_service, setup,
                                            teardown),
        };

        return cmocka_run_group_tests_name("push vapid", tests, NULL, NULL);
}
