/* Random secrets that clients hold (refresh tokens), of which the database keeps only a hash. */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include <stdint.h>
#include "base/arena.h"

#define SECRET_HASH_BYTES 32

char *secret_new(struct arena *arena);                                /* 256 random bits, base64url, 43 characters */
void secret_hash(const char *secret, uint8_t out[SECRET_HASH_BYTES]); /* SHA-256: the secret itself is random enough */

#endif
