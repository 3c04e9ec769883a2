/* The public method of analytics_service. */
#include "services/analytics/analytics.h"

#include "db/db.h"
#include "services/analytics/store.h"

sn_status analytics_handle_get_count(struct rpc_call *c, const Analytics__GetCountRequest *in, Analytics__Count *out)
{
        return DB_READ(c, tx, analytics_store_count(tx, in->user_id, out));
}
