/* Bus: events. The outbox table is the log; the relay's memory and Redis Streams only transport it.
 *
 * Emitting: outbox_put() in the transaction that causes the event. Rows get gapless positions with its COMMIT, or from
 * the relay of the emitting service, which publishes them with XADD under the position as ID; rows are kept for 7 days.
 *
 * Consuming: each consumer has its own position in its source's log and its own thread, or several: lanes, among which
 * events are divided by aggregate. It reads events from the relay's memory in the same process (bus/tail.h), from the
 * stream in others, and after a gap or without Redis from the source's outbox with the internal call ReadOutbox. Events
 * are never skipped, but may be repeated: a handler is either exactly once (bus_begin … bus_commit stores the position
 * in the transaction of its effect) or idempotent (the lane stores the position after it returns). If several processes
 * run a service, each lane is run by one of them (bus/lease.h).
 *
 * Failing: a batch that fails is retried in halves. An event that fails by itself eventually becomes a dead letter, and
 * the lane continues; while a dependency is unreachable (SN_UNAVAILABLE) it is retried forever, in order. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "base/service.h"
#include "bus/lease.h"
#include "db/db.h"
#include "sonet/events.rpc.h"

typedef Sonet__Events__Event bus_event;

/* Event types, as in the log: "note.created". */
struct outbox_event {
        const char *type;
        const char *aggregate_id; /* the note, the follower … */
        const char *object_id;    /* the other party: the followed member, the parent note; "" when none */
        const char *actor_id;     /* NULL: the call's actor */
        int64_t version;          /* of the aggregate, growing; 0 when it has none */
        const char *trace_id;     /* NULL: the call's */
};
SN_CHECKED sn_status outbox_put(struct db_tx *tx, const struct outbox_event *event);
/* Many in one statement, in their order. */
SN_CHECKED sn_status outbox_put_all(struct db_tx *tx, const struct outbox_event *events, size_t n);

struct bus_relay;
struct bus_relay *bus_relay_new(struct service *service);
void bus_relay_free(struct bus_relay *relay);
/* For tests: relays that are not woken wait for an hour. */
void bus_relay_poll_rarely(bool rarely);
/* To be called last before the COMMIT of an emitting transaction: assigns positions to its events and to a few others
 * without one, if this process runs a relay that keeps up and no other transaction is assigning positions. After the
 * COMMIT the relay gets these events, or is woken. */
SN_CHECKED sn_status bus_relay_assign(struct bus_relay *relay, struct db_tx *tx);
/* Whether this process, whose relay assigns the positions, knows that the log ends at this one: then the response is
 * filled in without querying the database. False: query it. */
bool bus_relay_is_log_end(struct bus_relay *relay, int64_t position, Sonet__Events__ReadOutboxResponse *out,
                          struct arena *arena);

/* The handler of every emitting service's internal method ReadOutbox. */
SN_CHECKED sn_status bus_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                     Sonet__Events__ReadOutboxResponse *out);

/* The position up to which all consumers of the call's service have handled a source's events. */
SN_CHECKED sn_status bus_taken(struct rpc_call *c, const char *source, int64_t *position);
/* When the earliest event of the call's service without a position, or after this position, was caused (wall clock);
 * INT64_MAX if there is none. */
SN_CHECKED sn_status bus_pending_since(struct rpc_call *c, int64_t position, int64_t *since_ms);

/* How far a lane has come in its source's log. */
struct bus_progress {
        const char *log_id;
        int64_t position;   /* everything up to here is done */
        const char *cursor; /* and the handler's progress in the next event; "": none */
        uint64_t term;      /* of the consumer's lease (bus/lease.h) */
};

#define BUS_BATCH_MAX   100 /* events of a batch, unless the consumer takes more at once, */
#define BUS_BATCH_MOST  500 /* at most this many */
#define BUS_CURSOR_SIZE 80

/* Events of one source that one consumer takes, at least one, in order of position. */
struct bus_batch {
        bus_event **events;
        size_t n;
        /* A handler that is not exactly once may handle only a portion: it sets how many events are done (n_done,
         * initially n), and its progress in the next one, in its own format (cursor). It is called again with the
         * rest and that cursor, in a new call; also after a stop or a crash. */
        size_t n_done;
        char cursor[BUS_CURSOR_SIZE];
        /* For bus_begin and bus_commit. */
        const struct bus_consumer *consumer;
        int lane;
        int64_t letter; /* the dead letter that is replayed; 0: none, the events are the next ones */
        bool stored;    /* the position was stored with the effect, or the letter removed */
};

/* How many lanes a consumer has that takes events by aggregate. A lane's position is that of its share of the
 * aggregates: the number never changes. */
#define BUS_LANES 4

struct bus_consumer {
        const char *name;                     /* with source the key of its positions in the service's database */
        const char *source;                   /* "note" */
        const struct rpc_method *read_outbox; /* the source's internal method */
        const char *const *types;             /* NULL-terminated: others are passed over */
        bool by_aggregate; /* in BUS_LANES threads: events of one aggregate in order, different aggregates concurrently.
                              Otherwise one thread, all in order */
        sn_status (*handle)(struct rpc_call *c, struct bus_batch *batch);
        size_t batch_max; /* how many events it takes at once, up to BUS_BATCH_MOST; 0: BUS_BATCH_MAX */
        int pace_ms; /* events that come sooner than this after a batch wait, to form one batch; 0: none. For handlers
                        to which ten events cost little more than one, and whose effect is not urgent */
        /* For effects that are kept outside of the database: called when a lane starts (first), every half second, and
         * before its progress is stored, which a failure prevents. NULL: nothing. */
        sn_status (*checkpoint)(struct rpc_call *c, const struct bus_progress *progress, bool first);
        struct bus_term **term; /* of its lease, made before the consumer starts, for consumers that keep what was
                                   delivered in memory; or NULL. Not by_aggregate */
};

struct bus_runner;
/* Runs a service's consumers, a NULL-terminated list. */
struct bus_runner *bus_runner_new(struct service *service, const struct bus_consumer *const *consumers);
/* Tells its lanes to end, without waiting for them. Takes NULL. */
void bus_runner_stop(struct bus_runner *runner);
/* Waits for the portions that are being handled. Takes NULL. */
void bus_runner_free(struct bus_runner *runner);

/* For exactly-once handlers: like db_begin / db_commit, with the last event's position stored in the same transaction.
 * bus_begin takes events out of the batch that have had their effect already; SN_REPLAYED when none is left. Before it,
 * bus_shorten limits a batch that is too much for one transaction to its first n events (at least one); the others are
 * delivered again. */
void bus_shorten(struct bus_batch *batch, size_t n);
SN_CHECKED sn_status bus_begin(struct rpc_call *c, struct bus_batch *batch, struct db_tx **tx);
SN_CHECKED sn_status bus_commit(struct rpc_call *c, struct bus_batch *batch, struct db_tx **tx);

/* Dead letters of one service's database, for `sonet admin deadletters`. */
struct bus_dead_letter {
        int64_t id;
        const char *consumer, *source, *type, *aggregate_id, *error;
        int64_t position, failed_at_ms;
        int attempts;
};
SN_CHECKED sn_status bus_dead_letters_list(struct rpc_call *c, struct bus_dead_letter **letters, size_t *n);
/* Asks the consumers to handle them again (ids NULL: all), which happens within about ten seconds. */
SN_CHECKED sn_status bus_dead_letters_replay(struct rpc_call *c, const int64_t *ids, size_t n_ids, int64_t *n_asked);
/* A failure of the service that is not an event of a log: a dead letter next to those of its consumers. worker: its
 * name, like a consumer's; the event describes it in the worker's terms, and needs at least an ID, a source, a type
 * and an aggregate. */
SN_CHECKED sn_status bus_dead_letter_add(struct db_tx *tx, const char *worker, const bus_event *event,
                                         const char *error, int attempts);
/* Removes a worker's letters that an operator has released, the oldest first, and returns them to be handled in this
 * transaction. */
SN_CHECKED sn_status bus_own_letters_take(struct db_tx *tx, const char *worker, int64_t limit, bus_event ***events,
                                          size_t *n);
SN_CHECKED sn_status bus_own_letters_prune(struct db_tx *tx, const char *worker, int64_t days, int64_t limit,
                                           int64_t *n);

#endif
