/* Owns dead letters: events whose handler failed permanently, kept until an operator has them handled again. */
#include "bus/lane.h"

#include <string.h>
#include "base/clock.h"
#include "base/log.h"

#define CALL_MS     10000
#define REPLAY_MS   60000
#define LOOK_US     5000000
#define MOST_LISTED 1000

DB_STATEMENT(INSERT_DEAD_LETTER, "*", NULL,
             "insert into dead_letters (consumer, source, position, type, aggregate_id, event, error, attempts)"
             " values ($1, $2, $3, $4, $5, $6, $7, $8)");

sn_status bus_dead_letter_add(struct db_tx *tx, const char *worker, const bus_event *event, const char *error,
                              int attempts)
{
        size_t len = sonet__events__event__get_packed_size(event);
        uint8_t *packed = arena_alloc(db_arena(tx), len + 1);

        (void)sonet__events__event__pack(event, packed);
        return db_exec(tx, &INSERT_DEAD_LETTER,
                       DB_BINDS(bind_text(worker), bind_text(event->source), bind_i64(event->position),
                                bind_text(event->type), bind_uuid(event->aggregate_id), bind_bytes(packed, len),
                                bind_text(error), bind_i64(attempts)),
                       NULL);
}

sn_status bus_dead_letter_put(struct rpc_call *c, const struct bus_batch *batch, const char *error, int attempts)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool advanced;

        TRY(db_begin(c, &tx));
        TRY(bus_position_advance(tx, batch, batch->events[0]->position, &advanced));
        if (!advanced) { /* another process has handled it */
                return SN_OK;
        }
        TRY(bus_dead_letter_add(tx, batch->consumer->name, batch->events[0], error, attempts));
        return db_commit(c, NULL, &tx);
}

DB_STATEMENT(
    SELECT_DEAD_LETTERS, "*", NULL,
    "select id, consumer, source, position, type, aggregate_id, error, attempts, failed_at from dead_letters order by "
    "id limit $1");

sn_status bus_dead_letters_list(struct rpc_call *c, struct bus_dead_letter **letters, size_t *n)
{
        struct db_rows *rows;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_DEAD_LETTERS, DB_BINDS(bind_i64(MOST_LISTED)), &rows)));
        *n = db_rows_count(rows);
        *letters = ARENA_ARRAY(c->arena, struct bus_dead_letter, *n);
        for (size_t i = 0; i < *n; i++) {
                (*letters)[i] = (struct bus_dead_letter){
                    .id = db_i64(rows, i, "id"),
                    .consumer = db_text(rows, i, "consumer"),
                    .source = db_text(rows, i, "source"),
                    .type = db_text(rows, i, "type"),
                    .aggregate_id = db_text(rows, i, "aggregate_id"),
                    .error = db_text(rows, i, "error"),
                    .position = db_i64(rows, i, "position"),
                    .failed_at_ms = db_i64(rows, i, "failed_at"),
                    .attempts = (int)db_i64(rows, i, "attempts"),
                };
        }
        return SN_OK;
}

DB_STATEMENT(REQUEST_REPLAY, "*", NULL, "update dead_letters set replay_requested = true where $1 or id = any($2)");

sn_status bus_dead_letters_replay(struct rpc_call *c, const int64_t *ids, size_t n_ids, int64_t *n_asked)
{
        return DB_WRITE(c, tx,
                        db_exec(tx, &REQUEST_REPLAY,
                                DB_BINDS(bind_bool(ids == NULL), bind_i64s(ids, ids != NULL ? n_ids : 0)), n_asked));
}

DB_STATEMENT(SELECT_IS_REQUESTED, "*", NULL,
             "select exists (select from dead_letters where replay_requested) as requested");

static void look_for_requests(struct bus_lane *lane)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        struct db_rows *rows;

        if (DB_READ(c, tx, db_rows(tx, &SELECT_IS_REQUESTED, DB_NO_BINDS, &rows)) == SN_OK) {
                atomic_store(&lane->letters->requested, db_i64(rows, 0, "requested") != 0);
        }
}

bool bus_replay_is_requested(struct bus_lane *lane)
{
        int64_t now_us = clock_monotonic_us(), due_us = atomic_load(&lane->letters->look_at_us);

        if (now_us >= due_us && atomic_compare_exchange_strong(&lane->letters->look_at_us, &due_us, now_us + LOOK_US)) {
                look_for_requests(lane);
        }
        return atomic_load(&lane->letters->requested);
}

DB_STATEMENT(SELECT_REQUESTED, "*", NULL,
             "select id, event from dead_letters where replay_requested and consumer = $1 and source = $2"
             " order by id limit 100");

DB_STATEMENT(DELETE_DEAD_LETTER, "*", NULL, "delete from dead_letters where id = $1");

DB_STATEMENT(REFUSE_REPLAY, "*", NULL,
             "update dead_letters set replay_requested = false, attempts = attempts + 1, error = $2, failed_at = now() "
             "where id = $1");

/* If a dependency is unreachable, the request stays: the next round retries it. */
static sn_status finish_replay(struct bus_lane *lane, const struct bus_batch *batch, sn_status status,
                               const char *error)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        int64_t id = batch->letter;

        switch (status) {
        case SN_OK:
                return batch->stored ? SN_OK
                                     : DB_WRITE(c, tx, db_exec(tx, &DELETE_DEAD_LETTER, DB_BINDS(bind_i64(id)), NULL));
        case SN_UNAVAILABLE:
        case SN_ABORTED:
                return status;
        default:
                return DB_WRITE(c, tx, db_exec(tx, &REFUSE_REPLAY, DB_BINDS(bind_i64(id), bind_text(error)), NULL));
        }
}

/* One call of the handler. *done: the event has been handled completely, which may take many portions. */
static sn_status replay_portion(struct bus_lane *lane, struct bus_batch *batch, bool *done)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, REPLAY_MS);

        batch->n_done = 1;
        sn_status status = bus_handle(c, batch);
        const char *detail = c->problem.detail != NULL ? c->problem.detail : "";

        *done = status != SN_OK || batch->n_done == 1;
        return *done ? finish_replay(lane, batch, status,
                                     arena_printf(c->arena, "%s: %s", sn_status_name(status), detail))
                     : SN_OK;
}

static sn_status replay_letter(struct bus_lane *lane, int64_t letter, bus_event *event)
{
        struct bus_batch batch = {
            .events = &event, .n = 1, .consumer = lane->consumer, .lane = lane->number, .letter = letter};
        bool done = false;

        while (!done && !*lane->stopping) {
                TRY(replay_portion(lane, &batch, &done));
        }
        return SN_OK;
}

void bus_replay_requested(struct bus_lane *lane)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(lane->service, CALL_MS);
        struct db_rows *rows;

        if (DB_READ(c, tx,
                    db_rows(tx, &SELECT_REQUESTED,
                            DB_BINDS(bind_text(lane->consumer->name), bind_text(lane->consumer->source)), &rows)) !=
            SN_OK) {
                return;
        }
        for (size_t i = 0; i < db_rows_count(rows) && !*lane->stopping; i++) {
                size_t len;
                int64_t id = db_i64(rows, i, "id");
                const uint8_t *packed = db_bytes(rows, i, "event", &len);
                bus_event *event = sonet__events__event__unpack(arena_protobuf_allocator(c->arena), len, packed);

                if (event == NULL) {
                        log_event(LOG_LEVEL_ERROR, "cannot decode a dead letter", LOG_INT("sonet.letter", id));
                } else if (replay_letter(lane, id, event) != SN_OK) {
                        return;
                }
        }
}
