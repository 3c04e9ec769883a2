/* Device tokens: kept by a client between log-ins to show that the member has logged in on it before. They grant no
 * access; they only keep others' wrong passwords from slowing the member down. */
#ifndef SERVICES_USER_DEVICE_TOKEN_H
#define SERVICES_USER_DEVICE_TOKEN_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/uuid.h"

/* The token of a member's device: both ids under a MAC of the key file, in base64url. */
char *device_token_make(struct arena *arena, const char *user_id, const char *device_id);
/* Whether text was issued here for a device of this member; returns its ID. */
bool device_token_read(const char *text, const char *user_id, char device_id[UUID_SIZE]);

#endif
