/* Owns reading the stream of a lane's source. An entry counts only if it is the next one of the source's current log;
 * otherwise the reader turns to the log. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "bus/lane.h"
#include "bus/stream_entry.h"

/* NULL: not the expected next entry of this source's stream. After a gap the reader turns to the log, which shows
 * whether the stream is ahead of it; a stream with foreign entries is ignored for a while: its relay will clear it. */
static bus_event *next_event(struct rpc_call *c, struct bus_lane *lane, int64_t after, const struct stream_entry *entry)
{
        if (!str_equal_c(entry->log_id, lane->log_id)) {
                bus_stream_mistrust(lane);
                return NULL;
        }
        if (entry->position != after + 1) {
                lane->seen_position = entry->position;
                return NULL;
        }
        return bus_stream_event(c, lane->consumer->source, entry);
}

/* Delivers the entries that continue the log, up to the first one that does not: then false. */
static bool read_events(struct rpc_call *c, struct bus_lane *lane, const struct stream_entries *entries,
                        bus_event **events, size_t *n)
{
        int64_t position = lane->position;

        for (size_t i = 0; i < entries->n; i++) {
                if (entries->items[i].position <= position) {
                        continue;
                }
                events[*n] = next_event(c, lane, position, &entries->items[i]);
                if (events[*n] == NULL) {
                        return false;
                }
                position = events[(*n)++]->position;
        }
        return true;
}

static void handle_entries(struct rpc_call *c, struct bus_lane *lane, const struct stream_entries *entries)
{
        bus_event **events = ARENA_ARRAY(c->arena, bus_event *, entries->n);
        size_t n = 0;
        bool whole = read_events(c, lane, entries, events, &n);

        lane->heard_us = clock_monotonic_us();
        bus_link_hears(&lane->stream);
        if (bus_lease_term(lane->lease) !=
            lane->term) { /* the lease ended during the wait: the events are the next holder's */
                return;
        }
        if (bus_deliver(lane, events, n) && !whole) {
                lane->behind = true;
        }
        lane->heard_us = clock_monotonic_us();
        if (entries->n ==
            BUS_STREAM_READ_MAX) { /* there are more: a consumer's pace does not delay events that are already there */
                lane->rest_until_us = 0;
        }
}

#define MISTRUST_US 1000000

void bus_stream_mistrust(struct bus_lane *lane)
{
        lane->mistrusted_until_us = clock_monotonic_us() + MISTRUST_US;
}

bool bus_stream_trusted(const struct bus_lane *lane)
{
        return !lane->behind && clock_monotonic_us() >= lane->mistrusted_until_us;
}

sn_status bus_stream_read(struct bus_lane *lane, int wait_ms)
{
        CLEANUP(rpc_call_free_p)
        struct rpc_call *c = rpc_call_new_background(lane->service, BUS_STREAM_CALL_MS(wait_ms));
        struct stream_entries entries;

        TRY(bus_stream_wait(c, &lane->stream, lane->consumer->source, lane->position, wait_ms, &entries));
        if (entries.n > 0) {
                handle_entries(c, lane, &entries);
        }
        return SN_OK;
}
