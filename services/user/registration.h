/* Who may register, and how an account comes to be: by registering (register.c) or by `sonet admin user create`. */
#ifndef SERVICES_USER_REGISTRATION_H
#define SERVICES_USER_REGISTRATION_H

#include "base/settings.h"
#include "db/db.h"
#include "services/user/store.h"

/* Reads REGISTRATION and MEMBER_INVITES; before any thread is started. */
void registration_start(const struct settings *settings);
/* How many accounts the invites of one member may let in, in 30 days. */
int64_t registration_member_invites(void);

/* Whether anybody may try. SN_FAILED_PRECONDITION: registration_closed, invite_required. */
SN_CHECKED sn_status registration_check(struct rpc_call *c, const char *invite);
/* Uses the invite up, if there is one. *waits: the account is to wait for approval. */
SN_CHECKED sn_status registration_admit(struct db_tx *tx, const char *invite, bool *waits);

/* What of a new account can be said before a transaction, of names and address as they were given. The password's hash
 * is the caller's. SN_INVALID_ARGUMENT, SN_ALREADY_EXISTS (username_taken) on the field. */
SN_CHECKED sn_status account_prepare(struct rpc_call *c, const char *username, const char *email,
                                     const char *display_name, struct new_user *out);
/* The account, which others find and see unless it waits for approval. */
SN_CHECKED sn_status account_create(struct db_tx *tx, const struct new_user *user);

#endif
