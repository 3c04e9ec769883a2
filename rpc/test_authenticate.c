/* The caller of a request, and the cost of invalid credentials. Time stands still unless a test moves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "auth/base64url.h"
#include "auth/keys.h"
#include "auth/service_token.h"
#include "auth/token.h"
#include "base/clock.h"
#include "rpc/client_address.h"
#include "rpc/rate_limit.h"
#include "rpc/rpc.h"

enum { FAILURES = 5 };

static struct rpc_call *c;
static int64_t now_us;
static const struct rpc_method reading = {.access = RPC_PUBLIC, .rate = RPC_RATE_READ};

static int64_t fixed_monotonic_us(void)
{
        return now_us;
}

static void limit_rates(void)
{
        const struct settings settings = {
            .rate_limits = true, .rate_read = 1, .rate_write = 1, .rate_auth = 1, .rate_failures = FAILURES};
        assert_int_equal(rpc_limit_rates(&settings), SN_OK);
}

static char *new_token(void)
{
        const struct token_claims claims = {.subject = "0192d5d0-7c1e-7abc-8def-0123456789ab",
                                            .session = "0192d5d0-7c1e-7abc-8def-ba9876543210",
                                            .scope = "read"};
        char *token;
        assert_int_equal(token_sign(c, &claims, &token), SN_OK);
        return token;
}

/* A genuine token with one character replaced, this long before its end. */
static char *altered_token(const char *genuine, size_t before)
{
        char *token = arena_strdup(c->arena, genuine);
        char *at = token + strlen(token) - before;
        *at = *at == 'A' ? 'B' : 'A';
        return token;
}

/* As forged without ever having had one: well-formed claims, and no mark. */
static char *forged_token(void)
{
        static const char claims[] =
            "{\"iss\":\"sonet\",\"aud\":\"sonet\",\"sub\":\"0192d5d0-7c1e-7abc-8def-0123456789ab\","
            "\"sid\":\"0192d5d0-7c1e-7abc-8def-ba9876543210\",\"scope\":\"read\",\"epoch\":0,"
            "\"iat\":1,\"nbf\":1,\"exp\":99999999999,\"jti\":\"%032x\"}";
        static unsigned n;
        char *token = new_token(), *payload = arena_printf(c->arena, claims, n++);
        return arena_printf(
            c->arena, "%.*s.%s%s", (int)(strchr(token, '.') - token), token,
            base64url_encode(payload, strlen(payload), arena_alloc(c->arena, BASE64URL_CHARS(strlen(payload)) + 1)),
            strrchr(token, '.'));
}

static sn_status show(const char *token, const char *peer)
{
        return rpc_authenticate(
            c, &(struct rpc_sender){.peer = peer,
                                    .certificate = "",
                                    .audience = "user",
                                    .authorization = str_of(arena_printf(c->arena, "Bearer %s", token))});
}

static void rejected_tokens_count_only_against_their_address(void **state)
{
        for (int i = 0; i < FAILURES; i++) {
                assert_int_equal(show(forged_token(), "192.0.2.1"), SN_UNAUTHENTICATED);
                assert_string_equal(c->problem.code, "token_signature");
        }
        assert_int_equal(show(forged_token(), "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "too_many_failures");
        assert_int_equal(c->problem.retry_after_s, 12);
        assert_string_equal(c->actor, "");
        assert_int_equal(show(forged_token(), "192.0.2.2"), SN_UNAUTHENTICATED);
        now_us += 12 * 1000000;
        assert_int_equal(show(forged_token(), "192.0.2.1"), SN_UNAUTHENTICATED);
        assert_int_equal(show(forged_token(), "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
}

/* CPU time, so that other load does not matter. */
static int64_t cpu_us(void)
{
        struct timespec t;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t time_of_refusals(sn_status expected)
{
        enum { MANY = 500 };
        char *forged[MANY];
        for (int i = 0; i < MANY; i++) {
                forged[i] = forged_token();
        }
        int64_t before_us = cpu_us();
        for (int i = 0; i < MANY; i++) {
                struct arena_mark mark = arena_mark(c->arena);
                assert_int_equal(show(forged[i], "192.0.2.1"), expected);
                arena_reset(c->arena, mark);
        }
        return cpu_us() - before_us;
}

/* Verifying the signature is nearly the whole cost of a forged token. */
static void beyond_the_limit_no_signature_is_verified(void **state)
{
        rpc_limit_rates_end();
        int64_t checked_us = time_of_refusals(SN_UNAUTHENTICATED);
        limit_rates();
        for (int i = 0; i < FAILURES; i++) {
                (void)!show("x", "192.0.2.1");
        }
        assert_true(time_of_refusals(SN_RESOURCE_EXHAUSTED) < checked_us / 4);
}

static void spend_the_failures(const char *peer)
{
        for (int i = 0; i < FAILURES + 1; i++) {
                (void)!show("x", peer);
        }
        assert_int_equal(show(forged_token(), peer), SN_RESOURCE_EXHAUSTED);
}

/* Whichever process issued it: they share only the key file. */
static void a_genuine_token_is_accepted_from_an_address_over_its_limit(void **state)
{
        char *given_elsewhere = new_token();
        assert_int_equal(show(given_elsewhere, "192.0.2.2"), SN_OK);
        spend_the_failures("192.0.2.1");
        assert_int_equal(show(given_elsewhere, "192.0.2.1"), SN_OK);
        assert_string_equal(c->scope, "read");
}

/* A token holder may alter its signature: that is verified as often as for one address. */
static void a_token_with_an_altered_signature_has_its_own_limit(void **state)
{
        char *genuine = new_token(), *another = new_token();
        spend_the_failures("192.0.2.1");
        for (int i = 0; i < FAILURES; i++) {
                assert_int_equal(show(altered_token(genuine, (size_t)(10 + i)), "192.0.2.1"), SN_UNAUTHENTICATED);
                assert_string_equal(c->problem.code, "token_signature");
        }
        assert_int_equal(show(altered_token(genuine, 30), "192.0.2.1"), SN_RESOURCE_EXHAUSTED);
        assert_int_equal(show(another, "192.0.2.1"), SN_OK);
        assert_int_equal(show(genuine, "192.0.2.2"), SN_OK);
}

static void every_kind_of_failure_costs_the_same(void **state)
{
        static const struct rpc_sender senders[FAILURES] = {
            {.authorization = STR("Basic eDp5")},
            {.authorization = STR("Bearer ")},
            {.authorization = STR("")},
            {.authorization = STR("Bearer x")},
            {.service_token = STR("user.user.1.forged")},
        };
        for (size_t i = 0; i < FAILURES; i++) {
                struct rpc_sender sender = senders[i];
                sender.peer = "2001:db8::1";
                sender.certificate = "";
                sender.audience = "user";
                assert_int_equal(rpc_authenticate(c, &sender), SN_UNAUTHENTICATED);
        }
        assert_int_equal(show("x", "2001:db8::2"), SN_RESOURCE_EXHAUSTED); /* one customer's network */
        assert_int_equal(show("x", "2001:db8:0:1::2"), SN_UNAUTHENTICATED);
}

static void calls_by_our_own_services_are_never_counted(void **state)
{
        struct rpc_sender sender = {.peer = "127.0.0.1",
                                    .certificate = "",
                                    .audience = "user",
                                    .client_address = STR("203.0.113.7"),
                                    .client_agent = STR("Browser\xff")};
        for (int i = 0; i < FAILURES + 1; i++) {
                (void)!show("x", "127.0.0.1");
        }
        assert_int_equal(show("x", "127.0.0.1"), SN_RESOURCE_EXHAUSTED);
        sender.service_token = str_of(service_token_for(c->arena, "gateway", "user"));
        sender.authorization = STR("Bearer x");
        assert_int_equal(rpc_authenticate(c, &sender), SN_UNAUTHENTICATED); /* it was verified */
        sender.authorization = (struct str){0};
        assert_int_equal(rpc_authenticate(c, &sender), SN_OK);
        assert_string_equal(c->caller, "gateway");
        assert_string_equal(c->client_address, "203.0.113.7");
        assert_string_equal(c->user_agent, "Browser\ufffd");
}

static void the_client_address_is_that_of_the_connection_or_from_a_trusted_proxy(void **state)
{
        static const struct settings settings = {.trusted_proxies = "127.0.0.1"};
        struct rpc_sender sender = {.peer = "127.0.0.1",
                                    .certificate = "",
                                    .audience = "user",
                                    .client_address = STR("192.0.2.1"),
                                    .client_agent = STR("another's"),
                                    .x_forwarded_for = STR("192.0.2.2, 203.0.113.7"),
                                    .user_agent = STR("Zo\xeb")};
        assert_int_equal(rpc_authenticate(c, &sender), SN_OK);
        assert_string_equal(c->client_address, "127.0.0.1");
        assert_string_equal(c->user_agent, "Zo\ufffd");
        rpc_trust_proxies(&settings);
        assert_int_equal(rpc_authenticate(c, &sender), SN_OK);
        assert_string_equal(c->client_address, "203.0.113.7");
        rpc_trust_proxies(&(struct settings){.trusted_proxies = ""});
}

static int start(void **state)
{
        static const struct clock_source source = {.monotonic_us = fixed_monotonic_us};
        static const uint8_t master[32] = "the key file of these tests";
        now_us = 1000000;
        clock_set_source(&source);
        keys_set_master(master);
        c = rpc_call_new_background(NULL, 60000);
        c->method = &reading;
        limit_rates();
        return token_signer_setup() != SN_OK;
}

static int end(void **state)
{
        rpc_limit_rates_end();
        rpc_call_free(c);
        clock_set_source(NULL);
        return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
        const struct CMUnitTest tests[] = {
            TEST(rejected_tokens_count_only_against_their_address),
            TEST(beyond_the_limit_no_signature_is_verified),
            TEST(a_genuine_token_is_accepted_from_an_address_over_its_limit),
            TEST(a_token_with_an_altered_signature_has_its_own_limit),
            TEST(every_kind_of_failure_costs_the_same),
            TEST(calls_by_our_own_services_are_never_counted),
            TEST(the_client_address_is_that_of_the_connection_or_from_a_trusted_proxy),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
