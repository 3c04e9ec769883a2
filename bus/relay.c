/* Owns the relay: it assigns positions to events, and sends them to the service's stream under these.
 *
 * Positions are assigned by one transaction at a time (the head's row is locked until it is committed), to rows that
 * its snapshot sees: what commits late gets a later position, so no event gets a position that a reader has already
 * passed. Usually the emitting transaction does it, as the last thing before its COMMIT (bus_relay_assign); it does not
 * wait while another one holds the row, and the relay assigns positions to events without one. The stream is only a
 * shortcut: consumers read from the outbox whatever it misses, so a batch that Redis did not take is not sent again. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "bus/handed.h"
#include "bus/lease.h"
#include "bus/positions.h"
#include "bus/stream_write.h"
#include "bus/tail.h"
#include "bus/head_lock.h"
#include "bus/wake.h"
#include "db/ownership.h"

#define POLL_MS   500 /* without being woken: for what another process, or this one before a crash, left behind */
#define RARELY_MS 3600000
#define ALONE_MS  2000  /* the same where only this process runs the service: for what an admin command wrote */
#define PAUSE_MS  200   /* after a failure */
#define BUSY_MS   20    /* while another transaction, which may be rolled back, assigns positions */
#define STEADY_US 50000 /* a round that takes longer is slow */
#define LEASE_MS  50
#define CALL_MS   10000
#define TRIM_US   INT64_C(30000000) /* events stay in the stream for this long to twice as long */
#define FRESH_US  2000000           /* how long the end of the log is relied on after it was read */

/* Where the log ends, as far as it has been streamed: readers that are up to date need not query the database. */
struct log_end {
        int64_t position, start;
        char log_id[UUID_SIZE];
        uint64_t term; /* the lease's term in which it was read; 0: unknown */
        int64_t seen_us;
};

struct bus_relay {
        struct service *service;
        const struct bus_lease *lease;
        struct ticker *ticker;
        atomic_bool waked;          /* since the last round: there is something to do */
        bool compared;              /* the stream has been compared with the log since this process got the lease */
        int64_t trimmed_us, newest; /* when the stream was last trimmed, and where it ended then */
        struct metric *assigned;
        bool expects;       /* nothing was read, although according to the log's head there are events to stream */
        atomic_bool steady; /* it keeps up, so emitters may assign a few positions themselves */
        pthread_mutex_t lock;
        struct log_end end;             /* protected by the lock */
        struct bus_handed handed;       /* positions assigned by emitters, not streamed yet */
        struct bus_head_lock head_lock; /* of emitters in this process, to assign positions */
        struct bus_wake *wake;          /* by other processes */
};

/* ---- The end of the log ---- */

static void note_end(struct bus_relay *relay, const char *log_id, int64_t position, int64_t start, uint64_t term)
{
        (void)pthread_mutex_lock(&relay->lock);
        relay->end =
            (struct log_end){.position = position, .start = start, .term = term, .seen_us = clock_monotonic_us()};
        (void)snprintf(relay->end.log_id, sizeof(relay->end.log_id), "%s", log_id);
        (void)pthread_mutex_unlock(&relay->lock);
        if (term != 0) {
                bus_tail_begin(relay->service->name, log_id, position);
        } else {
                bus_tail_end(relay->service->name);
        }
}

static void forget_end(struct bus_relay *relay)
{
        note_end(relay, "", 0, 0, 0);
}

/* Called before readers of the stream in Redis can have seen any of the batch. A renamed log is read again. */
static void advance_end(struct bus_relay *relay, const struct relay_batch *batch)
{
        int64_t last = batch->events[batch->n - 1]->position;

        if (strcmp(relay->end.log_id, batch->log_id) == 0) {
                bus_tail_append(relay->service->name, batch);
                note_end(relay, batch->log_id, last, relay->end.start, relay->end.term);
        } else {
                forget_end(relay);
        }
}

bool bus_relay_is_log_end(struct bus_relay *relay, int64_t position, Sonet__Events__ReadOutboxResponse *out,
                          struct arena *arena)
{
        uint64_t term = bus_lease_term(relay->lease);

        (void)pthread_mutex_lock(&relay->lock);
        const struct log_end *end = &relay->end;
        bool fresh = clock_monotonic_us() - end->seen_us < FRESH_US || db_ownership_covers(relay->service->db);
        bool known = term != 0 && end->term == term && fresh;
        bool reached = known && end->position == position;

        if (reached) {
                out->head = position;
                out->oldest = position + 1;
                out->log_start = end->start;
                out->log_id = arena_strdup(arena, end->log_id);
        }
        (void)pthread_mutex_unlock(&relay->lock);
        return reached;
}

DB_STATEMENT(SELECT_UNASSIGNED, "*", NULL,
             "select position, log_id, log_start, exists (select from outbox where position is null) as unassigned"
             " from outbox_head");

static bool knows_end(const struct bus_relay *relay, uint64_t term)
{
        return relay->end.term != 0 && relay->end.term == term;
}

static sn_status read_log_head(struct bus_relay *relay, struct rpc_call *c, bool *unassigned)
{
        uint64_t term = bus_lease_term(relay->lease);
        struct db_rows *rows;

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_UNASSIGNED, DB_NO_BINDS, &rows)));
        if (db_rows_count(rows) != 1) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the table outbox_head has no row");
        }
        *unassigned = db_i64(rows, 0, "unassigned") != 0;
        if (!relay->expects && knows_end(relay, term) && strcmp(relay->end.log_id, db_text(rows, 0, "log_id")) == 0 &&
            relay->end.position < db_i64(rows, 0, "position")) {
                relay->expects = true;
                atomic_store(&relay->waked, true); /* committed with positions a moment ago, and not streamed yet */
                return SN_OK;
        }
        relay->expects = false; /* events missing for the second time have been deleted */
        note_end(relay, db_text(rows, 0, "log_id"), db_i64(rows, 0, "position"), db_i64(rows, 0, "log_start"), term);
        return SN_OK;
}

/* ---- For emitters ---- */

struct emission {
        struct bus_relay *relay;
        struct db_rows *assigned; /* NULL: not tried */
        char log_id[UUID_SIZE];
};

/* After the COMMIT, with its own memory, since the call must not fail any more. Readers in this process get the events
 * at once if they are the next ones of the log, and in any case from the relay. The relay queries the database if no
 * positions were assigned, or the maximum was. */
static void hand_over(void *context)
{
        struct emission *e = context;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(e->relay->service, CALL_MS);
        struct relay_batch batch = {.log_id = e->log_id};
        bool known = e->assigned != NULL && db_rows_list(c, e->assigned, &batch.n, &batch.events) == SN_OK;

        if (known) {
                positions_name_source(c, &batch);
                bus_tail_append(e->relay->service->name, &batch);
                known = bus_handed_put(&e->relay->handed, &batch);
        }
        if (!known || batch.n == 0 || batch.n == POSITIONS_EMITTER_BATCH) {
                atomic_store(&e->relay->waked, true);
        }
        ticker_wake(e->relay->ticker);
}

/* After hand_over, so that the events of the next transaction continue the tail. */
static void release_head(void *context)
{
        bus_head_lock_release(context);
}

static bool emitters_may_assign(struct bus_relay *relay, char log_id[UUID_SIZE])
{
        (void)pthread_mutex_lock(&relay->lock);
        bool known = knows_end(relay, bus_lease_term(relay->lease));

        memcpy(log_id, relay->end.log_id, UUID_SIZE);
        (void)pthread_mutex_unlock(&relay->lock);
        return known && atomic_load(&relay->steady);
}

/* If it must be waited for, the transaction's statements are executed meanwhile, instead of while it is held. */
static sn_status take_head(struct bus_relay *relay, struct db_tx *tx, bool *ours)
{
        bool worth_waiting = false;

        *ours = bus_head_lock_try(&relay->head_lock, &worth_waiting);
        if (worth_waiting) {
                TRY(db_flush(tx));
                *ours = bus_head_lock_take(&relay->head_lock);
        }
        return SN_OK;
}

sn_status bus_relay_assign(struct bus_relay *relay, struct db_tx *tx)
{
        struct emission *e = ARENA_NEW(db_arena(tx), struct emission);
        bool ours = false;

        *e = (struct emission){.relay = relay};
        db_on_commit(tx, hand_over, e);
        TRY(emitters_may_assign(relay, e->log_id) ? take_head(relay, tx, &ours) : SN_OK);
        if (!ours) {
                return SN_OK;
        }
        db_on_end(tx, release_head, &relay->head_lock);
        return positions_assign_later(tx, e->log_id, &e->assigned);
}

/* One round of the relay. */
struct round {
        struct relay_batch batch;
        bool assigned; /* in this round; otherwise they were read */
        bool busy; /* another transaction is assigning positions; if it is this process's, its COMMIT wakes the relay */
};

/* Under the lock if possible, since an emitter's COMMIT would find the head locked; but a transaction that has the lock
 * may be waiting for other locks, for however long, and must not hold up the events of others. */
static sn_status assign_with_lock(struct bus_relay *relay, struct rpc_call *c, struct round *round)
{
        bool locked = bus_head_lock_take(&relay->head_lock);
        sn_status status = positions_assign_next(c, &round->batch, &round->busy);

        if (locked) {
                bus_head_lock_release(&relay->head_lock);
        }
        return status;
}

/* Usually the events were committed with their positions. */
static sn_status take_news(struct bus_relay *relay, struct rpc_call *c, struct round *round)
{
        struct relay_batch *batch = &round->batch;
        bool unassigned = false;

        batch->log_id = arena_strdup(c->arena, relay->end.log_id);
        TRY(positions_read(c, relay->end.position, batch, &unassigned));
        if (unassigned && batch->n > 0) {
                atomic_store(&relay->waked, true);
        }
        round->assigned = unassigned && batch->n == 0;
        return round->assigned ? assign_with_lock(relay, c, round) : SN_OK;
}

/* Takes the events that continue the log from their emitters; for others, such as those in a gap, the database is
 * queried. */
static void take_handed(struct bus_relay *relay, struct rpc_call *c, struct round *round)
{
        if (knows_end(relay, bus_lease_term(relay->lease))) {
                round->batch.log_id = arena_strdup(c->arena, relay->end.log_id);
                if (bus_handed_take(&relay->handed, c, relay->end.position, POSITIONS_BATCH, &round->batch)) {
                        atomic_store(&relay->waked, true);
                }
        }
}

/* A relay that was woken knows that there is something to read, and usually where the log ends. */
static sn_status take_batch(struct bus_relay *relay, struct rpc_call *c, struct round *round)
{
        take_handed(relay, c, round);
        if (round->batch.n > 0) {
                return SN_OK;
        }
        if (atomic_exchange(&relay->waked, false) && knows_end(relay, bus_lease_term(relay->lease))) {
                sn_status status = take_news(relay, c, round);

                if (status != SN_OK) {
                        atomic_store(&relay->waked, true);
                        return status;
                }
                if (round->batch.n > 0 || round->busy) {
                        return SN_OK;
                }
        }
        round->assigned = false;
        TRY(read_log_head(relay, c, &round->assigned));
        return round->assigned ? positions_assign(c, &round->batch, &round->busy) : SN_OK;
}

/* Other processes have assigned positions since the end of the log was read: those must be streamed first. */
static bool is_ahead(const struct bus_relay *relay, const struct round *round)
{
        const struct relay_batch *batch = &round->batch;

        return round->assigned && batch->n > 0 && strcmp(relay->end.log_id, batch->log_id) == 0 &&
               batch->events[0]->position > relay->end.position + 1;
}

/* A round may take longer than a lease lasts: then another process has streamed these events, and what looks like a
 * stream that is ahead of a restored log is its work. */
static bool is_relay_of(const struct bus_relay *relay, uint64_t term)
{
        return term != 0 && bus_lease_term(relay->lease) == term;
}

static void stream_batch(struct bus_relay *relay, struct rpc_call *c, struct relay_batch *batch, uint64_t term)
{
        bool refused = false;

        if (c->service->redis == NULL) {
                return;
        }
        sn_status status = bus_stream_write(c, batch, &refused);

        if (refused && is_relay_of(relay, term)) {
                status = bus_stream_replace(c, batch);
        }
        if (status != SN_OK) {
                log_event(LOG_LEVEL_DEBUG, "could not stream events: consumers read them from the outbox");
                relay->compared = false;
        }
}

/* One batch. *rest_ms: time until the next one, unless the relay is woken. */
static sn_status relay_one_batch(struct bus_relay *relay, struct rpc_call *c, int64_t *rest_ms)
{
        uint64_t term = bus_lease_term(relay->lease);
        struct round round = {0};
        struct relay_batch *batch = &round.batch;

        if (!relay->compared && c->service->redis != NULL) {
                relay->compared = bus_stream_compare(c) == SN_OK;
        }
        TRY(take_batch(relay, c, &round));
        if (is_ahead(relay, &round)) {
                batch->n = 0;
                atomic_store(&relay->waked, true);
        }
        if (batch->n == POSITIONS_BATCH) {
                atomic_store(&relay->waked, true); /* probably not all of what this process has emitted */
        }
        if (round.busy) {
                atomic_store(&relay->waked, true); /* what was left is still there, whatever wakes the relay first */
                *rest_ms = BUSY_MS;
        } else if (atomic_load(&relay->waked)) {
                *rest_ms = 0;
        }
        if (batch->n == 0) {
                return SN_OK;
        }
        relay->expects = false;
        metric_add(relay->assigned, (int64_t)batch->n);
        if (is_relay_of(relay, term)) {
                advance_end(relay, batch);
                stream_batch(relay, c, batch, term);
        }
        return SN_OK;
}

/* While the relay does not keep up, because of a backlog or a slow or failing database, emitters assign no positions,
 * so that their COMMITs are not slowed down. */
static void note_pace(struct bus_relay *relay, int64_t began_us, sn_status status, int64_t rest_ms)
{
        bool slow = clock_monotonic_us() - began_us > STEADY_US;

        atomic_store(&relay->steady, status == SN_OK && !slow && rest_ms > 0);
}

static void trim_when_due(struct bus_relay *relay, struct rpc_call *c)
{
        if (clock_monotonic_us() - relay->trimmed_us < TRIM_US) {
                return;
        }
        relay->trimmed_us = clock_monotonic_us();
        if (c->service->redis != NULL && bus_stream_trim(c, &relay->newest) != SN_OK) {
                relay->newest = 0;
        }
}

static atomic_bool polls_rarely;

void bus_relay_poll_rarely(bool rarely)
{
        atomic_store(&polls_rarely, rarely);
}

static int64_t poll_ms(const struct bus_relay *relay)
{
        if (atomic_load(&polls_rarely)) {
                return RARELY_MS;
        }
        return db_ownership_covers(relay->service->db) ? ALONE_MS : POLL_MS;
}

static int64_t relay_batch(void *context)
{
        struct bus_relay *relay = context;
        int64_t rest_ms = poll_ms(relay);

        if (!bus_lease_held(relay->lease)) {
                relay->compared = false; /* another process writes the stream */
                relay->newest = 0;
                forget_end(relay);
                bus_handed_drop(&relay->handed); /* the other one reads them */
                if (atomic_exchange(&relay->waked, false)) {
                        bus_wake_relay(relay->service);
                }
                return LEASE_MS;
        }
        bus_tail_trim(relay->service->name);
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(relay->service, CALL_MS);

        int64_t began_us = clock_monotonic_us();
        sn_status status = relay_one_batch(relay, c, &rest_ms);

        note_pace(relay, began_us, status, rest_ms);
        if (status != SN_OK) {
                relay->expects = false; /* what is missing was not read a second time */
                return PAUSE_MS;
        }
        trim_when_due(relay, c);
        return rest_ms;
}

/* Another process has committed events. Without the lease, this process may have done so itself. */
static void wake_relay(void *context)
{
        struct bus_relay *relay = context;

        if (bus_lease_held(relay->lease)) {
                atomic_store(&relay->waked, true);
                ticker_wake(relay->ticker);
        }
}

struct bus_relay *bus_relay_new(struct service *service)
{
        struct bus_relay *relay = calloc(1, sizeof(*relay));

        if (relay == NULL) {
                abort();
        }
        relay->service = service;
        (void)pthread_mutex_init(&relay->lock, NULL);
        relay->assigned =
            metric_counter("sonet_bus_positions_assigned_total", "Events assigned a position by this process.", NULL);
        bus_handed_init(&relay->handed);
        bus_head_lock_init(&relay->head_lock);
        relay->lease = bus_leases_add(service->leases, relay, "relay", NULL);
        relay->ticker = ticker_new("bus-relay", relay_batch, relay);
        relay->wake = bus_wake_new(service, wake_relay, relay);
        return relay;
}

void bus_relay_free(struct bus_relay *relay)
{
        if (relay != NULL) {
                bus_wake_free(relay->wake);
                ticker_free(relay->ticker);
                bus_leases_remove(relay->service->leases, relay);
                bus_tail_end(relay->service->name);
                bus_handed_destroy(&relay->handed);
                bus_head_lock_destroy(&relay->head_lock);
                (void)pthread_mutex_destroy(&relay->lock);
                free(relay);
        }
}
