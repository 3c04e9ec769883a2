/* search_service: what it is made of. */
#include "services/search/search.h"

const struct service_definition search_service = {
    .name = "search",
    .contract = &search_contract,
    .handlers = &search_handlers,
    .schema = &search_schema,
    .consumers = search_consumers,
    .jobs = search_jobs,
};
