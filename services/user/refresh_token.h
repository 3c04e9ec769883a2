/* Refresh tokens: base64url of session id, generation and a MAC under a key made from the key file and the session's
 * salt. */
#ifndef SERVICES_USER_REFRESH_TOKEN_H
#define SERVICES_USER_REFRESH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/uuid.h"

#define REFRESH_SALT_BYTES 16

struct refresh_token {
        char session[UUID_SIZE];
        uint32_t generation;
        uint8_t mac[32];
};

char *refresh_token_make(struct arena *arena, const char *session, uint32_t generation,
                         const uint8_t salt[REFRESH_SALT_BYTES]);
/* False when the text is no refresh token; says nothing of whether it was ever issued. */
bool refresh_token_parse(const char *text, struct refresh_token *out);
/* True when SoNet issued it for the session with this salt. Constant time. */
bool refresh_token_issued(const struct refresh_token *token, const uint8_t *salt, size_t salt_len);

#endif
