/* Owns parsing what was entered as login. */
#include "services/user/login_name.h"

#include <sodium.h>
#include <string.h>
#include "auth/keys.h"
#include "base/text.h"
#include "services/user/email.h"
#include "services/user/username.h"

char *login_name_key(struct arena *arena, const char *typed)
{
        struct str name = text_trim(str_of(typed));

        if (name.len > 0 && name.ptr[0] == '@') {
                name = (struct str){name.ptr + 1, name.len - 1};
        }
        char *text = str_dup(arena, name);

        return strchr(text, '@') != NULL ? email_key(arena, text) : username_key(arena, text);
}

void login_hash(const char *purpose, const char *text, uint8_t hash[LOGIN_HASH_BYTES])
{
        uint8_t secret[32], mac[crypto_auth_hmacsha256_BYTES];
        crypto_auth_hmacsha256_state state;

        keys_derive(purpose, secret);
        crypto_auth_hmacsha256_init(&state, secret, sizeof(secret));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, strlen(text));
        crypto_auth_hmacsha256_final(&state, mac);
        memcpy(hash, mac, LOGIN_HASH_BYTES);
        sodium_memzero(secret, sizeof(secret));
}

void login_name_hash(const char *key, uint8_t hash[LOGIN_HASH_BYTES])
{
        login_hash("login-name", key, hash);
}
