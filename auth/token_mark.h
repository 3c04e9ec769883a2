/* The mark of an access token, its `jti` (RFC 7519, 4.1.7): shows, for the cost of a hash, to holders of the key
 * file that SoNet wrote the claims before it. It does not authenticate, as it says nothing about the signature: it
 * selects tokens that are worth verifying. Private to auth/. */
#ifndef AUTH_TOKEN_MARK_H
#define AUTH_TOKEN_MARK_H

#include <stdbool.h>
#include "auth/token.h"
#include "base/arena.h"
#include "base/str.h"

/* A payload ({…}) with the mark as its last member; every mark is different. */
char *token_add_mark(struct arena *arena, const char *payload);
/* False for any other payload than one that was made so. */
bool token_read_mark(struct str payload, char mark[TOKEN_MARK_SIZE]);

#endif
