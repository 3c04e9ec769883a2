/* notification_service: what it is made of. */
#include "services/notification/notification.h"

sn_status notification_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                          Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

const struct service_definition notification_service = {
    .name = "notification",
    .contract = &notification_contract,
    .handlers = &notification_handlers,
    .schema = &notification_schema,
    .consumers = notification_consumers,
    .jobs = notification_jobs,
    .emits = true,
};
