/* What the files of the runner share: a source as it is read, and events on their way through a handler. Private to
 * bus/. */
#ifndef BUS_DELIVERY_H
#define BUS_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/uuid.h"
#include "bus/bus.h"
#include "cache/redis.h"

#define BUS_MAX_SOURCES   16
#define BUS_MAX_CONSUMERS 16 /* of one source */

struct bus_source {
        const char *name;
        const struct rpc_method *read_outbox;
        const struct bus_consumer *consumers[BUS_MAX_CONSUMERS]; /* each with types of its own */
        size_t n_consumers;
        char log_id[UUID_SIZE];      /* "" until the log was read */
        int64_t position;            /* taken up to here */
        int64_t stored;              /* as the database has it, at least */
        bool behind;                 /* the stream cannot continue from position: read the log */
        int64_t heard_us;            /* when the log or the stream last told anything */
        int64_t seen_position;       /* of the stream, past a gap */
        int64_t mistrusted_until_us; /* the stream holds what it should not: read the log instead */
        int64_t retry_at_us;         /* nothing before this moment, after a failure */
        size_t batch;                /* how many events are handled at once: halved by failures, doubled by success */
        int attempts;                /* of the next event, that failed by itself */
        int waits;                   /* of the next event, that the environment failed */
};

enum bus_outcome {
        BUS_DONE,  /* all handled, or given up as dead letters */
        BUS_LATER, /* the next event of the source is to be tried again, after retry_at_us */
};

/* Takes events, which must be the next ones of the source. */
enum bus_outcome bus_deliver(struct service *service, struct bus_source *source, bus_event **events, size_t n);
/* Handles the dead letters that somebody asked to handle again. */
void bus_replay_requested(struct service *service, struct bus_source *sources, size_t n);

/* How the handler is called on this thread: exactly-once handlers meet it in bus_begin and bus_commit. */
struct bus_delivery {
        bool replay; /* from a dead letter: positions are long past it */
        bool stored; /* bus_commit stored the position (or removed the letter) */
};
extern __thread struct bus_delivery bus_current;
sn_status bus_handle(struct rpc_call *c, const struct bus_consumer *consumer, struct bus_batch *batch);
/* Who handles this type; NULL: nobody, it is passed over. */
const struct bus_consumer *bus_consumer_of(const struct bus_source *source, const char *type);

SN_CHECKED sn_status bus_positions_load(struct service *service, struct bus_source *sources, size_t n);
SN_CHECKED sn_status bus_positions_store(struct service *service, struct bus_source *sources, size_t n);
/* In a transaction: false when the stored position is past it already. */
SN_CHECKED sn_status bus_position_advance(struct db_tx *tx, const char *source, int64_t position, bool *advanced);
/* The source's log came from a backup and ends before what was stored. */
SN_CHECKED sn_status bus_position_rewind(struct service *service, struct bus_source *source, int64_t position);
SN_CHECKED sn_status bus_dead_letter_put(struct rpc_call *c, const bus_event *event, const char *error, int attempts);

/* Reads the next events of the sources that are not behind from their streams, waiting up to wait_ms, and delivers
 * them; marks sources behind where the stream does not continue. SN_UNAVAILABLE when Redis is away. */
SN_CHECKED sn_status bus_stream_read(struct service *service, struct redis_link *link, struct bus_source *sources,
                                     size_t n, int wait_ms);
bool bus_stream_trusted(const struct bus_source *source);
void bus_mistrust_stream(struct bus_source *source);
/* Reads the source's log from its position on and delivers. SN_OK: up to date, or an event is to be tried again. */
SN_CHECKED sn_status bus_log_read(struct service *service, struct bus_source *source);

#endif
