/* Owns reserved names. UUIDs cannot be usernames: they exceed the contract's maximum length. */
#include "services/user/username.h"

#include <string.h>
#include "base/text.h"

static const char *const reserved[] = {
    "about",      "abuse",     "account",    "accounts", "admin",    "administrator", "all",       "anonymous",
    "api",        "auth",      "everyone",   "help",     "here",     "login",         "logout",    "me",
    "mod",        "moderator", "moderators", "nobody",   "null",     "official",      "openapi",   "owner",
    "postmaster", "register",  "root",       "search",   "security", "sessions",      "settings",  "signup",
    "sonet",      "staff",     "status",     "support",  "system",   "undefined",     "webmaster",
};

char *username_key(struct arena *arena, const char *username)
{
        char *key = text_casefold_nfkc(arena, username);

        return key != NULL ? key : arena_strdup(arena, username);
}

char *username_key_shown(struct arena *arena, const char *name)
{
        char *key = username_key(arena, name); /* a full-width '＠' was folded already */

        return key[0] == '@' ? key + 1 : key;
}

sn_status username_check_free(struct rpc_call *c, const char *key)
{
        for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
                if (strcmp(key, reserved[i]) == 0) {
                        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "username_reserved", "username",
                                             "is reserved; choose another one");
                }
        }
        return SN_OK;
}
