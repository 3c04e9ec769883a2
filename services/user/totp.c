/* Owns TOTP codes and their seeds. */
#include "services/user/totp.h"

#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "auth/keys.h"
#include "base/uuid.h"

enum {
        NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        MOST_DIGITS = 8,
};
_Static_assert(TOTP_SEALED_BYTES == NONCE_BYTES + TOTP_SEED_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "");

bool totp_code(const uint8_t *seed, size_t len, int64_t step, unsigned digits, char *code)
{
        return oath_totp_generate((const char *)seed, len, (time_t)(step * TOTP_STEP_S), TOTP_STEP_S, 0, digits,
                                  code) == OATH_OK;
}

bool totp_check(const uint8_t seed[TOTP_SEED_BYTES], const char *code, int64_t now_ms, int64_t used_step, int64_t *step)
{
        int64_t now = now_ms / 1000 / TOTP_STEP_S;
        bool found = false;

        if (strlen(code) != TOTP_DIGITS) {
                return false;
        }
        for (int64_t s = now - 1; s <= now + 1; s++) {
                char right[MOST_DIGITS + 1];
                bool made = totp_code(seed, TOTP_SEED_BYTES, s, TOTP_DIGITS, right);

                if (made && sodium_memcmp(right, code, TOTP_DIGITS) == 0 && s > used_step) {
                        found = true;
                        *step = s;
                }
                sodium_memzero(right, sizeof(right));
        }
        return found;
}

void totp_seal(const char *user_id, const uint8_t seed[TOTP_SEED_BYTES], uint8_t sealed[TOTP_SEALED_BYTES])
{
        uint8_t key[32];

        keys_derive("totp-seed", key);
        randombytes_buf(sealed, NONCE_BYTES);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, seed, TOTP_SEED_BYTES,
                                                         (const uint8_t *)user_id, strlen(user_id), NULL, sealed, key);
        sodium_memzero(key, sizeof(key));
}

bool totp_unseal(const char *user_id, const uint8_t *sealed, size_t len, uint8_t seed[TOTP_SEED_BYTES])
{
        uint8_t key[32];

        if (len != TOTP_SEALED_BYTES) {
                return false;
        }
        keys_derive("totp-seed", key);
        bool good =
            crypto_aead_xchacha20poly1305_ietf_decrypt(seed, NULL, NULL, sealed + NONCE_BYTES, len - NONCE_BYTES,
                                                       (const uint8_t *)user_id, strlen(user_id), sealed, key) == 0;
        sodium_memzero(key, sizeof(key));
        return good;
}

char *totp_text(struct arena *arena, const uint8_t seed[TOTP_SEED_BYTES])
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        char *text = arena_alloc(arena, TOTP_SEED_BYTES * 8 / 5 + 1), *p = text;
        unsigned held = 0, bits = 0;

        for (size_t i = 0; i < TOTP_SEED_BYTES; i++) {
                held = held << 8 | seed[i];
                for (bits += 8; bits >= 5; bits -= 5) {
                        *p++ = digits[held >> (bits - 5) & 31];
                }
        }
        *p = '\0';
        return text;
}

char *totp_uri(struct arena *arena, const char *issuer, const char *username, const char *secret)
{
        return arena_printf(arena, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
                            issuer, username, secret, issuer, TOTP_DIGITS, TOTP_STEP_S);
}
