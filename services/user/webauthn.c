/* Owns verifying passkey ceremonies. */
#include "services/user/webauthn.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "services/user/attestation_object.h"
#include "services/user/relying_party.h"

enum {
        MAX_CLIENT_DATA = 4096,
        MAX_ATTESTATION = 16384,
        MAX_AUTHENTICATOR_DATA = 4096,
        MAX_SIGNATURE = 1024,
        RP_HASH_BYTES = 32,
        USER_PRESENT = 0x01,
        USER_VERIFIED = 0x04,
};

const uint8_t *webauthn_decode(struct arena *arena, const char *text, size_t most, size_t *len)
{
        uint8_t *bytes = arena_alloc(arena, most + 1);

        return base64url_decode(str_of(text), bytes, most, len) ? bytes : NULL;
}

static sn_status malformed(struct rpc_call *c, const char *field)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "passkey_malformed", field,
                             "must be base64url-encoded data from an authenticator or browser");
}

/* ---- Client data ---- */

static void json_decref_p(json_t **json)
{
        json_decref(*json);
}

static sn_status check_client(struct rpc_call *c, const char *field, const json_t *client, const char *ceremony,
                              const char **challenge)
{
        const char *type = json_string_value(json_object_get(client, "type"));
        const char *origin = json_string_value(json_object_get(client, "origin"));

        *challenge = json_string_value(json_object_get(client, "challenge"));
        if (type == NULL || origin == NULL || *challenge == NULL || strcmp(type, ceremony) != 0) {
                return malformed(c, field);
        }
        if (!relying_party_has_origin(origin) || json_is_true(json_object_get(client, "crossOrigin"))) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "origin_wrong", field,
                                     "comes from the wrong origin: passkeys of this network are for %s",
                                     relying_party_id());
        }
        return SN_OK;
}

sn_status webauthn_read_client(struct rpc_call *c, const char *field, const char *client_data, const char *ceremony,
                               struct webauthn_client *out)
{
        size_t len = 0;
        const uint8_t *text = webauthn_decode(c->arena, client_data, MAX_CLIENT_DATA, &len);
        CLEANUP(json_decref_p)
        json_t *client = text != NULL ? json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const char *challenge = NULL;

        if (!json_is_object(client)) {
                return malformed(c, field);
        }
        TRY(check_client(c, field, client, ceremony, &challenge));
        out->challenge = arena_strdup(c->arena, challenge);
        (void)crypto_hash_sha256(out->hash, text, len);
        return SN_OK;
}

/* ---- A new credential ---- */

static void free_cred(fido_cred_t **cred)
{
        fido_cred_free(cred);
}

static bool is_own_rp(const uint8_t *authenticator_data, size_t len)
{
        uint8_t hash[RP_HASH_BYTES];
        const char *id = relying_party_id();

        (void)crypto_hash_sha256(hash, (const uint8_t *)id, strlen(id));
        return len > RP_HASH_BYTES && memcmp(hash, authenticator_data, RP_HASH_BYTES) == 0;
}

static fido_cred_t *new_cred(int algorithm, const struct webauthn_client *client,
                             const struct attestation_object *object)
{
        fido_cred_t *cred = fido_cred_new();

        if (cred != NULL &&
            (fido_cred_set_type(cred, algorithm) != FIDO_OK ||
             fido_cred_set_rp(cred, relying_party_id(), NULL) != FIDO_OK ||
             fido_cred_set_clientdata_hash(cred, client->hash, sizeof(client->hash)) != FIDO_OK ||
             fido_cred_set_authdata_raw(cred, object->authenticator_data, object->authenticator_data_len) != FIDO_OK)) {
                fido_cred_free(&cred);
        }
        return cred;
}

/* libfido2 must be told the algorithm, and rejects keys of others. */
static fido_cred_t *read_cred(const struct webauthn_client *client, const struct attestation_object *object)
{
        static const int algorithms[] = {COSE_ES256, COSE_EDDSA, COSE_RS256};
        fido_cred_t *cred = NULL;

        for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]) && cred == NULL; i++) {
                cred = new_cred(algorithms[i], client, object);
        }
        return cred;
}

/* WebAuthn, 8.2: with the certificate in it, or with the credential itself. */
static bool packed_is_right(fido_cred_t *cred, const struct attestation_object *object)
{
        if (fido_cred_set_fmt(cred, "packed") != FIDO_OK ||
            fido_cred_set_attstmt(cred, object->statement, object->statement_len) != FIDO_OK) {
                return false;
        }
        return fido_cred_x5c_ptr(cred) != NULL ? fido_cred_verify(cred) == FIDO_OK
                                               : fido_cred_verify_self(cred) == FIDO_OK;
}

static sn_status check_cred(struct rpc_call *c, const char *field, fido_cred_t *cred,
                            const struct attestation_object *object)
{
        bool packed = strcmp(object->format, "packed") == 0;

        if (!packed && strcmp(object->format, "none") != 0) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "passkey_unsupported", field,
                                     "has an attestation in the format %s; request \"none\"", object->format);
        }
        if (!is_own_rp(object->authenticator_data, object->authenticator_data_len) ||
            (fido_cred_flags(cred) & USER_PRESENT) == 0 || (packed && !packed_is_right(cred, object))) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "passkey_wrong", field,
                                     "was not created for this network, or its attestation is invalid");
        }
        return SN_OK;
}

static struct webauthn_bytes copy_of(struct arena *arena, const uint8_t *data, size_t len)
{
        return (struct webauthn_bytes){(const uint8_t *)arena_strndup(arena, (const char *)data, len), len};
}

sn_status webauthn_read_attestation(struct rpc_call *c, const char *field, const char *attestation_object,
                                    const struct webauthn_client *client, struct webauthn_key *out)
{
        size_t len = 0;
        const uint8_t *bytes = webauthn_decode(c->arena, attestation_object, MAX_ATTESTATION, &len);
        CLEANUP(free_cred) fido_cred_t *cred = NULL;
        struct attestation_object object;

        if (bytes == NULL || !attestation_object_read(c->arena, bytes, len, &object)) {
                return malformed(c, field);
        }
        cred = read_cred(client, &object);
        if (cred == NULL) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "passkey_unsupported", field,
                                     "has no public key, or its algorithm is not ES256, EdDSA or RS256");
        }
        TRY(check_cred(c, field, cred, &object));
        if (fido_cred_id_len(cred) == 0 || fido_cred_id_len(cred) > WEBAUTHN_MAX_ID_BYTES ||
            fido_cred_pubkey_len(cred) > WEBAUTHN_MAX_KEY_BYTES) {
                return malformed(c, field);
        }
        *out = (struct webauthn_key){.id = copy_of(c->arena, fido_cred_id_ptr(cred), fido_cred_id_len(cred)),
                                     .public_key =
                                         copy_of(c->arena, fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
                                     .algorithm = fido_cred_type(cred),
                                     .sign_count = fido_cred_sigcount(cred)};
        return SN_OK;
}

/* ---- An assertion ---- */

static void free_assert(fido_assert_t **assert)
{
        fido_assert_free(assert);
}

static bool load_assertion(fido_assert_t *a, struct rpc_call *c, const struct webauthn_client *client,
                           const struct webauthn_assertion *in)
{
        size_t data_len = 0, signature_len = 0;
        const uint8_t *data = webauthn_decode(c->arena, in->authenticator_data, MAX_AUTHENTICATOR_DATA, &data_len);
        const uint8_t *signature = webauthn_decode(c->arena, in->signature, MAX_SIGNATURE, &signature_len);

        return a != NULL && data != NULL && signature != NULL && fido_assert_set_count(a, 1) == FIDO_OK &&
               fido_assert_set_rp(a, relying_party_id()) == FIDO_OK &&
               fido_assert_set_clientdata_hash(a, client->hash, sizeof(client->hash)) == FIDO_OK &&
               fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
               fido_assert_set_uv(a, in->needs_verification ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
               fido_assert_set_authdata_raw(a, 0, data, data_len) == FIDO_OK &&
               fido_assert_set_sig(a, 0, signature, signature_len) == FIDO_OK;
}

static bool is_signed_by(const fido_assert_t *a, const struct webauthn_key *key)
{
        bool good = false;

        if (key->algorithm == COSE_ES256) {
                es256_pk_t *pk = es256_pk_new();
                good = pk != NULL && es256_pk_from_ptr(pk, key->public_key.data, key->public_key.len) == FIDO_OK &&
                       fido_assert_verify(a, 0, COSE_ES256, pk) == FIDO_OK;
                es256_pk_free(&pk);
        } else if (key->algorithm == COSE_EDDSA) {
                eddsa_pk_t *pk = eddsa_pk_new();
                good = pk != NULL && eddsa_pk_from_ptr(pk, key->public_key.data, key->public_key.len) == FIDO_OK &&
                       fido_assert_verify(a, 0, COSE_EDDSA, pk) == FIDO_OK;
                eddsa_pk_free(&pk);
        } else if (key->algorithm == COSE_RS256) {
                rs256_pk_t *pk = rs256_pk_new();
                good = pk != NULL && rs256_pk_from_ptr(pk, key->public_key.data, key->public_key.len) == FIDO_OK &&
                       fido_assert_verify(a, 0, COSE_RS256, pk) == FIDO_OK;
                rs256_pk_free(&pk);
        }
        return good;
}

sn_status webauthn_verify(struct rpc_call *c, const char *field, const struct webauthn_key *key,
                          const struct webauthn_client *client, const struct webauthn_assertion *assertion,
                          int64_t *sign_count)
{
        CLEANUP(free_assert) fido_assert_t *a = fido_assert_new();

        if (!load_assertion(a, c, client, assertion) || !is_signed_by(a, key)) {
                return rpc_fail_code(
                    c, SN_UNAUTHENTICATED, "passkey_wrong", field,
                    "was not signed by this passkey for this network, or user presence was not confirmed");
        }
        *sign_count = fido_assert_sigcount(a, 0);
        return SN_OK;
}
