/* Owns reading a source's outbox with the internal call: at the start, after a gap in the stream, and while there is no
 * stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bus/lane.h"
#include "rpc/rpc.h"

#define CALL_MS     5000
#define BATCH       500
#define MOST_ROUNDS 20 /* then progress is stored, and letters are replayed */

/* Events that were deleted while this consumer was not running can only be reported. A new consumer starts with the
 * oldest one. */
static void skip_what_is_gone(struct bus_lane *lane, int64_t oldest)
{
        if (oldest <= lane->position + 1) {
                return;
        }
        if (lane->position > 0) {
                log_event(LOG_LEVEL_ERROR, "events were removed from the log before they were handled",
                          LOG_STR("sonet.consumer", lane->consumer->name),
                          LOG_STR("sonet.source", lane->consumer->source), LOG_INT("sonet.position", lane->position),
                          LOG_INT("sonet.oldest", oldest));
        }
        lane->position = oldest - 1;
        lane->cursor[0] = '\0';
        lane->unsaved = true;
}

/* A log restored from a backup has a new name: what was read under the old one is valid up to where the new one starts,
 * and the consumer continues from there, however long the new one is by now. If the name was kept, the restore only
 * shows in the log's end before the consumer's position. */
static sn_status follow_log(struct bus_lane *lane, const Sonet__Events__ReadOutboxResponse *out)
{
        bool same = strcmp(lane->log_id, out->log_id) == 0, first = lane->log_id[0] == '\0';
        int64_t known = same || first ? out->head : out->log_start;

        if (same && lane->position <= known) {
                return SN_OK;
        }
        if (lane->position > known) {
                log_event(
                    LOG_LEVEL_ERROR, "the log was restored from a backup and lacks events that were already handled",
                    LOG_STR("sonet.consumer", lane->consumer->name), LOG_STR("sonet.source", lane->consumer->source),
                    LOG_INT("sonet.position", lane->position), LOG_INT("sonet.known", known));
        }
        return bus_position_reset(lane, out->log_id, lane->position < known ? lane->position : known);
}

static sn_status meet_log(struct bus_lane *lane, const Sonet__Events__ReadOutboxResponse *out)
{
        TRY(follow_log(lane, out));
        if (lane->seen_position > out->head) {
                bus_stream_mistrust(lane);
        }
        lane->seen_position = 0;
        skip_what_is_gone(lane, out->oldest);
        metric_set(lane->lag, out->head - lane->position);
        return SN_OK;
}

static sn_status read_batch(struct rpc_call *c, const struct bus_lane *lane, Sonet__Events__ReadOutboxResponse *out)
{
        Sonet__Events__ReadOutboxRequest in = SONET__EVENTS__READ_OUTBOX_REQUEST__INIT;

        in.after = lane->position;
        in.limit = BATCH;
        return rpc_invoke(c, lane->consumer->read_outbox, &in.base, &out->base);
}

/* A fault injected by the crash test, which must detect it: unhandled events of the stream are dropped. Never in
 * release builds. */
static bool gives_up_log(void)
{
#ifdef NDEBUG
        return false;
#else
        return getenv("SONET_FAULT_NO_REDELIVERY") != NULL;
#endif
}

/* *more: there is another batch. */
static sn_status handle_batch(struct bus_lane *lane, bool *more)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;
        int64_t asked = lane->position;
        size_t known = 0;

        TRY(read_batch(c, lane, &out));
        TRY(meet_log(lane, &out));
        lane->heard_us = clock_monotonic_us();
        *more = lane->behind =
            lane->position < asked; /* the position was moved back: the events that were read start too late */
        if (*more) {
                return SN_OK;
        }
        while (known < out.n_events && out.events[known]->position <= lane->position) {
                known++;
        }
        if (gives_up_log() && known < out.n_events) {
                lane->position = out.events[out.n_events - 1]->position;
                lane->unsaved = true;
        } else if (known < out.n_events && !bus_deliver(lane, out.events + known, out.n_events - known)) {
                return SN_OK;
        }
        lane->behind = lane->position < out.head;
        *more = lane->behind && out.n_events > 0;
        metric_set(lane->lag, out.head - lane->position);
        return SN_OK;
}

sn_status bus_log_read(struct bus_lane *lane)
{
        bool more = true;

        for (int round = 0; more && round < MOST_ROUNDS; round++) {
                TRY(handle_batch(lane, &more));
        }
        return SN_OK;
}
