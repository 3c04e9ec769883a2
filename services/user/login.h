/* The final step of every log-in, whatever was proved. */
#ifndef SERVICES_USER_LOGIN_H
#define SERVICES_USER_LOGIN_H

#include "db/db.h"
#include "services/user/user_rows.rpc.h"

struct login_try;

#define LOGIN_TOKEN "login-token" /* the purpose of the short token between password and second factor */

/* Starts the session, returns its tokens and commits. member: as it was when the proof was verified; if its password
 * or role has changed since, the handler runs again. */
SN_CHECKED sn_status login_complete(struct rpc_call *c, struct db_tx **tx, const UserRows__Credentials *member,
                                    const struct login_try *try, User__Login *out);

#endif
