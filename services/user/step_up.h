/* Authenticating again within a session, with the password. */
#ifndef SERVICES_USER_STEP_UP_H
#define SERVICES_USER_STEP_UP_H

#include "db/db.h"

/* SN_OK if it is the password of the call's member; *hash: its hash, for step_up_check_unchanged. A wrong password,
 * SN_UNAUTHENTICATED (credentials_wrong) on the field, counts as an attempt of the session's device; too many give
 * SN_RESOURCE_EXHAUSTED. */
SN_CHECKED sn_status step_up_check_password(struct rpc_call *c, const char *field, const char *password,
                                            const char **hash);
/* Under store_lock_running: checks that the member's password still has this hash. Otherwise the call starts over
 * (SN_ABORTED), with the new password. */
SN_CHECKED sn_status step_up_check_unchanged(struct db_tx *tx, const char *hash);

#endif
