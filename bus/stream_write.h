/* How the relay fills a service's stream. Private to bus/. */
#ifndef BUS_STREAM_WRITE_H
#define BUS_STREAM_WRITE_H

#include "bus/bus.h"

struct relay_batch {
        bus_event **events;
        size_t n;
        const char *log_id;
};

/* Sends events that were assigned their positions. SN_UNAVAILABLE when Redis is unreachable: nothing is lost, see
 * relay.c. */
SN_CHECKED sn_status bus_stream_write(struct rpc_call *c, struct relay_batch *batch);
/* Once after a start: a stream that is ahead of the log, or another log's, goes. */
SN_CHECKED sn_status bus_stream_compare(struct rpc_call *c);

#endif
