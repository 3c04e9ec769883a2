/* Owns logging in with a passkey alone, and the challenges of passkeys. */
#include "services/user/user.h"

#include "services/user/device_token.h"
#include "services/user/login.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/passkey_use.h"
#include "services/user/relying_party.h"
#include "services/user/short_token.h"
#include "services/user/store.h"
#include "services/user/username.h"

sn_status user_handle_begin_passkey_log_in(struct rpc_call *c, const UserFactors__BeginPasskeyLogInRequest *in,
                                           UserFactors__PasskeyChallenge *out)
{
        struct short_token challenge = {0};

        out->challenge = short_token_make(c->arena, PASSKEY_CHALLENGE, c->now_ms, &challenge);
        out->rp_id = arena_strdup(c->arena, relying_party_id());
        out->timeout_ms = SHORT_TOKEN_LIFE_S * 1000;
        return SN_OK;
}

sn_status user_handle_log_in_with_passkey(struct rpc_call *c, const UserFactors__LogInWithPasskeyRequest *in,
                                          User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Credentials member = USER_ROWS__CREDENTIALS__INIT;
        struct login_try try = {.factor = "passkey", .network = login_limit_network(c->arena, c->client_address)};
        const struct passkey_proof proof = {.assertion = in->passkey, .user_id = "", .needs_verification = true};
        const char *user_id = "";
        bool found = false;

        TRY(db_begin(c, &tx));
        TRY(passkey_use(c, &tx, &proof, &user_id));
        TRY(store_credentials_of(tx, user_id, &member, &found));
        if (!found) {
                return rpc_fail(c, SN_NOT_FOUND, NULL, "the account no longer exists");
        }
        (void)device_token_read(in->device_token, user_id, try.device);
        login_name_hash(username_key(c->arena, member.user->username), try.hash);
        return login_complete(c, &tx, &member, &try, out);
}
