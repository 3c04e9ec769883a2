/* The tail of a log: its newest events, in the process whose relay streams them. Readers in the same process take them
 * from here, as the relay has them, instead of from the stream in Redis; whatever it does not have they find there, or
 * in the log itself. Private to bus/. */
#ifndef BUS_TAIL_H
#define BUS_TAIL_H

#include "bus/stream_entry.h"
#include "bus/stream_link.h"
#include "bus/stream_write.h"

#define BUS_TAIL_MAX 512 /* events of each log, */
#define BUS_TAIL_S   60  /* and for how long */

/* The log ends at position: what follows will be appended. What is there already of this log up to there stays. */
void bus_tail_begin(const char *source, const char *log_id, int64_t position);
/* Others may append to the log from now on. */
void bus_tail_end(const char *source);
void bus_tail_append(const char *source, const struct relay_batch *batch);
/* Drops what is older than BUS_TAIL_S. */
void bus_tail_trim(const char *source);

/* Waits for entries behind a position, like bus_stream_wait. False: there is no tail that has all of them, and the
 * reader is to ask elsewhere. */
bool bus_tail_wait(struct rpc_call *c, struct stream_link *link, const char *source, int64_t position, int wait_ms,
                   struct stream_entries *out);
/* Readers look whether they are to end. */
void bus_tail_wake(void);
/* For tests: readers find no tail, as in another process. */
void bus_tail_hide(bool hidden);

#endif
