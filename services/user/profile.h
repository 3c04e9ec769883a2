/* Profiles as others see them. */
#ifndef SERVICES_USER_PROFILE_H
#define SERVICES_USER_PROFILE_H

#include "base/call.h"
#include "services/user/user.rpc.h"

/* Takes out what only the member sees, unless it is the actor. */
void profile_hide_private(const struct rpc_call *c, User__User *user);

#endif
