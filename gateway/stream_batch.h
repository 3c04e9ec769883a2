/* Delivering an event to streams: the viewers it may concern, and their messages. Private to the stream's files. */
#ifndef GATEWAY_STREAM_BATCH_H
#define GATEWAY_STREAM_BATCH_H

#include "gateway/stream.h"
#include "sonet/live.pb-c.h"

/* ---- Who is to see it (stream_targets.c) ---- */

/* A subscription that an event may concern, copied under the lock. */
struct stream_target {
        struct stream_channel *channel;
        const char *topic; /* without the viewer's ID */
        char viewer[UUID_SIZE];
        uint64_t stream;
        uint32_t sub;
};

struct stream_targets {
        struct stream_target *items;
        size_t n, capacity;
};

/* The channels that an event is for: those of a service that follow a log, or its lossy ones (log NULL). */
struct stream_origin {
        const struct stream_log *log;
        const struct rpc_method *route;
        int64_t position; /* of the event; 0: none */
};

bool stream_origin_feeds(const struct stream_origin *origin, const struct stream_channel *channel);
/* Whether any of the channels has a subscriber. */
bool stream_origin_is_wanted(struct stream_hub *hub, const struct stream_origin *origin);
/* Finds the subscribers of the topics, ordered by channel, topic and viewer. The caller must free(targets->items). */
void stream_targets_find(struct rpc_call *c, struct stream_hub *hub, const struct stream_origin *origin,
                         const Sonet__Live__Routes *routes, struct stream_targets *targets);
/* The length of the leading run of targets with the same topic and at most that many viewers. */
size_t stream_targets_alike(const struct stream_target *targets, size_t n, size_t most_viewers);

/* ---- What they are sent (stream_batch.c) ---- */

struct stream_delivery {
        uint64_t stream;
        uint32_t sub;
        size_t at, len; /* of the message after the channel's name */
};

struct stream_batch {
        struct http_task task;
        struct stream_hub *hub;
        const struct stream_log *log; /* NULL: a signal, which has no position */
        struct buf text;
        char position[STREAM_POSITION_SIZE], before[STREAM_POSITION_SIZE]; /* of this event and of the previous one */
        struct stream_delivery *items;
        size_t n;
        bool fails;            /* close the streams instead */
        atomic_int *in_flight; /* decremented when the batch is freed; NULL: none */
};

struct stream_batch *stream_batch_new(struct stream_hub *hub, const struct stream_log *log, size_t most,
                                      size_t max_bytes);
void stream_batch_free(struct stream_batch *batch);
/* Hands the batch to the I/O thread, or frees it. */
void stream_batch_post(struct stream_batch *batch);
/* Asks the channel's service what some targets of one topic see of the event, and adds it to the batch. */
SN_CHECKED sn_status stream_batch_show(struct rpc_call *c, struct stream_batch *batch, bus_event *event,
                                       const struct stream_target *targets, size_t n);

/* ---- Events that are delivered at once (stream_turns.c) ---- */

struct stream_turns;

struct stream_turn {
        struct stream_turns *turns;
        size_t index;
        struct stream_log *log;
        bus_event *event;
};

typedef void stream_turn_run(const struct stream_turn *turn);

/* On the thread of the log's feed: calls deliver for each event, on several threads, which wait for their turn with
 * stream_turn_await before posting; begin is called before that, for one event at a time, in order. Returns when all
 * events are delivered, or those that were begun when the feed was stopped. */
void stream_turns_deliver(struct stream_log *log, bus_event **events, size_t n, stream_turn_run *begin,
                          stream_turn_run *deliver);
/* Waits until all earlier events are delivered, which keeps the order. Returns the time waited, in ms. */
int64_t stream_turn_await(const struct stream_turn *turn);

#endif
