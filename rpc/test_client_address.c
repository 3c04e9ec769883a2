/* The client address of a request, for every form of Forwarded and X-Forwarded-For, and that it cannot be forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "rpc/client_address.h"

static struct arena *arena;

static void trust(const char *proxies)
{
        const struct settings settings = {.trusted_proxies = proxies};
        rpc_trust_proxies(&settings);
}

static void is_from(const char *peer, const char *forwarded, const char *x_forwarded_for, const char *expected)
{
        const char *found = rpc_client_address(arena, peer, str_of(forwarded), str_of(x_forwarded_for));
        if (strcmp(found, expected) != 0) {
                fail_msg("Forwarded: %s, X-Forwarded-For: %s, from %s: gave %s, not %s", forwarded, x_forwarded_for,
                         peer, found, expected);
        }
}

#define PROXY "127.0.0.1"

static void without_trusted_proxies_the_headers_are_ignored(void **state)
{
        trust("");
        is_from(PROXY, "for=203.0.113.7", NULL, PROXY);
        is_from(PROXY, NULL, "203.0.113.7", PROXY);
        is_from("::ffff:192.0.2.1", NULL, "203.0.113.7", "192.0.2.1");
        is_from("2001:DB8::0:1", NULL, NULL, "2001:db8::1");
        is_from("", NULL, "203.0.113.7", "");
}

static void untrusted_peers_cannot_name_a_client(void **state)
{
        trust("127.0.0.1, 10.0.0.0/8");
        is_from("192.0.2.1", "for=203.0.113.7", NULL, "192.0.2.1");
        is_from("192.0.2.1", NULL, "203.0.113.7", "192.0.2.1");
        is_from("::1", NULL, "203.0.113.7", "::1");
        is_from("::ffff:127.0.0.1", NULL, "203.0.113.7", "203.0.113.7");
        is_from("10.255.0.1", NULL, "203.0.113.7", "203.0.113.7");
        is_from(PROXY, NULL, NULL, PROXY); /* the proxy's own request */
}

static void every_form_of_an_address_is_read(void **state)
{
        static const struct {
                const char *forwarded, *x_forwarded_for, *expected;
        } forms[] = {
            {"for=203.0.113.7", NULL, "203.0.113.7"},
            {"For=\"203.0.113.7:4711\"", NULL, "203.0.113.7"},
            {"for=203.0.113.7:4711", NULL, "203.0.113.7"},
            {"for=\"[2001:DB8::1]\"", NULL, "2001:db8::1"},
            {"FOR=\"[2001:db8::1]:4711\"", NULL, "2001:db8::1"},
            {"for=\"203.0.113.7:_port\"", NULL, "203.0.113.7"},
            {"proto=https;for=203.0.113.7;by=203.0.113.43;host=\"a.example\"", NULL, "203.0.113.7"},
            {"proto=\"a;b,for=192.0.2.1\" ; for=203.0.113.7", NULL, "203.0.113.7"},
            {"host=\"a\\\",for=192.0.2.1,\\\"\";for=203.0.113.7", NULL, "203.0.113.7"},
            {",, for=203.0.113.7 ,,;;,", NULL, "203.0.113.7"},
            {NULL, "203.0.113.7", "203.0.113.7"},
            {NULL, " \t203.0.113.7 ", "203.0.113.7"},
            {NULL, "203.0.113.7:4711", "203.0.113.7"},
            {NULL, "2001:DB8::1", "2001:db8::1"},
            {NULL, "[2001:db8::1]", "2001:db8::1"},
            {NULL, "[2001:db8::1]:4711", "2001:db8::1"},
            {NULL, "::ffff:203.0.113.7", "203.0.113.7"},
            {NULL, ", 203.0.113.7,", "203.0.113.7"},
        };
        trust(PROXY);
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                is_from(PROXY, forms[i].forwarded, forms[i].x_forwarded_for, forms[i].expected);
        }
}

static void the_rightmost_untrusted_address_is_the_client(void **state)
{
        trust("127.0.0.1, 10.0.0.0/8, 2001:db8:a::/48");
        is_from(PROXY, NULL, "192.0.2.1, 203.0.113.7", "203.0.113.7"); /* the left one may be forged */
        is_from(PROXY, NULL, "192.0.2.1, 203.0.113.7, 10.0.0.1, 10.0.0.2", "203.0.113.7");
        is_from(PROXY, NULL, "10.0.0.9, 203.0.113.7", "203.0.113.7");
        is_from(PROXY, NULL, "10.0.0.3, 10.0.0.1", "10.0.0.3"); /* a client inside */
        is_from(PROXY, "for=192.0.2.1, for=203.0.113.7;proto=http, for=\"[2001:db8:a::5]:80\"", NULL, "203.0.113.7");
        is_from(PROXY, "for=10.0.0.9,for=203.0.113.7", NULL, "203.0.113.7");
}

static void a_proxy_that_hides_its_client_is_counted_itself(void **state)
{
        static const char *const nobody[] = {"unknown", "_hidden", "_SEVKISEK", "1.2.3", "203.0.113.7.8", "localhost"};
        trust("127.0.0.1, 10.0.0.0/8");
        for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
                is_from(PROXY, NULL, nobody[i], PROXY);
                is_from(PROXY, NULL, arena_printf(arena, "192.0.2.1, %s", nobody[i]), PROXY);
                is_from(PROXY, NULL, arena_printf(arena, "192.0.2.1, %s, 10.0.0.1", nobody[i]), "10.0.0.1");
                is_from(PROXY, NULL, arena_printf(arena, "%s, 203.0.113.7", nobody[i]), "203.0.113.7");
                is_from(PROXY, arena_printf(arena, "for=%s", nobody[i]), NULL, PROXY);
                is_from(PROXY, arena_printf(arena, "for=192.0.2.1, for=\"%s\", for=10.0.0.1", nobody[i]), NULL,
                        "10.0.0.1");
        }
        is_from(PROXY, "for=192.0.2.1, proto=https", NULL, PROXY);
        is_from(PROXY, "for=\"203.0.113.\\7\"", NULL, PROXY); /* no address needs an escape */
}

static void malformed_headers_are_not_trusted(void **state)
{
        static const char *const broken[] = {"for=192.0.2.1 for=203.0.113.7",
                                             "for",
                                             "for=",
                                             "=203.0.113.7",
                                             "for=\"203.0.113.7",
                                             "for=203.0.113.7\"",
                                             "for=\"x, for=203.0.113.7",
                                             "for=\"x, for=\"[2001:db8::1]\"",
                                             "for = 203.0.113.7",
                                             "for=192.0.2.1;for=203.0.113.7",
                                             "for=2001:db8::1",
                                             "for=[2001:db8::1",
                                             "for=203.0.113.7:",
                                             "for=203.0.113.7:8 0",
                                             "for=[203.0.113.7]",
                                             "\x01",
                                             "for=203.0.113.7\x80",
                                             "\"",
                                             "\\",
                                             "for=\"\\",
                                             "for=\"\"",
                                             ",",
                                             ";",
                                             ";,;",
                                             "203.0.113.7"};
        trust(PROXY);
        for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
                is_from(PROXY, broken[i], NULL, PROXY);
        }
        is_from(PROXY, NULL, "203.0.113.7;192.0.2.1", PROXY);
        is_from(PROXY, NULL, ",,,", PROXY);
        is_from(PROXY, NULL, "[2001:db8::1", PROXY);
        is_from(PROXY, NULL, "\"203.0.113.7\"", PROXY);
}

/* Otherwise a client that knows which of the two a proxy passes through could forge any address. */
static void two_headers_that_disagree_are_not_trusted(void **state)
{
        trust(PROXY);
        is_from(PROXY, "for=203.0.113.7", "203.0.113.7", "203.0.113.7");
        is_from(PROXY, "for=\"[2001:db8::1]\"", "192.0.2.1, 2001:db8::1", "2001:db8::1");
        is_from(PROXY, "for=192.0.2.1", "203.0.113.7", PROXY);
        is_from(PROXY, "for=unknown", "203.0.113.7", PROXY);
        is_from(PROXY, "for=\"", "203.0.113.7", PROXY);
        is_from(PROXY, "for=203.0.113.7", "unknown", PROXY);
}

/* From the right, as described in the header file: slow and obvious. */
static const char *from_the_right(const char **entries, size_t n, const bool *trusted)
{
        const char *client = PROXY;
        for (size_t i = n; i-- > 0;) {
                if (strcmp(entries[i], "unknown") == 0) {
                        return client;
                }
                client = entries[i];
                if (!trusted[i]) {
                        return client;
                }
        }
        return client;
}

static void parsing_from_the_left_equals_parsing_from_the_right(void **state)
{
        static const char *const choices[] = {"unknown", "203.0.113.1", "203.0.113.2", "10.0.0.1", "10.0.0.2"};
        enum { LENGTH = 5, CHOICES = 5, ALL = 5 * 5 * 5 * 5 * 5 };
        trust("127.0.0.1, 10.0.0.0/8");
        for (int i = 0; i < ALL; i++) {
                const char *entries[LENGTH];
                bool trusted[LENGTH];
                struct arena_mark mark = arena_mark(arena);
                char *x = arena_strdup(arena, ""), *f = x;
                for (int at = 0, rest = i; at < LENGTH; at++, rest /= CHOICES) {
                        entries[at] = choices[rest % CHOICES];
                        trusted[at] = rest % CHOICES >= 3;
                        x = arena_printf(arena, "%s%s%s", x, at > 0 ? ", " : "", entries[at]);
                        f = arena_printf(arena, "%s%sfor=%s", f, at > 0 ? "," : "", entries[at]);
                }
                is_from(PROXY, f, NULL, from_the_right(entries, LENGTH, trusted));
                is_from(PROXY, NULL, x, from_the_right(entries, LENGTH, trusted));
                arena_reset(arena, mark);
        }
}

static int with_arena(void **state)
{
        arena = arena_new(1 << 20);
        return arena == NULL;
}

static int without_arena(void **state)
{
        arena_free(arena);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(without_trusted_proxies_the_headers_are_ignored),
            cmocka_unit_test(untrusted_peers_cannot_name_a_client),
            cmocka_unit_test(every_form_of_an_address_is_read),
            cmocka_unit_test(the_rightmost_untrusted_address_is_the_client),
            cmocka_unit_test(a_proxy_that_hides_its_client_is_counted_itself),
            cmocka_unit_test(malformed_headers_are_not_trusted),
            cmocka_unit_test(two_headers_that_disagree_are_not_trusted),
            cmocka_unit_test(parsing_from_the_left_equals_parsing_from_the_right),
        };
        return cmocka_run_group_tests(tests, with_arena, without_arena);
}
