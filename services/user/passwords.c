/* Owns changing passwords, with the current one or with a mailed link. */
#include "services/user/user.h"

#include "auth/password.h"
#include "services/user/audit.h"
#include "services/user/email.h"
#include "services/user/factors.h"
#include "services/user/mails.h"
#include "services/user/password_rules.h"
#include "services/user/session.h"
#include "services/user/step_up.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/store_passwords.h"

/* The response does not depend on whose address it is. */
sn_status user_handle_forgot_password(struct rpc_call *c, const User__ForgotPasswordRequest *in,
                                      Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        char *email = NULL;

        TRY(email_clean(c, in->email, &email));
        TRY(db_begin(c, &tx));
        TRY(store_ask_reset(tx, email_key(c->arena, email)));
        jobs_announce(tx, &user_password_resets);
        return db_commit(c, NULL, &tx);
}

/* Ends everything opened with the old password; keep "": without exception. */
static sn_status set_password(struct db_tx *tx, const char *user_id, const char *hash, const char *keep,
                              const char *action)
{
        int64_t ended = 0;

        TRY(session_end_others(tx, user_id, keep, &ended));
        TRY(session_raise_epoch(tx, user_id));
        TRY(store_set_password(tx, user_id, hash));
        TRY(store_drop_resets(tx, user_id));
        TRY(store_drop_email_change(tx, user_id)); /* it may have been requested with the old password */
        TRY(AUDIT(tx, .action = action, .subject_id = user_id));
        return notify_owner(tx, user_id, OWNER_PASSWORD_CHANGED);
}

static sn_status link_invalid(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "link_invalid", "token",
                             "is no longer valid: only the newest link works, once, within 30 minutes; request a "
                             "new one: POST /v1/auth/password/forgot");
}

sn_status user_handle_reset_password(struct rpc_call *c, const User__ResetPasswordRequest *in,
                                     Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__AskedReset reset = USER_ROWS__ASKED_RESET__INIT;
        uint8_t token[MAILED_HASH_BYTES];
        char *hash = NULL;
        bool found = false;

        mailed_token_hash(in->token, token);
        TRY(DB_READ(c, read, store_reset_of_token(read, token, &reset, &found)));
        if (!found) {
                return link_invalid(c);
        }
        TRY(password_check(c, "new_password", in->new_password, reset.username, reset.email));
        TRY(password_hash(c, in->new_password, &hash));
        TRY(db_begin(c, &tx));
        TRY(factor_require(c, &tx, reset.user_id, &(struct factor_proof){.code = in->code, .device = ""}, NULL));
        TRY(store_lock_member(tx, reset.user_id));
        TRY(store_use_reset(tx, token, reset.user_id, &found));
        if (!found) { /* a concurrent request was faster */
                return link_invalid(c);
        }
        TRY(set_password(tx, reset.user_id, hash, "", "user.password_reset"));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_change_password(struct rpc_call *c, const User__ChangePasswordRequest *in,
                                      UserFactors__SteppedUp *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__User user = USER__USER__INIT;
        const char *old = "";
        char *hash = NULL;

        TRY(step_up_check_password(c, "current_password", in->current_password, &old));
        TRY(DB_READ(c, read, store_user(read, c->actor, &user)));
        TRY(password_check(c, "new_password", in->new_password, user.username, user.email));
        TRY(password_hash(c, in->new_password, &hash));
        TRY(db_begin(c, &tx));
        TRY(store_lock_running(tx));
        /* Of two concurrent changes, the second has verified an outdated password. */
        TRY(step_up_check_unchanged(tx, old));
        TRY(set_password(tx, c->actor, hash, c->session, "user.password_changed"));
        TRY(session_step_up(tx, out)); /* the token used was invalidated with all others */
        return db_commit(c, NULL, &tx);
}
