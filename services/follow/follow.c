/* Defines follow_service. */
#include "services/follow/follow.h"

#include "services/follow/followers.h"
#include "services/follow/relations.h"

static sn_status start_follow_service(struct service *service, const struct settings *settings)
{
        TRY(followers_start((size_t)settings->follow_cache_bytes / 4));
        return relations_start((size_t)settings->follow_cache_bytes);
}

static void stop_follow_service(struct service *service)
{
        relations_stop();
        followers_stop();
}

sn_status follow_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                    Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status follow_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                    Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition follow_service = {
    .name = "follow",
    .contract = &follow_contract,
    .handlers = &follow_handlers,
    .schema = &follow_schema,
    .consumers = follow_consumers,
    .jobs = follow_jobs,
    .exports = follow_exports,
    .emits = true,
    .single = true,
    .start = start_follow_service,
    .stop = stop_follow_service,
};
