/* Which pages may use the passkeys of this network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "services/user/relying_party.h"

static void with_a_public_url_it_is_that_origin_only(void **state)
{
        relying_party_start("https://social.example.org/");
        assert_string_equal(relying_party_id(), "social.example.org");
        assert_string_equal(relying_party_name(), "social.example.org");
        assert_true(relying_party_has_origin("https://social.example.org"));
        assert_false(relying_party_has_origin("http://social.example.org"));
        assert_false(relying_party_has_origin("https://social.example.org:8443"));
        assert_false(relying_party_has_origin("https://social.example.org.evil.example"));
        assert_false(relying_party_has_origin("https://evil.social.example.org"));
        assert_false(relying_party_has_origin("http://localhost"));
        assert_false(relying_party_has_origin(""));
}

static void capitals_and_default_ports_are_not_part_of_an_origin(void **state)
{
        relying_party_start("HTTPS://Social.Example.org:443/");
        assert_string_equal(relying_party_id(), "social.example.org");
        assert_true(relying_party_has_origin("https://social.example.org"));
        relying_party_start("http://social.example.org:80");
        assert_true(relying_party_has_origin("http://social.example.org"));
        relying_party_start("https://social.example.org:80");
        assert_true(relying_party_has_origin("https://social.example.org:80"));
        assert_false(relying_party_has_origin("https://social.example.org"));
}

static void its_port_is_part_of_the_origin_and_not_of_the_id(void **state)
{
        relying_party_start("https://social.example.org:8443");
        assert_string_equal(relying_party_id(), "social.example.org");
        assert_true(relying_party_has_origin("https://social.example.org:8443"));
        assert_false(relying_party_has_origin("https://social.example.org"));
}

static void without_one_it_is_localhost(void **state)
{
        relying_party_start("");
        assert_string_equal(relying_party_id(), "localhost");
        assert_string_equal(relying_party_name(), "SoNet");
        assert_true(relying_party_has_origin("http://localhost"));
        assert_true(relying_party_has_origin("http://localhost:8080"));
        assert_false(relying_party_has_origin("http://localhost:8080x"));
        assert_false(relying_party_has_origin("http://localhost.evil.example"));
        assert_false(relying_party_has_origin("http://localhost:8080/"));
        assert_false(relying_party_has_origin("http://127.0.0.1:8080"));
        assert_false(relying_party_has_origin("https://evil.example"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(with_a_public_url_it_is_that_origin_only),
            cmocka_unit_test(capitals_and_default_ports_are_not_part_of_an_origin),
            cmocka_unit_test(its_port_is_part_of_the_origin_and_not_of_the_id),
            cmocka_unit_test(without_one_it_is_localhost),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
