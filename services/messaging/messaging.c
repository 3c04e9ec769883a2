/* messaging_service: what it is made of. */
#include "services/messaging/messaging.h"

const struct service_definition messaging_service = {
    .name = "messaging",
    .contract = &messaging_contract,
    .handlers = &messaging_handlers,
    .schema = &messaging_schema,
    .consumers = messaging_consumers,
    .jobs = messaging_jobs,
};
