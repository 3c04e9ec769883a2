/* Events committed with their positions in this process: their emitters hand them to the relay, which then need not
 * read them from the database. Private to bus/. */
#ifndef BUS_HANDED_H
#define BUS_HANDED_H

#include <pthread.h>
#include "bus/stream_write.h"

#define BUS_HANDED_MAX 1000 /* events waiting for the relay */

struct handed_event;

struct bus_handed {
        pthread_mutex_t lock;
        struct handed_event *first; /* ordered by position */
        size_t n;
};

void bus_handed_init(struct bus_handed *handed);
void bus_handed_destroy(struct bus_handed *handed);
/* Copies the events. False: there are too many, and all are dropped. Callable from any thread. */
bool bus_handed_put(struct bus_handed *handed, const struct relay_batch *batch);
void bus_handed_drop(struct bus_handed *handed);
/* Takes the events that follow a position of the batch's log without a gap, into the call's arena; drops earlier ones
 * and those of other logs. True: others are waiting behind a gap. */
bool bus_handed_take(struct bus_handed *handed, struct rpc_call *c, int64_t after, size_t most,
                     struct relay_batch *batch);

#endif
