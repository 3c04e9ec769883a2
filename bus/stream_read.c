/* Owns reading the stream of a lane's source. An entry counts when it is the very next one of the log that the source
 * said is its own; anything else sends the reader to the log. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "bus/lane.h"

#define BATCH     "500"
#define MARGIN_MS 2000 /* for the answer, beyond the wait */

struct entry {
        int64_t position;
        struct str log_id, event;
};

static struct str text_of(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, (size_t)reply->len} : (struct str){0};
}

/* [id, [name, value, …]] */
static bool parse_entry(const struct redisReply *reply, struct entry *entry)
{
        struct str id, number;

        *entry = (struct entry){0};
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[1]->type != REDIS_REPLY_ARRAY) {
                return false;
        }
        id = text_of(reply->element[0]);
        if (!str_next(&id, '-', &number) || !str_to_i64(number, &entry->position)) {
                return false;
        }
        for (size_t i = 0; i + 1 < reply->element[1]->elements; i += 2) {
                struct str name = text_of(reply->element[1]->element[i]);

                if (str_equal_c(name, "l")) {
                        entry->log_id = text_of(reply->element[1]->element[i + 1]);
                } else if (str_equal_c(name, "e")) {
                        entry->event = text_of(reply->element[1]->element[i + 1]);
                }
        }
        return true;
}

/* NULL: not what the stream of this source should hold next. A gap sends the reader to the log, which tells whether the
 * stream knows more than it should; a stream with foreign entries is left alone for a while: its relay will clear it.
 */
static bus_event *next_event(struct rpc_call *c, struct bus_lane *lane, int64_t after, const struct entry *entry)
{
        if (!str_equal_c(entry->log_id, lane->log_id)) {
                bus_stream_mistrust(lane);
                return NULL;
        }
        if (entry->position != after + 1) {
                lane->seen_position = entry->position;
                return NULL;
        }
        bus_event *event = sonet__events__event__unpack(arena_protobuf_allocator(c->arena), entry->event.len,
                                                        (const uint8_t *)entry->event.ptr);

        return event && event->position == entry->position && strcmp(event->source, lane->consumer->source) == 0 ? event
                                                                                                                 : NULL;
}

/* As many as continue the source; false: then there was one that does not. */
static bool read_events(struct rpc_call *c, struct bus_lane *lane, const struct redisReply *entries, bus_event **events,
                        size_t *n)
{
        int64_t position = lane->position;

        for (size_t i = 0; i < entries->elements; i++) {
                struct entry entry;

                if (!parse_entry(entries->element[i], &entry)) {
                        return false;
                }
                if (entry.position <= position) {
                        continue;
                }
                events[*n] = next_event(c, lane, position, &entry);
                if (!events[*n]) {
                        return false;
                }
                position = events[(*n)++]->position;
        }
        return true;
}

static void take_entries(struct rpc_call *c, struct bus_lane *lane, const struct redisReply *entries)
{
        bus_event **events = ARENA_ARRAY(c->arena, bus_event *, entries->elements);
        size_t n = 0;
        bool whole = read_events(c, lane, entries, events, &n);

        lane->heard_us = clock_monotonic_us();
        if (bus_deliver(lane, events, n) && !whole) {
                lane->behind = true;
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

/* [[key, entries]], or nil when none came. */
static void take_stream(struct rpc_call *c, struct bus_lane *lane, const struct redisReply *reply)
{
        const struct redisReply *stream =
            reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 ? reply->element[0] : NULL;

        if (stream && stream->type == REDIS_REPLY_ARRAY && stream->elements == 2 &&
            stream->element[1]->type == REDIS_REPLY_ARRAY) {
                take_entries(c, lane, stream->element[1]);
        }
}

sn_status bus_stream_read(struct bus_lane *lane, int wait_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, wait_ms + MARGIN_MS);
        const char *argv[] = {"XREAD",
                              "COUNT",
                              BATCH,
                              "BLOCK",
                              arena_printf(c->arena, "%d", wait_ms > 0 ? wait_ms : 1), /* 0 would be for ever */
                              "STREAMS",
                              redis_key(c->arena, REDIS_KEY_EVENT_STREAM, lane->consumer->source),
                              arena_printf(c->arena, "%lld-0", (long long)lane->position)};
        struct redisReply *reply;

        TRY(redis_link_command(c, lane->link, sizeof(argv) / sizeof(argv[0]), argv, NULL, wait_ms + MARGIN_MS, &reply));
        take_stream(c, lane, reply);
        return SN_OK;
}
