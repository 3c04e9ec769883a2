/* The connection on which a reader waits for a stream: opened when needed, and closed from another thread when the
 * reader must stop, however long it would have waited. Private to bus/. */
#ifndef BUS_STREAM_LINK_H
#define BUS_STREAM_LINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "cache/redis.h"

/* How long a reader without entries from the stream waits before reading the log, in case the stream has missed
 * something: initially, and at most, since it doubles while the log has nothing new either. */
#define BUS_QUIET_US      INT64_C(1000000)
#define BUS_QUIET_MOST_US INT64_C(5000000)

struct stream_link {
        struct redis *redis;     /* NULL: none */
        struct redis_link *link; /* NULL: it is not open; changed by the reader alone, under the lock */
        int64_t retry_us, quiet_us;
        pthread_mutex_t lock;
        bool ended;
};

void bus_link_init(struct stream_link *link, struct redis *redis);
/* Whether it is open; tries to open it at most twice a second. */
bool bus_link_open(struct stream_link *link);
/* It failed. */
void bus_link_close(struct stream_link *link);
/* From any thread: a read in progress returns at once, without entries or with an error, and it is not reopened. */
void bus_link_end(struct stream_link *link);
bool bus_link_has_ended(struct stream_link *link);
/* After the last read. */
void bus_link_destroy(struct stream_link *link);

/* The reader got new events, or may have missed some. _nothing: it looked into the log, which had none. */
void bus_link_hears(struct stream_link *link);
void bus_link_hears_nothing(struct stream_link *link);

#endif
