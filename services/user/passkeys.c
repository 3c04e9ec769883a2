/* Owns creating, listing and removing passkeys. */
#include "services/user/user.h"

#include <string.h>
#include "auth/base64url.h"
#include "base/text.h"
#include "services/user/audit.h"
#include "services/user/factors.h"
#include "services/user/mails.h"
#include "services/user/relying_party.h"
#include "services/user/short_token.h"
#include "services/user/store.h"
#include "services/user/store_factors.h"
#include "services/user/store_passkeys.h"
#include "services/user/webauthn.h"

#define REGISTRATION "passkey-registration" /* the purpose of its challenge */

enum { MAX_NAME_BYTES = 240 };

static char *encode_bytes(struct arena *arena, const void *bytes, size_t len)
{
        return base64url_encode(bytes, len, arena_alloc(arena, BASE64URL_CHARS(len) + 1));
}

/* The member's existing passkeys: authenticators do not create a second one. */
static sn_status list_known(struct db_tx *tx, UserFactors__PasskeyOptions *out)
{
        struct rpc_call *c = db_call(tx);
        UserRows__StoredPasskey **known = NULL;

        TRY(store_stored_passkeys(tx, c->actor, &out->n_exclude, &known));
        out->exclude = ARENA_ARRAY(c->arena, char *, out->n_exclude);
        for (size_t i = 0; i < out->n_exclude; i++) {
                out->exclude[i] = encode_bytes(c->arena, known[i]->credential_id.data, known[i]->credential_id.len);
        }
        return SN_OK;
}

sn_status user_handle_begin_passkey(struct rpc_call *c, const UserFactors__BeginPasskeyRequest *in,
                                    UserFactors__PasskeyOptions *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        static const int32_t algorithms[] = {-7, -8, -257};
        struct short_token challenge = {0};
        User__User me = USER__USER__INIT;
        uint8_t handle[16];

        TRY(db_read(c, &tx));
        TRY(store_user(tx, c->actor, &me));
        TRY(list_known(tx, out));
        (void)uuid_to_bytes(c->actor, handle);
        memcpy(challenge.user, c->actor, UUID_SIZE);
        out->challenge = short_token_make(c->arena, REGISTRATION, c->now_ms, &challenge);
        out->rp_id = arena_strdup(c->arena, relying_party_id());
        out->rp_name = arena_strdup(c->arena, relying_party_name());
        out->user_id = encode_bytes(c->arena, handle, sizeof(handle));
        out->username = me.username;
        out->display_name = me.display_name;
        out->n_algorithms = sizeof(algorithms) / sizeof(algorithms[0]);
        out->algorithms = (int32_t *)arena_strndup(c->arena, (const char *)algorithms, sizeof(algorithms));
        out->timeout_ms = SHORT_TOKEN_LIFE_S * 1000;
        return SN_OK;
}

static sn_status refuse_challenge(struct rpc_call *c)
{
        return rpc_fail_code(
            c, SN_INVALID_ARGUMENT, "challenge_invalid", "client_data",
            "has a challenge that was already used, is older than five minutes, or was not issued to you; "
            "request a new one: POST /v1/passkeys/options");
}

static sn_status read_key(struct rpc_call *c, const UserFactors__CreatePasskeyRequest *in,
                          struct short_token *challenge, struct webauthn_key *key)
{
        struct webauthn_client client;

        TRY(webauthn_read_client(c, "client_data", in->client_data, "webauthn.create", &client));
        if (!short_token_read(client.challenge, REGISTRATION, c->now_ms, challenge) ||
            !uuid_equal(challenge->user, c->actor)) {
                return refuse_challenge(c);
        }
        return webauthn_read_attestation(c, "attestation_object", in->attestation_object, &client, key);
}

static sn_status insert_passkey(struct db_tx *tx, const char *name, const struct webauthn_key *key,
                                UserFactors__NewPasskey *out)
{
        struct rpc_call *c = db_call(tx);
        UserRows__Factors before = USER_ROWS__FACTORS__INIT;
        UserFactors__RecoveryCodes codes = USER_FACTORS__RECOVERY_CODES__INIT;
        const char *id = uuid_new_in(c->arena);

        TRY(store_factors(tx, c->actor, &before));
        if (before.passkeys >= MAX_PASSKEYS) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "too_many_passkeys", NULL,
                                     "you already have %d passkeys, the maximum; remove one first", MAX_PASSKEYS);
        }
        TRY(store_insert_passkey(tx, id, c->actor, name, key));
        if (!factors_any(&before)) {
                TRY(factors_new_recovery_codes(tx, c->actor, &codes));
        }
        out->passkey = ARENA_NEW(c->arena, UserFactors__Passkey);
        user_factors__passkey__init(out->passkey);
        out->recovery_codes = codes.recovery_codes;
        out->n_recovery_codes = codes.n_recovery_codes;
        return store_passkey(tx, id, c->actor, out->passkey);
}

sn_status user_handle_create_passkey(struct rpc_call *c, const UserFactors__CreatePasskeyRequest *in,
                                     UserFactors__NewPasskey *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *name = in->name[0] != '\0' ? text_clean(c->arena, str_of(in->name), MAX_NAME_BYTES) : "Passkey";
        struct short_token challenge;
        struct webauthn_key key;
        bool fresh = false;

        TRY(read_key(c, in, &challenge, &key));
        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(store_use_token(tx, &challenge, &fresh));
        if (!fresh) {
                return refuse_challenge(c);
        }
        TRY(factors_end_unproved(tx));
        TRY(insert_passkey(tx, name, &key, out));
        TRY(AUDIT(tx, .action = "user.passkey_added", .after = AUDIT_VALUES("passkey", out->passkey->id)));
        TRY(notify_owner(tx, c->actor, OWNER_FACTOR_ADDED));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_list_passkeys(struct rpc_call *c, const UserFactors__ListPasskeysRequest *in,
                                    UserFactors__PasskeyList *out)
{
        return DB_READ(c, tx, store_passkeys(tx, c->actor, &out->n_items, &out->items));
}

sn_status user_handle_delete_passkey(struct rpc_call *c, const UserFactors__DeletePasskeyRequest *in,
                                     Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(store_delete_passkey(tx, in->id, c->actor));
        TRY(factors_drop_codes_of_none(tx, c->actor));
        TRY(AUDIT(tx, .action = "user.passkey_removed", .before = AUDIT_VALUES("passkey", in->id)));
        TRY(notify_owner(tx, c->actor, OWNER_FACTOR_REMOVED));
        return db_commit(c, NULL, &tx);
}
