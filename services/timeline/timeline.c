/* timeline_service: what it is made of. */
#include "services/timeline/timeline.h"

const struct service_definition timeline_service = {
    .name = "timeline",
    .contract = &timeline_contract,
    .handlers = &timeline_handlers,
    .schema = &timeline_schema,
    .consumers = timeline_consumers,
    .jobs = timeline_jobs,
};
