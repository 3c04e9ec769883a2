/* Which subscriptions are accepted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "auth/keys.h"
#include "push/parts.h"

#define POINT  "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define SECRET "BTBZMqHH6r4Tts7J_aSIgg"
#define GOOD   "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk"

static struct push_options options;

static const char *field_of(const char *endpoint, const char *point, const char *secret)
{
        struct push_subscription out;
        const char *field = NULL;
        const char *problem = push_read_subscription(&options, endpoint, point, secret, &out, &field);

        assert_int_equal(problem == NULL, field == NULL);
        return field;
}

static void endpoints_are_public_https_urls(void **state)
{
        static const char *const good[] = {GOOD, "https://fcm.googleapis.com/fcm/send/abc:def",
                                           "https://web.push.apple.com/Q", "https://push.example.org:8443/x?y=1",
                                           "https://[2606:4700::1111]/x"};
        static const char *const bad[] = {"",
                                          "/x",
                                          "push.example.org/x",
                                          "http://push.example.org/x",
                                          "ftp://push.example.org/x",
                                          "file:///etc/passwd",

                                          "https://ada:secret@push.example.org/x",
                                          "https://ada@push.example.org/x",
                                          "https://push.example.org:22/x",
                                          "https://push.example.org:0/x",
                                          "https://push.example.org:99999/x",
                                          "https://push.example.org/x y",
                                          "https://push.example.org/\"x",
                                          "https://push.example.org/x\r\nHost: y",
                                          "https://push.example.org\\@127.0.0.1/",
                                          "https://p\xc3\xbcsh.example.org/x",
                                          "http://127.0.0.1:9999/x"};

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                assert_null(field_of(good[i], POINT, SECRET));
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                if (field_of(bad[i], POINT, SECRET) == NULL) {
                        fail_msg("%s was taken", bad[i]);
                }
                assert_string_equal(field_of(bad[i], POINT, SECRET), "endpoint");
        }
}

static void the_length_of_an_endpoint_is_limited(void **state)
{
        char url[PUSH_ENDPOINT_MAX + 2] = "https://push.example.org/";

        memset(url + strlen(url), 'a', PUSH_ENDPOINT_MAX - strlen(url));
        assert_null(field_of(url, POINT, SECRET));
        url[PUSH_ENDPOINT_MAX] = 'a';
        assert_string_equal(field_of(url, POINT, SECRET), "endpoint");
}

static void keys_are_points_on_the_curve_and_sixteen_bytes(void **state)
{
        static const char *const points[] = {
            "",
            "BCVx",
            POINT "=",
            POINT "A",
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8",
            "AyVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx"};
        static const char *const secrets[] = {"", "BTBZMqHH6r4Tts7J_aSIg", SECRET "AA",
                                              SECRET "==", "BTBZMqHH6r4Tts7J/aSIgg"};

        for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
                assert_string_equal(field_of(GOOD, points[i], SECRET), "p256dh");
        }
        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
                assert_string_equal(field_of(GOOD, POINT, secrets[i]), "auth");
        }
}

static void a_configured_network_is_allowed(void **state)
{
        struct str bad;

        assert_true(networks_parse("127.0.0.0/8", &options.also, &bad));
        assert_null(field_of("http://127.0.0.1:99/x", POINT, SECRET));
        assert_string_equal(field_of("http://10.0.0.1:9999/x", POINT, SECRET), "endpoint");
        assert_string_equal(field_of("http://push.example.org:9999/x", POINT, SECRET), "endpoint");
        options.also.n = 0;
}

static void an_origin_is_scheme_host_and_unusual_port(void **state)
{
        char origin[PUSH_ORIGIN_SIZE];

        assert_true(push_origin(GOOD, origin));
        assert_string_equal(origin, "https://updates.push.services.mozilla.com");
        assert_true(push_origin("https://push.example.org:443/x", origin));
        assert_string_equal(origin, "https://push.example.org");
        assert_true(push_origin("https://push.example.org:8443/x", origin));
        assert_string_equal(origin, "https://push.example.org:8443");
        assert_false(push_origin("nothing", origin));
}

static void apple_gets_no_silent_pushes(void **state)
{
        char origin[PUSH_ORIGIN_SIZE];

        assert_true(push_origin("https://web.push.apple.com/QGgp", origin));
        assert_false(push_may_be_silent(origin));
        assert_true(push_origin(GOOD, origin));
        assert_true(push_may_be_silent(origin));
        assert_true(push_may_be_silent("https://push.apple.com.example.org"));
        assert_true(push_may_be_silent(""));
}

static void a_topic_does_not_reveal_its_key(void **state)
{
        static const uint8_t master[32] = {1};
        char first[PUSH_TOPIC_CHARS + 1], second[PUSH_TOPIC_CHARS + 1];

        keys_set_master(master);
        assert_int_equal(strlen(push_topic("like:1", first)), PUSH_TOPIC_CHARS);
        assert_string_equal(push_topic("like:1", second), first);
        assert_string_not_equal(push_topic("like:2", second), first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(endpoints_are_public_https_urls),
            cmocka_unit_test(the_length_of_an_endpoint_is_limited),
            cmocka_unit_test(keys_are_points_on_the_curve_and_sixteen_bytes),
            cmocka_unit_test(a_configured_network_is_allowed),
            cmocka_unit_test(an_origin_is_scheme_host_and_unusual_port),
            cmocka_unit_test(apple_gets_no_silent_pushes),
            cmocka_unit_test(a_topic_does_not_reveal_its_key),
        };

        return cmocka_run_group_tests_name("push subscription", tests, NULL, NULL);
}
