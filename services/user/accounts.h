/* Accounts as moderators and administrators see and change them: through /v1/admin (admin.c), and through `sonet
 * admin user`, which works on the database next to running processes. Each change is one transaction of the caller,
 * adds an audit log entry, and emits the events that other processes need. */
#ifndef SERVICES_USER_ACCOUNTS_H
#define SERVICES_USER_ACCOUNTS_H

#include "db/db.h"
#include "services/page.h"
#include "services/user/user_admin.rpc.h"

/* By ID, username or e-mail address. SN_NOT_FOUND; SN_INVALID_ARGUMENT (account_ambiguous) for an address that
 * several accounts share and none has verified. */
SN_CHECKED sn_status account_find(struct db_tx *tx, const char *name, UserAdmin__Account *out);
/* The accounts in a list. */
struct account_filter {
        const char *role; /* "": all */
        bool suspended;   /* only suspended ones */
        bool waiting;     /* only those waiting for approval */
};
SN_CHECKED sn_status account_list(struct db_tx *tx, const struct account_filter *filter, const struct page_scan *scan,
                                  size_t *n, UserAdmin__Account ***items);

/* These return the account as it is afterwards, and change nothing if it is so already. */

/* Tokens with the old role's scopes are invalidated at once, and so are invites of a former moderator. */
SN_CHECKED sn_status account_set_role(struct db_tx *tx, const char *id, const char *role, UserAdmin__Account *out);
/* Ends all sessions and tokens. Until it is lifted, the member, their notes and their name in lists are hidden, and
 * they cannot log in. SN_FAILED_PRECONDITION for an administrator, whose role must be changed first. */
SN_CHECKED sn_status account_suspend(struct db_tx *tx, const char *id, const char *reason, UserAdmin__Account *out);
SN_CHECKED sn_status account_unsuspend(struct db_tx *tx, const char *id, UserAdmin__Account *out);
/* From now on the account is visible and can log in; its owner is mailed. */
SN_CHECKED sn_status account_approve(struct db_tx *tx, const char *id, UserAdmin__Account *out);
/* Erases an account waiting for approval, and mails its owner. SN_FAILED_PRECONDITION if it is not waiting. */
SN_CHECKED sn_status account_decline(struct db_tx *tx, const char *id);
/* An account without a password, whose owner sets one with a mailed link. SN_INVALID_ARGUMENT, SN_ALREADY_EXISTS. */
SN_CHECKED sn_status account_create_by_operator(struct rpc_call *c, const char *username, const char *email,
                                                const char *role, UserAdmin__Account *out);
/* Like deletion by its owner: hidden at once, and erased after ACCOUNT_GRACE_DAYS unless the owner logs in. now:
 * erased at once. SN_FAILED_PRECONDITION for an administrator, whose role must be changed first. */
SN_CHECKED sn_status account_delete(struct db_tx *tx, const char *id, bool now);
/* Removes all second factors of a member who lost them and whose identity the operator has verified: the password is
 * sufficient again. The owner is mailed. */
SN_CHECKED sn_status account_reset_factors(struct db_tx *tx, const char *id, UserAdmin__Account *out);

#endif
