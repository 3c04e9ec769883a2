/* Owns the lease: a thread with a connection of its own, which holds (or waits for) a session advisory lock and keeps
 * looking whether the session still lives. Who asks is answered from memory, and only while the last look is fresh: a
 * process that was stopped and wakes up does not believe in a lease that another took meanwhile. */
#include "db/lease.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "db/connection.h"

#define LOOK_MS     500
#define ANSWER_US   1500000
#define CONNECT_US  2000000
#define FRESH_US    2000000 /* how long a look counts */
#define HANDOVER_US 2000000 /* after waiting behind another holder: until that one's last look is stale, too */

struct db_lease {
        char *url, *name;
        void (*on_lost)(void *context);
        void *context;
        pthread_t thread;
        int stop_fd; /* readable: end */
        PGconn *pg;
        bool locked; /* the session has the lock */
        bool waited; /* another one had it before */
        int64_t locked_us;
        bool held;                           /* what the owner was told */
        atomic_int_least64_t fresh_until_us; /* 0: not held */
};

static bool stopping(struct db_lease *lease)
{
        struct pollfd p = {.fd = lease->stop_fd, .events = POLLIN};

        return poll(&p, 1, 0) == 1;
}

/* Sleeps until the next look, or wakes at once when the server hangs up or the owner lets go. */
static void pause_between(struct db_lease *lease)
{
        struct pollfd p[2] = {{.fd = lease->stop_fd, .events = POLLIN},
                              {.fd = lease->pg ? PQsocket(lease->pg) : -1, .events = POLLIN}};

        (void)poll(p, 2, LOOK_MS);
}

static void lose(struct db_lease *lease)
{
        PQfinish(lease->pg);
        lease->pg = NULL;
        lease->locked = lease->waited = false;
        atomic_store(&lease->fresh_until_us, 0);
        if (lease->held) {
                lease->held = false;
                log_event(LOG_LEVEL_WARN, "the lease was lost", LOG_STR("sonet.lease", lease->name));
                if (lease->on_lost) {
                        lease->on_lost(lease->context);
                }
        }
}

/* Tries the lock, or looks whether the session that has it lives. */
static bool ask(struct db_lease *lease, bool *yes)
{
        CLEANUP(db_pg_clear_p) PGresult *result = NULL;
        char sql[80];

        if (lease->locked) {
                (void)snprintf(sql, sizeof(sql), "select true");
        } else {
                (void)snprintf(sql, sizeof(sql), "select pg_try_advisory_lock(%lld)",
                               (long long)db_lock_number("lease", lease->name, NULL, NULL));
        }
        if (db_pg_query(lease->pg, sql, clock_monotonic_us() + ANSWER_US, &result) != DB_DONE) {
                return false;
        }
        *yes = PQntuples(result) == 1 && *PQgetvalue(result, 0, 0) == 't';
        return true;
}

static void note_locked(struct db_lease *lease, int64_t asked_us)
{
        if (!lease->locked) {
                lease->locked = true;
                lease->locked_us = clock_monotonic_us();
        }
        if (lease->waited && clock_monotonic_us() - lease->locked_us < HANDOVER_US) {
                return;
        }
        atomic_store(&lease->fresh_until_us, asked_us + FRESH_US);
        if (!lease->held) {
                lease->held = true;
                log_event(LOG_LEVEL_INFO, "the lease is held", LOG_STR("sonet.lease", lease->name));
        }
}

static void look(struct db_lease *lease)
{
        int64_t asked_us = clock_monotonic_us();
        bool yes = false;

        if (!lease->pg && db_pg_connect(lease->url, asked_us + CONNECT_US, &lease->pg, NULL, 0) != DB_DONE) {
                return;
        }
        asked_us = clock_monotonic_us();
        if (!ask(lease, &yes)) {
                lose(lease);
        } else if (yes) {
                note_locked(lease, asked_us);
        } else {
                lease->waited = true;
        }
}

static void *run(void *context)
{
        struct db_lease *lease = context;

        while (!stopping(lease)) {
                look(lease);
                pause_between(lease);
        }
        PQfinish(lease->pg); /* and the lock with it */
        lease->pg = NULL;
        return NULL;
}

struct db_lease *db_lease_new(const char *url, const char *name, void (*on_lost)(void *context), void *context)
{
        struct db_lease *lease = calloc(1, sizeof(*lease));

        if (!lease || !(lease->url = strdup(url)) || !(lease->name = strdup(name)) ||
            (lease->stop_fd = eventfd(0, EFD_CLOEXEC)) < 0) {
                abort();
        }
        lease->on_lost = on_lost;
        lease->context = context;
        if (pthread_create(&lease->thread, NULL, run, lease) != 0) {
                abort();
        }
        (void)pthread_setname_np(lease->thread, "db-lease");
        return lease;
}

bool db_lease_held(const struct db_lease *lease)
{
        return clock_monotonic_us() < atomic_load_explicit(&lease->fresh_until_us, memory_order_relaxed);
}

void db_lease_free(struct db_lease *lease)
{
        uint64_t one = 1;

        if (!lease) {
                return;
        }
        atomic_store(&lease->fresh_until_us, 0);
        while (write(lease->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
        }
        (void)pthread_join(lease->thread, NULL);
        (void)close(lease->stop_fd);
        free(lease->url);
        free(lease->name);
        free(lease);
}
