/* What a member searched for. */
#ifndef SERVICES_SEARCH_HISTORY_H
#define SERVICES_SEARCH_HISTORY_H

#include "base/call.h"

/* Of who is logged in: the query as it was understood becomes the newest of their history, unless they want none. */
SN_CHECKED sn_status history_keep(struct rpc_call *c, const char *query);

#endif
