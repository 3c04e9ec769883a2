/* Owns the MAC over what a link grants: which resource, and until when. */
#include "auth/signed_link.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/keys.h"

void link_sign(const char *purpose, const char *id, int64_t expires_s, char out[LINK_SIGNATURE_SIZE])
{
        uint8_t key[32], mac[crypto_auth_hmacsha256_BYTES];
        char text[120];
        int len = snprintf(text, sizeof(text), "%.80s %" PRId64, id, expires_s);

        keys_derive(purpose, key);
        (void)crypto_auth_hmacsha256(mac, (const uint8_t *)text, (unsigned long long)len, key);
        sodium_memzero(key, sizeof(key));
        (void)sodium_bin2base64(out, LINK_SIGNATURE_SIZE, mac, sizeof(mac), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool link_holds(const char *purpose, const char *id, int64_t expires_s, const char *signature, int64_t now_ms)
{
        char expected[LINK_SIGNATURE_SIZE];

        link_sign(purpose, id, expires_s, expected);
        return expires_s > now_ms / 1000 && strlen(signature) == strlen(expected) &&
               sodium_memcmp(signature, expected, strlen(expected)) == 0;
}
