/* E-mail addresses: which spellings are equal, how domains are stored, and invalid ones. The IDNA examples are those
 * of UTS #46 and of registered names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/user/email.h"

static struct rpc_call *c;

static int setup(void **state)
{
        c = rpc_call_new_background(NULL, 10000);
        return 0;
}

static int teardown(void **state)
{
        rpc_call_free_p(&c);
        return 0;
}

static void a_domain_is_stored_in_ascii_and_lowercase(void **state)
{
        static const char *const kept[][2] = {
            {"Ada.L+x@Example.ORG", "Ada.L+x@example.org"},
            {"ada@bücher.example", "ada@xn--bcher-kva.example"},
            {"ada@BÜCHER.example", "ada@xn--bcher-kva.example"},
            {"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"}, /* decomposed */
            {"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
            {"ada@straße.example", "ada@xn--strae-oqa.example"}, /* IDNA 2008: not strasse */
            {"ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"},
            {"ada@βόλος.com", "ada@xn--nxasmm1c.com"},
            {"ada@ab--cd.example", "ada@ab--cd.example"}, /* IDNA would reject it, but such names exist */
        };

        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
                char *clean = NULL;

                assert_int_equal(email_clean(c, kept[i][0], &clean), SN_OK);
                assert_string_equal(clean, kept[i][1]);
                assert_string_equal(email_key(c->arena, kept[i][0]), email_key(c->arena, clean));
        }
}

static void an_invalid_domain_is_rejected(void **state)
{
        static const char *const bad[] = {
            "ada@bücher",          /* one label */
            "ada@bü cher.example", /* spaces */
            "ada@bü_cher.example",
            "ada@bü\u00a0cher.example",   /* mapped to a space */
            "ada@\u2100ü.example",        /* mapped to a/c */
            "ada@xn--a.example",          /* no punycode */
            "ada@xn--bcher-kva8.example", /* not the encoding of any name */
            "ada@-ü.example",
            "ada@ü-.example",
            "ada@ü..example",
            "ada@\u0308u.example",  /* begins with a combining mark */
            "ada@a\u200db.example", /* a joiner out of its context */
            "ada@☃\u202e.example",
            "ada@üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                char *clean = NULL;

                if (email_clean(c, bad[i], &clean) != SN_INVALID_ARGUMENT) {
                        fail_msg("%s was kept as %s", bad[i], clean);
                }
                assert_string_equal(c->problem.field, "email");
        }
}

static void addresses_are_case_insensitive(void **state)
{
        assert_string_equal(email_key(c->arena, "Ada@EXAMPLE.org"), "ada@example.org");
        assert_string_equal(email_key(c->arena, "ada@example.org"), "ada@example.org");
        assert_string_equal(email_key(c->arena, "STRASSE@straße.example"), "strasse@xn--strae-oqa.example");
}

/* A login may be any text. */
static void invalid_addresses_have_a_key_too(void **state)
{
        static const char *const texts[] = {"", "@", "a@", "@b", "a@b@c", "a@xn--a", "a@ü..", "ada"};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                assert_non_null(email_key(c->arena, texts[i]));
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_domain_is_stored_in_ascii_and_lowercase),
            TEST(an_invalid_domain_is_rejected),
            TEST(addresses_are_case_insensitive),
            TEST(invalid_addresses_have_a_key_too),
        };

        return cmocka_run_group_tests_name("e-mail addresses", tests, NULL, NULL);
}
