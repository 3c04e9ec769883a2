/* A lane: the progress of one consumer, or of its share of the aggregates, through its source's log; shared by the
 * files that advance it. Private to bus/. */
#ifndef BUS_LANE_H
#define BUS_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/uuid.h"
#include "bus/bus.h"
#include "bus/lease.h"
#include "bus/stream_link.h"

/* Whether an operator has released dead letters of a service: checked once for all of its consumers. */
struct bus_letters {
        atomic_int_least64_t look_at_us; /* the next check, by whichever lane comes first */
        atomic_bool requested;
};

struct bus_lane {
        struct service *service;
        const struct bus_consumer *consumer;
        int number; /* among its consumer's, from 0 */
        const atomic_bool *stopping;
        const struct bus_lease *lease;
        struct bus_letters *letters;
        struct ticker *ticker;
        struct metric *lag;
        bool loaded;   /* the fields below are as in the database, or newer */
        uint64_t term; /* the lease's term in which it was loaded */

        char log_id[UUID_SIZE]; /* "" until the log was read for the first time */
        int64_t position;       /* taken up to here */
        char cursor[BUS_CURSOR_SIZE];
        int64_t stored;   /* the position as the database has it, at least */
        bool unsaved;     /* position or cursor are newer than the database's */
        int64_t saved_us; /* when they were last stored, or checked */

        struct stream_link stream;
        int64_t replayed_us;
        bool behind;                 /* the stream cannot continue from position: read the log */
        int64_t heard_us;            /* when the log or the stream last had events */
        int64_t seen_position;       /* of the stream, past a gap */
        int64_t mistrusted_until_us; /* the stream has foreign entries: read the log instead */
        int64_t retry_at_us;         /* after a failure, nothing is done before this time */
        int64_t rest_until_us;       /* nor before this one, while it is not behind: its consumer's pace */
        size_t batch;                /* how many events are handled at once: halved by failures, doubled by success */
        int failures, slow_ones;     /* of the next event alone */
        int waits;                   /* of the next event, for an unreachable dependency */
};

/* One round: does whatever is due. Returns the ms until the next one; for a ticker. */
int64_t bus_lane_work(void *lane);
/* Stores its progress if that is due. */
void bus_lane_save_when_due(struct bus_lane *lane);
/* From another thread: a round that waits for the stream ends. */
void bus_lane_end(struct bus_lane *lane);
/* After the last round. */
void bus_lane_close(struct bus_lane *lane);
/* How many events its consumer takes at once. */
size_t bus_lane_batch_max(const struct bus_lane *lane);
/* Which lane of several takes the event. */
int bus_lane_number(const bus_event *event, int n_lanes);

/* deliver.c: takes events, which must be the source's next ones. False: an event will be retried after retry_at_us, or
 * the lane must stop; the rest is read again from the log. */
bool bus_deliver(struct bus_lane *lane, bus_event **events, size_t n);
/* Calls the handler. */
SN_CHECKED sn_status bus_handle(struct rpc_call *c, struct bus_batch *batch);

/* position.c */
SN_CHECKED sn_status bus_position_load(struct bus_lane *lane);
SN_CHECKED sn_status bus_position_store(struct bus_lane *lane);
/* In a transaction: false when the stored position is past it already. */
SN_CHECKED sn_status bus_position_advance(struct db_tx *tx, const struct bus_batch *batch, int64_t position,
                                          bool *advanced);
/* The log was renamed, or ends before what was read: the lane continues from position. */
SN_CHECKED sn_status bus_position_reset(struct bus_lane *lane, const char *log_id, int64_t position);

/* dead_letters.c: in one transaction with the position behind the event. */
SN_CHECKED sn_status bus_dead_letter_put(struct rpc_call *c, const struct bus_batch *batch, const char *error,
                                         int attempts);
/* Handles the dead letters of the lane's consumer that an operator has released. */
void bus_replay_requested(struct bus_lane *lane);
/* Checks, if that is due, whether there are any. */
bool bus_replay_is_requested(struct bus_lane *lane);

/* stream_read.c: reads the next events from the stream, waiting up to wait_ms, and delivers them; the lane is behind
 * where the stream does not continue. SN_UNAVAILABLE when Redis is unreachable. */
SN_CHECKED sn_status bus_stream_read(struct bus_lane *lane, int wait_ms);
bool bus_stream_trusted(const struct bus_lane *lane);
void bus_stream_mistrust(struct bus_lane *lane);
/* log_read.c: reads the log from the lane's position on, and delivers. SN_OK: up to date, or an event will be retried.
 */
SN_CHECKED sn_status bus_log_read(struct bus_lane *lane);

#endif
