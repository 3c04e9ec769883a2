/* Owns tokens and codes in mails. */
#include "services/user/mailed_token.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "base/clock.h"

enum { TOKEN_BYTES = 32, CODES = 1000000 };

char *mailed_token_new(struct arena *arena)
{
        char *text = arena_alloc(arena, BASE64URL_CHARS(TOKEN_BYTES) + 1);
        uint8_t bytes[TOKEN_BYTES];

        random_bytes(bytes, sizeof(bytes));
        return base64url_encode(bytes, sizeof(bytes), text);
}

static void begin(crypto_auth_hmacsha256_state *state, const char *label)
{
        uint8_t key[32];

        keys_derive(label, key);
        crypto_auth_hmacsha256_init(state, key, sizeof(key));
        sodium_memzero(key, sizeof(key));
}

/* Including its NUL, so that different lists of texts are never the same bytes. */
static void add(crypto_auth_hmacsha256_state *state, const char *text)
{
        crypto_auth_hmacsha256_update(state, (const uint8_t *)text, strlen(text) + 1);
}

void mailed_token_hash(const char *token, uint8_t hash[MAILED_HASH_BYTES])
{
        crypto_auth_hmacsha256_state state;

        begin(&state, "mailed-token");
        add(&state, token);
        crypto_auth_hmacsha256_final(&state, hash);
}

void mailed_code_new(char code[MAILED_CODE_SIZE])
{
        (void)snprintf(code, MAILED_CODE_SIZE, "%06u", (unsigned)random_below(CODES));
}

void mailed_code_hash(const char *user_id, const char *email_key, const char *code, uint8_t hash[MAILED_HASH_BYTES])
{
        crypto_auth_hmacsha256_state state;

        begin(&state, "mailed-code");
        add(&state, user_id);
        add(&state, email_key);
        for (const char *c = code; *c != '\0'; c++) {
                if (*c != ' ') { /* mail clients show "424 242" */
                        crypto_auth_hmacsha256_update(&state, (const uint8_t *)c, 1);
                }
        }
        crypto_auth_hmacsha256_final(&state, hash);
}
