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
/* Takes out of the stream what was there at the call before, so that ids of members who are erased do not stay until
 * others' events push them out: who reads the stream has read it, and others read the log. *newest is the position that
 * was the last one then (0: not known), and is set to what it is now. Where nothing has come since, the last entry
 * stays without its event: it says which log it is, and how far that has come. */
SN_CHECKED sn_status bus_stream_trim(struct rpc_call *c, int64_t *newest);

#endif
