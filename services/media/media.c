/* media_service: what it is made of. */
#include "services/media/media.h"

#include "base/log.h"
#include "services/media/access_log.h"
#include "services/media/blobs.h"
#include "services/media/describe.h"

struct media_limits media_limits;

static sn_status start(struct service *service, const struct settings *settings)
{
        media_limits = (struct media_limits){.quota_bytes = settings->media_quota_bytes,
                                             .file_bytes = settings->media_file_bytes,
                                             .pending = settings->media_pending};
        describe_start(settings->public_url);

        const struct blobs_options blobs = blobs_options(settings);
        return blobs_use(&blobs, true);
}

enum { STOP_MS = 5000 };

/* What was noted and not yet written. */
static void stop(struct service *service)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, STOP_MS);

        if (access_log_flush(c) != SN_OK) {
                log_event(LOG_LEVEL_WARN, "accesses to media that are not public could not be written");
        }
}

sn_status media_emit(struct db_tx *tx, const char *type, const MediaRows__StoredMedia *row)
{
        return outbox_put(tx, &(struct outbox_event){
                                  .type = type, .aggregate_id = row->id, .actor_id = row->owner_id, .object_id = ""});
}

sn_status media_pass_on(struct rpc_call *c, const struct rpc_call *portion, sn_status status)
{
        const char *detail = portion->problem.detail != NULL ? portion->problem.detail : sn_status_name(status);

        return status == SN_OK ? SN_OK : rpc_fail(c, status, NULL, "%s", detail);
}

sn_status media_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                   Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status media_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                   Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition media_service = {
    .name = "media",
    .contract = &media_contract,
    .handlers = &media_handlers,
    .schema = &media_schema,
    .consumers = media_consumers,
    .jobs = media_jobs,
    .exports = media_exports,
    .emits = true,
    .start = start,
    .stop = stop,
};
