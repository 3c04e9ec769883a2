/* Access tokens and service tokens: for all inputs, only signed ones are accepted. The first byte selects what the rest
 * is: a token, edits to a genuine one, a header and payload with the signature of another token, or the contents of a
 * correctly signed token. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "auth/service_token.h"
#include "auth/token.h"
#include "auth/token_parse.h"
#include "base/clock.h"

enum { NOW_S = 1790000000, VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

static char genuine[TOKEN_MAX_BYTES];

static void check(bool holds)
{
        if (!holds) {
                abort();
        }
}

static int64_t fixed_wall_us(void)
{
        return NOW_S * 1000000LL;
}

static void setup(void)
{
        static const struct clock_source source = {.wall_us = fixed_wall_us};
        static const uint8_t master[32] = "the key file of the fuzz targets";
        static const struct token_claims claims = {.subject = "0192d5d0-7c1e-7abc-8def-0123456789ab",
                                                   .session = "0192d5d0-7c1e-7abc-8def-ba9876543210",
                                                   .scope = "read write",
                                                   .epoch = 1};
        char *token;
        clock_set_source(&source);
        keys_set_master(master);
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        check(token_signer_setup() == SN_OK && token_sign(c, &claims, &token) == SN_OK &&
              strlen(token) < sizeof(genuine));
        memcpy(genuine, token, strlen(token) + 1);
        rpc_call_free(c);
}

static void is_refused(struct rpc_call *c, struct str token)
{
        struct token_claims claims;
        check(token_verify(c, token, &claims) == SN_UNAUTHENTICATED);
        check(claims.subject[0] == '\0' && c->problem.code != NULL && c->problem.detail != NULL);
}

static void token_of_its_own(struct rpc_call *c, const uint8_t *data, size_t len)
{
        is_refused(c, (struct str){(const char *)data, len});
}

static void edited_token(struct rpc_call *c, const uint8_t *data, size_t len)
{
        struct token_claims claims;
        char *text = arena_strdup(c->arena, genuine);
        struct str token = {text, strlen(genuine)};
        for (size_t i = 0; i + 2 < len; i += 3) {
                text[((size_t)data[i] << 8 | data[i + 1]) % token.len] = (char)data[i + 2];
        }
        if (memcmp(text, genuine, token.len) == 0) {
                check(token_verify(c, token, &claims) == SN_OK);
        } else {
                is_refused(c, token);
        }
}

static char *encode(struct arena *arena, const void *bytes, size_t len)
{
        size_t size = sodium_base64_encoded_len(len, VARIANT);
        return sodium_bin2base64(arena_alloc(arena, size), size, bytes, len, VARIANT);
}

/* Header and payload, separated by a NUL. */
static void borrowed_signature(struct rpc_call *c, const uint8_t *data, size_t len)
{
        size_t header = strnlen((const char *)data, len), payload = header < len ? header + 1 : header;
        is_refused(c, str_of(arena_printf(c->arena, "%s.%s%s", encode(c->arena, data, header),
                                          encode(c->arena, data + payload, len - payload), strrchr(genuine, '.'))));
}

static void inside_header(struct rpc_call *c, const uint8_t *data, size_t len)
{
        char kid[TOKEN_KID_SIZE];
        if (token_parse_header((const char *)data, len, kid) == TOKEN_GOOD) {
                check(strnlen(kid, sizeof(kid)) == TOKEN_KID_SIZE - 1);
        }
}

static void inside_payload(struct rpc_call *c, const uint8_t *data, size_t len)
{
        struct token_claims claims;
        if (token_parse_payload((const char *)data, len, NOW_S, &claims) == TOKEN_GOOD) {
                check(uuid_valid(claims.subject) && uuid_valid(claims.session) && claims.expires_s > NOW_S);
                check(strnlen(claims.scope, sizeof(claims.scope)) < sizeof(claims.scope));
                check(token_write_payload(c->arena, &claims, NOW_S) != NULL);
        }
}

static void service_token(struct rpc_call *c, const uint8_t *data, size_t len)
{
        const char *caller;
        check(service_token_verify(c, (struct str){(const char *)data, len}, "note", &caller) == SN_UNAUTHENTICATED);
        check(caller[0] == '\0');
}

static void edited_service_token(struct rpc_call *c, const uint8_t *data, size_t len)
{
        const char *caller, *right = service_token_for(c->arena, "gateway", "note");
        char *text = arena_strdup(c->arena, right);
        struct str token = {text, strlen(right)};
        for (size_t i = 0; i + 1 < len; i += 2) {
                text[data[i] % token.len] = (char)data[i + 1];
        }
        sn_status status = service_token_verify(c, token, "note", &caller);
        check((status == SN_OK) == (memcmp(text, right, token.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
        static void (*const kinds[])(struct rpc_call *, const uint8_t *, size_t) = {
            token_of_its_own, edited_token,  borrowed_signature,   inside_header,
            inside_payload,   service_token, edited_service_token,
        };
        if (genuine[0] == '\0') {
                setup();
        }
        if (len == 0) {
                return 0;
        }
        struct rpc_call *c = rpc_call_new_background(NULL, 60000);
        kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](c, data + 1, len - 1);
        rpc_call_free(c);
        return 0;
}
