/* Owns one event's way through its handler: again after failures of the environment, for ever and in order; after five
 * other failures it becomes a dead letter and the stream goes on. */
#include "bus/delivery.h"

#include <string.h>
#include "base/clock.h"
#include "base/log.h"

#define CALL_MS       10000
#define MAX_ATTEMPTS  5
#define FIRST_WAIT_MS 5
#define MOST_WAIT_MS  3000

const struct bus_consumer *bus_consumer_of(const struct bus_source *source, const char *type)
{
        for (size_t i = 0; i < source->n_consumers; i++) {
                for (const char *const *t = source->consumers[i]->types; *t; t++) {
                        if (strcmp(*t, type) == 0) {
                                return source->consumers[i];
                        }
                }
        }
        return NULL;
}

sn_status bus_handle(struct rpc_call *c, const struct bus_consumer *consumer, const bus_event *event)
{
        c->trace_id = *event->trace_id ? event->trace_id : c->trace_id;
        bus_current.stored = false;
        sn_status status = consumer->handle(c, event);

        return status == SN_REPLAYED ? SN_OK : status;
}

static bool is_environment(sn_status status)
{
        return status == SN_UNAVAILABLE || status == SN_DEADLINE_EXCEEDED || status == SN_ABORTED;
}

static enum bus_outcome later(struct bus_source *source, const bus_event *event, sn_status status)
{
        int *count = is_environment(status) ? &source->waits : &source->attempts;
        int64_t wait_ms = (int64_t)FIRST_WAIT_MS << (*count < 12 ? *count : 12);

        if (*count == 4) {
                log_event(LOG_LEVEL_WARN, "an event waits", LOG_STR("sonet.source", source->name),
                          LOG_STR("sonet.event", event->type), LOG_INT("sonet.position", event->position),
                          LOG_STR("sonet.code", sn_status_name(status)));
        }
        ++*count;
        source->retry_at_us = clock_monotonic_us() + (wait_ms < MOST_WAIT_MS ? wait_ms : MOST_WAIT_MS) * 1000;
        source->behind = true; /* it is read again from the log */
        return BUS_LATER;
}

static enum bus_outcome done(struct bus_source *source, const bus_event *event, bool stored)
{
        source->attempts = source->waits = 0;
        source->position = event->position;
        if (stored) {
                source->stored = event->position;
        }
        return BUS_DONE;
}

/* The letter and the position are one transaction. */
static enum bus_outcome bury(struct service *service, struct bus_source *source, const bus_event *event,
                             const struct rpc_call *failed, sn_status status)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        const char *detail = failed->problem.detail ? failed->problem.detail : "";
        const char *error = arena_printf(c->arena, "%s: %s", sn_status_name(status), detail);

        log_event(LOG_LEVEL_ERROR, "an event became a dead letter", LOG_STR("sonet.source", source->name),
                  LOG_STR("sonet.event", event->type), LOG_INT("sonet.position", event->position),
                  LOG_STR("error.message", error));
        if (bus_dead_letter_put(c, event, error, source->attempts + 1) != SN_OK) {
                return later(source, event, SN_UNAVAILABLE);
        }
        return done(source, event, true);
}

enum bus_outcome bus_deliver(struct service *service, struct bus_source *source, const bus_event *event)
{
        const struct bus_consumer *consumer = bus_consumer_of(source, event->type);

        if (!consumer) {
                return done(source, event, false);
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);

        bus_current.replay = false;
        sn_status status = bus_handle(c, consumer, event);

        if (status == SN_OK) {
                return done(source, event, bus_current.stored);
        }
        if (is_environment(status)) { /* does not count towards a dead letter */
                return later(source, event, status);
        }
        return source->attempts + 1 < MAX_ATTEMPTS ? later(source, event, status)
                                                   : bury(service, source, event, c, status);
}
