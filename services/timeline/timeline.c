/* Defines timeline_service. */
#include "services/timeline/timeline.h"

#include "services/timeline/famous.h"
#include "services/timeline/home_memory.h"

static sn_status start_timeline_service(struct service *service, const struct settings *settings)
{
        TRY(home_memory_start((size_t)settings->home_memory_bytes));
        return famous_start(settings);
}

static void stop_timeline_service(struct service *service)
{
        famous_stop();
        home_memory_stop();
}

sn_status timeline_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                      Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition timeline_service = {
    .name = "timeline",
    .contract = &timeline_contract,
    .handlers = &timeline_handlers,
    .schema = &timeline_schema,
    .consumers = timeline_consumers,
    .jobs = timeline_jobs,
    .exports = timeline_exports,
    .start = start_timeline_service,
    .stop = stop_timeline_service,
};
