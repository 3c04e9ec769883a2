/* Verified tokens by their SHA-256: a fixed number, so that a signature is verified once and not on every call.
 * Private to auth/. */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/token.h"

#define TOKEN_HASH_BYTES 32

/* False if the token is unknown. The caller must check the expiry every time. */
bool token_cache_get(const uint8_t hash[TOKEN_HASH_BYTES], struct token_claims *claims);
/* Replaces an expired entry, or else the least recently used one. */
void token_cache_put(const uint8_t hash[TOKEN_HASH_BYTES], const struct token_claims *claims, int64_t now_s);

#endif
