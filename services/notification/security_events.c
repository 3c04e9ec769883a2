/* Tells members what was done to the security of their accounts: once for each time. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/notify.h"
#include "services/user/user.rpc.h"

#define PREFIX "security."

static void add(struct arrivals *a, const bus_event *event, size_t number)
{
        struct arrival arrival = {.user_id = event->aggregate_id,
                                  .actor_id = event->aggregate_id,
                                  .note_id = "",
                                  .root_id = "",
                                  .at_ms = arrival_time_ms(event),
                                  .event = number};

        if (type_find(event->type + strlen(PREFIX), &arrival.type)) {
                arrival.group_key = arrival_key(a->c->arena, arrival.type, event->id);
                arrivals_add(a, &arrival);
        }
}

static sn_status collect(struct arrivals *a, const struct bus_batch *batch)
{
        for (size_t i = 0; i < batch->n; i++) {
                add(a, batch->events[i], i);
        }
        return SN_OK;
}

static sn_status handle(struct rpc_call *c, struct bus_batch *batch)
{
        return notify_batch(c, batch, collect);
}

static const char *const types[] = {PREFIX "new_device",
                                    PREFIX "password_changed",
                                    PREFIX "email_change_asked",
                                    PREFIX "email_changed",
                                    PREFIX "factor_added",
                                    PREFIX "factor_removed",
                                    PREFIX "recovery_codes_made",
                                    PREFIX "recovery_code_used",
                                    PREFIX "refresh_token_reused",
                                    PREFIX "passkey_cloned",
                                    NULL};

const struct bus_consumer notification_security_events = {
    .name = "security_events",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = handle,
};
