/* Events that were committed with their positions in this process: those who emitted them hand them to the relay, which
 * need not read them from the database. Private to bus/. */
#ifndef BUS_HANDED_H
#define BUS_HANDED_H

#include <pthread.h>
#include "bus/stream_write.h"

#define BUS_HANDED_MAX 1000 /* events that wait for the relay */

struct handed_event;

struct bus_handed {
        pthread_mutex_t lock;
        struct handed_event *first; /* by position */
        size_t n;
};

void bus_handed_init(struct bus_handed *handed);
void bus_handed_destroy(struct bus_handed *handed);
/* A copy. False: there are too many, and none is kept. Any thread. */
bool bus_handed_put(struct bus_handed *handed, const struct relay_batch *batch);
/* Takes those that follow a position of the batch's log without a gap, into the call's arena; drops those before it,
 * and of other logs. True: others wait behind a gap. */
bool bus_handed_take(struct bus_handed *handed, struct rpc_call *c, int64_t after, size_t most,
                     struct relay_batch *batch);

#endif
