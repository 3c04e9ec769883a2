/* Settings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings.h"

static struct settings s;
static struct buf text;

static int start(void **state)
{
        clearenv();
        buf_init(&text, 65536);
        return 0;
}

static int finish(void **state)
{
        buf_free(&text);
        return 0;
}

static void assert_refused(const char *variable, const char *value, const char *sentence)
{
        setenv(variable, value, 1);
        buf_reset(&text);
        assert_int_equal(settings_load(&s, &text), SN_INVALID_ARGUMENT);
        assert_string_equal(text.data, sentence);
        unsetenv(variable);
}

static void an_empty_environment_yields_the_defaults(void **state)
{
        setenv("HTTP_PORT", "", 1);
        assert_int_equal(settings_load(&s, &text), SN_OK);
        assert_int_equal(settings_check(&s, &text), SN_OK);
        assert_int_equal(s.http_port, 8080);
        assert_int_equal(settings_grpc_port(&s), 8081);
        assert_string_equal(s.http_address, "127.0.0.1");
        assert_string_equal(s.database_url, "");
        assert_true(s.rate_limits);
        assert_int_equal(settings_log_level(&s), LOG_LEVEL_INFO);
        assert_int_equal(settings_log_format(&s), LOG_FORMAT_AUTO);
}

static void descriptors_are_reserved_for_bodies_and_files(void **state)
{
        assert_int_equal(settings_load(&s, &text), SN_OK);
        int64_t before = settings_descriptors(&s);
        assert_true(before > s.spool_files + 2 * s.answer_files + s.redis_pool);
        s.spool_files += 100;
        s.answer_files += 10;
        assert_int_equal(settings_descriptors(&s), before + 120);
}

static void values_are_parsed_and_errors_say_what_is_allowed(void **state)
{
        setenv("WORKERS", "3", 1);
        setenv("SONET_RATE_LIMITS", "OFF", 1);
        setenv("LOG_LEVEL", "warn", 1);
        assert_int_equal(settings_load(&s, &text), SN_OK);
        assert_int_equal(s.workers, 3);
        assert_false(s.rate_limits);
        assert_int_equal(settings_log_level(&s), LOG_LEVEL_WARN);
        assert_refused("HTTP_PORT", "65536", "HTTP_PORT must be a whole number from 0 to 65535, not \"65536\"");
        assert_refused("HTTP_PORT", "80 ", "HTTP_PORT must be a whole number from 0 to 65535, not \"80 \"");
        assert_refused("WORKERS", "\x1b[2J", "WORKERS must be a whole number from 1 to 1024");
        assert_refused("LOG_LEVEL", "loud", "LOG_LEVEL must be debug, info, warn or error, not \"loud\"");
        assert_refused("SONET_RATE_LIMITS", "maybe", "SONET_RATE_LIMITS must be on or off, not \"maybe\"");
        assert_refused("DATABASE_URL", "a\nb",
                       "DATABASE_URL must be UTF-8 text of at most 4096 bytes without control characters");
}

static void rate_limits_can_be_turned_off_on_loopback_only(void **state)
{
        static const char *const loopback[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost"};
        static const char *const others[] = {"0.0.0.0",         "::",        "192.168.0.1", "127.0.0.1.example.org", "",
                                             "::ffff:10.0.0.1", "1270.0.0.1"};
        assert_int_equal(settings_load(&s, &text), SN_OK);
        s.rate_limits = false;
        for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
                s.http_address = s.grpc_address = loopback[i];
                assert_int_equal(settings_check(&s, &text), SN_OK);
        }
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                s.http_address = others[i];
                s.grpc_address = loopback[0];
                assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
                assert_non_null(strstr(text.data, "SONET_RATE_LIMITS"));
                s.http_address = loopback[0];
                s.grpc_address = others[i];
                buf_reset(&text);
                assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
                assert_non_null(strstr(text.data, "GRPC_ADDRESS"));
        }
        s.rate_limits = true;
        s.http_address = others[0];
        s.grpc_address = loopback[0];
        assert_int_equal(settings_check(&s, &text), SN_OK);
}

static void unencrypted_grpc_is_limited_to_loopback(void **state)
{
        assert_int_equal(settings_load(&s, &text), SN_OK);
        s.grpc_address = "0.0.0.0";
        assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
        assert_non_null(strstr(text.data, "GRPC_ADDRESS=0.0.0.0"));
        s.grpc_tls_cert = s.grpc_tls_key = s.grpc_tls_ca = "a.pem";
        assert_int_equal(settings_check(&s, &text), SN_OK);
}

static void invalid_origins_are_rejected(void **state)
{
        static const char *const good[] = {"*",
                                           "none",
                                           "https://example.org",
                                           "http://localhost:3000, https://a.b",
                                           "http://[::1]:80",
                                           "capacitor://localhost"};
        static const char *const bad[] = {
            "foo",         "example.org",     "https://",    "://host",     "https://a/",          "https://a/b",
            "https://u@a", "https://*.a.org", "*,https://a", "https://a b", "https://a,,https://b"};
        assert_int_equal(settings_load(&s, &text), SN_OK);
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                s.cors_origins = good[i];
                assert_int_equal(settings_check(&s, &text), SN_OK);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                s.cors_origins = bad[i];
                buf_reset(&text);
                assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
                assert_non_null(strstr(text.data, "CORS_ORIGINS"));
        }
}

static void invalid_proxies_are_rejected(void **state)
{
        assert_int_equal(settings_load(&s, &text), SN_OK);
        s.trusted_proxies = "127.0.0.1, ::1, 10.0.0.0/8, 2001:db8::/32";
        assert_int_equal(settings_check(&s, &text), SN_OK);
        s.trusted_proxies = "127.0.0.1, 10.0.0.0/0";
        assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
        assert_non_null(strstr(text.data, "TRUSTED_PROXIES"));
        assert_non_null(strstr(text.data, "\"10.0.0.0/0\" is not one"));
}

static void conflicting_settings_are_rejected(void **state)
{
        assert_int_equal(settings_load(&s, &text), SN_OK);
        s.grpc_port = s.http_port;
        assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
        s.grpc_port = 0;
        s.http_port = 65535;
        assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
        s.http_port = 0;
        assert_int_equal(settings_check(&s, &text), SN_OK);
        assert_int_equal(settings_grpc_port(&s), 0);
        s.grpc_tls_cert = "cert.pem";
        assert_int_equal(settings_check(&s, &text), SN_INVALID_ARGUMENT);
}

static void each_service_finds_its_database_and_its_address(void **state)
{
        setenv("DATABASE_URL", "postgresql://{service_name}:pw@db/{service_name}", 1);
        setenv("FOLLOW_DATABASE_URL", "postgresql://other/{service_name}_2", 1);
        setenv("NOTE_URL", "grpc://127.0.0.1:9", 1);
        assert_int_equal(settings_load(&s, &text), SN_OK);
        struct arena *arena = arena_new(1 << 16);
        assert_string_equal(settings_database_url(arena, &s, "note"), "postgresql://note_service:pw@db/note_service");
        assert_string_equal(settings_database_url(arena, &s, "follow"), "postgresql://other/follow_service_2");
        assert_string_equal(settings_service_url(&s, "note"), "grpc://127.0.0.1:9");
        assert_string_equal(settings_service_url(&s, "user"), "");
        assert_string_equal(settings_service_url(&s, "nothing"), "");
        arena_free(arena);
}

static void numbers_are_found_by_their_variable(void **state)
{
        int64_t value = 0;

        setenv("MEDIA_FILE_BYTES", "2048", 1);
        assert_int_equal(settings_load(&s, &text), SN_OK);
        assert_true(settings_number(&s, STR("MEDIA_FILE_BYTES"), &value));
        assert_int_equal(value, 2048);
        assert_false(settings_number(&s, STR("MEDIA_FILE"), &value));
        assert_false(settings_number(&s, STR("REDIS_URL"), &value));
}

static void printing_masks_every_password(void **state)
{
        setenv("DATABASE_URL", "postgresql://u:hunter2@db/x", 1);
        setenv("DATABASE_ADMIN_URL", "host=db password=hunter2", 1);
        setenv("USER_DATABASE_URL", "postgresql://u:hunt@er2/x@db/x", 1);
        setenv("NOTE_DATABASE_URL", "postgresql://db/x?password=hunter2", 1);
        setenv("REDIS_URL", "redis://:hunter2@cache:6379/1", 1);
        assert_int_equal(settings_load(&s, &text), SN_OK);
        settings_print(&s, &text);
        assert_false(text.overflow);
        assert_null(strstr(text.data, "hunt"));
        assert_null(strstr(text.data, "er2"));
        assert_non_null(strstr(text.data, "\nDATABASE_URL=postgresql://u:***@db/x\n"));
        assert_non_null(strstr(text.data, "\nREDIS_URL=redis://:***@cache:6379/1\n"));
        assert_non_null(strstr(text.data,
                               "# threads that handle client requests; each rank of services has half as many for "
                               "gRPC calls (a whole number from 1 to 1024); default 8\nWORKERS=8\n"));
}

int main(void)
{
#define SETTINGS_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)
        const struct CMUnitTest tests[] = {
            SETTINGS_TEST(an_empty_environment_yields_the_defaults),
            SETTINGS_TEST(descriptors_are_reserved_for_bodies_and_files),
            SETTINGS_TEST(values_are_parsed_and_errors_say_what_is_allowed),
            SETTINGS_TEST(rate_limits_can_be_turned_off_on_loopback_only),
            SETTINGS_TEST(unencrypted_grpc_is_limited_to_loopback),
            SETTINGS_TEST(invalid_origins_are_rejected),
            SETTINGS_TEST(invalid_proxies_are_rejected),
            SETTINGS_TEST(conflicting_settings_are_rejected),
            SETTINGS_TEST(each_service_finds_its_database_and_its_address),
            SETTINGS_TEST(numbers_are_found_by_their_variable),
            SETTINGS_TEST(printing_masks_every_password),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
