/* Owns reading the streams: one XREAD over all sources that are up to date. An entry counts when it is the very next
 * one of the log that the source said is its own; anything else sends the reader to the log. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "bus/delivery.h"

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
static bus_event *next_event(struct rpc_call *c, struct bus_source *source, int64_t after, const struct entry *entry)
{
        if (!str_equal_c(entry->log_id, source->log_id)) {
                bus_mistrust_stream(source);
                return NULL;
        }
        if (entry->position != after + 1) {
                source->seen_position = entry->position;
                return NULL;
        }
        bus_event *event = sonet__events__event__unpack(arena_protobuf_allocator(c->arena), entry->event.len,
                                                        (const uint8_t *)entry->event.ptr);

        return event && event->position == entry->position && strcmp(event->source, source->name) == 0 ? event : NULL;
}

/* As many as continue the source; false: then there was one that does not. */
static bool read_events(struct rpc_call *c, struct bus_source *source, const struct redisReply *entries,
                        bus_event **events, size_t *n)
{
        int64_t position = source->position;

        for (size_t i = 0; i < entries->elements; i++) {
                struct entry entry;

                if (!parse_entry(entries->element[i], &entry)) {
                        return false;
                }
                if (entry.position <= position) {
                        continue;
                }
                events[*n] = next_event(c, source, position, &entry);
                if (!events[*n]) {
                        return false;
                }
                position = events[(*n)++]->position;
        }
        return true;
}

static void take_entries(struct rpc_call *c, struct bus_source *source, const struct redisReply *entries)
{
        bus_event **events = ARENA_ARRAY(c->arena, bus_event *, entries->elements);
        size_t n = 0;
        bool whole = read_events(c, source, entries, events, &n);

        source->heard_us = clock_monotonic_us();
        if (bus_deliver(c->service, source, events, n) == BUS_DONE && !whole) {
                source->behind = true;
        }
}

#define MISTRUST_US 1000000

void bus_mistrust_stream(struct bus_source *source)
{
        source->mistrusted_until_us = clock_monotonic_us() + MISTRUST_US;
}

bool bus_stream_trusted(const struct bus_source *source)
{
        return !source->behind && clock_monotonic_us() >= source->mistrusted_until_us;
}

/* XREAD COUNT 500 BLOCK ms STREAMS key… id… */
struct command {
        int argc;
        const char *argv[6 + 2 * BUS_MAX_SOURCES];
        struct bus_source *sources[BUS_MAX_SOURCES];
        size_t n;
};

static void build(struct rpc_call *c, struct command *command, struct bus_source *sources, size_t n, int wait_ms)
{
        const char *head[] = {"XREAD", "COUNT", BATCH, "BLOCK", arena_printf(c->arena, "%d", wait_ms), "STREAMS"};

        memcpy(command->argv, head, sizeof(head));
        command->n = 0;
        for (size_t i = 0; i < n; i++) {
                if (bus_stream_trusted(&sources[i])) {
                        command->sources[command->n++] = &sources[i];
                }
        }
        for (size_t i = 0; i < command->n; i++) {
                const struct bus_source *s = command->sources[i];

                command->argv[6 + i] = redis_key(c->arena, REDIS_KEY_EVENT_STREAM, s->name);
                command->argv[6 + command->n + i] = arena_printf(c->arena, "%lld-0", (long long)s->position);
        }
        command->argc = (int)(6 + 2 * command->n);
}

static void take_stream(struct rpc_call *c, const struct command *command, const struct redisReply *stream)
{
        if (stream->type != REDIS_REPLY_ARRAY || stream->elements != 2 ||
            stream->element[1]->type != REDIS_REPLY_ARRAY) {
                return;
        }
        for (size_t i = 0; i < command->n; i++) {
                if (str_equal_c(text_of(stream->element[0]), command->argv[6 + i])) {
                        take_entries(c, command->sources[i], stream->element[1]);
                }
        }
}

sn_status bus_stream_read(struct service *service, struct redis_link *link, struct bus_source *sources, size_t n,
                          int wait_ms)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, wait_ms + MARGIN_MS);
        struct redisReply *reply;
        struct command command;

        build(c, &command, sources, n, wait_ms);
        if (command.n == 0) {
                return SN_OK;
        }
        TRY(redis_link_command(c, link, command.argc, command.argv, NULL, wait_ms + MARGIN_MS, &reply));
        for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
                take_stream(c, &command, reply->element[i]);
        }
        return SN_OK;
}
