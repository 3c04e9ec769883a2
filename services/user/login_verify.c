/* Owns the second step of a log-in: the second factor. */
#include "services/user/user.h"

#include <string.h>
#include "services/user/factors.h"
#include "services/user/login.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/store.h"
#include "services/user/store_factors.h"
#include "services/user/username.h"

static sn_status refuse_token(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "login_token_invalid", "login_token",
                             "was already used, is older than five minutes, or was not issued here; log in again");
}

/* The member's current row: changing the password in the meantime ends the log-in. */
static sn_status load_member(struct db_tx *tx, const struct short_token *token, UserRows__Credentials *member)
{
        bool found = false;

        TRY(store_credentials_of(tx, token->user, member, &found));
        return found && member->epoch == token->epoch ? SN_OK : refuse_token(db_call(tx));
}

sn_status user_handle_verify_log_in(struct rpc_call *c, const UserFactors__VerifyLogInRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Credentials member = USER_ROWS__CREDENTIALS__INIT;
        struct login_try try = {.factor = "password+code",
                                .device_name = in->device_name,
                                .network = login_limit_network(c->arena, c->client_address)};
        struct factor_proof proof = {.device = try.device};
        struct short_token token;
        bool fresh = false;

        if (!short_token_read(in->login_token, LOGIN_TOKEN, c->now_ms, &token)) {
                return refuse_token(c);
        }
        memcpy(try.device, token.device, sizeof(try.device));
        if (in->proof_case == USER_FACTORS__VERIFY_LOG_IN_REQUEST__PROOF_CODE) {
                proof.code = in->code;
        } else if (in->proof_case == USER_FACTORS__VERIFY_LOG_IN_REQUEST__PROOF_PASSKEY) {
                proof.passkey = in->passkey;
                try.factor = "password+passkey";
        }
        TRY(db_begin(c, &tx));
        TRY(load_member(tx, &token, &member));
        TRY(factor_require(c, &tx, token.user, &proof, NULL));
        TRY(store_use_token(tx, &token, &fresh));
        if (!fresh) {
                return refuse_token(c);
        }
        login_name_hash(username_key(c->arena, member.user->username), try.hash);
        return login_complete(c, &tx, &member, &try, out);
}
