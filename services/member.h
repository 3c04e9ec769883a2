/* Members as requests name them. */
#ifndef SERVICES_MEMBER_H
#define SERVICES_MEMBER_H

#include "base/call.h"
#include "services/user/user.rpc.h"

/* The member whom a request's user_id names: by id, or by username, with or without the '@' that names are
 * shown with. SN_NOT_FOUND on user_id when there is none. Asks user_service: never while a transaction is open. */
SN_CHECKED sn_status member_find_author(struct rpc_call *c, char *name, User__Author **author);
SN_CHECKED sn_status member_find(struct rpc_call *c, char *name, char **id);

#endif
