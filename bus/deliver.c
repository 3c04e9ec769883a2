/* Owns passing events to their handler, in batches: retried forever and in order while a dependency is unreachable;
 * one that fails by itself eventually becomes a dead letter, and the lane continues. */
#include "bus/lane.h"

#include <string.h>
#include "base/clock.h"
#include "base/log.h"

#define CALL_MS       60000
#define PING_MS       1000
#define MOST_FAILURES 5
#define MOST_SLOW     10 /* more, since a deadline or a conflict may have been caused by concurrent work */
#define FIRST_WAIT_MS 5
#define MOST_WAIT_MS  3000

static bool wants_event(const struct bus_lane *lane, const bus_event *event)
{
        if (lane->consumer->by_aggregate && bus_lane_number(event, BUS_LANES) != lane->number) {
                return false;
        }
        for (const char *const *t = lane->consumer->types; *t != NULL; t++) {
                if (strcmp(*t, event->type) == 0) {
                        return true;
                }
        }
        return false;
}

sn_status bus_handle(struct rpc_call *c, struct bus_batch *batch)
{
        const char *trace_id = batch->events[0]->trace_id;

        c->trace_id = *trace_id ? trace_id : c->trace_id;
        sn_status status = batch->consumer->handle(c, batch);

        return status == SN_REPLAYED ? SN_OK : status;
}

/* ---- Failure ---- */

static void try_later(struct bus_lane *lane, const bus_event *event, sn_status status)
{
        int tries = lane->failures + lane->slow_ones + lane->waits;
        int64_t wait_ms = (int64_t)FIRST_WAIT_MS << (tries < 12 ? tries : 12);

        if (tries == 5) {
                log_event(LOG_LEVEL_WARN, "an event is waiting to be retried",
                          LOG_STR("sonet.consumer", lane->consumer->name), LOG_STR("sonet.source", event->source),
                          LOG_STR("sonet.event", event->type), LOG_INT("sonet.position", event->position),
                          LOG_STR("sonet.code", sn_status_name(status)));
        }
        lane->batch = lane->batch / 2;
        lane->retry_at_us = clock_monotonic_us() + (wait_ms < MOST_WAIT_MS ? wait_ms : MOST_WAIT_MS) * 1000;
        lane->behind = true; /* it is read again from the log */
}

/* Unreachable dependencies come back. A deadline is the event's fault only while the database responds to others. */
static bool is_unreachable(struct bus_lane *lane, sn_status status)
{
        return status == SN_UNAVAILABLE ||
               (status == SN_DEADLINE_EXCEEDED && db_ping(lane->service->db, PING_MS) != SN_OK);
}

/* Counts a failure of a single event. True if it was the last attempt. */
static bool count_failure(struct bus_lane *lane, sn_status status)
{
        if (is_unreachable(lane, status)) {
                lane->waits++;
        } else if (status == SN_DEADLINE_EXCEEDED || status == SN_ABORTED) {
                lane->slow_ones++;
        } else {
                lane->failures++;
        }
        return lane->failures >= MOST_FAILURES || lane->slow_ones >= MOST_SLOW;
}

static void forget_failures(struct bus_lane *lane)
{
        lane->failures = lane->slow_ones = lane->waits = 0;
}

/* The dead letter and the position are stored in one transaction. */
static bool give_up(struct bus_lane *lane, const struct bus_batch *batch, const struct rpc_call *failed,
                    sn_status status)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        const bus_event *event = batch->events[0];
        const char *detail = failed->problem.detail != NULL ? failed->problem.detail : "";
        const char *error = arena_printf(c->arena, "%s: %s", sn_status_name(status), detail);

        log_event(LOG_LEVEL_ERROR, "an event became a dead letter", LOG_STR("sonet.consumer", lane->consumer->name),
                  LOG_STR("sonet.source", event->source), LOG_STR("sonet.event", event->type),
                  LOG_INT("sonet.position", event->position), LOG_STR("error.message", error));
        if (bus_dead_letter_put(c, batch, error, lane->failures + lane->slow_ones) != SN_OK) {
                try_later(lane, event, SN_UNAVAILABLE);
                return false;
        }
        forget_failures(lane);
        lane->position = lane->stored = event->position;
        lane->cursor[0] = '\0';
        lane->unsaved = false;
        return true;
}

static bool handle_failure(struct bus_lane *lane, const struct bus_batch *batch, const struct rpc_call *c,
                           sn_status status)
{
        if (batch->n == 1 && count_failure(lane, status)) {
                return give_up(lane, batch, c, status);
        }
        try_later(lane, batch->events[0], status);
        return false;
}

/* ---- Success ---- */

/* Records how far the handler has come. */
static void note_done(struct bus_lane *lane, const struct bus_batch *given, const struct bus_batch *handled)
{
        size_t max = bus_lane_batch_max(lane);

        forget_failures(lane);
        lane->batch = lane->batch >= max / 2 ? max : 2 * lane->batch + 1;
        if (handled->stored) {
                lane->position = lane->stored = handled->events[handled->n - 1]->position;
                lane->cursor[0] = '\0';
                lane->unsaved = false;
                return;
        }
        if (handled->n_done > 0) {
                lane->position = given->events[handled->n_done - 1]->position;
        }
        memcpy(lane->cursor, handled->n_done < given->n ? handled->cursor : (char[BUS_CURSOR_SIZE]){""},
               sizeof(lane->cursor));
        lane->unsaved = true;
}

static bool handle_batch(struct bus_lane *lane, const struct bus_batch *batch)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        struct bus_batch handled = *batch; /* the handler may remove events that are done */
        int64_t began_us = clock_monotonic_us();
        sn_status status = bus_handle(c, &handled);

        if (status == SN_OK && handled.n_done == 0 && strcmp(handled.cursor, batch->cursor) == 0) {
                status = rpc_fail(c, SN_INTERNAL, NULL, "the handler reported success without making progress");
        }
        if (status != SN_OK) {
                return handle_failure(lane, batch, c, status);
        }
        note_done(lane, batch, &handled);
        lane->rest_until_us =
            batch->n < bus_lane_batch_max(lane) ? began_us + lane->consumer->pace_ms * INT64_C(1000) : 0;
        return true;
}

/* Collects the next events of this lane, skipping others. Returns how many of the events are used up. */
static size_t gather_batch(const struct bus_lane *lane, bus_event **events, size_t n, struct bus_batch *batch)
{
        size_t most = lane->batch > 0 ? lane->batch : 1, end = 0;

        while (end < n && batch->n < most) {
                if (wants_event(lane, events[end])) {
                        batch->events[batch->n++] = events[end];
                }
                end++;
        }
        batch->n_done = batch->n;
        return end;
}

static bool deliver_next(struct bus_lane *lane, bus_event **events, size_t n)
{
        bus_event *taken[BUS_BATCH_MOST];
        struct bus_batch batch = {.events = taken, .consumer = lane->consumer, .lane = lane->number};
        size_t end = gather_batch(lane, events, n, &batch);

        memcpy(batch.cursor, lane->cursor, sizeof(batch.cursor));
        if (batch.n > 0 && !handle_batch(lane, &batch)) {
                return false;
        }
        if (batch.n == 0 || lane->position == batch.events[batch.n - 1]->position) { /* and those skipped after it */
                lane->unsaved = lane->unsaved || events[end - 1]->position > lane->position;
                lane->position = events[end - 1]->position;
        }
        return true;
}

bool bus_deliver(struct bus_lane *lane, bus_event **events, size_t n)
{
        for (size_t i = 0; i < n;) {
                if (*lane->stopping || !bus_lease_held(lane->lease)) {
                        lane->behind = true;
                        return false;
                }
                if (!deliver_next(lane, events + i, n - i)) {
                        return false;
                }
                bus_lane_save_when_due(lane);
                while (i < n && events[i]->position <= lane->position) {
                        i++;
                }
        }
        return true;
}
