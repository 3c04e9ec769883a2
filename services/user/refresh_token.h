/* Refresh tokens: base64url of session ID, generation and a MAC, with a key derived from the key file and the
 * session's salt. */
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
/* False if the text is not a refresh token; does not tell whether it was ever issued. */
bool refresh_token_parse(const char *text, struct refresh_token *out);
/* True if SoNet issued it for the session with this salt. Constant time. */
bool refresh_token_issued(const struct refresh_token *token, const uint8_t *salt, size_t salt_len);

#endif
