/* Owns a member's engagement profile: reading, resetting and disabling it. */
#include "services/analytics/analytics.h"

#include "services/analytics/store_insights.h"

sn_status analytics_handle_get_engagement(struct rpc_call *c, const AnalyticsInsights__EngagementRequest *in,
                                          AnalyticsInsights__Engagement *out)
{
        bool enabled = false;

        TRY(DB_READ(c, tx, store_engagement(tx, c->actor, &enabled, &out->n_items, &out->items)));
        out->enabled = enabled;
        return SN_OK;
}

sn_status analytics_handle_reset_engagement(struct rpc_call *c, const AnalyticsInsights__EngagementRequest *in,
                                            Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_reset_engagement(tx, c->actor));
}

sn_status analytics_handle_update_engagement(struct rpc_call *c, const AnalyticsInsights__UpdateEngagementRequest *in,
                                             AnalyticsInsights__Engagement *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool enabled = false;

        if (in->enabled_presence_case == ANALYTICS_INSIGHTS__UPDATE_ENGAGEMENT_REQUEST__ENABLED_PRESENCE__NOT_SET) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "enabled", "is required");
        }
        TRY(db_begin(c, &tx));
        TRY(store_switch_engagement(tx, c->actor, in->enabled));
        TRY(store_engagement(tx, c->actor, &enabled, &out->n_items, &out->items));
        out->enabled = enabled;
        return db_commit(c, NULL, &tx);
}

static sn_status prune(struct rpc_call *c, bool *more)
{
        return DB_WRITE(c, tx, store_prune_engagement(tx, analytics_keep_months(), more));
}

const struct service_job analytics_engagement = {.name = "prune_engagement", .every_s = 3600, .run = prune};
