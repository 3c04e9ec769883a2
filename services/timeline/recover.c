/* When Redis comes back after it missed deliveries, its sets go: readers rebuild theirs from PostgreSQL. */
#include "services/timeline/deliver.h"
#include "services/timeline/handlers.h"
#include "services/timeline/home_cache.h"

static sn_status run(struct rpc_call *c)
{
        sn_status status = SN_OK;

        if (!deliver_missed()) {
                return SN_OK;
        }
        status = home_cache_clear(c);
        if (status != SN_OK) {
                deliver_set_missed();
        }
        return status == SN_UNAVAILABLE ? SN_OK : status;
}

const struct service_job timeline_recover = {.name = "recover_home_cache", .every_s = 1, .run = run};
