/* Owns allocating connections: the limits of each pool and of its server, the order of waiting callers, and opening
 * a working connection. */
#include "db/pool_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define GRACE_US     3000000 /* how long callers wait out a server that restarts; then they fail at once */
#define RETRY_MS     50
#define TRY_US       2000000
#define OPEN_MOST_US 100000 /* callers wait no longer than this, however long opening one took once */

struct waiter {
        struct db *db;
        pthread_cond_t cond;
        int64_t patient_until_us; /* before, it takes no slot without a connection */
        bool granted;
        struct db_connection *connection;
        struct waiter *next;
};

static struct waiter *waiters; /* in the order of arrival */
static int server_limit = 4;
static int64_t open_us = 50000; /* how long opening a connection took last; at first a guess */

static bool has_place(const struct db *db)
{
        return db->busy < db->max && db->server->busy < server_limit;
}

/* Whether a caller may take a slot: opening a connection costs the server more than most statements, so each caller
 * waits for one in use for as long as opening one takes, less what others have waited since the last one was opened. */
static bool may_enter(const struct db *db, int64_t patient_until_us)
{
        return has_place(db) && (db->idle != NULL || db->busy == 0 || clock_monotonic_us() >= patient_until_us);
}

static struct db_connection *take_idle(struct db *db)
{
        struct db_connection *connection = db->idle;

        if (connection != NULL) {
                db->idle = connection->next;
                db->n_idle--;
        }
        return connection;
}

/* Returns an idle connection, or NULL if one must be opened. */
static struct db_connection *take_place(struct db *db)
{
        struct db_connection *connection = take_idle(db);

        db->busy++;
        db->server->busy++;
        metric_add(db->busy_gauge, 1);
        if (connection == NULL) {
                db->waited_us = 0;
        }
        return connection;
}

/* Grants free slots to waiting callers, in order; one that waits for a full pool does not hold up the others. */
static void grant_places(void)
{
        struct waiter **link = &waiters;

        while (*link != NULL) {
                struct waiter *w = *link;

                if (may_enter(w->db, w->patient_until_us)) {
                        w->connection = take_place(w->db);
                        *link = w->next;
                        w->granted = true;
                        (void)pthread_cond_signal(&w->cond);
                } else {
                        link = &w->next;
                }
        }
}

void db_give_place(struct db_connection *connection)
{
        struct db *db = connection->db;

        if (!connection->no_slot) {
                db->busy--;
                db->server->busy--;
                metric_add(db->busy_gauge, -1);
        }
        connection->no_slot = false;
        grant_places();
}

static void waiter_add(struct waiter *waiter)
{
        struct waiter **last = &waiters;

        while (*last != NULL) {
                last = &(*last)->next;
        }
        *last = waiter;
}

static void waiter_remove(struct waiter *waiter)
{
        struct waiter **link = &waiters;

        while (*link != NULL && *link != waiter) {
                link = &(*link)->next;
        }
        if (*link != NULL) {
                *link = waiter->next;
        }
}

static int64_t earlier_us(int64_t a_us, int64_t b_us)
{
        return a_us < b_us ? a_us : b_us;
}

static bool wait_for_place(struct db *db, int64_t since_us, int64_t deadline_us, struct db_connection **connection)
{
        struct waiter self = {.db = db, .patient_until_us = since_us + open_us - db->waited_us};

        (void)pthread_cond_init(&self.cond, NULL);
        waiter_add(&self);
        while (!self.granted &&
               cond_wait_until(&self.cond, &db_pools_lock, earlier_us(self.patient_until_us, deadline_us))) {
        }
        grant_places(); /* the patience is over */
        while (!self.granted && cond_wait_until(&self.cond, &db_pools_lock, deadline_us)) {
        }
        if (!self.granted) {
                waiter_remove(&self);
        }
        (void)pthread_cond_destroy(&self.cond);
        int64_t waited_us = clock_monotonic_us() - since_us;
        db->waited_us += self.granted && self.connection == NULL ? 0 : waited_us;
        metric_observe_us(db->wait, waited_us);
        *connection = self.connection;
        return self.granted;
}

/* Takes a slot, and an idle connection if there is one. */
static bool take_connection(struct db *db, int64_t deadline_us, struct db_connection **connection)
{
        bool taken = true;

        (void)pthread_mutex_lock(&db_pools_lock);
        if (may_enter(db, INT64_MAX)) {
                *connection = take_place(db);
        } else {
                taken = wait_for_place(db, clock_monotonic_us(), deadline_us, connection);
        }
        (void)pthread_mutex_unlock(&db_pools_lock);
        return taken;
}

/* Checks without contacting the server. Unsolicited data means the end of the session, so a connection with anything to
 * read is not used. */
static bool is_alive(struct db_connection *connection)
{
        struct pollfd p = {.fd = PQsocket(connection->pg), .events = POLLIN};

        return PQstatus(connection->pg) == CONNECTION_OK && poll(&p, 1, 0) == 0;
}

/* True while callers should keep trying: the server may only be restarting. */
static bool note_failure(struct db *db, const char *reason)
{
        int64_t now_us = clock_monotonic_us();

        (void)pthread_mutex_lock(&db_pools_lock);
        bool first = db->failing_since_us == 0;
        if (first) {
                db->failing_since_us = now_us;
        }
        bool go_on = now_us - db->failing_since_us < GRACE_US;
        (void)pthread_mutex_unlock(&db_pools_lock);
        if (first) {
                log_event(LOG_LEVEL_WARN, "the database is unreachable", LOG_STR("sonet.database", db->name),
                          LOG_STR("error.message", reason));
        }
        return go_on;
}

static void note_success(struct db *db, int64_t since_us)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        bool was_failing = db->failing_since_us != 0;
        db->failing_since_us = 0;
        open_us = earlier_us(clock_monotonic_us() - since_us, OPEN_MOST_US);
        (void)pthread_mutex_unlock(&db_pools_lock);
        metric_add(db->opened, 1);
        if (was_failing) {
                log_event(LOG_LEVEL_INFO, "the database is reachable again", LOG_STR("sonet.database", db->name));
        }
}

static enum db_outcome open_patiently(struct db_connection *connection, int64_t deadline_us)
{
        struct db *db = connection->db;
        char reason[256] = "";

        for (;;) {
                int64_t now_us = clock_monotonic_us();

                if (now_us >= deadline_us) {
                        return DB_EXPIRED;
                }
                if (db_connection_open(connection, db->url, earlier_us(deadline_us, now_us + TRY_US), reason,
                                       sizeof(reason)) == DB_DONE) {
                        note_success(db, now_us);
                        return DB_DONE;
                }
                if (!note_failure(db, reason)) {
                        return DB_LOST;
                }
                clock_sleep_ms(RETRY_MS);
        }
}

void db_release(struct db_connection *connection)
{
        struct db *db = connection->db;

        if (PQstatus(connection->pg) != CONNECTION_OK || PQtransactionStatus(connection->pg) != PQTRANS_IDLE) {
                db_give_up(connection, false);
                return;
        }
        connection->idle_since_us = clock_monotonic_us();
        (void)pthread_mutex_lock(&db_pools_lock);
        connection->next = db->idle;
        db->idle = connection;
        db->n_idle++;
        db_reaper_expect();
        db_give_place(connection);
        (void)pthread_mutex_unlock(&db_pools_lock);
}

static struct db_connection *connection_new(struct db *db)
{
        struct db_connection *connection = calloc(1, sizeof(*connection));

        if (connection == NULL) {
                abort();
        }
        connection->db = db;
        return connection;
}

enum db_outcome db_acquire(struct db *db, int64_t deadline_us, struct db_connection **connection)
{
        if (!take_connection(db, deadline_us, connection)) {
                return DB_EXPIRED;
        }
        if (*connection != NULL && is_alive(*connection)) {
                return DB_DONE;
        }
        if (*connection == NULL) {
                *connection = connection_new(db);
        }
        enum db_outcome outcome = open_patiently(*connection, deadline_us);

        if (outcome != DB_DONE) {
                db_give_up(*connection, false);
                *connection = NULL;
        }
        return outcome;
}

enum db_outcome db_acquire_for_probe(struct db *db, int64_t deadline_us, struct db_connection **connection,
                                     char *reason, size_t reason_size)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        *connection = take_idle(db);
        (void)pthread_mutex_unlock(&db_pools_lock);
        if (*connection == NULL) {
                *connection = connection_new(db);
        }
        (*connection)->no_slot = true;
        if (is_alive(*connection)) {
                return DB_DONE;
        }
        int64_t since_us = clock_monotonic_us();
        enum db_outcome outcome = db_connection_open(*connection, db->url, deadline_us, reason, reason_size);

        if (outcome == DB_DONE) {
                note_success(db, since_us);
        } else {
                db_give_up(*connection, false);
                *connection = NULL;
        }
        return outcome;
}

void db_drop_idle(struct db *db)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        struct db_connection *stale = db->idle;
        db->idle = NULL;
        db->n_idle = 0;
        (void)pthread_mutex_unlock(&db_pools_lock);
        db_close_all(stale);
}

enum db_outcome db_reopen(struct db_connection *connection, int64_t deadline_us)
{
        db_drop_idle(connection->db);
        return open_patiently(connection, deadline_us);
}

void db_set_server_limit(int busy_connections)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        server_limit = busy_connections > 0 ? busy_connections : 1;
        grant_places();
        (void)pthread_mutex_unlock(&db_pools_lock);
}

void db_set_open_us(int64_t us)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        open_us = us;
        (void)pthread_mutex_unlock(&db_pools_lock);
}

struct db_pool_counts db_pool_counts(struct db *db)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        struct db_pool_counts counts = {.idle = db->n_idle, .busy = db->busy};

        for (const struct waiter *w = waiters; w != NULL; w = w->next) {
                counts.waiting += w->db == db;
        }
        (void)pthread_mutex_unlock(&db_pools_lock);
        return counts;
}

sn_status db_ping(struct db *db, int timeout_ms)
{
        int64_t deadline_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
        struct db_connection *connection;
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;

        if (db_acquire(db, deadline_us, &connection) != DB_DONE) {
                return SN_UNAVAILABLE;
        }
        enum db_outcome outcome = db_pg_query(connection->pg, "select 1", deadline_us, &result);

        if (outcome == DB_LOST && db_reopen(connection, deadline_us) == DB_DONE) {
                PQclear(result);
                outcome = db_pg_query(connection->pg, "select 1", deadline_us, &result);
        }
        if (outcome == DB_DONE) {
                db_release(connection);
                return SN_OK;
        }
        db_give_up(connection, outcome == DB_EXPIRED);
        return SN_UNAVAILABLE;
}
