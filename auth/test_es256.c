/* Signatures are standard ES256: the example of RFC 7515, A.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/es256.h"

static const char X[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char Y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char D[] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
static const char TEXT[] = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                           "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char SIGNATURE[] =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

struct example {
        uint8_t x[32], y[32], d[32], signature[64];
};

static void decode(const char *text, uint8_t *out, size_t size)
{
        size_t len = 0;
        assert_true(base64url_decode(str_of(text), out, size, &len));
        assert_int_equal(len, size);
}

static struct example read_example(void)
{
        struct example e;
        decode(X, e.x, sizeof(e.x));
        decode(Y, e.y, sizeof(e.y));
        decode(D, e.d, sizeof(e.d));
        decode(SIGNATURE, e.signature, sizeof(e.signature));
        return e;
}

static void the_example_of_the_rfc_is_verified(void **state)
{
        struct example e = read_example();
        EVP_PKEY *key = es256_key(e.x, e.y, NULL);
        assert_non_null(key);
        assert_true(es256_verify(key, TEXT, strlen(TEXT), e.signature));
        EVP_PKEY_free(key);
}

static void every_changed_bit_makes_the_signature_invalid(void **state)
{
        struct example e = read_example();
        EVP_PKEY *key = es256_key(e.x, e.y, NULL);
        for (size_t bit = 0; bit < 8 * sizeof(e.signature); bit++) {
                e.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_false(es256_verify(key, TEXT, strlen(TEXT), e.signature));
                e.signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_false(es256_verify(key, TEXT, strlen(TEXT) - 1, e.signature));
        memset(e.signature, 0, sizeof(e.signature)); /* CVE-2022-21449: zeros verify if they are not rejected */
        assert_false(es256_verify(key, TEXT, strlen(TEXT), e.signature));
        memset(e.signature, 0xff, sizeof(e.signature));
        assert_false(es256_verify(key, TEXT, strlen(TEXT), e.signature));
        EVP_PKEY_free(key);
}

static void signatures_of_the_private_key_verify_with_the_public_key(void **state)
{
        struct example e = read_example();
        EVP_PKEY *pair = es256_key(e.x, e.y, e.d), *key = es256_key(e.x, e.y, NULL);
        uint8_t signature[ES256_SIGNATURE_BYTES];
        for (int i = 0; i < 300; i++) { /* one r or s in 256 is shorter than 32 bytes */
                assert_true(es256_sign(pair, TEXT, strlen(TEXT), signature));
                assert_true(es256_verify(key, TEXT, strlen(TEXT), signature));
        }
        assert_false(es256_sign(key, TEXT, strlen(TEXT), signature));
        EVP_PKEY_free(key);
        EVP_PKEY_free(pair);
}

static void a_point_off_the_curve_is_not_a_key(void **state)
{
        struct example e = read_example();
        e.y[31] ^= 1;
        assert_null(es256_key(e.x, e.y, NULL));
        assert_null(es256_key(e.x, e.y, e.d));
        memset(e.x, 0, sizeof(e.x));
        memset(e.y, 0, sizeof(e.y));
        assert_null(es256_key(e.x, e.y, NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_example_of_the_rfc_is_verified),
            cmocka_unit_test(every_changed_bit_makes_the_signature_invalid),
            cmocka_unit_test(signatures_of_the_private_key_verify_with_the_public_key),
            cmocka_unit_test(a_point_off_the_curve_is_not_a_key),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
