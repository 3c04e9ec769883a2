/* Owns what moderators and administrators do to accounts. */
#include "services/user/accounts.h"

#include <string.h>
#include "services/user/audit.h"
#include "services/user/authors.h"
#include "services/user/deactivation.h"
#include "services/user/factors.h"
#include "services/user/login_name.h"
#include "services/user/mails.h"
#include "services/user/roles.h"
#include "services/user/search.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/store_accounts.h"
#include "services/user/store_email.h"
#include "services/user/store_factors.h"
#include "services/user/store_invites.h"
#include "services/user/user.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"

sn_status account_find(struct db_tx *tx, const char *name, UserAdmin__Account *out)
{
        bool is_id = uuid_valid(name);

        return store_account(tx, is_id ? name : "", is_id ? NULL : login_name_key(db_arena(tx), name), out);
}

/* The account, locked against concurrent changes. */
static sn_status lock_account(struct db_tx *tx, const char *id, UserAdmin__Account *out)
{
        TRY(store_lock_member(tx, id));
        return store_account(tx, id, NULL, out);
}

static sn_status read_again(struct db_tx *tx, const char *id, UserAdmin__Account *out)
{
        user_admin__account__init(out);
        return store_account(tx, id, NULL, out);
}

static bool moderates(const char *role)
{
        const struct role *r = role_find(role);

        return r != NULL && str_has_word(r->scopes, "moderate");
}

sn_status account_set_role(struct db_tx *tx, const char *id, const char *role, UserAdmin__Account *out)
{
        TRY(lock_account(tx, id, out));
        if (strcmp(out->role, role) == 0) {
                return SN_OK;
        }
        TRY(store_set_role(tx, id, role));
        if (moderates(out->role) && !moderates(role)) {
                TRY(store_revoke_invites(tx, id)); /* they were made without the members' limit */
        }
        TRY(session_raise_epoch(tx, id));
        TRY(AUDIT(tx, .action = "user.role_changed", .subject_id = id, .before = AUDIT_VALUES("role", out->role),
                  .after = AUDIT_VALUES("role", role)));
        return read_again(tx, id, out);
}

/* Others see the member differently now: invalidates their caches. */
static sn_status show_or_hide(struct db_tx *tx, const char *id)
{
        authors_changed(tx, id);
        TRY(account_announce_shown(tx, id));
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_USER_CHANGED, .aggregate_id = id});
}

static sn_status refuse_administrator(struct db_tx *tx, const UserAdmin__Account *account)
{
        return strcmp(account->role, "administrator") != 0
                   ? SN_OK
                   : rpc_fail_code(db_call(tx), SN_FAILED_PRECONDITION, "account_is_administrator", "id",
                                   "belongs to an administrator; change the role first");
}

sn_status account_suspend(struct db_tx *tx, const char *id, const char *reason, UserAdmin__Account *out)
{
        int64_t ended = 0;

        TRY(lock_account(tx, id, out));
        if (out->suspended_at != NULL && strcmp(out->suspension_reason, reason) == 0) {
                return SN_OK;
        }
        TRY(refuse_administrator(tx, out));
        TRY(store_suspend(tx, id, reason));
        TRY(session_end_others(tx, id, "", &ended));
        TRY(session_raise_epoch(tx, id));
        TRY(store_drop_email_change(tx, id));
        TRY(show_or_hide(tx, id));
        TRY(AUDIT(tx, .action = "user.suspended", .subject_id = id,
                  .before = AUDIT_VALUES("reason", out->suspension_reason), .after = AUDIT_VALUES("reason", reason)));
        return read_again(tx, id, out);
}

sn_status account_unsuspend(struct db_tx *tx, const char *id, UserAdmin__Account *out)
{
        TRY(lock_account(tx, id, out));
        if (out->suspended_at == NULL) {
                return SN_OK;
        }
        TRY(store_unsuspend(tx, id));
        TRY(show_or_hide(tx, id));
        TRY(AUDIT(tx, .action = "user.unsuspended", .subject_id = id,
                  .before = AUDIT_VALUES("reason", out->suspension_reason)));
        return read_again(tx, id, out);
}

sn_status account_approve(struct db_tx *tx, const char *id, UserAdmin__Account *out)
{
        TRY(lock_account(tx, id, out));
        if (out->waiting_since == NULL) {
                return SN_OK;
        }
        TRY(store_approve(tx, id));
        TRY(search_index_names(tx, id, out->display_name));
        TRY(show_or_hide(tx, id));
        TRY(AUDIT(tx, .action = "user.approved", .subject_id = id));
        TRY(notify_owner(tx, id, OWNER_ACCOUNT_APPROVED));
        return read_again(tx, id, out);
}

/* The mail belongs to no account, since all data of the account is erased. */
static sn_status mail_declined(struct db_tx *tx, const char *id)
{
        struct mail_recipient applicant;

        TRY(mail_recipient_of(tx, id, &applicant));
        return mail_enqueue(tx, &(struct mail){.template = &mail_account_declined,
                                               .to = applicant.email,
                                               .language = applicant.language,
                                               .owner_id = NOBODY,
                                               MAIL_VALUES(mail_text("name", applicant.username),
                                                           mail_text("network", mail_network()))});
}

sn_status account_decline(struct db_tx *tx, const char *id)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;

        TRY(lock_account(tx, id, &account));
        if (account.waiting_since == NULL) {
                return rpc_fail_code(db_call(tx), SN_FAILED_PRECONDITION, "account_not_waiting", "id",
                                     "is not waiting for approval");
        }
        TRY(mail_declined(tx, id));
        TRY(account_erase(tx, id));
        return AUDIT(tx, .action = "registration.declined");
}

sn_status account_delete(struct db_tx *tx, const char *id, bool now)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;

        TRY(lock_account(tx, id, &account));
        TRY(refuse_administrator(tx, &account));
        TRY(account_deactivate(tx, id));
        if (!now) {
                return SN_OK;
        }
        TRY(account_erase(tx, id));
        return AUDIT(tx, .action = "user.erased");
}

sn_status account_reset_factors(struct db_tx *tx, const char *id, UserAdmin__Account *out)
{
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;

        TRY(factors_lock(tx, id));
        TRY(lock_account(tx, id, out));
        TRY(store_factors(tx, id, &factors));
        if (!factors_any(&factors)) {
                return SN_OK;
        }
        TRY(store_delete_factors(tx, id));
        TRY(AUDIT(tx, .action = "user.factors_reset", .subject_id = id));
        return notify_owner(tx, id, OWNER_FACTOR_REMOVED);
}
