/* TOTP (RFC 6238: HMAC-SHA-1, 30 s, six digits, supported by every authenticator app). Seeds are stored encrypted
 * (XChaCha20-Poly1305) with a key of the key file and bound to their member: the database alone cannot produce
 * codes. */
#ifndef SERVICES_USER_TOTP_H
#define SERVICES_USER_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

#define TOTP_SEED_BYTES   20 /* of SHA-1 (RFC 4226, 4: R6) */
#define TOTP_SEALED_BYTES (24 + TOTP_SEED_BYTES + 16)
#define TOTP_DIGITS       6
#define TOTP_STEP_S       30

/* The code of a time step (RFC 6238, 4.2) with 6 to 8 digits. */
bool totp_code(const uint8_t *seed, size_t len, int64_t step, unsigned digits, char *code);
/* Whether the code is that of the current step, the previous or the next one (RFC 6238, 5.2), and later than the
 * last one used; returns that step. Constant time. */
bool totp_check(const uint8_t seed[TOTP_SEED_BYTES], const char *code, int64_t now_ms, int64_t used_step,
                int64_t *step);

void totp_seal(const char *user_id, const uint8_t seed[TOTP_SEED_BYTES], uint8_t sealed[TOTP_SEALED_BYTES]);
/* False if it was not encrypted for this member with this key file. */
bool totp_unseal(const char *user_id, const uint8_t *sealed, size_t len, uint8_t seed[TOTP_SEED_BYTES]);

/* The seed for manual entry: base32 (RFC 4648) without padding. */
char *totp_text(struct arena *arena, const uint8_t seed[TOTP_SEED_BYTES]);
/* otpauth://totp/…, for QR codes. */
char *totp_uri(struct arena *arena, const char *issuer, const char *username, const char *secret);

#endif
