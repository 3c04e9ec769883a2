/* What lets a client that lost a response request it again: its key, issued once at log-in, and the session's last
 * access token, encrypted with a key that is not in the database. The refresh token is not stored, since it can be
 * computed again. */
#ifndef SERVICES_USER_REFRESH_AGAIN_H
#define SERVICES_USER_REFRESH_AGAIN_H

#include <stdbool.h>
#include "base/arena.h"
#include "services/user/session.h"

#define REFRESH_AGAIN_MS 30000 /* how long a used refresh token returns the same response */

/* base64url of a MAC over the session's ID, with a key derived from the key file and the session's salt. */
char *client_key_make(struct arena *arena, const struct session *session);
/* Constant time. */
bool client_key_is(const char *text, const struct session *session);

/* Bound to the session and this generation of its refresh token; len gets the length. */
uint8_t *refresh_again_seal(struct arena *arena, const struct session *session, uint32_t generation, const char *token,
                            size_t *len);
/* NULL if it was encrypted for another session or generation, or with another key. */
char *refresh_again_open(struct arena *arena, const struct session *session, uint32_t generation, const uint8_t *sealed,
                         size_t len);

#endif
