/* notification_service: what it is made of. */
#include "services/notification/notification.h"

const struct service_definition notification_service = {
    .name = "notification",
    .contract = &notification_contract,
    .handlers = &notification_handlers,
    .schema = &notification_schema,
    .consumers = notification_consumers,
    .jobs = notification_jobs,
};
