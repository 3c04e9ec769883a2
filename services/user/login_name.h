/* What people enter to log in: a username or an e-mail address, in any spelling. */
#ifndef SERVICES_USER_LOGIN_NAME_H
#define SERVICES_USER_LOGIN_NAME_H

#include <stdint.h>
#include "base/arena.h"

#define LOGIN_HASH_BYTES 16

/* The lookup key of the name, without surrounding white space and without a leading '@': of an address its
 * email_key, of anything else its username_key. */
char *login_name_key(struct arena *arena, const char *typed);
/* Identifies a name in the log-in history, hashed with a key of the key file: what was entered may be a password. */
void login_name_hash(const char *key, uint8_t hash[LOGIN_HASH_BYTES]);
/* The same for other kinds of attempts ("step-up" of a member's ID), which are counted separately. */
void login_hash(const char *purpose, const char *text, uint8_t hash[LOGIN_HASH_BYTES]);

#endif
