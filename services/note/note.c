/* Defines note_service. */
#include "services/note/note.h"

#include "services/note/marks.h"
#include "services/note/newest.h"
#include "services/note/recent.h"
#include "services/note/renoters.h"
#include "services/note/stored.h"

/* Notes use most of the memory; reactions and lists are small. */
static sn_status start_note_service(struct service *service, const struct settings *settings)
{
        size_t bytes = (size_t)settings->note_cache_bytes;

        TRY(stored_start(bytes / 16 * 10));
        TRY(newest_start(bytes / 16));
        TRY(marks_start(bytes / 8));
        TRY(renoters_start(bytes / 16));
        return recent_start(bytes / 8);
}

static void stop_note_service(struct service *service)
{
        stored_stop();
        marks_stop();
        renoters_stop();
        recent_stop();
        newest_stop();
}

sn_status note_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                  Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status note_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                  Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition note_service = {
    .name = "note",
    .contract = &note_contract,
    .handlers = &note_handlers,
    .schema = &note_schema,
    .consumers = note_consumers,
    .jobs = note_jobs,
    .exports = note_exports,
    .emits = true,
    .single = true,
    .start = start_note_service,
    .stop = stop_note_service,
};
