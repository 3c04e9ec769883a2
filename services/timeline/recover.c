/* When Redis comes back, or missed deliveries, its sets go: readers rebuild theirs from PostgreSQL. */
#include "services/timeline/timeline.h"
#include "services/timeline/home_cache.h"

static sn_status recover(struct rpc_call *c, bool *more)
{
        sn_status status = home_cache_recover(c);

        return status == SN_UNAVAILABLE ? SN_OK : status;
}

const struct service_job timeline_recover = {.name = "recover_home_cache", .every_s = 1, .run = recover};
