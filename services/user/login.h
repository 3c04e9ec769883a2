/* The end of every log-in, whatever it was proved with. */
#ifndef SERVICES_USER_LOGIN_H
#define SERVICES_USER_LOGIN_H

#include "db/db.h"
#include "services/user/user.rpc.h"

struct login_try;

#define LOGIN_TOKEN "login-token" /* the purpose of the short token between password and second factor */

/* Begins the session, answers its tokens and commits. */
SN_CHECKED sn_status login_complete(struct rpc_call *c, struct db_tx **tx, User__User *user,
                                    const struct login_try *try, User__Login *out);

#endif
