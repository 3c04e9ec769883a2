/* The parts of an attestation object (WebAuthn level 2, 6.5.4): CBOR, read strictly and within bounds. */
#ifndef SERVICES_USER_ATTESTATION_OBJECT_H
#define SERVICES_USER_ATTESTATION_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct attestation_object {
        const char *format;                /* "none", "packed" */
        const uint8_t *authenticator_data; /* points into the input */
        size_t authenticator_data_len;
        const uint8_t *statement; /* CBOR of its map */
        size_t statement_len;
};

/* A map of exactly fmt, attStmt and authData, in any order, with nothing after it. */
bool attestation_object_read(struct arena *arena, const uint8_t *bytes, size_t len, struct attestation_object *out);

#endif
