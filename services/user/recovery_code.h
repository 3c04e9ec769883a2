/* Recovery codes: each can be used once to log in without the second factor. 120 bits each (so that a plain keyed
 * hash is sufficient: OWASP ASVS 5.0, 6.5.2), in letters that are hard to confuse. */
#ifndef SERVICES_USER_RECOVERY_CODE_H
#define SERVICES_USER_RECOVERY_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

#define RECOVERY_CODES      10
#define RECOVERY_HASH_BYTES 32

/* "abcdef-ghijkm-npqrst-uvwxyz" */
char *recovery_code_new(struct arena *arena);
/* As stored in the database, hashed with a key of the key file and bound to its member. White space, hyphens and
 * case are ignored. False if the text cannot be a recovery code. */
bool recovery_code_hash(const char *user_id, const char *text, uint8_t hash[RECOVERY_HASH_BYTES]);

#endif
