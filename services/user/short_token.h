/* Tokens that work once, within five minutes: for continuing a log-in with the second factor, and as challenges of
 * passkeys. A MAC with a key of the key file; nothing is stored until one is used (store_use_token), so that
 * requesting many uses no space. */
#ifndef SERVICES_USER_SHORT_TOKEN_H
#define SERVICES_USER_SHORT_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/uuid.h"

#define SHORT_TOKEN_LIFE_S 300

struct short_token {
        char id[UUID_SIZE];     /* set by short_token_make */
        char user[UUID_SIZE];   /* the owner; "": none yet */
        char device[UUID_SIZE]; /* "": unknown */
        int64_t epoch;          /* of the member */
        int64_t expires_s;      /* set by short_token_make */
};

/* purpose: the label of its key; a token is valid for its purpose only. */
char *short_token_make(struct arena *arena, const char *purpose, int64_t now_ms, struct short_token *token);
/* False if it was not issued here for this purpose, or has expired. */
bool short_token_read(const char *text, const char *purpose, int64_t now_ms, struct short_token *token);

#endif
