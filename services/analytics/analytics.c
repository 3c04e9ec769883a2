/* analytics_service: what it is made of. */
#include "services/analytics/analytics.h"

const struct service_definition analytics_service = {
    .name = "analytics",
    .contract = &analytics_contract,
    .handlers = &analytics_handlers,
    .schema = &analytics_schema,
    .consumers = analytics_consumers,
    .jobs = analytics_jobs,
};
