/* An event on its way to streams: whom it may concern, and what they are sent. Private to the stream's files. */
#ifndef GATEWAY_STREAM_BATCH_H
#define GATEWAY_STREAM_BATCH_H

#include "gateway/stream.h"
#include "sonet/live.pb-c.h"

/* ---- Who is to see it (stream_targets.c) ---- */

/* A subscription that an event may concern, as it was when the lock was held. */
struct stream_target {
        struct stream_channel *channel;
        const char *topic; /* without the viewer's id */
        char viewer[UUID_SIZE];
        uint64_t stream;
        uint32_t sub;
};

struct stream_targets {
        struct stream_target *items;
        size_t n, capacity;
};

/* Which channels an event is for: those of a service that follow a log, or its lossy ones (log NULL). */
struct stream_origin {
        const struct stream_log *log;
        const struct rpc_method *route;
        int64_t position; /* of the event; 0: none */
};

bool stream_origin_feeds(const struct stream_origin *origin, const struct stream_channel *channel);
/* Whether somebody is subscribed to one of them. */
bool stream_origin_is_wanted(struct stream_hub *hub, const struct stream_origin *origin);
/* Those who are subscribed to the topics, by channel, topic and viewer. free(targets->items) in the end. */
void stream_targets_find(struct rpc_call *c, struct stream_hub *hub, const struct stream_origin *origin,
                         const Sonet__Live__Routes *routes, struct stream_targets *targets);
/* How many targets from the first on are of its topic, and have at most so many viewers. */
size_t stream_targets_alike(const struct stream_target *targets, size_t n, size_t most_viewers);

/* ---- What they are sent (stream_batch.c) ---- */

struct stream_delivery {
        uint64_t stream;
        uint32_t sub;
        size_t at, len; /* of the message behind the channel's name */
};

struct stream_batch {
        struct http_task task;
        struct stream_hub *hub;
        const struct stream_log *log; /* NULL: a signal, which has no position */
        struct buf text;
        char position[STREAM_POSITION_SIZE], before[STREAM_POSITION_SIZE]; /* of the event, and of the one before it */
        struct stream_delivery *items;
        size_t n;
        bool fails;            /* the streams are to be closed instead */
        atomic_int *in_flight; /* counts it as long as it is there; NULL: nothing does */
};

struct stream_batch *stream_batch_new(struct stream_hub *hub, const struct stream_log *log, size_t most,
                                      size_t max_bytes);
void stream_batch_free(struct stream_batch *batch);
/* Hands it to the I/O thread, or frees it. */
void stream_batch_post(struct stream_batch *batch);
/* Asks the channel's service what some targets of one topic are shown of the event, and adds that. */
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

/* On the thread of the log's feed: deliver is called for each event, on several threads, and returns in its turn
 * (stream_turn_await); begin before that, for one after the other, in order. Returns when all are delivered, or as many
 * as were begun when the feed was stopped. */
void stream_turns_deliver(struct stream_log *log, bus_event **events, size_t n, stream_turn_run *begin,
                          stream_turn_run *deliver);
/* Until the events before it are delivered: nothing is posted before. How long that took, in ms. */
int64_t stream_turn_await(const struct stream_turn *turn);

#endif
