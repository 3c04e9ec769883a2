/* Owns the definition of messaging_service: its consumers, jobs, channels, start and stop. */
#include "services/messaging/messaging.h"

sn_status messaging_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                       Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status messaging_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                       Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition messaging_service = {
    .name = "messaging",
    .contract = &messaging_contract,
    .handlers = &messaging_handlers,
    .schema = &messaging_schema,
    .consumers = messaging_consumers,
    .jobs = messaging_jobs,
    .exports = messaging_exports,
    .emits = true,
};
