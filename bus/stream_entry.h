/* Entries of a service's stream, as read by consumers. Private to bus/. */
#ifndef BUS_STREAM_ENTRY_H
#define BUS_STREAM_ENTRY_H

#include "base/str.h"
#include "bus/bus.h"
#include "bus/stream_link.h"

/* log_id empty: not written by a relay. */
struct stream_entry {
        int64_t position;
        struct str log_id, event;
};

struct stream_entries {
        struct stream_entry *items;
        size_t n;
};

/* The stream of a service: its IDs are positions in the outbox, and it is trimmed to about 10,000 entries. */
char *bus_stream_key(struct arena *arena, const char *source);
/* The deadline of a call that waits this long. */
#define BUS_STREAM_READ_MAX         500 /* entries of one read */
#define BUS_STREAM_CALL_MS(wait_ms) ((wait_ms) + 2000)

/* Waits for entries after a position, in this process if its relay streams them (bus/tail.h), otherwise in Redis.
 * SN_UNAVAILABLE if Redis is unreachable. */
SN_CHECKED sn_status bus_stream_wait(struct rpc_call *c, struct stream_link *link, const char *source, int64_t position,
                                     int wait_ms, struct stream_entries *out);
/* The entry's event, in the call's arena; NULL if its position or source do not match. */
bus_event *bus_stream_event(struct rpc_call *c, const char *source, const struct stream_entry *entry);

#endif
