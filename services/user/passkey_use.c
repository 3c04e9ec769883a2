/* Owns authentication with a passkey. */
#include "services/user/passkey_use.h"

#include <string.h>
#include "auth/base64url.h"
#include "services/user/audit.h"
#include "services/user/mails.h"
#include "services/user/short_token.h"
#include "services/user/store_factors.h"
#include "services/user/store_passkeys.h"
#include "services/user/webauthn.h"

static sn_status refuse_challenge(struct rpc_call *c)
{
        return rpc_fail_code(
            c, SN_UNAUTHENTICATED, "challenge_invalid", "client_data",
            "has a challenge that was already used, is older than five minutes, or was not issued here; "
            "request a new one: POST /v1/auth/passkey/options");
}

/* The handle is the member's ID, which the passkey stores with its key (WebAuthn, 7.2: 6). */
static bool handle_fits(struct rpc_call *c, const char *handle, const char *user_id)
{
        uint8_t id[16], given[16];
        size_t len = 0;

        return handle[0] == '\0' || (uuid_to_bytes(user_id, id) && base64url_decode(str_of(handle), given, 16, &len) &&
                                     len == 16 && memcmp(id, given, 16) == 0);
}

static sn_status find_passkey(struct rpc_call *c, struct db_tx *tx, const struct passkey_proof *proof,
                              UserRows__StoredPasskey *passkey)
{
        size_t len = 0;
        const uint8_t *id = webauthn_decode(c->arena, proof->assertion->id, WEBAUTHN_MAX_ID_BYTES, &len);
        bool found = false;

        if (id != NULL && len > 0) {
                TRY(store_lock_passkey(tx, id, len, passkey, &found));
        }
        if (!found || (proof->user_id[0] != '\0' && !uuid_equal(passkey->user_id, proof->user_id)) ||
            !handle_fits(c, proof->assertion->user_handle, passkey->user_id)) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "passkey_unknown", "id",
                                     "is not a passkey of this account");
        }
        return SN_OK;
}

/* WebAuthn, 6.1.1: signature counters increase. */
static sn_status check_counter(struct rpc_call *c, struct db_tx **tx, const UserRows__StoredPasskey *passkey,
                               int64_t sign_count)
{
        if (sign_count > passkey->sign_count || (sign_count == 0 && passkey->sign_count == 0)) {
                return SN_OK;
        }
        TRY(AUDIT(*tx, .action = "user.passkey_cloned", .subject_id = passkey->user_id,
                  .after = AUDIT_VALUES("passkey", passkey->id)));
        TRY(notify_owner(*tx, passkey->user_id, OWNER_PASSKEY_CLONED));
        TRY(db_commit(c, NULL, tx));
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "passkey_cloned", "authenticator_data",
                             "has a signature counter that went backwards: the passkey may have been cloned; remove it "
                             "and create a new one");
}

static sn_status verify_passkey(struct rpc_call *c, const struct passkey_proof *proof,
                                const UserRows__StoredPasskey *passkey, const struct webauthn_client *client,
                                int64_t *sign_count)
{
        const struct webauthn_key key = {.public_key = {passkey->public_key.data, passkey->public_key.len},
                                         .algorithm = (int)passkey->algorithm};
        const struct webauthn_assertion assertion = {.authenticator_data = proof->assertion->authenticator_data,
                                                     .signature = proof->assertion->signature,
                                                     .needs_verification = proof->needs_verification};

        return webauthn_verify(c, "signature", &key, client, &assertion, sign_count);
}

sn_status passkey_use(struct rpc_call *c, struct db_tx **tx, const struct passkey_proof *proof, const char **user_id)
{
        UserRows__StoredPasskey *passkey = ARENA_NEW(c->arena, UserRows__StoredPasskey);
        struct webauthn_client client;
        struct short_token challenge;
        int64_t sign_count = 0;
        bool fresh = false;

        user_rows__stored_passkey__init(passkey);
        TRY(webauthn_read_client(c, "client_data", proof->assertion->client_data, "webauthn.get", &client));
        if (!short_token_read(client.challenge, PASSKEY_CHALLENGE, c->now_ms, &challenge)) {
                return refuse_challenge(c);
        }
        TRY(find_passkey(c, *tx, proof, passkey));
        TRY(verify_passkey(c, proof, passkey, &client, &sign_count));
        TRY(store_use_token(*tx, &challenge, &fresh));
        if (!fresh) {
                return refuse_challenge(c);
        }
        TRY(check_counter(c, tx, passkey, sign_count));
        TRY(store_touch_passkey(*tx, passkey->id, sign_count));
        *user_id = passkey->user_id;
        return SN_OK;
}
