/* ES256: ECDSA on P-256 with SHA-256 (RFC 7518, 3.4), using OpenSSL. Keys are built from coordinates in the form of
 * JWK (RFC 7518, 6.2); signatures are r and s of 32 bytes each. */
#ifndef AUTH_ES256_H
#define AUTH_ES256_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES256_NUMBER_BYTES    32
#define ES256_SIGNATURE_BYTES 64

/* A point on P-256, and its private scalar if we have it. */
struct es256_point {
        uint8_t x[ES256_NUMBER_BYTES], y[ES256_NUMBER_BYTES], d[ES256_NUMBER_BYTES];
};

/* The key pair for a purpose ("access-token-es256"), from the key file. False when out of memory. */
bool es256_derive(const char *label, struct es256_point *out);
/* A public key if d is NULL, otherwise a key pair. NULL if the point is not on the curve, or out of memory. */
EVP_PKEY *es256_key(const uint8_t x[ES256_NUMBER_BYTES], const uint8_t y[ES256_NUMBER_BYTES], const uint8_t *d);
/* False when out of memory, or if the key has no private part. */
bool es256_sign(EVP_PKEY *key, const void *bytes, size_t len, uint8_t signature[ES256_SIGNATURE_BYTES]);
/* About 60 µs: do cheaper checks first. */
bool es256_verify(EVP_PKEY *key, const void *bytes, size_t len, const uint8_t signature[ES256_SIGNATURE_BYTES]);

#endif
