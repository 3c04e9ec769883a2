/* Who may register, and how accounts are created: by registering (register.c) or with `sonet admin user create`. */
#ifndef SERVICES_USER_REGISTRATION_H
#define SERVICES_USER_REGISTRATION_H

#include "base/settings.h"
#include "db/db.h"
#include "services/user/store.h"

/* Reads REGISTRATION and MEMBER_INVITES; call it before starting threads. */
void registration_start(const struct settings *settings);
/* How many accounts the invites of one member may admit in 30 days. */
int64_t registration_member_invites(void);

/* Whether registration is possible at all. SN_FAILED_PRECONDITION: registration_closed, invite_required. */
SN_CHECKED sn_status registration_check(struct rpc_call *c, const char *invite);
/* Uses the invite, if there is one. *waits: the account must wait for approval. */
SN_CHECKED sn_status registration_admit(struct db_tx *tx, const char *invite, bool *waits);

/* Validates a new account before a transaction, with names and address as given. The caller provides the password's
 * hash. SN_INVALID_ARGUMENT, SN_ALREADY_EXISTS (username_taken) on the field. */
SN_CHECKED sn_status account_prepare(struct rpc_call *c, const char *username, const char *email,
                                     const char *display_name, struct new_user *out);
/* Creates the account, visible to others unless it waits for approval. */
SN_CHECKED sn_status account_create(struct db_tx *tx, const struct new_user *user);

#endif
