/* Signs and verifies access tokens. The claims are parsed strictly and first: a signature is verified only for
 * tokens that claim ES256 and a trusted key, and only with that key. */
#include "auth/token.h"

#include <openssl/sha.h>
#include <string.h>

#include "auth/base64url.h"
#include "auth/es256.h"
#include "auth/token_cache.h"
#include "auth/token_keys.h"
#include "auth/token_mark.h"
#include "auth/token_parse.h"
#include "base/clock.h"

static char *encode_part(struct arena *arena, const void *bytes, size_t len)
{
        return base64url_encode(bytes, len, arena_alloc(arena, BASE64URL_CHARS(len) + 1));
}

/* Our own signature needs no verification, and the owner of a new token should not have to wait for it. */
static void remember_token(const char *token, const struct token_claims *claims, int64_t now_s)
{
        uint8_t hash[TOKEN_HASH_BYTES];
        struct token_claims signed_claims = *claims;
        if (signed_claims.expires_s == 0) {
                signed_claims.expires_s = now_s + TOKEN_LIFE_S;
        }
        SHA256((const uint8_t *)token, strlen(token), hash);
        token_cache_put(hash, &signed_claims, now_s);
}

sn_status token_sign(struct rpc_call *c, const struct token_claims *claims, char **token)
{
        const struct token_key *key = token_key_signer();
        int64_t now_s = clock_wall_ms() / 1000;
        const char *payload = token_write_payload(c->arena, claims, now_s);
        uint8_t signature[ES256_SIGNATURE_BYTES];
        if (key == NULL || payload == NULL) {
                return rpc_fail(c, SN_INTERNAL, NULL, "could not create a token for this session");
        }
        const char *header = arena_printf(c->arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", key->kid);
        const char *text = arena_printf(c->arena, "%s.%s", encode_part(c->arena, header, strlen(header)),
                                        encode_part(c->arena, payload, strlen(payload)));
        if (!es256_sign(key->key, text, strlen(text), signature)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "could not create a token for this session");
        }
        *token = arena_printf(c->arena, "%s.%s", text, encode_part(c->arena, signature, sizeof(signature)));
        remember_token(*token, claims, now_s);
        return SN_OK;
}

/* The three parts of a token. */
struct parts {
        struct str header, payload, signature;
};

static bool split_token(struct str token, struct parts *out)
{
        out->signature = token;
        return str_next(&out->signature, '.', &out->header) && str_next(&out->signature, '.', &out->payload);
}

static enum token_fault check_header(struct str part, const struct token_key **key)
{
        char json[TOKEN_MAX_BYTES], kid[TOKEN_KID_SIZE];
        size_t len = 0;
        if (!base64url_decode(part, json, sizeof(json), &len)) {
                return TOKEN_MALFORMED;
        }
        enum token_fault fault = token_parse_header(json, len, kid);
        if (fault != TOKEN_GOOD) {
                return fault;
        }
        *key = token_key_find(kid);
        return *key != NULL ? TOKEN_GOOD : TOKEN_KEY;
}

static enum token_fault check_payload(struct str part, int64_t now_s, struct token_claims *claims)
{
        char json[TOKEN_MAX_BYTES];
        size_t len = 0;
        return base64url_decode(part, json, sizeof(json), &len) ? token_parse_payload(json, len, now_s, claims)
                                                                : TOKEN_MALFORMED;
}

static bool read_signature(struct str part, uint8_t out[ES256_SIGNATURE_BYTES])
{
        size_t len = 0;
        return base64url_decode(part, out, ES256_SIGNATURE_BYTES, &len) && len == ES256_SIGNATURE_BYTES;
}

static enum token_fault verify_fully(struct str token, int64_t now_s, struct token_claims *claims)
{
        struct parts parts;
        const struct token_key *key;
        uint8_t signature[ES256_SIGNATURE_BYTES];
        if (!split_token(token, &parts)) {
                return TOKEN_MALFORMED;
        }
        enum token_fault fault = check_header(parts.header, &key);
        if (fault != TOKEN_GOOD) {
                return fault;
        }
        fault = check_payload(parts.payload, now_s, claims);
        if (fault == TOKEN_EXPIRED) {
                return fault; /* the usual reason, and not worth verifying a signature: it reveals nothing */
        }
        if (fault == TOKEN_MALFORMED || !read_signature(parts.signature, signature)) {
                return TOKEN_MALFORMED;
        }
        size_t signed_len = (size_t)(parts.signature.ptr - token.ptr) - 1; /* up to the second dot */
        return es256_verify(key->key, token.ptr, signed_len, signature) ? fault : TOKEN_SIGNATURE;
}

static sn_status fail_token(struct rpc_call *c, enum token_fault fault)
{
        static const struct {
                const char *code, *detail;
        } faults[] = {
            [TOKEN_MALFORMED] = {"token_malformed", "this is not an access token of SoNet; log in to get one"},
            [TOKEN_ALGORITHM] = {"token_algorithm",
                                 "access tokens must be signed with ES256 and have the type at+jwt; log in to get one"},
            [TOKEN_KEY] = {"token_key", "this token was signed with a key that is not trusted here; log in again"},
            [TOKEN_SIGNATURE] = {"token_signature", "the token's signature is invalid; log in again"},
            [TOKEN_CLAIMS] = {"token_claims", "this token was not issued for this network; log in again"},
            [TOKEN_NOT_YET_VALID] = {"token_not_yet_valid",
                                     "this token is not valid yet; check the clocks of both machines"},
            [TOKEN_EXPIRED] = {"token_expired", "this token has expired; refresh it and try again"},
            [TOKEN_REVOKED] = {"token_revoked", "this session has ended; log in again"},
            [TOKEN_OUTDATED] = {"token_outdated", "your account has changed since this token was issued; refresh it"},
        };
        return rpc_fail_code(c, SN_UNAUTHENTICATED, faults[fault].code, NULL, "%s", faults[fault].detail);
}

sn_status token_verify(struct rpc_call *c, struct str token, struct token_claims *claims)
{
        return token_verify_at(c, token, INT64_MAX, claims);
}

sn_status token_verify_at(struct rpc_call *c, struct str token, int64_t at_s, struct token_claims *claims)
{
        uint8_t hash[TOKEN_HASH_BYTES];
        int64_t now_s = clock_wall_ms() / 1000;
        struct token_claims found;
        at_s = at_s < now_s ? at_s : now_s;
        *claims = (struct token_claims){0};
        if (token.len == 0) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_malformed", NULL,
                                     "the access token is empty; log in to get one");
        }
        if (token.len > TOKEN_MAX_BYTES) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_malformed", NULL,
                                     "the access token is too long; log in to get one");
        }
        SHA256((const uint8_t *)token.ptr, token.len, hash);
        if (!token_cache_get(hash, &found)) {
                enum token_fault fault = verify_fully(token, at_s, &found);
                if (fault != TOKEN_GOOD) {
                        return fail_token(c, fault);
                }
                if (found.expires_s > now_s) {
                        token_cache_put(hash, &found, now_s);
                }
        }
        if (found.expires_s <= at_s) {
                return fail_token(c, TOKEN_EXPIRED);
        }
        if (token_session_revoked(found.session)) {
                return fail_token(c, TOKEN_REVOKED);
        }
        if (token_epoch_ended(found.subject, found.epoch)) {
                return fail_token(c, TOKEN_OUTDATED);
        }
        *claims = found;
        return SN_OK;
}

bool token_marked(struct str token, char mark[TOKEN_MARK_SIZE])
{
        struct parts parts;
        char json[TOKEN_MAX_BYTES];
        size_t len = 0;
        return split_token(token, &parts) && base64url_decode(parts.payload, json, sizeof(json), &len) &&
               token_read_mark((struct str){json, len}, mark);
}
