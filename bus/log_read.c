/* Owns reading a source's outbox by its internal call: at the start, on a gap in the stream, and while there is no
 * stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "bus/delivery.h"
#include "rpc/rpc.h"

#define CALL_MS     5000
#define BATCH       500
#define MOST_ROUNDS 20 /* then the other sources have their turn */

/* Events that were kept for less than this consumer was away: nothing can be done but to say so. A new consumer starts
 * with the oldest. */
static void skip_what_is_gone(struct bus_source *source, int64_t oldest)
{
        if (oldest <= source->position + 1) {
                return;
        }
        if (source->position > 0) {
                log_event(LOG_LEVEL_ERROR, "events are gone from the log before they were handled",
                          LOG_STR("sonet.source", source->name), LOG_INT("sonet.position", source->position),
                          LOG_INT("sonet.oldest", oldest));
        }
        source->position = oldest - 1;
}

static sn_status meet_log(struct service *service, struct bus_source *source,
                          const Sonet__Events__ReadOutboxResponse *out)
{
        (void)snprintf(source->log_id, sizeof(source->log_id), "%s", out->log_id);
        if (out->head < source->position) {
                log_event(LOG_LEVEL_ERROR, "the log ends before what was handled: it came from a backup",
                          LOG_STR("sonet.source", source->name), LOG_INT("sonet.position", source->position),
                          LOG_INT("sonet.head", out->head));
                TRY(bus_position_rewind(service, source, out->head));
        }
        if (source->seen_position > out->head) {
                bus_mistrust_stream(source);
        }
        source->seen_position = 0;
        skip_what_is_gone(source, out->oldest);
        return SN_OK;
}

static sn_status read_batch(struct rpc_call *c, struct bus_source *source, Sonet__Events__ReadOutboxResponse *out)
{
        Sonet__Events__ReadOutboxRequest in = SONET__EVENTS__READ_OUTBOX_REQUEST__INIT;

        in.after = source->position;
        in.limit = BATCH;
        return rpc_invoke(c, source->read_outbox, &in.base, &out->base);
}

/* A fault for the crash test, which must notice it: what was not handled from the stream is given up. Never in release
 * builds. */
static bool gives_up_log(void)
{
#ifdef NDEBUG
        return false;
#else
        return getenv("SONET_FAULT_NO_REDELIVERY") != NULL;
#endif
}

/* more: there is a further batch. */
static sn_status take_batch(struct service *service, struct bus_source *source, bool *more)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, CALL_MS);
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;

        TRY(read_batch(c, source, &out));
        TRY(meet_log(service, source, &out));
        source->heard_us = clock_monotonic_us();
        source->behind = false;
        *more = false;
        size_t known = 0;

        while (known < out.n_events && out.events[known]->position <= source->position) {
                known++;
        }
        if (gives_up_log() && known < out.n_events) {
                source->position = out.events[out.n_events - 1]->position;
        } else if (known < out.n_events &&
                   bus_deliver(service, source, out.events + known, out.n_events - known) == BUS_LATER) {
                return SN_OK;
        }
        source->behind = source->position < out.head;
        *more = source->behind && out.n_events > 0;
        return SN_OK;
}

sn_status bus_log_read(struct service *service, struct bus_source *source)
{
        bool more = true;

        for (int round = 0; more && round < MOST_ROUNDS; round++) {
                TRY(take_batch(service, source, &more));
        }
        return SN_OK;
}
