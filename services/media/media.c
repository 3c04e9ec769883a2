/* media_service: what it is made of. */
#include "services/media/media.h"

const struct service_definition media_service = {
    .name = "media",
    .contract = &media_contract,
    .handlers = &media_handlers,
    .schema = &media_schema,
    .consumers = media_consumers,
    .jobs = media_jobs,
};
