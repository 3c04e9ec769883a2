/* search_service: what it is made of. */
#include "services/search/find.h"

static sn_status start(struct service *service, const struct settings *settings)
{
        find_start(settings);
        return SN_OK;
}

const struct service_definition search_service = {
    .name = "search",
    .contract = &search_contract,
    .handlers = &search_handlers,
    .schema = &search_schema,
    .consumers = search_consumers,
    .jobs = search_jobs,
    .exports = search_exports,
    .start = start,
};
