/* Periodic maintenance: creates the partitions of the coming months, drops those that were kept long enough, destroys
 * yesterday's salt, and tells the reporting views the smallest group. */
#include "services/analytics/analytics.h"

#include <time.h>
#include "services/analytics/store.h"
#include "services/analytics/visitor.h"

int64_t analytics_kept_from_ms(int64_t now_ms)
{
        time_t now = now_ms / 1000;
        struct tm month;

        (void)gmtime_r(&now, &month);
        return (int64_t)timegm(&(struct tm){
                   .tm_year = month.tm_year, .tm_mon = month.tm_mon - (int)analytics_keep_months(), .tm_mday = 1}) *
               1000;
}

static sn_status keep_months(struct rpc_call *c, bool *more)
{
        TRY(DB_WRITE(c, tx, store_destroy_salts(tx, day_of(c->now_ms) * DAY_MS)));
        TRY(DB_WRITE(c, tx, store_make_months(tx)));
        TRY(DB_WRITE(c, tx, store_limits(tx, analytics_min_group())));
        TRY(DB_WRITE(c, tx, store_drop_unpublished(tx)));
        return DB_WRITE(c, tx, store_drop_month(tx, analytics_keep_months(), more));
}

const struct service_job analytics_months = {.name = "keep_months", .every_s = 300, .run = keep_months};
