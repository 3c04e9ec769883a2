/* Owns the leases: one thread for all of a service's in this process, with one statement each half second. */
#include "bus/lease.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "base/uuid.h"
#include "db/db.h"
#include "db/ownership.h"

#define CALL_MS 1000

struct bus_lease {
        char name[96];
        const void *owner;
        struct bus_term *term, own;
        bool held;                   /* as last logged */
        char seen_holder[UUID_SIZE]; /* another process's row, as last seen to change */
        int64_t seen_beats, seen_us;
        struct bus_lease *next;
};

struct bus_leases {
        struct service *service;
        char holder[UUID_SIZE];
        struct ticker *ticker;
        pthread_mutex_t lock; /* held while changing or walking the list, and while the database is queried about it */
        struct bus_lease *first;
};

uint64_t bus_term_number(struct bus_term *term)
{
        uint64_t number = __atomic_load_n(&term->number, __ATOMIC_SEQ_CST);
        bool held = clock_boot_us() < stamp_deadline_get(&term->until);

        return held && __atomic_load_n(&term->number, __ATOMIC_SEQ_CST) == number
                   ? number
                   : 0; /* so that an old number is not combined with a new time */
}

bool bus_lease_held(const struct bus_lease *lease)
{
        return bus_lease_term(lease) != 0;
}

uint64_t bus_lease_term(const struct bus_lease *lease)
{
        return bus_term_number(lease->term);
}

/* The number first, so that the new term is not taken for the old one. */
static void begin_term(struct bus_lease *lease, int64_t until_us)
{
        (void)__atomic_add_fetch(&lease->term->number, 1, __ATOMIC_SEQ_CST);
        stamp_deadline_set(&lease->term->until, until_us);
}

static void note_held(struct bus_lease *lease, int64_t asked_us)
{
        int64_t until_us = asked_us + BUS_LEASE_BELIEF_MS * INT64_C(1000);

        if (lease->held) {
                stamp_deadline_set(&lease->term->until, until_us);
        } else {
                lease->held = true;
                begin_term(lease, until_us);
                log_event(LOG_LEVEL_DEBUG, "acquired a lease", LOG_STR("sonet.lease", lease->name));
        }
}

static void note_lost(struct bus_lease *lease)
{
        stamp_deadline_set(&lease->term->until, 0);
        if (lease->held) {
                lease->held = false;
                lease->seen_us = 0;
                log_event(LOG_LEVEL_WARN, "a lease was taken over by another process",
                          LOG_STR("sonet.lease", lease->name));
        }
}

/* Of one owner, or of all (NULL). */
static char **names_of(struct arena *arena, const struct bus_leases *leases, const void *owner, size_t *n)
{

        *n = 0;
        for (const struct bus_lease *l = leases->first; l != NULL; l = l->next) {
                ++*n;
        }
        char **names = ARENA_ARRAY(arena, char *, *n);
        *n = 0;
        for (struct bus_lease *l = leases->first; l != NULL; l = l->next) {
                if (owner == NULL || l->owner == owner) {
                        names[(*n)++] = l->name;
                }
        }
        return names;
}

static size_t row_of(const struct db_rows *rows, const char *name)
{
        size_t row = 0;

        while (row < db_rows_count(rows) && strcmp(db_text(rows, row, "name"), name) != 0) {
                row++;
        }
        return row;
}

DB_STATEMENT(BEAT, "*", NULL,
             "update bus_leases set beats = beats + 1 where holder = $1 and name = any($2) returning name");

/* The only write outside a transaction, so that it takes one round trip: whether it succeeded or was lost, the next one
 * has the same effect, and services run by several processes have no fence. */
static sn_status renew_held_leases(struct rpc_call *c, struct bus_leases *leases, bool *all)
{
        int64_t asked_us = clock_boot_us();
        struct db_rows *rows;
        size_t n;
        char **names = names_of(c->arena, leases, NULL, &n);

        TRY(DB_READ(c, tx, db_rows(tx, &BEAT, DB_BINDS(bind_uuid(leases->holder), bind_texts(names, n)), &rows)));
        *all = true;
        for (struct bus_lease *l = leases->first; l != NULL; l = l->next) {
                if (row_of(rows, l->name) < db_rows_count(rows)) {
                        note_held(l, asked_us);
                } else {
                        note_lost(l);
                        *all = false;
                }
        }
        return SN_OK;
}

DB_STATEMENT(TAKE_LEASE, "*", NULL,
             "insert into bus_leases (name, holder) values ($1, $2) on conflict (name) do update"
             " set holder = excluded.holder, beats = bus_leases.beats + 1, taken_at = now()"
             " where bus_leases.holder = $3 and bus_leases.beats = $4");

static sn_status acquire_lease(struct rpc_call *c, const struct bus_leases *leases, struct bus_lease *lease)
{
        int64_t asked_us = clock_boot_us(), taken;

        TRY(DB_WRITE(c, tx,
                     db_exec(tx, &TAKE_LEASE,
                             DB_BINDS(bind_text(lease->name), bind_uuid(leases->holder), bind_uuid(lease->seen_holder),
                                      bind_i64(lease->seen_beats)),
                             &taken)));
        if (taken == 1) {
                note_held(lease, asked_us);
        }
        return SN_OK;
}

/* Whether the lease may be taken: no process has it, or its holder has stopped counting. */
static bool is_free(struct bus_lease *lease, const struct db_rows *rows)
{
        size_t row = row_of(rows, lease->name);
        int64_t now_us = clock_boot_us();

        if (row == db_rows_count(rows)) {
                return true;
        }
        const char *holder = db_text(rows, row, "holder");
        int64_t beats = db_i64(rows, row, "beats");

        if (lease->seen_us == 0 || strcmp(holder, lease->seen_holder) != 0 || beats != lease->seen_beats) {
                (void)snprintf(lease->seen_holder, sizeof(lease->seen_holder), "%s", holder);
                lease->seen_beats = beats;
                lease->seen_us = now_us;
        }
        return now_us - lease->seen_us >= BUS_LEASE_TAKEOVER_MS * INT64_C(1000);
}

DB_STATEMENT(SELECT_LEASES, "*", NULL, "select name, holder, beats from bus_leases where name = any($1)");

static sn_status acquire_free_leases(struct rpc_call *c, struct bus_leases *leases)
{
        struct db_rows *rows;
        size_t n;
        char **names = names_of(c->arena, leases, NULL, &n);

        TRY(DB_READ(c, tx, db_rows(tx, &SELECT_LEASES, DB_BINDS(bind_texts(names, n)), &rows)));
        for (struct bus_lease *l = leases->first; l != NULL; l = l->next) {
                if (!l->held && is_free(l, rows)) {
                        TRY(acquire_lease(c, leases, l));
                }
        }
        return SN_OK;
}

static int64_t keep_leases(void *context)
{
        struct bus_leases *leases = context;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(leases->service, CALL_MS);
        bool all = true;

        (void)pthread_mutex_lock(&leases->lock);
        bool some = leases->first != NULL;

        if (some && renew_held_leases(c, leases, &all) == SN_OK && !all) {
                (void)acquire_free_leases(c, leases); /* what fails is retried with the next beat */
        }
        (void)pthread_mutex_unlock(&leases->lock);
        return some ? BUS_LEASE_BEAT_MS : TICKER_IDLE;
}

struct bus_leases *bus_leases_new(struct service *service)
{
        struct bus_leases *leases = calloc(1, sizeof(*leases));

        if (leases == NULL) {
                abort();
        }
        leases->service = service;
        uuid_new(leases->holder);
        (void)pthread_mutex_init(&leases->lock, NULL);
        return leases;
}

/* Where no other process runs the service, they are held from the start. */
static void hold_if_owner(struct bus_leases *leases, struct bus_lease *lease)
{
        if (db_ownership_covers(leases->service->db)) {
                begin_term(lease, INT64_MAX);
        } else if (leases->ticker == NULL) {
                leases->ticker = ticker_new("bus-leases", keep_leases, leases);
        } else {
                ticker_wake(leases->ticker);
        }
}

const struct bus_lease *bus_leases_add(struct bus_leases *leases, const void *owner, const char *name,
                                       struct bus_term *term)
{
        struct bus_lease *lease = calloc(1, sizeof(*lease));

        if (lease == NULL) {
                abort();
        }
        (void)snprintf(lease->name, sizeof(lease->name), "%s", name);
        lease->owner = owner;
        lease->term = term != NULL ? term : &lease->own;
        (void)pthread_mutex_lock(&leases->lock);
        lease->next = leases->first;
        leases->first = lease;
        (void)pthread_mutex_unlock(&leases->lock);
        hold_if_owner(leases, lease);
        return lease;
}

DB_STATEMENT(GIVE_BACK, "*", NULL, "delete from bus_leases where holder = $1 and name = any($2)");

static sn_status give_back(const struct bus_leases *leases, const void *owner)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(leases->service, CALL_MS);
        size_t n;
        char **names = names_of(c->arena, leases, owner, &n);

        return n == 0
                   ? SN_OK
                   : DB_WRITE(c, tx,
                              db_exec(tx, &GIVE_BACK, DB_BINDS(bind_uuid(leases->holder), bind_texts(names, n)), NULL));
}

static void drop_leases(struct bus_leases *leases, const void *owner)
{
        struct bus_lease **at = &leases->first;

        while (*at != NULL) {
                struct bus_lease *lease = *at;

                if (lease->owner != owner) {
                        at = &lease->next;
                        continue;
                }
                *at = lease->next;
                free(lease);
        }
}

void bus_leases_remove(struct bus_leases *leases, const void *owner)
{
        (void)pthread_mutex_lock(&leases->lock);
        for (struct bus_lease *l = leases->first; l != NULL; l = l->next) {
                if (l->owner == owner) {
                        stamp_deadline_set(&l->term->until, 0); /* before another process can have it */
                }
        }
        if (leases->ticker != NULL && give_back(leases, owner) != SN_OK) {
                log_event(LOG_LEVEL_DEBUG, "could not release leases: other processes take over when they expire");
        }
        drop_leases(leases, owner);
        (void)pthread_mutex_unlock(&leases->lock);
}

void bus_leases_free(struct bus_leases *leases)
{
        if (leases != NULL) {
                ticker_free(leases->ticker);
                (void)pthread_mutex_destroy(&leases->lock);
                free(leases);
        }
}
