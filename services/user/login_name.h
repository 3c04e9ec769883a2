/* What people type to say who they are when they log in: a username or an e-mail address, in any of its spellings. */
#ifndef SERVICES_USER_LOGIN_NAME_H
#define SERVICES_USER_LOGIN_NAME_H

#include <stdint.h>
#include "base/arena.h"

#define LOGIN_HASH_BYTES 16

/* The key under which a member with this name would be found: without white space around it and without the '@' that
 * names are shown with; of an address its email_key, of anything else its username_key. */
char *login_name_key(struct arena *arena, const char *typed);
/* Names a key in the history of log-ins, under a key of the key file: what was typed there may be a password. */
void login_name_hash(const char *key, uint8_t hash[LOGIN_HASH_BYTES]);
/* The same for what is tried otherwise than by a login ("step-up" of a member's id): counted apart from it. */
void login_hash(const char *purpose, const char *text, uint8_t hash[LOGIN_HASH_BYTES]);

#endif
