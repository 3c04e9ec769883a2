/* Verifies what authenticators sign (WebAuthn level 2, https://www.w3.org/TR/webauthn-2/, 7.1 and 7.2). libfido2
 * parses and verifies; client data from the browser is checked here. Stateless: its caller checks the challenge and
 * the counter. */
#ifndef SERVICES_USER_WEBAUTHN_H
#define SERVICES_USER_WEBAUTHN_H

#include "base/call.h"

#define WEBAUTHN_MAX_ID_BYTES  1023 /* WebAuthn, 4: credential ID */
#define WEBAUTHN_MAX_KEY_BYTES 600  /* RSA of 4,096 bits */

struct webauthn_bytes {
        const uint8_t *data;
        size_t len;
};

/* Client data, which is signed; its challenge and ceremony are checked. */
struct webauthn_client {
        uint8_t hash[32];      /* SHA-256 of it */
        const char *challenge; /* as received from the page */
};

/* A new or a known credential. */
struct webauthn_key {
        struct webauthn_bytes id, public_key; /* in libfido2's format for the algorithm */
        int algorithm;                        /* COSE: -7 ES256, -8 EdDSA, -257 RS256 */
        int64_t sign_count;
};

/* Parses client data (JSON) of a ceremony: "webauthn.create" or "webauthn.get", from one of our pages.
 * SN_INVALID_ARGUMENT on the field: passkey_malformed, origin_wrong. */
SN_CHECKED sn_status webauthn_read_client(struct rpc_call *c, const char *field, const char *client_data,
                                          const char *ceremony, struct webauthn_client *out);
/* A new credential from its attestation object: `none`, or `packed` with a valid signature (SoNet trusts
 * authenticators of all makers). SN_INVALID_ARGUMENT on the field: passkey_malformed, passkey_unsupported,
 * passkey_wrong. */
SN_CHECKED sn_status webauthn_read_attestation(struct rpc_call *c, const char *field, const char *attestation_object,
                                               const struct webauthn_client *client, struct webauthn_key *out);

struct webauthn_assertion {
        const char *authenticator_data, *signature; /* base64url */
        bool needs_verification;                    /* of the user, by the authenticator: PIN, finger … */
};
/* Verifies the key's signature and returns the authenticator's counter. SN_UNAUTHENTICATED (passkey_wrong). */
SN_CHECKED sn_status webauthn_verify(struct rpc_call *c, const char *field, const struct webauthn_key *key,
                                     const struct webauthn_client *client, const struct webauthn_assertion *assertion,
                                     int64_t *sign_count);

/* Decodes base64url; NULL if it is malformed, or longer than most bytes. */
const uint8_t *webauthn_decode(struct arena *arena, const char *text, size_t most, size_t *len);

#endif
