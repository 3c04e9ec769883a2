/* Owns the way of events through their handlers, in batches: again after failures of the environment, for ever and in
 * order; a single one becomes a dead letter after five other failures, and the stream goes on. */
#include "bus/delivery.h"

#include <string.h>
#include "base/clock.h"
#include "base/log.h"

#define CALL_MS       60000 /* one event may have a million effects */
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

sn_status bus_handle(struct rpc_call *c, const struct bus_consumer *consumer, struct bus_batch *batch)
{
        const char *trace_id = batch->events[0]->trace_id;

        c->trace_id = *trace_id ? trace_id : c->trace_id;
        bus_current.stored = false;
        sn_status status = consumer->handle(c, batch);

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
        source->batch = source->batch / 2;
        source->retry_at_us = clock_monotonic_us() + (wait_ms < MOST_WAIT_MS ? wait_ms : MOST_WAIT_MS) * 1000;
        source->behind = true; /* it is read again from the log */
        return BUS_LATER;
}

static enum bus_outcome done(struct bus_source *source, int64_t position, bool stored)
{
        source->attempts = source->waits = 0;
        source->batch = source->batch >= BUS_BATCH_MAX / 2 ? BUS_BATCH_MAX : 2 * source->batch + 1;
        source->position = position;
        if (stored) {
                source->stored = position;
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
        return done(source, event->position, true);
}

static enum bus_outcome handle(struct service *service, struct bus_source *source, const struct bus_consumer *consumer,
                               const struct bus_batch *batch)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        const bus_event *first = batch->events[0], *last = batch->events[batch->n - 1];
        struct bus_batch rest = *batch; /* the handler may take out what is done */

        bus_current.replay = false;
        sn_status status = bus_handle(c, consumer, &rest);

        if (status == SN_OK) {
                return done(source, last->position, bus_current.stored);
        }
        /* What the environment did, or one of many, does not count towards a dead letter. */
        if (is_environment(status) || batch->n > 1) {
                return later(source, first, is_environment(status) ? status : SN_ABORTED);
        }
        return source->attempts + 1 < MAX_ATTEMPTS ? later(source, first, status)
                                                   : bury(service, source, first, c, status);
}

/* The next events that one consumer takes, up to another one's; nobody's are left out. *end is behind the last one. */
static const struct bus_consumer *gather(const struct bus_source *source, bus_event **events, size_t n,
                                         struct bus_batch *batch, size_t *end)
{
        size_t most = source->batch > 0 ? source->batch : 1;
        const struct bus_consumer *consumer = NULL;

        for (*end = 0; *end < n && batch->n < most; ++*end) {
                const struct bus_consumer *next = bus_consumer_of(source, events[*end]->type);

                if (next && consumer && next != consumer) {
                        break;
                }
                if (next) {
                        consumer = next;
                        batch->events[batch->n++] = events[*end];
                }
        }
        return consumer;
}

enum bus_outcome bus_deliver(struct service *service, struct bus_source *source, bus_event **events, size_t n)
{
        for (size_t done_n = 0, end; done_n < n; done_n += end) {
                bus_event *taken[BUS_BATCH_MAX];
                struct bus_batch batch = {.events = taken};
                const struct bus_consumer *consumer = gather(source, events + done_n, n - done_n, &batch, &end);

                if (consumer && handle(service, source, consumer, &batch) == BUS_LATER) {
                        return BUS_LATER;
                }
                source->position = events[done_n + end - 1]->position;
        }
        return BUS_DONE;
}
