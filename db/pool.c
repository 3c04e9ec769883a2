/* Owns allocating connections: the limits of each pool and of its server, the order of waiting callers, and opening
 * a working connection. */
#include "db/pool_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define GRACE_US 3000000 /* how long callers wait out a server that restarts; then they fail at once */
#define RETRY_MS 50
#define TRY_US   2000000

struct waiter {
        struct db *db;
        pthread_cond_t cond;
        bool granted;
        struct waiter *next;
};

static struct waiter *waiters; /* in the order of arrival */
static int server_limit = 4;

static bool has_place(const struct db *db)
{
        return db->busy < db->max && db->server->busy < server_limit;
}

static void take_place(struct db *db)
{
        db->busy++;
        db->server->busy++;
        metric_add(db->busy_gauge, 1);
}

/* Grants free slots to waiting callers, in order; one that waits for a full pool does not hold up the others. */
static void grant_places(void)
{
        struct waiter **link = &waiters;

        while (*link != NULL) {
                struct waiter *w = *link;

                if (has_place(w->db)) {
                        take_place(w->db);
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

        if (connection->no_slot) {
                connection->no_slot = false;
                return;
        }
        db->busy--;
        db->server->busy--;
        metric_add(db->busy_gauge, -1);
        grant_places();
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

static bool wait_for_place(struct db *db, int64_t deadline_us)
{
        struct waiter self = {.db = db};
        struct waiter **last = &waiters;
        int64_t since_us = clock_monotonic_us();

        (void)pthread_cond_init(&self.cond, NULL);
        while (*last != NULL) {
                last = &(*last)->next;
        }
        *last = &self;
        while (!self.granted && cond_wait_until(&self.cond, &db_pools_lock, deadline_us)) {
        }
        if (!self.granted) {
                waiter_remove(&self);
        }
        (void)pthread_cond_destroy(&self.cond);
        metric_observe_us(db->wait, clock_monotonic_us() - since_us);
        return self.granted;
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

/* Takes a slot, and an idle connection if there is one. */
static bool take_connection(struct db *db, int64_t deadline_us, struct db_connection **connection)
{
        bool taken = true;

        (void)pthread_mutex_lock(&db_pools_lock);
        if (has_place(db)) {
                take_place(db);
        } else {
                taken = wait_for_place(db, deadline_us);
        }
        *connection = taken ? take_idle(db) : NULL;
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

static void note_success(struct db *db)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        bool was_failing = db->failing_since_us != 0;
        db->failing_since_us = 0;
        (void)pthread_mutex_unlock(&db_pools_lock);
        metric_add(db->opened, 1);
        if (was_failing) {
                log_event(LOG_LEVEL_INFO, "the database is reachable again", LOG_STR("sonet.database", db->name));
        }
}

static int64_t earlier_us(int64_t a_us, int64_t b_us)
{
        return a_us < b_us ? a_us : b_us;
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
                        note_success(db);
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
        enum db_outcome outcome = db_connection_open(*connection, db->url, deadline_us, reason, reason_size);

        if (outcome == DB_DONE) {
                note_success(db);
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

struct db_pool_counts db_pool_counts(struct db *db)
{
        (void)pthread_mutex_lock(&db_pools_lock);
        struct db_pool_counts counts = {.idle = db->n_idle, .busy = db->busy};

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
