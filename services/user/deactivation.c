/* Owns deleting one's own account and restoring it. A deactivated member is neither shown nor found: everything that
 * other services can read leaves them out (USER_IS_SHOWN). */
#include "services/user/deactivation.h"

#include "services/user/audit.h"
#include "services/user/authors.h"
#include "services/user/factors.h"
#include "services/user/mails.h"
#include "services/user/search.h"
#include "services/user/session.h"
#include "services/user/step_up.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/store_passwords.h"
#include "services/user/user.h"

sn_status account_announce_shown(struct db_tx *tx, const char *user_id)
{
        bool shown = false;

        TRY(store_is_shown(tx, user_id, &shown));
        return outbox_put(
            tx, &(struct outbox_event){.type = shown ? EVENT_USER_SHOWN : EVENT_USER_HIDDEN, .aggregate_id = user_id});
}

sn_status account_deactivate(struct db_tx *tx, const char *user_id)
{
        int64_t ended = 0;
        bool done = false;

        TRY(store_deactivate(tx, user_id, &done));
        if (!done) { /* by a concurrent request */
                return SN_OK;
        }
        TRY(search_index_names(tx, user_id, ""));
        TRY(account_announce_shown(tx, user_id));
        authors_changed(tx, user_id);
        TRY(store_drop_email_change(tx, user_id)); /* the account must return to whoever knows the password */
        TRY(store_drop_resets(tx, user_id));
        TRY(session_end_others(tx, user_id, "", &ended));
        TRY(session_raise_epoch(tx, user_id));
        TRY(AUDIT(tx, .action = "user.deactivated", .subject_id = user_id));
        return notify_owner(tx, user_id, OWNER_ACCOUNT_DEACTIVATED);
}

sn_status user_handle_delete_me(struct rpc_call *c, const User__DeleteMeRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *hash = "";

        TRY(step_up_check_password(c, "password", in->password, &hash));
        TRY(db_begin(c, &tx));
        TRY(factors_lock_own(tx));
        TRY(step_up_check_unchanged(tx, hash));
        TRY(factor_require(c, &tx, c->actor, &(struct factor_proof){.code = in->code, .device = ""}, NULL));
        TRY(account_deactivate(tx, c->actor));
        return db_commit(c, NULL, &tx);
}

sn_status account_return(struct db_tx *tx, const char *user_id)
{
        User__User user = USER__USER__INIT;
        bool done = false;

        TRY(store_reactivate(tx, user_id, &done));
        if (!done) {
                return SN_OK;
        }
        TRY(store_user(tx, user_id, &user));
        TRY(search_index_names(tx, user_id, user.display_name));
        TRY(account_announce_shown(tx, user_id));
        authors_changed(tx, user_id);
        return AUDIT(tx, .action = "user.reactivated", .subject_id = user_id);
}
