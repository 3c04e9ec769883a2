/* The tail of a log: its newest events, in the process whose relay streams them. Readers in the same process take them
 * from here instead of from the stream in Redis; older ones they find there, or in the log itself. Private to bus/. */
#ifndef BUS_TAIL_H
#define BUS_TAIL_H

#include "bus/stream_entry.h"
#include "bus/stream_link.h"
#include "bus/stream_write.h"

#define BUS_TAIL_MAX 1024 /* events kept per log, */
#define BUS_TAIL_S   60   /* and for how many seconds, once the relay makes its next round (within two seconds) */

/* The log ends at position, or after it: what follows will be appended. Events of this log that are already in the tail
 * are kept if they include that position. */
void bus_tail_begin(const char *source, const char *log_id, int64_t position);
/* Other processes may append to the log from now on. */
void bus_tail_end(const char *source);
/* Appends the events that are the next ones of the log; the others are already there, or come after a gap. Callable
 * from any thread. */
void bus_tail_append(const char *source, const struct relay_batch *batch);
/* Drops events older than BUS_TAIL_S. */
void bus_tail_trim(const char *source);

/* Waits for entries after a position, like bus_stream_wait. False: no tail has all of them, and the reader should look
 * elsewhere. */
bool bus_tail_wait(struct rpc_call *c, struct stream_link *link, const char *source, int64_t position, int wait_ms,
                   struct stream_entries *out);
/* Makes readers check whether they should end. */
void bus_tail_wake(void);
/* For tests: readers find no tail, as in another process. */
void bus_tail_hide(bool hidden);

#endif
