/* ES256: ECDSA on P-256 with SHA-256 (RFC 7518, 3.4), by OpenSSL. Keys are made of coordinates as JWK spells them
 * (RFC 7518, 6.2), signatures are r and s of 32 bytes each. */
#ifndef AUTH_ES256_H
#define AUTH_ES256_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES256_NUMBER_BYTES    32
#define ES256_SIGNATURE_BYTES 64

/* A point of P-256, and its scalar where it is ours. */
struct es256_point {
        uint8_t x[ES256_NUMBER_BYTES], y[ES256_NUMBER_BYTES], d[ES256_NUMBER_BYTES];
};

/* The key pair for a purpose, from the key file: "access-token-es256". False when memory is out. */
bool es256_derive(const char *label, struct es256_point *out);
/* A public key when d is NULL, a key pair otherwise. NULL when the point is not on the curve, or memory is out. */
EVP_PKEY *es256_key(const uint8_t x[ES256_NUMBER_BYTES], const uint8_t y[ES256_NUMBER_BYTES], const uint8_t *d);
/* False when memory is out, or the key has no private part. */
bool es256_sign(EVP_PKEY *key, const void *bytes, size_t len, uint8_t signature[ES256_SIGNATURE_BYTES]);
/* Some 60 µs: ask it last. */
bool es256_verify(EVP_PKEY *key, const void *bytes, size_t len, const uint8_t signature[ES256_SIGNATURE_BYTES]);

#endif
