/* Header and payload of access tokens as JSON (RFC 7515, 7519; duplicate members are refused, as RFC 7515 4 allows). */
#include "auth/token_parse.h"

#include <jansson.h>
#include <string.h>

#include "auth/token_mark.h"

enum { NBF_LEEWAY_S = 60, HEADER_MEMBERS = 3 };

static void json_decref_p(json_t **json)
{
        json_decref(*json);
}

static bool text_is(const json_t *object, const char *name, const char *expected)
{
        const char *text = json_string_value(json_object_get(object, name));
        return text != NULL && strcmp(text, expected) == 0;
}

enum token_fault token_parse_header(const char *json, size_t len, char kid[TOKEN_KID_SIZE])
{
        CLEANUP(json_decref_p) json_t *header = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(header)) {
                return TOKEN_MALFORMED;
        }
        if (!text_is(header, "alg", "ES256") || !text_is(header, "typ", "at+jwt")) {
                return TOKEN_ALGORITHM;
        }
        if (json_object_size(header) != HEADER_MEMBERS) {
                return TOKEN_MALFORMED; /* jku, x5u, jwk, crit …: the author wants us to trust something else */
        }
        const char *name = json_string_value(json_object_get(header, "kid"));
        if (name == NULL || strlen(name) != TOKEN_KID_SIZE - 1) {
                return TOKEN_KEY;
        }
        memcpy(kid, name, TOKEN_KID_SIZE);
        return TOKEN_GOOD;
}

/* A UUID as SoNet writes it, lowercase: ids are compared as text. */
static bool is_own_uuid(const char *text)
{
        uint8_t bytes[16];
        char canonical[UUID_SIZE];
        return text != NULL && uuid_to_bytes(text, bytes) && strcmp(uuid_from_bytes(bytes, canonical), text) == 0;
}

static bool is_scope(const char *text)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789:._- ";
        return text != NULL && strlen(text) < sizeof(((struct token_claims *)0)->scope) &&
               text[strspn(text, allowed)] == '\0';
}

static bool get_uuid(const json_t *payload, const char *name, char out[UUID_SIZE])
{
        const char *text = json_string_value(json_object_get(payload, name));
        if (!is_own_uuid(text)) {
                return false;
        }
        memcpy(out, text, UUID_SIZE);
        return true;
}

static bool get_scope(const json_t *payload, struct token_claims *claims)
{
        const char *text = json_string_value(json_object_get(payload, "scope"));
        if (!is_scope(text)) {
                return false;
        }
        memcpy(claims->scope, text, strlen(text) + 1);
        return true;
}

static bool get_integer(const json_t *payload, const char *name, int64_t *out)
{
        const json_t *value = json_object_get(payload, name);
        *out = json_integer_value(value);
        return json_is_integer(value);
}

enum token_fault token_parse_payload(const char *json, size_t len, int64_t now_s, struct token_claims *claims)
{
        int64_t issued_s, not_before_s;
        struct token_claims read = {0};
        CLEANUP(json_decref_p) json_t *payload = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(payload)) {
                return TOKEN_MALFORMED;
        }
        if (!text_is(payload, "iss", "sonet") || !text_is(payload, "aud", "sonet") ||
            !get_uuid(payload, "sub", read.subject) || !get_uuid(payload, "sid", read.session) ||
            !get_scope(payload, &read) || !get_integer(payload, "epoch", &read.epoch) ||
            !get_integer(payload, "iat", &issued_s) || !get_integer(payload, "nbf", &not_before_s) ||
            !get_integer(payload, "exp", &read.expires_s)) {
                return TOKEN_CLAIMS;
        }
        (void)get_integer(payload, "auth_time", &read.auth_time_s); /* absent in tokens of the previous release */
        if (read.expires_s <= now_s) {
                return TOKEN_EXPIRED;
        }
        if (not_before_s > now_s + NBF_LEEWAY_S) {
                return TOKEN_NOT_YET_VALID;
        }
        *claims = read;
        return TOKEN_GOOD;
}

char *token_write_payload(struct arena *arena, const struct token_claims *claims, int64_t now_s)
{
        if (!is_own_uuid(claims->subject) || !is_own_uuid(claims->session) || !is_scope(claims->scope)) {
                return NULL;
        }
        int64_t expires_s = claims->expires_s != 0 ? claims->expires_s : now_s + TOKEN_LIFE_S;
        const char *payload = arena_printf(
            arena,
            "{\"iss\":\"sonet\",\"aud\":\"sonet\",\"sub\":\"%s\",\"sid\":\"%s\",\"scope\":\"%s\",\"epoch\":%lld,"
            "\"auth_time\":%lld,\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld}",
            claims->subject, claims->session, claims->scope, (long long)claims->epoch, (long long)claims->auth_time_s,
            (long long)now_s, (long long)now_s, (long long)expires_s);
        return token_add_mark(arena, payload);
}
