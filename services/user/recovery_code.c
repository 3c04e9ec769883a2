/* Owns the format of recovery codes. */
#include "services/user/recovery_code.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include "auth/keys.h"

enum { LETTERS = 24, GROUP = 6 };

static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, without l, o, 0 and 1 */

char *recovery_code_new(struct arena *arena)
{
        uint8_t random[LETTERS];
        char *text = arena_alloc(arena, LETTERS + LETTERS / GROUP), *p = text;

        randombytes_buf(random, sizeof(random));
        for (int i = 0; i < LETTERS; i++) {
                if (i > 0 && i % GROUP == 0) {
                        *p++ = '-';
                }
                *p++ = alphabet[random[i] % 32];
        }
        *p = '\0';
        sodium_memzero(random, sizeof(random));
        return text;
}

static bool normalize(const char *text, char code[LETTERS])
{
        int n = 0;

        for (const char *p = text; *p != '\0'; p++) {
                char letter = (char)tolower((unsigned char)*p);

                if (letter == '-' || letter == ' ') {
                        continue;
                }
                if (n == LETTERS || strchr(alphabet, letter) == NULL) {
                        return false;
                }
                code[n++] = letter;
        }
        return n == LETTERS;
}

bool recovery_code_hash(const char *user_id, const char *text, uint8_t hash[RECOVERY_HASH_BYTES])
{
        crypto_auth_hmacsha256_state state;
        char code[LETTERS];
        uint8_t key[32];

        if (!normalize(text, code)) {
                return false;
        }
        keys_derive("recovery-code", key);
        crypto_auth_hmacsha256_init(&state, key, sizeof(key));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)user_id, strlen(user_id));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)code, sizeof(code));
        crypto_auth_hmacsha256_final(&state, hash);
        sodium_memzero(key, sizeof(key));
        sodium_memzero(code, sizeof(code));
        return true;
}
