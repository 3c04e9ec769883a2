/* Secrets that clients hold, and the hashes that the database keeps of them. */
#include "auth/secret.h"

#include <sodium.h>
#include <string.h>

#include "auth/base64url.h"
#include "base/clock.h"

enum { SECRET_BYTES = 32 };

char *secret_new(struct arena *arena)
{
        uint8_t bytes[SECRET_BYTES];
        char *text = arena_alloc(arena, BASE64URL_CHARS(SECRET_BYTES) + 1);
        random_bytes(bytes, sizeof(bytes));
        base64url_encode(bytes, sizeof(bytes), text);
        sodium_memzero(bytes, sizeof(bytes));
        return text;
}

void secret_hash(const char *secret, uint8_t out[SECRET_HASH_BYTES])
{
        crypto_hash_sha256(out, (const unsigned char *)secret, strlen(secret));
}
