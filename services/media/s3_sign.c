/* Owns AWS Signature Version 4. */
#include "services/media/s3_sign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
        MAC_BYTES = crypto_auth_hmacsha256_BYTES,
        HEX_SIZE = 2 * MAC_BYTES + 1,
        SCOPE_SIZE = 100,
        TEXT_SIZE = 4096,
        KEY_SIZE = 200
};

#define SIGNED_HEADERS "host;x-amz-content-sha256;x-amz-date"

void s3_time(int64_t now_s, char out[S3_TIME_SIZE])
{
        time_t at = (time_t)now_s;
        struct tm utc;

        if (gmtime_r(&at, &utc) == NULL || strftime(out, S3_TIME_SIZE, "%Y%m%dT%H%M%SZ", &utc) == 0) {
                out[0] = '\0';
        }
}

static void mac_of(const void *key, size_t len, const char *text, uint8_t out[MAC_BYTES])
{
        crypto_auth_hmacsha256_state state;

        (void)crypto_auth_hmacsha256_init(&state, key, len);
        (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, strlen(text));
        (void)crypto_auth_hmacsha256_final(&state, out);
}

static void hash_hex(const char *text, char hex[HEX_SIZE])
{
        uint8_t digest[crypto_hash_sha256_BYTES];

        (void)crypto_hash_sha256(digest, (const uint8_t *)text, strlen(text));
        (void)sodium_bin2hex(hex, HEX_SIZE, digest, sizeof(digest));
}

static void hash_request(const struct s3_request *r, const char *time, char hex[HEX_SIZE])
{
        char text[TEXT_SIZE];

        (void)snprintf(text, sizeof(text), "%s\n%s\n%s\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n%s\n%s",
                       r->method, r->path, r->query, r->host, r->payload_sha256, time, SIGNED_HEADERS,
                       r->payload_sha256);
        hash_hex(text, hex);
}

/* The signing key for a day and a region. */
static void derive_key(const struct s3_keys *keys, const char *day, uint8_t out[MAC_BYTES])
{
        char first[KEY_SIZE];

        (void)snprintf(first, sizeof(first), "AWS4%s", keys->secret_key);
        mac_of(first, strlen(first), day, out);
        mac_of(out, MAC_BYTES, keys->region, out);
        mac_of(out, MAC_BYTES, "s3", out);
        mac_of(out, MAC_BYTES, "aws4_request", out);
        sodium_memzero(first, sizeof(first));
}

void s3_sign(const struct s3_request *r, const struct s3_keys *keys, char out[S3_HEADER_SIZE])
{
        char time[S3_TIME_SIZE], day[9], scope[SCOPE_SIZE], hex[HEX_SIZE], text[TEXT_SIZE];
        uint8_t key[MAC_BYTES], signature[MAC_BYTES];

        s3_time(r->now_s, time);
        (void)snprintf(day, sizeof(day), "%.8s", time);
        (void)snprintf(scope, sizeof(scope), "%s/%s/s3/aws4_request", day, keys->region);
        hash_request(r, time, hex);
        (void)snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%s\n%s\n%s", time, scope, hex);
        derive_key(keys, day, key);
        mac_of(key, sizeof(key), text, signature);
        sodium_memzero(key, sizeof(key));
        (void)sodium_bin2hex(hex, sizeof(hex), signature, sizeof(signature));
        (void)snprintf(out, S3_HEADER_SIZE, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s",
                       keys->access_key, scope, SIGNED_HEADERS, hex);
}
