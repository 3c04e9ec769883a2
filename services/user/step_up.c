/* Owns authenticating again within a session. Failures delay further attempts on the session's device only. */
#include "services/user/step_up.h"

#include <string.h>
#include "auth/password.h"
#include "services/user/factors.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/store_factors.h"
#include "services/user/user.h"

struct attempt {
        struct login_try try;
        UserRows__StepUpState state;
        UserRows__Factors factors;
        UserRows__LoginFailures failures;
};

static sn_status load_attempt(struct rpc_call *c, struct attempt *a)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        *a =
            (struct attempt){.state = USER_ROWS__STEP_UP_STATE__INIT,
                             .factors = USER_ROWS__FACTORS__INIT,
                             .failures = USER_ROWS__LOGIN_FAILURES__INIT,
                             .try = {.factor = "step_up", .network = login_limit_network(c->arena, c->client_address)}};
        login_hash("step-up", c->actor, a->try.hash);
        TRY(db_read(c, &tx));
        TRY(store_step_up_state(tx, &a->state));
        TRY(store_factors(tx, c->actor, &a->factors));
        memcpy(a->try.device, a->state.device_id, UUID_SIZE);
        return store_login_failures(tx, &a->try, &a->failures);
}

static sn_status check_password(struct rpc_call *c, const struct attempt *a, const char *field, const char *password)
{
        TRY(login_limit_check(c, &a->failures, true));
        if (password_verify(a->state.password_hash, password)) {
                return SN_OK;
        }
        TRY(DB_WRITE(c, tx, store_insert_login(tx, &a->try, c->actor, false)));
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "credentials_wrong", field, "is not your password");
}

sn_status step_up_check_password(struct rpc_call *c, const char *field, const char *password, const char **hash)
{
        struct attempt a;

        TRY(load_attempt(c, &a));
        *hash = a.state.password_hash;
        return check_password(c, &a, field, password);
}

sn_status step_up_check_unchanged(struct db_tx *tx, const char *hash)
{
        struct rpc_call *c = db_call(tx);
        UserRows__StepUpState now = USER_ROWS__STEP_UP_STATE__INIT;

        TRY(store_step_up_state(tx, &now));
        if (strcmp(now.password_hash, hash) == 0) {
                return SN_OK;
        }
        c->retry = true;
        return rpc_fail(c, SN_ABORTED, NULL, "the password has just changed; please try again");
}

/* A member with a second factor must use that: a stolen password must not be enough to remove it. */
static sn_status step_up_by_password(struct rpc_call *c, const struct attempt *a, const char *password,
                                     UserFactors__SteppedUp *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        if (factors_any(&a->factors)) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "second_factor_required", "password",
                                     "is not enough: your account has a second factor; use that");
        }
        TRY(check_password(c, a, "password", password));
        TRY(db_begin(c, &tx));
        TRY(session_step_up(tx, out));
        return db_commit(c, NULL, &tx);
}

static sn_status step_up_by_factor(struct rpc_call *c, const struct factor_proof *proof, UserFactors__SteppedUp *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *method = "";

        TRY(db_begin(c, &tx));
        TRY(factor_require(c, &tx, c->actor, proof, &method));
        if (method[0] == '\0') {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "no_second_factor", "code",
                                     "cannot be used: your account has no second factor; give your password");
        }
        TRY(session_step_up(tx, out));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_step_up(struct rpc_call *c, const UserFactors__StepUpRequest *in, UserFactors__SteppedUp *out)
{
        struct attempt a;

        if (in->proof_case == USER_FACTORS__STEP_UP_REQUEST__PROOF__NOT_SET) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "password",
                                "is missing: give your password or your second factor");
        }
        TRY(load_attempt(c, &a));
        if (in->proof_case == USER_FACTORS__STEP_UP_REQUEST__PROOF_PASSWORD) {
                return step_up_by_password(c, &a, in->password, out);
        }
        bool by_code = in->proof_case == USER_FACTORS__STEP_UP_REQUEST__PROOF_CODE;
        return step_up_by_factor(c,
                                 &(struct factor_proof){.code = by_code ? in->code : NULL,
                                                        .passkey = by_code ? NULL : in->passkey,
                                                        .device = a.try.device},
                                 out);
}
