/* timeline_service: what it is made of. */
#include "services/timeline/timeline.h"

#include "services/timeline/handlers.h"
#include "services/timeline/schema.h"

static const struct timeline_handlers handlers = {
    .get_home = get_home,
    .get_user_timeline = get_user_timeline,
    .get_hashtag_timeline = get_hashtag_timeline,
};

static const struct bus_consumer *const consumers[] = {&timeline_deliver, NULL};
static const struct service_job *const jobs[] = {&timeline_recover, &timeline_prune, NULL};

const struct service_definition timeline_service = {
    .name = "timeline",
    .contract = &timeline_contract,
    .handlers = &handlers,
    .schema = &timeline_schema,
    .consumers = consumers,
    .jobs = jobs,
};
