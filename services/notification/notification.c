/* Owns the definition of notification_service: its settings, lanes, jobs and consumers, start and stop. */
#include "services/notification/notification.h"

#include "services/notification/lane.h"
#include "services/notification/mails.h"
#include "services/notification/providers.h"

sn_status notification_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                          Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

static sn_status start_notification_service(struct service *service, const struct settings *settings)
{
        push_setup(settings); /* the providers were set up when the settings were checked */
        unsubscribe_setup(settings);
        lanes_start(service);
        return SN_OK;
}

static void stop_notification_service(struct service *service)
{
        lanes_stop();
}

sn_status notification_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                          Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition notification_service = {
    .name = "notification",
    .contract = &notification_contract,
    .handlers = &notification_handlers,
    .schema = &notification_schema,
    .consumers = notification_consumers,
    .jobs = notification_jobs,
    .exports = notification_exports,
    .emits = true,
    .mails = true,
    .check = providers_setup,
    .start = start_notification_service,
    .stop = stop_notification_service,
};
