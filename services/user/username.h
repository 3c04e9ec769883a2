/* Usernames: their keys, and which are reserved. */
#ifndef SERVICES_USER_USERNAME_H
#define SERVICES_USER_USERNAME_H

#include <stdbool.h>
#include "base/call.h"

/* NFKC casefold (UAX #31); must be unique. */
char *username_key(struct arena *arena, const char *username);
/* The same for a name in a request, with or without a leading '@'. */
char *username_key_shown(struct arena *arena, const char *name);
/* SN_INVALID_ARGUMENT for names that could be confused with routes or roles: "me", "admin", and the like. */
SN_CHECKED sn_status username_check_free(struct rpc_call *c, const char *key);

#endif
