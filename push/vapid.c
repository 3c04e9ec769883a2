/* Owns RFC 8292: the token that identifies the sender. One is made per push service and used for hours, since
 * signing costs as much as everything else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "auth/base64url.h"
#include "push/parts.h"

enum {
        LIFE_S = 12 * 3600, /* at most a day is allowed (RFC 8292, 2) */
        RENEW_S = 3600,     /* remaining lifetime at which a token is renewed */
        N_TOKENS = 16,      /* there are about four push services in the world */
        CLAIMS_SIZE = 640,
        TOKEN_SIZE = 1100,
};

struct token {
        char origin[PUSH_ORIGIN_SIZE];
        char text[TOKEN_SIZE];
        int64_t expires_s;
};

struct push_vapid {
        const char *contact;
        EVP_PKEY *key;
        char key_text[PUSH_KEY_SIZE];
        struct token tokens[N_TOKENS];
};

static EVP_PKEY *own_key(void)
{
        struct es256_point point;
        EVP_PKEY *key = es256_derive("web-push", &point) ? es256_key(point.x, point.y, point.d) : NULL;

        sodium_memzero(&point, sizeof(point));
        return key;
}

const char *push_public_key(char out[PUSH_KEY_SIZE])
{
        EVP_PKEY *key = own_key();
        uint8_t point[PUSH_POINT_BYTES];

        if (key == NULL || !push_point(key, point)) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        EVP_PKEY_free(key);
        return base64url_encode(point, sizeof(point), out);
}

struct push_vapid *push_vapid_new(const char *contact)
{
        struct push_vapid *vapid = calloc(1, sizeof(*vapid));
        EVP_PKEY *key = own_key();

        if (vapid == NULL || key == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        vapid->contact = contact;
        vapid->key = key;
        push_public_key(vapid->key_text);
        return vapid;
}

void push_vapid_free(struct push_vapid *vapid)
{
        if (vapid != NULL) {
                EVP_PKEY_free(vapid->key);
                free(vapid);
        }
}

/* A JWT (RFC 7519) of the origin; neither it nor the contact has a character that JSON would have to escape. */
static bool sign(struct push_vapid *vapid, struct token *token)
{
        static const char head[] = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."; /* {"typ":"JWT","alg":"ES256"} */
        char claims[CLAIMS_SIZE], *end = token->text + sizeof(head) - 1;
        uint8_t signature[ES256_SIGNATURE_BYTES];
        int len = snprintf(claims, sizeof(claims), "{\"aud\":\"%s\",\"exp\":%lld,\"sub\":\"%s\"}", token->origin,
                           (long long)token->expires_s, vapid->contact);

        if (len < 0 || len >= CLAIMS_SIZE) {
                return false;
        }
        memcpy(token->text, head, sizeof(head));
        end += strlen(base64url_encode(claims, (size_t)len, end));
        if (!es256_sign(vapid->key, token->text, (size_t)(end - token->text), signature)) {
                return false;
        }
        *end++ = '.';
        base64url_encode(signature, sizeof(signature), end);
        return true;
}

/* The token of an origin, or else the one that expires first, to be replaced. */
static struct token *slot_of(struct push_vapid *vapid, const char *origin)
{
        struct token *oldest = &vapid->tokens[0];

        for (size_t i = 0; i < N_TOKENS; i++) {
                struct token *token = &vapid->tokens[i];

                if (strcmp(token->origin, origin) == 0) {
                        return token;
                }
                oldest = token->expires_s < oldest->expires_s ? token : oldest;
        }
        return oldest;
}

bool push_vapid_header(struct push_vapid *vapid, const char *origin, int64_t now_s, char *out, size_t size)
{
        struct token *token = slot_of(vapid, origin);
        int len;

        if (strcmp(token->origin, origin) != 0 || token->expires_s - now_s < RENEW_S) {
                struct token fresh = {.expires_s = now_s + LIFE_S};

                len = snprintf(fresh.origin, sizeof(fresh.origin), "%s", origin);
                if ((size_t)len >= sizeof(fresh.origin) || !sign(vapid, &fresh)) {
                        return false;
                }
                *token = fresh;
        }
        len = snprintf(out, size, "Authorization: vapid t=%s, k=%s", token->text, vapid->key_text);
        return len > 0 && (size_t)len < size;
}
