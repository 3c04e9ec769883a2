/* Verified tokens by their SHA-256: a fixed number of them, so that a signature is checked once and not at every call.
 * Private to auth/. */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/token.h"

#define TOKEN_HASH_BYTES 32

/* False when the token is not known. The caller checks the expiry, each time. */
bool token_cache_get(const uint8_t hash[TOKEN_HASH_BYTES], struct token_claims *claims);
/* Takes the place of one that has expired, or else of the one that was used the longest time ago. */
void token_cache_put(const uint8_t hash[TOKEN_HASH_BYTES], const struct token_claims *claims, int64_t now_s);

#endif
