/* Owns the relay: committed events get their positions, in batches, and go to the service's stream under them.
 *
 * A position is given by one transaction at a time (the head's row is locked), to rows that its snapshot sees: what
 * commits late gets a later position, so nothing is ever placed behind a reader. The stream is only a quick way:
 * whatever it misses, consumers read from the outbox, so a batch that Redis did not take is not sent again. */
#include <stdlib.h>
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "bus/stream_write.h"

#define BATCH    500
#define POLL_MS  500 /* without a wake: for what another process, or this one before a crash, left behind */
#define PAUSE_MS 200 /* after a failure */
#define CALL_MS  10000

struct bus_relay {
        struct service *service;
        struct ticker *ticker;
        bool compared; /* the stream was looked at since we began */
        struct metric *placed;
};

DB_STATEMENT(SELECT_UNPLACED, "*", NULL, "select 1 from outbox where position is null limit 1");

DB_STATEMENT(LOCK_LOG_HEAD, "*", NULL, "select position, log_id from outbox_head for update");

DB_STATEMENT(
    PLACE_EVENTS, "*", &sonet__events__event__descriptor,
    "with batch as ("
    " select id, row_number() over (order by id) as n from"
    " (select id from outbox where position is null order by id limit $2) unplaced"
    "), placed as ("
    " update outbox o set position = $1 + batch.n, placed_at = clock_timestamp() from batch where o.id = batch.id "
    "returning o.*"
    "), head as ("
    " update outbox_head set position = $1 + (select count(*) from batch)"
    ") select event_id as id, position, type, aggregate_id, object_id, actor_id, version, trace_id, occurred_at"
    " from placed order by position");

static sn_status has_unplaced(struct rpc_call *c, bool *yes)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct db_rows *rows;

        TRY(db_read(c, &tx));
        TRY(db_rows(tx, &SELECT_UNPLACED, DB_NO_BINDS, &rows));
        *yes = db_rows_count(rows) > 0;
        return SN_OK;
}

static sn_status place(struct rpc_call *c, struct relay_batch *batch)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        struct db_rows *head;

        TRY(db_begin(c, &tx));
        TRY(db_rows(tx, &LOCK_LOG_HEAD, DB_NO_BINDS,
                    &head)); /* a statement of its own: the next one sees what the lock waited for */
        if (db_rows_count(head) != 1) {
                return rpc_fail(c, SN_INTERNAL, NULL, "outbox_head has no row");
        }
        batch->log_id = db_text(head, 0, "log_id");
        TRY(db_list(tx, &PLACE_EVENTS, DB_BINDS(bind_i64(db_i64(head, 0, "position")), bind_i64(BATCH)), &batch->n,
                    &batch->events));
        for (size_t i = 0; i < batch->n; i++) {
                batch->events[i]->source = (char *)c->service->name;
                batch->events[i]->schema_version = 1;
        }
        return batch->n > 0 ? db_commit(c, NULL, &tx) : SN_OK;
}

/* One batch. more: another one may be waiting. */
static sn_status work(struct bus_relay *relay, struct rpc_call *c, bool *more)
{
        struct relay_batch batch = {0};
        bool any = false;

        *more = false;
        if (!relay->compared && c->service->redis) {
                relay->compared = bus_stream_compare(c) == SN_OK;
        }
        TRY(has_unplaced(c, &any));
        if (!any) {
                return SN_OK;
        }
        TRY(place(c, &batch));
        *more = batch.n == BATCH;
        metric_add(relay->placed, (int64_t)batch.n);
        if (batch.n > 0 && c->service->redis && bus_stream_write(c, &batch) != SN_OK) {
                log_event(LOG_LEVEL_DEBUG, "events were not streamed: consumers read them from the outbox");
                relay->compared = false;
        }
        return SN_OK;
}

static int64_t relay_batch(void *context)
{
        struct bus_relay *relay = context;
        bool more = false;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(relay->service, CALL_MS);

        if (work(relay, c, &more) != SN_OK) {
                return PAUSE_MS;
        }
        return more ? 0 : POLL_MS;
}

struct bus_relay *bus_relay_new(struct service *service)
{
        struct bus_relay *relay = calloc(1, sizeof(*relay));

        if (!relay) {
                abort();
        }
        relay->service = service;
        relay->placed =
            metric_counter("sonet_bus_events_placed_total", "Events that this process gave a position.", NULL);
        relay->ticker = ticker_new("bus-relay", relay_batch, relay);
        return relay;
}

void bus_relay_wake(struct bus_relay *relay)
{
        ticker_wake(relay->ticker);
}

void bus_relay_free(struct bus_relay *relay)
{
        if (relay) {
                ticker_free(relay->ticker);
                free(relay);
        }
}
