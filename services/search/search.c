/* Owns the definition of search_service: its consumers, jobs, start and stop. */
#include "services/search/find.h"

static sn_status start_search_service(struct service *service, const struct settings *settings)
{
        find_start(settings);
        return SN_OK;
}

sn_status search_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                    Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

sn_status search_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                    Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

const struct service_definition search_service = {
    .name = "search",
    .contract = &search_contract,
    .handlers = &search_handlers,
    .schema = &search_schema,
    .consumers = search_consumers,
    .jobs = search_jobs,
    .exports = search_exports,
    .emits = true,
    .start = start_search_service,
};
