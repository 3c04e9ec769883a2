/* Accounts as those who look after a network see and change them: by /v1/admin (admin.c) and by `sonet admin user`,
 * which works on the database beside the processes that serve. Each change is one transaction of the caller's, leaves
 * an entry in the audit log and emits what other processes must know. */
#ifndef SERVICES_USER_ACCOUNTS_H
#define SERVICES_USER_ACCOUNTS_H

#include "db/db.h"
#include "services/page.h"
#include "services/user/user_admin.rpc.h"

/* By id, username or e-mail address. SN_NOT_FOUND; SN_INVALID_ARGUMENT (account_ambiguous) for an address of several
 * accounts that none of them verified. */
SN_CHECKED sn_status account_find(struct db_tx *tx, const char *name, UserAdmin__Account *out);
/* Which accounts a list has. */
struct account_filter {
        const char *role; /* "": every one */
        bool suspended;   /* only those that are */
        bool waiting;     /* only those that wait for approval */
};
SN_CHECKED sn_status account_list(struct db_tx *tx, const struct account_filter *filter, const struct page_scan *scan,
                                  size_t *n, UserAdmin__Account ***items);

/* These answer with the account as it is afterwards. What is so already is left as it is. */

/* Tokens with the scopes of the old role end at once, and so do the invites of who moderates no more. */
SN_CHECKED sn_status account_set_role(struct db_tx *tx, const char *id, const char *role, UserAdmin__Account *out);
/* Ends all sessions and tokens. Until it is lifted nobody sees the member, what they wrote, or their name among others'
 * followers, and nobody can log in. SN_FAILED_PRECONDITION for an administrator: their role goes first. */
SN_CHECKED sn_status account_suspend(struct db_tx *tx, const char *id, const char *reason, UserAdmin__Account *out);
SN_CHECKED sn_status account_unsuspend(struct db_tx *tx, const char *id, UserAdmin__Account *out);
/* From now on others see the account, and its owner, who is mailed, can log in. */
SN_CHECKED sn_status account_approve(struct db_tx *tx, const char *id, UserAdmin__Account *out);
/* Erases an account that waits for approval, and mails its owner. SN_FAILED_PRECONDITION when it does not wait. */
SN_CHECKED sn_status account_decline(struct db_tx *tx, const char *id);
/* An account without a password, whose owner chooses one by a mailed link. SN_INVALID_ARGUMENT, SN_ALREADY_EXISTS. */
SN_CHECKED sn_status account_create_by_operator(struct rpc_call *c, const char *username, const char *email,
                                                const char *role, UserAdmin__Account *out);
/* As its owner would delete it: nobody sees it any more, and it is erased after ACCOUNT_GRACE_DAYS unless its owner
 * logs in. now: erased at once. SN_FAILED_PRECONDITION for an administrator: their role goes first. */
SN_CHECKED sn_status account_delete(struct db_tx *tx, const char *id, bool now);
/* Removes all second factors, of a member who lost theirs and whom the operator knows: the password is enough again.
 * The owner is mailed. */
SN_CHECKED sn_status account_reset_factors(struct db_tx *tx, const char *id, UserAdmin__Account *out);

#endif
