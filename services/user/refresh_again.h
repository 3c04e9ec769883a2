/* What lets a client that lost an answer ask for it again: its key, given once at log-in, and the last access token of
 * its session, kept under a key that is not in the database. The refresh token needs no keeping: it can be made again.
 */
#ifndef SERVICES_USER_REFRESH_AGAIN_H
#define SERVICES_USER_REFRESH_AGAIN_H

#include <stdbool.h>
#include "base/arena.h"
#include "services/user/session.h"

#define REFRESH_AGAIN_MS 30000 /* how long after it was used a refresh token gives the same answer once more */

/* base64url of a MAC over the session's id, under a key made from the key file and the session's salt. */
char *client_key_make(struct arena *arena, const struct session *session);
/* Constant time. */
bool client_key_is(const char *text, const struct session *session);

/* For the session and this generation of its refresh token alone; len gets its length. */
uint8_t *refresh_again_seal(struct arena *arena, const struct session *session, uint32_t generation, const char *token,
                            size_t *len);
/* NULL when it was sealed for another session or generation, or with another key. */
char *refresh_again_open(struct arena *arena, const struct session *session, uint32_t generation, const uint8_t *sealed,
                         size_t len);

#endif
