/* Owns RFC 8291: encrypting a message for one browser, in the coding aes128gcm (RFC 8188) with one record. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <sodium.h>
#include <string.h>
#include "push/parts.h"

enum {
        HASH_BYTES = crypto_auth_hmacsha256_BYTES,
        KEY_BYTES = 16,
        NONCE_BYTES = 12,
        TAG_BYTES = 16,
        HEAD_BYTES = PUSH_SALT_BYTES + 4 + 1 + PUSH_POINT_BYTES,
        RECORD_BYTES = 4096,
        PADDED_TO = 256,
        INFO_BYTES = 14 + 2 * PUSH_POINT_BYTES, /* including the NUL of "WebPush: info" */
        LAST_RECORD = 2,                        /* the delimiter of the last record */
};

struct secrets {
        uint8_t key[KEY_BYTES], nonce[NONCE_BYTES];
};

static void key_free_p(EVP_PKEY **key)
{
        EVP_PKEY_free(*key);
}

static void derivation_free_p(EVP_PKEY_CTX **context)
{
        EVP_PKEY_CTX_free(*context);
}

static void cipher_free_p(EVP_CIPHER_CTX **context)
{
        EVP_CIPHER_CTX_free(*context);
}

bool push_point(const EVP_PKEY *key, uint8_t out[PUSH_POINT_BYTES])
{
        size_t len = 0;

        return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, PUSH_POINT_BYTES, &len) == 1 &&
               len == PUSH_POINT_BYTES;
}

EVP_PKEY *push_key(const uint8_t point[PUSH_POINT_BYTES])
{
        return point[0] == 4 ? es256_key(point + 1, point + 1 + ES256_NUMBER_BYTES, NULL) : NULL; /* 4: uncompressed */
}

/* The two steps of HKDF (RFC 5869); outputs are never longer than one hash. */
static void extract(const uint8_t *salt, size_t salt_len, const uint8_t *secret, size_t len, uint8_t out[HASH_BYTES])
{
        crypto_auth_hmacsha256_state state;

        crypto_auth_hmacsha256_init(&state, salt, salt_len);
        crypto_auth_hmacsha256_update(&state, secret, len);
        crypto_auth_hmacsha256_final(&state, out);
}

static void expand(const uint8_t key[HASH_BYTES], const void *info, size_t info_len, uint8_t *out, size_t len)
{
        static const uint8_t counter = 1;
        crypto_auth_hmacsha256_state state;
        uint8_t hash[HASH_BYTES];

        crypto_auth_hmacsha256_init(&state, key, HASH_BYTES);
        crypto_auth_hmacsha256_update(&state, info, info_len);
        crypto_auth_hmacsha256_update(&state, &counter, 1);
        crypto_auth_hmacsha256_final(&state, hash);
        memcpy(out, hash, len);
        sodium_memzero(hash, sizeof(hash));
}

/* The shared secret: the x coordinate of the ECDH point (RFC 8291, 3.1). */
static bool agree(EVP_PKEY *own, EVP_PKEY *theirs, uint8_t out[ES256_NUMBER_BYTES])
{
        CLEANUP(derivation_free_p) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
        size_t len = ES256_NUMBER_BYTES;

        return context != NULL && EVP_PKEY_derive_init(context) == 1 &&
               EVP_PKEY_derive_set_peer(context, theirs) == 1 && EVP_PKEY_derive(context, out, &len) == 1 &&
               len == ES256_NUMBER_BYTES;
}

/* RFC 8291, 3.3 and 3.4. */
static bool derive(const struct push_once *once, const struct push_subscription *to,
                   const uint8_t own[PUSH_POINT_BYTES], struct secrets *out)
{
        CLEANUP(key_free_p) EVP_PKEY *theirs = push_key(to->point);
        uint8_t common[ES256_NUMBER_BYTES], hash[HASH_BYTES], info[INFO_BYTES] = "WebPush: info";

        if (theirs == NULL || !agree(once->key, theirs, common)) {
                return false;
        }
        memcpy(info + 14, to->point, PUSH_POINT_BYTES);
        memcpy(info + 14 + PUSH_POINT_BYTES, own, PUSH_POINT_BYTES);
        extract(to->secret, PUSH_SECRET_BYTES, common, sizeof(common), hash);
        expand(hash, info, sizeof(info), hash, sizeof(hash));
        extract(once->salt, PUSH_SALT_BYTES, hash, sizeof(hash), hash);
        expand(hash, "Content-Encoding: aes128gcm", 28, out->key, sizeof(out->key));
        expand(hash, "Content-Encoding: nonce", 24, out->nonce, sizeof(out->nonce));
        sodium_memzero(common, sizeof(common));
        sodium_memzero(hash, sizeof(hash));
        return true;
}

/* The text, its delimiter, padding, and the tag. */
static bool seal(const struct secrets *secrets, const void *text, size_t len, size_t padded, uint8_t *out)
{
        static const uint8_t fill[PUSH_BODY_MAX] = {LAST_RECORD};
        CLEANUP(cipher_free_p) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        int n;

        if (context == NULL ||
            EVP_EncryptInit_ex2(context, EVP_aes_128_gcm(), secrets->key, secrets->nonce, NULL) != 1 ||
            EVP_EncryptUpdate(context, out, &n, text, (int)len) != 1) {
                return false;
        }
        int total = n;
        if (EVP_EncryptUpdate(context, out + total, &n, fill, (int)(padded - len + 1)) != 1) {
                return false;
        }
        total += n;
        return EVP_EncryptFinal_ex(context, out + total, &n) == 1 &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + total) == 1;
}

size_t push_encrypt_with(const struct push_once *once, const struct push_subscription *to, const void *text, size_t len,
                         size_t padded, uint8_t body[PUSH_BODY_MAX])
{
        static const uint8_t sizes[] = {RECORD_BYTES >> 24, RECORD_BYTES >> 16 & 0xff, RECORD_BYTES >> 8 & 0xff,
                                        RECORD_BYTES & 0xff, PUSH_POINT_BYTES};
        uint8_t *own = body + PUSH_SALT_BYTES + sizeof(sizes);
        struct secrets secrets;

        if (len > padded || padded > PUSH_TEXT_MAX) {
                return 0;
        }
        memcpy(body, once->salt, PUSH_SALT_BYTES);
        memcpy(body + PUSH_SALT_BYTES, sizes, sizeof(sizes));
        bool done = push_point(once->key, own) && derive(once, to, own, &secrets) &&
                    seal(&secrets, text, len, padded, body + HEAD_BYTES);
        sodium_memzero(&secrets, sizeof(secrets));
        return done ? HEAD_BYTES + padded + 1 + TAG_BYTES : 0;
}

size_t push_encrypt(const struct push_subscription *to, const void *text, size_t len, uint8_t body[PUSH_BODY_MAX])
{
        CLEANUP(key_free_p) EVP_PKEY *key = EVP_EC_gen("P-256");
        struct push_once once = {.key = key};
        size_t padded = (len + PADDED_TO - 1) / PADDED_TO * PADDED_TO;

        if (key == NULL) {
                return 0;
        }
        randombytes_buf(once.salt, sizeof(once.salt));
        return push_encrypt_with(&once, to, text, len, padded < PUSH_TEXT_MAX ? padded : PUSH_TEXT_MAX, body);
}
