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
 * relay.c. *refused: the stream is ahead of the first event. */
SN_CHECKED sn_status bus_stream_write(struct rpc_call *c, const struct relay_batch *batch, bool *refused);
/* After a refusal, if this process is still the only relay: the stream goes if it is another log's, and if it is ahead
 * of this one, which was then restored from a backup, the log is renamed, too. Then the batch is sent again. */
SN_CHECKED sn_status bus_stream_replace(struct rpc_call *c, struct relay_batch *batch);
/* Once after a start: a stream that is ahead of the log, or another log's, goes. */
SN_CHECKED sn_status bus_stream_compare(struct rpc_call *c);
/* Trims what was in the stream at the previous call, so that IDs of erased members do not stay until other events
 * push them out: readers of the stream have read it, and others read the log. *newest is the last position at that
 * time (0: unknown), and is updated. If nothing was added since, the last entry stays without its event: it
 * identifies the log and its position. */
SN_CHECKED sn_status bus_stream_trim(struct rpc_call *c, int64_t *newest);

#endif
