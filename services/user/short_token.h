/* Tokens that work once and for five minutes: what a log-in that lacks its second factor goes on with, and the
 * challenges of passkeys. A MAC under a key of the key file; nothing is stored until one is used (store_use_token), so
 * that asking for many fills nothing. */
#ifndef SERVICES_USER_SHORT_TOKEN_H
#define SERVICES_USER_SHORT_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/uuid.h"

#define SHORT_TOKEN_LIFE_S 300

struct short_token {
        char id[UUID_SIZE];     /* drawn by short_token_make */
        char user[UUID_SIZE];   /* whose it is; "": nobody's yet */
        char device[UUID_SIZE]; /* "": not known */
        int64_t epoch;          /* of the member */
        int64_t expires_s;      /* set by short_token_make */
};

/* purpose: the label of its key; a token of one purpose is none of another. */
char *short_token_make(struct arena *arena, const char *purpose, int64_t now_ms, struct short_token *token);
/* False when it was not made for this purpose here, or its time is over. */
bool short_token_read(const char *text, const char *purpose, int64_t now_ms, struct short_token *token);

#endif
