/* Bus: events. The outbox table is the log, Redis Streams only carries it.
 *
 * Emit: outbox_put() in the transaction that causes the event. The relay (one thread per emitting service) gives
 * committed rows a dense position and publishes them with XADD under that position as id; rows stay 7 days.
 *
 * Consume: one thread per consuming service reads all its sources in order of position, and hands them to handlers in
 * batches, so that a flood costs one transaction for many events. It takes events from the stream; on a gap, or without
 * Redis, from the owner's outbox by the internal call ReadOutbox. Never skips, may repeat: a handler is either exactly
 * once (bus_begin … bus_commit stores the position in the transaction of its effect) or idempotent (the runner stores
 * the position after it returns).
 *
 * Fail: a batch that fails is tried again in halves. A single event that fails for good (5 tries, backing off) leaves a
 * dead letter, and the stream goes on; failures of the environment (SN_UNAVAILABLE, SN_DEADLINE_EXCEEDED, SN_ABORTED)
 * are retried for ever, in order. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "base/service.h"
#include "db/db.h"
#include "sonet/events.pb-c.h"

typedef Sonet__Events__Event bus_event;

/* Event types, as in the log: "note.created". */
struct outbox_event {
        const char *type;
        const char *aggregate_id; /* the note, the follower … */
        const char *object_id;    /* the other party: the followed member, the parent note; "" when none */
        const char *actor_id;     /* NULL: the call's actor */
        int64_t version;          /* of the aggregate, growing; 0 when it has none */
};
SN_CHECKED sn_status outbox_put(struct db_tx *tx, const struct outbox_event *event);

struct bus_relay;
struct bus_relay *bus_relay_new(struct service *service);
void bus_relay_free(struct bus_relay *relay);
void bus_relay_wake(struct bus_relay *relay);

/* The handler of every emitting service's internal method ReadOutbox. */
SN_CHECKED sn_status bus_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                     Sonet__Events__ReadOutboxResponse *out);

#define BUS_BATCH_MAX 100

/* Events of one source that one consumer takes, at least one, in order of position. */
struct bus_batch {
        bus_event **events;
        size_t n;
};

struct bus_consumer {
        const char *source;                   /* "note" */
        const struct rpc_method *read_outbox; /* the source's internal method */
        const char *const *types;             /* NULL-terminated: others are passed over */
        sn_status (*handle)(struct rpc_call *c, struct bus_batch *batch);
        void (*take_over)(struct service *service); /* before the first event: another process may have handled those
                                                     * up to here, and not have come to the end; NULL: nothing */
};

struct bus_runner;
/* Runs a service's consumers in one thread; only the instance that holds the advisory lock "bus" of the service's
 * database works. */
struct bus_runner *bus_runner_new(struct service *service, const struct bus_consumer *const *consumers, size_t n);
void bus_runner_free(struct bus_runner *runner);

/* For exactly-once handlers: like db_begin / db_commit, with the last event's position stored in the same transaction.
 * bus_begin takes events out of the batch that have had their effect already; SN_REPLAYED when none is left. */
SN_CHECKED sn_status bus_begin(struct rpc_call *c, struct bus_batch *batch, struct db_tx **tx);
SN_CHECKED sn_status bus_commit(struct rpc_call *c, const struct bus_batch *batch, struct db_tx **tx);

/* Dead letters of one service's database, for `sonet admin deadletters`. */
struct bus_dead_letter {
        int64_t id;
        const char *source, *type, *aggregate_id, *error;
        int64_t position, failed_at_ms;
        int attempts;
};
SN_CHECKED sn_status bus_dead_letters_list(struct rpc_call *c, struct bus_dead_letter **letters, size_t *n);
/* Asks the runner to handle them again (ids NULL: all); it does within a second. */
SN_CHECKED sn_status bus_dead_letters_replay(struct rpc_call *c, const int64_t *ids, size_t n_ids, int64_t *n_asked);

#endif
