/* Usernames: their key, and which are not free. */
#ifndef SERVICES_USER_USERNAME_H
#define SERVICES_USER_USERNAME_H

#include <stdbool.h>
#include "base/call.h"

/* NFKC casefold (UAX #31); what may not be taken twice. */
char *username_key(struct arena *arena, const char *username);
/* The same of a name as requests call members, with or without the '@' that names are shown with. */
char *username_key_shown(struct arena *arena, const char *name);
/* SN_INVALID_ARGUMENT for names that routes or people would mistake: "me", "admin", and the like. */
SN_CHECKED sn_status username_check_free(struct rpc_call *c, const char *key);

#endif
