/* Members as named in requests. */
#ifndef SERVICES_MEMBER_H
#define SERVICES_MEMBER_H

#include "base/call.h"
#include "services/user/user.rpc.h"

/* The member named by a request's user_id: an ID or a username, with or without a leading '@'. SN_NOT_FOUND on
 * user_id if there is none. Calls user_service, so no transaction may be open. */
SN_CHECKED sn_status member_find_author(struct rpc_call *c, char *name, User__Author **author);
SN_CHECKED sn_status member_find(struct rpc_call *c, char *name, char **id);

#endif
