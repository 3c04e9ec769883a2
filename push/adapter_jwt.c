/* Owns JWTs for providers: RS256 (RFC 7518, 3.3) and ES256 (3.4). */
#include "push/adapter_parts.h"

#include <stdlib.h>
#include <string.h>
#include "auth/base64url.h"

enum { SIGNATURE_MAX_BYTES = 1024, JWT_MAX_BYTES = 8192 };

static void digest_free_p(EVP_MD_CTX **digest)
{
        EVP_MD_CTX_free(*digest);
}

static bool sign_rs256(EVP_PKEY *key, const struct buf *text, uint8_t *signature, size_t *len)
{
        CLEANUP(digest_free_p) EVP_MD_CTX *digest = EVP_MD_CTX_new();

        return digest != NULL && EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSign(digest, signature, len, (const uint8_t *)text->data, text->len) == 1;
}

static bool sign(EVP_PKEY *key, const struct buf *text, uint8_t signature[SIGNATURE_MAX_BYTES], size_t *len)
{
        if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA) {
                *len = SIGNATURE_MAX_BYTES;
                return EVP_PKEY_size(key) <= SIGNATURE_MAX_BYTES && sign_rs256(key, text, signature, len);
        }
        *len = ES256_SIGNATURE_BYTES;
        return es256_sign(key, text->data, text->len, signature);
}

static void append_base64(struct buf *out, const void *bytes, size_t len)
{
        char *text = calloc(1, (len + 2) / 3 * 4 + 1);

        if (text != NULL) {
                buf_append_c(out, base64url_encode(bytes, len, text));
        }
        free(text);
}

static void append_object(struct buf *out, json_t *object)
{
        char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

        if (text != NULL) {
                append_base64(out, text, strlen(text));
        }
        free(text);
        json_decref(object);
}

char *adapter_jwt(EVP_PKEY *key, const char *key_id, json_t *claims)
{
        CLEANUP(buf_free) struct buf out;
        uint8_t signature[SIGNATURE_MAX_BYTES];
        size_t len;

        buf_init(&out, JWT_MAX_BYTES);
        append_object(&out, json_pack("{s:s, s:s, s:s*}", "typ", "JWT", "alg",
                                      EVP_PKEY_base_id(key) == EVP_PKEY_RSA ? "RS256" : "ES256", "kid", key_id));
        buf_append_char(&out, '.');
        append_object(&out, claims);
        if (!sign(key, &out, signature, &len)) {
                return NULL;
        }
        buf_append_char(&out, '.');
        append_base64(&out, signature, len);
        return strndup(out.data, out.len);
}
