/* Owns waiting for entries, in this process or in Redis, and their format there: an ID that is the position, the log's
 * ID, and the packed event. */
#include "bus/stream_entry.h"

#include <hiredis/hiredis.h>
#include <string.h>
#include "bus/tail.h"

static struct str text_of(const struct redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, (size_t)reply->len} : (struct str){0};
}

/* [id, [name, value, …]] */
static void parse_entry(const struct redisReply *reply, struct stream_entry *entry)
{
        struct str number;

        *entry = (struct stream_entry){0};
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[1]->type != REDIS_REPLY_ARRAY) {
                return;
        }
        struct str id = text_of(reply->element[0]);
        if (!str_next(&id, '-', &number) || !str_to_i64(number, &entry->position)) {
                entry->position = INT64_MAX; /* after all others */
                return;
        }
        for (size_t i = 0; i + 1 < reply->element[1]->elements; i += 2) {
                struct str name = text_of(reply->element[1]->element[i]);

                if (str_equal_c(name, "l")) {
                        entry->log_id = text_of(reply->element[1]->element[i + 1]);
                } else if (str_equal_c(name, "e")) {
                        entry->event = text_of(reply->element[1]->element[i + 1]);
                }
        }
}

bus_event *bus_stream_event(struct rpc_call *c, const char *source, const struct stream_entry *entry)
{
        bus_event *event = sonet__events__event__unpack(arena_protobuf_allocator(c->arena), entry->event.len,
                                                        (const uint8_t *)entry->event.ptr);

        return event != NULL && event->position == entry->position && strcmp(event->source, source) == 0 ? event : NULL;
}

char *bus_stream_key(struct arena *arena, const char *source)
{
        return arena_printf(arena, "ev:%s", source);
}

/* [[key, entries]], or nil if none came. */
static void parse_entries(struct rpc_call *c, const struct redisReply *reply, struct stream_entries *out)
{
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 || reply->element[0]->type != REDIS_REPLY_ARRAY ||
            reply->element[0]->elements != 2 || reply->element[0]->element[1]->type != REDIS_REPLY_ARRAY) {
                return;
        }
        const struct redisReply *entries = reply->element[0]->element[1];

        out->items = ARENA_ARRAY(c->arena, struct stream_entry, entries->elements);
        for (; out->n < entries->elements; out->n++) {
                parse_entry(entries->element[out->n], &out->items[out->n]);
        }
}

static sn_status wait_for_redis(struct rpc_call *c, struct redis_link *link, const char *source, int64_t position,
                                int wait_ms, struct stream_entries *out)
{
        const char *argv[] = {"XREAD",
                              "COUNT",
                              arena_printf(c->arena, "%d", BUS_STREAM_READ_MAX),
                              "BLOCK",
                              arena_printf(c->arena, "%d", wait_ms > 0 ? wait_ms : 1), /* 0 would mean forever */
                              "STREAMS",
                              bus_stream_key(c->arena, source),
                              arena_printf(c->arena, "%lld-0", (long long)position)};
        struct redisReply *reply;

        TRY(redis_link_command(c, link, sizeof(argv) / sizeof(argv[0]), argv, NULL, BUS_STREAM_CALL_MS(wait_ms),
                               &reply));
        parse_entries(c, reply, out);
        return SN_OK;
}

sn_status bus_stream_wait(struct rpc_call *c, struct stream_link *link, const char *source, int64_t position,
                          int wait_ms, struct stream_entries *out)
{
        *out = (struct stream_entries){0};
        return bus_tail_wait(c, link, source, position, wait_ms, out)
                   ? SN_OK
                   : wait_for_redis(c, link->link, source, position, wait_ms, out);
}
