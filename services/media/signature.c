/* Owns the MAC over what an address grants: which media, and until when. */
#include "services/media/signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/keys.h"

enum { WINDOW_S = 1800 };

int64_t signature_expiry_s(int64_t now_ms)
{
        return (now_ms / 1000 / WINDOW_S + 2) * WINDOW_S;
}

void signature_make(const char *media_id, int64_t expires_s, char out[SIGNATURE_SIZE])
{
        uint8_t key[32], mac[crypto_auth_hmacsha256_BYTES];
        char text[80];
        int len = snprintf(text, sizeof(text), "%s %" PRId64, media_id, expires_s);

        keys_derive("media-url", key);
        (void)crypto_auth_hmacsha256(mac, (const uint8_t *)text, (unsigned long long)len, key);
        sodium_memzero(key, sizeof(key));
        (void)sodium_bin2base64(out, SIGNATURE_SIZE, mac, sizeof(mac), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool signature_holds(const char *media_id, int64_t expires_s, const char *signature, int64_t now_ms)
{
        char expected[SIGNATURE_SIZE];

        signature_make(media_id, expires_s, expected);
        return expires_s > now_ms / 1000 && strlen(signature) == strlen(expected) &&
               sodium_memcmp(signature, expected, strlen(expected)) == 0;
}
