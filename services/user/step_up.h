/* Proving within a session who one is, by the password. */
#ifndef SERVICES_USER_STEP_UP_H
#define SERVICES_USER_STEP_UP_H

#include "db/db.h"

/* SN_OK when it is the password of the call's member; *hash: of that password, for step_up_check_unchanged. Refused,
 * SN_UNAUTHENTICATED (credentials_wrong) on the field, it counts as a try of the session's device, and enough of them
 * are SN_RESOURCE_EXHAUSTED. */
SN_CHECKED sn_status step_up_check_password(struct rpc_call *c, const char *field, const char *password,
                                            const char **hash);
/* Under store_lock_running: the member's password is still that of the hash. Otherwise the call begins anew
 * (SN_ABORTED), and meets the new one. */
SN_CHECKED sn_status step_up_check_unchanged(struct db_tx *tx, const char *hash);

#endif
