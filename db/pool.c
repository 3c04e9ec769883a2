/* Owns the pools: which connections are idle, who may use one, and in what order those who wait get theirs. One lock
 * over all pools of the process: it is held for a few instructions a request, and never while anything talks to a
 * server. */
#include "db/pool.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#define IDLE_MS 60000
#define GRACE_US                                                                                                       \
        3000000 /* how long callers wait out a server that restarts, before failing at once while it is away           \
                 */
#define RETRY_MS        50
#define TRY_US          2000000
#define PROBE_IDLE_US   1000000 /* idle for longer: look whether the server hung up before sending anything */
#define SERVER_KEY_SIZE 300

struct server {
        struct server *next;
        int busy, references;
        char key[SERVER_KEY_SIZE]; /* host and port */
};

struct db {
        char *name, *url;
        int max, busy, n_idle;
        struct server *server;
        struct db_connection *idle; /* the latest first, so that those beyond the need grow old */
        int64_t failing_since_us;   /* 0: the last connect succeeded */
        struct db *next;
        struct metric *busy_gauge, *opened, *wait;
};

struct waiter {
        struct db *db;
        pthread_cond_t cond;
        bool granted;
        struct waiter *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct db *databases;
static struct server *servers;
static struct waiter *waiters; /* the first came first */
static int server_limit = 4;
static int64_t idle_us = (int64_t)IDLE_MS * 1000;

/* The housekeeper: one thread for all pools, asleep while nothing is idle. */
static pthread_t housekeeper;
static bool housekeeper_runs, housekeeper_stops;
static pthread_cond_t housekeeper_cond;
static struct db_connection *graveyard;

static void cond_init(pthread_cond_t *cond)
{
        pthread_condattr_t attributes;

        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(cond, &attributes);
        (void)pthread_condattr_destroy(&attributes);
}

/* Waits at most until deadline_us on the clock of base/clock.h, which tests may have moved. False when it passed. */
static bool cond_wait_until(pthread_cond_t *cond, int64_t deadline_us)
{
        int64_t left_us = deadline_us - clock_monotonic_us();
        struct timespec until;

        if (left_us <= 0) {
                return false;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + left_us % 1000000 * 1000;

        until.tv_sec += left_us / 1000000 + ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        return pthread_cond_timedwait(cond, &lock, &until) == 0;
}

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

/* Hands places that came free to those who wait, in their order; who waits for a full pool does not hold up the others.
 */
static void grant_places(void)
{
        struct waiter **link = &waiters;

        while (*link) {
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

static void give_place(struct db *db)
{
        db->busy--;
        db->server->busy--;
        metric_add(db->busy_gauge, -1);
        grant_places();
}

static void waiter_remove(struct waiter *waiter)
{
        struct waiter **link = &waiters;

        while (*link && *link != waiter) {
                link = &(*link)->next;
        }
        if (*link) {
                *link = waiter->next;
        }
}

static bool wait_for_place(struct db *db, int64_t deadline_us)
{
        struct waiter self = {.db = db};
        struct waiter **last = &waiters;
        int64_t since_us = clock_monotonic_us();

        cond_init(&self.cond);
        while (*last) {
                last = &(*last)->next;
        }
        *last = &self;
        while (!self.granted && cond_wait_until(&self.cond, deadline_us)) {
        }
        if (!self.granted) {
                waiter_remove(&self);
        }
        (void)pthread_cond_destroy(&self.cond);
        metric_observe_us(db->wait, clock_monotonic_us() - since_us);
        return self.granted;
}

/* A place, and an idle connection when there is one. */
static bool take(struct db *db, int64_t deadline_us, struct db_connection **connection)
{
        bool taken = true;

        (void)pthread_mutex_lock(&lock);
        if (has_place(db)) {
                take_place(db);
        } else {
                taken = wait_for_place(db, deadline_us);
        }
        *connection = taken ? db->idle : NULL;
        if (*connection) {
                db->idle = (*connection)->next;
                db->n_idle--;
        }
        (void)pthread_mutex_unlock(&lock);
        return taken;
}

/* Without a word to the server: after a while of idleness, an end of file may be waiting on the socket. */
static bool is_alive(struct db_connection *connection)
{
        struct pollfd p = {.fd = PQsocket(connection->pg), .events = POLLIN};

        if (PQstatus(connection->pg) != CONNECTION_OK) {
                return false;
        }
        if (clock_monotonic_us() - connection->idle_since_us < PROBE_IDLE_US || poll(&p, 1, 0) == 0) {
                return true;
        }
        return PQconsumeInput(connection->pg) && PQstatus(connection->pg) == CONNECTION_OK;
}

/* True while callers should go on trying: the server may only be restarting. */
static bool note_failure(struct db *db, const char *reason)
{
        int64_t now_us = clock_monotonic_us();
        bool first;

        (void)pthread_mutex_lock(&lock);
        first = db->failing_since_us == 0;
        if (first) {
                db->failing_since_us = now_us;
        }
        bool go_on = now_us - db->failing_since_us < GRACE_US;
        (void)pthread_mutex_unlock(&lock);
        if (first) {
                log_event(LOG_LEVEL_WARN, "the database cannot be reached", LOG_STR("sonet.database", db->name),
                          LOG_STR("error.message", reason));
        }
        return go_on;
}

static void note_success(struct db *db)
{
        (void)pthread_mutex_lock(&lock);
        bool was_failing = db->failing_since_us != 0;
        db->failing_since_us = 0;
        (void)pthread_mutex_unlock(&lock);
        metric_add(db->opened, 1);
        if (was_failing) {
                log_event(LOG_LEVEL_INFO, "the database is back", LOG_STR("sonet.database", db->name));
        }
}

static int64_t sooner(int64_t a_us, int64_t b_us)
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
                if (db_connection_open(connection, db->url, sooner(deadline_us, now_us + TRY_US), reason,
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

/* Of all pools: idle connections that are due. until_us gets the moment when the next one is. */
static struct db_connection *take_idle_since(int64_t before_us, int64_t *oldest_us)
{
        struct db_connection *due = NULL;

        *oldest_us = 0;
        for (struct db *db = databases; db; db = db->next) {
                struct db_connection **link = &db->idle;

                while (*link && (*link)->idle_since_us > before_us) {
                        if (*oldest_us == 0 || (*link)->idle_since_us < *oldest_us) {
                                *oldest_us = (*link)->idle_since_us;
                        }
                        link = &(*link)->next;
                }
                while (*link) { /* the list is sorted: the rest is older still */
                        struct db_connection *old = *link;

                        *link = old->next;
                        old->next = due;
                        due = old;
                        db->n_idle--;
                }
        }
        return due;
}

static void close_all(struct db_connection *list)
{
        while (list) {
                struct db_connection *next = list->next;

                db_connection_close(list);
                list = next;
        }
}

static void *keep_house(void *unused)
{
        (void)unused;
        (void)pthread_mutex_lock(&lock);
        while (!housekeeper_stops || graveyard) {
                int64_t oldest_us;
                struct db_connection *dead = graveyard;
                struct db_connection *due = take_idle_since(clock_monotonic_us() - idle_us, &oldest_us);

                graveyard = NULL;
                if (dead || due) {
                        (void)pthread_mutex_unlock(&lock);
                        close_all(dead);
                        close_all(due);
                        (void)pthread_mutex_lock(&lock);
                } else if (oldest_us) {
                        (void)cond_wait_until(&housekeeper_cond, oldest_us + idle_us + 1000);
                } else {
                        (void)pthread_cond_wait(&housekeeper_cond, &lock);
                }
        }
        (void)pthread_mutex_unlock(&lock);
        return NULL;
}

static void housekeeper_start(void)
{
        if (housekeeper_runs) {
                return;
        }
        cond_init(&housekeeper_cond);
        housekeeper_stops = false;
        housekeeper_runs = pthread_create(&housekeeper, NULL, keep_house, NULL) == 0;
        if (!housekeeper_runs) {
                log_event(LOG_LEVEL_ERROR, "no thread for the database pools");
                abort();
        }
        (void)pthread_setname_np(housekeeper, "db-house");
}

static void housekeeper_stop(void)
{
        housekeeper_stops = true;
        (void)pthread_cond_signal(&housekeeper_cond);
        (void)pthread_mutex_unlock(&lock);
        (void)pthread_join(housekeeper, NULL);
        (void)pthread_mutex_lock(&lock);
        housekeeper_runs = false;
        (void)pthread_cond_destroy(&housekeeper_cond);
}

void db_bury(struct db_connection *connection, bool cancel)
{
        (void)pthread_mutex_lock(&lock);
        connection->cancel = cancel;
        connection->next = graveyard;
        graveyard = connection;
        (void)pthread_cond_signal(&housekeeper_cond);
        give_place(connection->db);
        (void)pthread_mutex_unlock(&lock);
}

void db_release(struct db_connection *connection)
{
        struct db *db = connection->db;

        if (PQstatus(connection->pg) != CONNECTION_OK || PQtransactionStatus(connection->pg) != PQTRANS_IDLE) {
                db_bury(connection, false);
                return;
        }
        connection->idle_since_us = clock_monotonic_us();
        (void)pthread_mutex_lock(&lock);
        connection->next = db->idle;
        db->idle = connection;
        if (db->n_idle++ == 0) {
                (void)pthread_cond_signal(&housekeeper_cond);
        }
        give_place(db);
        (void)pthread_mutex_unlock(&lock);
}

enum db_outcome db_acquire(struct db *db, int64_t deadline_us, struct db_connection **connection)
{
        if (!take(db, deadline_us, connection)) {
                return DB_EXPIRED;
        }
        if (*connection && is_alive(*connection)) {
                return DB_DONE;
        }
        if (!*connection) {
                *connection = calloc(1, sizeof(**connection));
                if (!*connection) {
                        abort();
                }
                (*connection)->db = db;
        }
        enum db_outcome outcome = open_patiently(*connection, deadline_us);

        if (outcome != DB_DONE) {
                db_bury(*connection, false);
                *connection = NULL;
        }
        return outcome;
}

enum db_outcome db_reopen(struct db_connection *connection, int64_t deadline_us)
{
        struct db *db = connection->db;

        (void)pthread_mutex_lock(&lock);
        struct db_connection *stale = db->idle;
        db->idle = NULL;
        db->n_idle = 0;
        (void)pthread_mutex_unlock(&lock);
        close_all(stale);
        return open_patiently(connection, deadline_us);
}

static void server_key(const char *url, char key[SERVER_KEY_SIZE])
{
        PQconninfoOption *options = PQconninfoParse(url, NULL);
        const char *host = "", *port = "";

        for (PQconninfoOption *o = options; o && o->keyword; o++) {
                if (o->val && (strcmp(o->keyword, "host") == 0 || (strcmp(o->keyword, "hostaddr") == 0 && !*host))) {
                        host = o->val;
                } else if (o->val && strcmp(o->keyword, "port") == 0) {
                        port = o->val;
                }
        }
        (void)snprintf(key, SERVER_KEY_SIZE, "%s:%s", host, *port ? port : "5432");
        PQconninfoFree(options);
}

static struct server *server_ref(const char *url)
{
        char key[SERVER_KEY_SIZE];
        struct server *s;

        server_key(url, key);
        for (s = servers; s && strcmp(s->key, key) != 0; s = s->next) {
        }
        if (!s) {
                s = calloc(1, sizeof(*s));
                if (!s) {
                        abort();
                }
                memcpy(s->key, key, sizeof(key));
                s->next = servers;
                servers = s;
        }
        s->references++;
        return s;
}

static void server_unref(struct server *server)
{
        struct server **link = &servers;

        if (--server->references > 0) {
                return;
        }
        while (*link != server) {
                link = &(*link)->next;
        }
        *link = server->next;
        free(server);
}

/* Labels stay: metrics outlive their pool, and another pool of the same name goes on with them. */
static const char *labels_of(const char *name)
{
        static struct labels {
                struct labels *next;
                char text[96];
        } * all;
        static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
        char text[sizeof(all->text)];

        (void)snprintf(text, sizeof(text), "database=\"%.64s\"", name);
        (void)pthread_mutex_lock(&all_lock);
        struct labels *l = all;

        while (l && strcmp(l->text, text) != 0) {
                l = l->next;
        }
        if (!l) {
                l = calloc(1, sizeof(*l));
                if (!l) {
                        abort();
                }
                memcpy(l->text, text, sizeof(text));
                l->next = all;
                all = l;
        }
        (void)pthread_mutex_unlock(&all_lock);
        return l->text;
}

static void add_metrics(struct db *db)
{
        const char *labels = labels_of(db->name);

        db->busy_gauge = metric_gauge("sonet_db_connections_busy", "Connections in use.", labels);
        db->opened = metric_counter("sonet_db_connections_opened_total", "Connections opened.", labels);
        db->wait = metric_histogram("sonet_db_wait_seconds", "Time that callers waited for a connection to come free.",
                                    labels);
}

struct db *db_new(const struct db_options *options)
{
        struct db *db = calloc(1, sizeof(*db));

        if (!db || !(db->name = strdup(options->name)) || !(db->url = strdup(options->url))) {
                abort();
        }
        db->max = options->max_connections > 0 ? options->max_connections : 1;
        add_metrics(db);
        (void)pthread_mutex_lock(&lock);
        db->server = server_ref(db->url);
        db->next = databases;
        databases = db;
        housekeeper_start();
        (void)pthread_mutex_unlock(&lock);
        return db;
}

void db_free(struct db *db)
{
        if (!db) {
                return;
        }
        (void)pthread_mutex_lock(&lock);
        struct db **link = &databases;

        while (*link != db) {
                link = &(*link)->next;
        }
        *link = db->next;
        server_unref(db->server);
        if (!databases) {
                housekeeper_stop();
        }
        (void)pthread_mutex_unlock(&lock);
        close_all(db->idle);
        free(db->name);
        free(db->url);
        free(db);
}

void db_set_server_limit(int busy_connections)
{
        (void)pthread_mutex_lock(&lock);
        server_limit = busy_connections > 0 ? busy_connections : 1;
        grant_places();
        (void)pthread_mutex_unlock(&lock);
}

void db_set_idle_ms(int64_t ms)
{
        (void)pthread_mutex_lock(&lock);
        idle_us = ms * 1000;
        if (housekeeper_runs) {
                (void)pthread_cond_signal(&housekeeper_cond);
        }
        (void)pthread_mutex_unlock(&lock);
}

struct db_pool_counts db_pool_counts(struct db *db)
{
        (void)pthread_mutex_lock(&lock);
        struct db_pool_counts counts = {.idle = db->n_idle, .busy = db->busy};

        (void)pthread_mutex_unlock(&lock);
        return counts;
}

const char *db_name(const struct db *db)
{
        return db->name;
}

const char *db_url(const struct db *db)
{
        return db->url;
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
        db_bury(connection, outcome == DB_EXPIRED);
        return SN_UNAVAILABLE;
}
