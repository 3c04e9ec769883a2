/* Owns what a lane does next: whether this process may, reading the stream or the log, and when its progress is stored.
 */
#include "bus/lane.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define CALL_MS       10000
#define WITHOUT_MS    200 /* interval for polling the log while Redis is unreachable */
#define SAVE_BUSY_US  200000
#define SAVE_QUIET_US 500000
#define SAVE_EVENTS   500
#define REPLAY_US     5000000
#define LOG_RETRY_US  200000
#define LEASE_MS      50

int bus_lane_number(const bus_event *event, int n_lanes)
{
        uint32_t hash = 2166136261U; /* FNV-1a: the same in every release */

        for (const char *p = event->aggregate_id; *p != '\0'; p++) {
                hash = (hash ^ (uint8_t)*p) * 16777619U;
        }
        return (int)(hash % (uint32_t)n_lanes);
}

size_t bus_lane_batch_max(const struct bus_lane *lane)
{
        return lane->consumer->batch_max > 0 ? lane->consumer->batch_max : BUS_BATCH_MAX;
}

/* ---- Progress ---- */

static sn_status call_checkpoint(struct bus_lane *lane, bool first)
{
        if (lane->consumer->checkpoint == NULL) {
                return SN_OK;
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);

        return lane->consumer->checkpoint(
            c,
            &(struct bus_progress){
                .log_id = lane->log_id, .position = lane->position, .cursor = lane->cursor, .term = lane->term},
            first);
}

static void save_progress(struct bus_lane *lane)
{
        lane->saved_us = clock_monotonic_us();
        if (call_checkpoint(lane, false) == SN_OK && lane->unsaved && bus_position_store(lane) != SN_OK) {
                log_event(LOG_LEVEL_WARN, "could not store a position: events may be handled again",
                          LOG_STR("sonet.consumer", lane->consumer->name));
        }
}

/* Nothing to do for handlers that store their position themselves. */
void bus_lane_save_when_due(struct bus_lane *lane)
{
        int64_t since_us = clock_monotonic_us() - lane->saved_us;
        bool busy = lane->unsaved && (since_us >= SAVE_BUSY_US || lane->position - lane->stored >= SAVE_EVENTS);

        if (busy || since_us >= SAVE_QUIET_US) {
                save_progress(lane);
        }
}

/* Another process may have continued while this one did not have the lease: the database knows. */
static bool may_work(struct bus_lane *lane)
{
        uint64_t term = bus_lease_term(lane->lease);

        if (term == 0) {
                lane->loaded = false;
        } else if (!lane->loaded || lane->term != term) {
                lane->term = term;
                lane->loaded = bus_position_load(lane) == SN_OK && call_checkpoint(lane, true) == SN_OK;
                lane->saved_us = clock_monotonic_us();
        }
        return lane->loaded;
}

/* ---- Reading ---- */

static void read_log_when_due(struct bus_lane *lane)
{
        int64_t now_us = clock_monotonic_us(), position = lane->position;
        bool streams = lane->stream.link != NULL && now_us >= lane->mistrusted_until_us;
        int64_t quiet_us = streams ? lane->stream.quiet_us : WITHOUT_MS * INT64_C(1000);

        if (now_us < lane->retry_at_us || (!lane->behind && now_us - lane->heard_us < quiet_us)) {
                return;
        }
        if (bus_log_read(lane) != SN_OK) {
                lane->behind = true;
                lane->retry_at_us = clock_monotonic_us() + LOG_RETRY_US;
        }
        if (streams && !lane->behind && lane->position == position) {
                bus_link_hears_nothing(&lane->stream);
        } else {
                bus_link_hears(&lane->stream);
        }
}

static int64_t until_ms(int64_t due_us, int64_t most_ms)
{
        int64_t left = (due_us - clock_monotonic_us()) / 1000 + 1;

        return left < most_ms ? (left > 0 ? left : 0) : most_ms;
}

/* How long to wait for the stream, or without it: until something else is due. */
static int64_t wait_ms(const struct bus_lane *lane)
{
        bool streams = lane->stream.link != NULL && (lane->behind || bus_stream_trusted(lane));
        int64_t wait =
            streams ? until_ms(lane->heard_us + lane->stream.quiet_us, BUS_QUIET_MOST_US / 1000) : WITHOUT_MS;

        if (lane->consumer->checkpoint != NULL) {
                wait = until_ms(lane->saved_us + SAVE_QUIET_US, wait);
        }
        if (lane->unsaved) {
                wait = until_ms(lane->saved_us + SAVE_BUSY_US, wait);
        }
        return lane->behind ? until_ms(lane->retry_at_us, wait) : wait;
}

static int64_t read_stream(struct bus_lane *lane)
{
        int64_t wait = wait_ms(lane);

        if (lane->stream.link == NULL || !bus_stream_trusted(lane)) {
                return wait;
        }
        if (bus_stream_read(lane, (int)wait) != SN_OK) {
                bus_link_close(&lane->stream);
        }
        return 0;
}

static void replay_when_due(struct bus_lane *lane)
{
        if (lane->number != 0 || clock_monotonic_us() - lane->replayed_us < REPLAY_US) {
                return;
        }
        lane->replayed_us = clock_monotonic_us();
        if (bus_replay_is_requested(lane)) {
                bus_replay_requested(lane);
        }
}

/* All lanes at the same time, before they are closed one after the other. */
static void save_at_end(struct bus_lane *lane)
{
        if (lane->loaded && lane->unsaved && bus_lease_held(lane->lease)) {
                save_progress(lane);
        }
}

int64_t bus_lane_work(void *context)
{
        struct bus_lane *lane = context;

        if (*lane->stopping) {
                save_at_end(lane);
                return TICKER_IDLE;
        }
        if (!may_work(lane)) {
                return LEASE_MS;
        }
        int64_t wait = lane->behind ? 0 : until_ms(lane->rest_until_us, lane->consumer->pace_ms);
        if (wait > 0) {
                bus_lane_save_when_due(lane);
                return wait;
        }
        (void)bus_link_open(&lane->stream);
        read_log_when_due(lane);
        bus_lane_save_when_due(lane);
        replay_when_due(lane);
        if (*lane->stopping) {
                return 0;
        }
        wait = read_stream(lane);
        bus_lane_save_when_due(lane);
        return wait;
}

void bus_lane_end(struct bus_lane *lane)
{
        bus_link_end(&lane->stream);
}

void bus_lane_close(struct bus_lane *lane)
{
        if (lane->loaded && bus_lease_held(lane->lease)) {
                save_progress(lane);
        }
        bus_link_destroy(&lane->stream);
}
