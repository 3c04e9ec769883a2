/* timeline_service: what it is made of. */
#include "services/timeline/timeline.h"

static const struct bus_consumer *const consumers[] = {&timeline_deliver, NULL};
static const struct service_job *const jobs[] = {&timeline_recover, &timeline_prune, NULL};

const struct service_definition timeline_service = {
    .name = "timeline",
    .contract = &timeline_contract,
    .handlers = &timeline_handlers,
    .schema = &timeline_schema,
    .consumers = consumers,
    .jobs = jobs,
};
