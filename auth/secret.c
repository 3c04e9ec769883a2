/* Secrets that clients hold, and the hashes that the database keeps of them. */
#include "auth/secret.h"

#include <sodium.h>
#include <string.h>

#include "base/clock.h"

enum { SECRET_BYTES = 32 };

char *secret_new(struct arena *arena)
{
        uint8_t bytes[SECRET_BYTES];
        size_t size = sodium_base64_encoded_len(sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        char *text = arena_alloc(arena, size);
        random_bytes(bytes, sizeof(bytes));
        sodium_bin2base64(text, size, bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        sodium_memzero(bytes, sizeof(bytes));
        return text;
}

void secret_hash(const char *secret, uint8_t out[SECRET_HASH_BYTES])
{
        crypto_hash_sha256(out, (const unsigned char *)secret, strlen(secret));
}
