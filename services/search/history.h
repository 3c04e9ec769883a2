/* What a member searched for. */
#ifndef SERVICES_SEARCH_HISTORY_H
#define SERVICES_SEARCH_HISTORY_H

#include "base/call.h"

/* Makes the query, as it was understood, the newest of the caller's history, unless they turned that off. Nothing
 * without a log-in. */
SN_CHECKED sn_status history_keep(struct rpc_call *c, const char *query);

#endif
