/* Tells members what was done to the security of their accounts: once for each time. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/arrivals.h"
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

static sn_status tell(struct rpc_call *c, struct bus_batch *batch)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct arrivals arrivals;
        size_t n = batch->n;

        arrivals_start(&arrivals, c);
        for (size_t i = 0; i < n; i++) {
                add(&arrivals, batch->events[i], i);
        }
        TRY(arrivals_decide(&arrivals));
        TRY(bus_begin(c, batch, &tx));
        TRY(arrivals_store(&arrivals, tx, n - batch->n));
        return bus_commit(c, batch, &tx);
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
    .handle = tell,
};
