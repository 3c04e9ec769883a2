/* Profiles as others see them. */
#ifndef SERVICES_USER_PROFILE_H
#define SERVICES_USER_PROFILE_H

#include "base/call.h"
#include "db/db.h"
#include "services/user/user.rpc.h"

/* Removes what only the member sees, unless it is the actor. */
void profile_hide_private(const struct rpc_call *c, User__User *user);

/* The caller's own profile, including private fields. SN_UNAUTHENTICATED (token_outdated) if the account is gone. */
SN_CHECKED sn_status profile_read_me(struct db_tx *tx, User__User *out);

#endif
