/* Owns the leases of this process: the thread that takes and keeps them, and until when they are certain. */
#include "db/ownership.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/shared_stamps.h"
#include "db/pool.h"

#define FENCE_MS 100

struct part {
        struct lease_session session;
        struct db *db;
};

struct db_ownership {
        struct part parts[DB_OWNERSHIP_MAX];
        size_t n;
        pthread_t thread;
        bool started;
        int wake_fd; /* readable: a caller waits for certainty, or the thread must end */
        atomic_bool stopping;
        bool held;  /* the thread's own: once true, a loss ends the process */
        bool quiet; /* nobody needed certainty between the last check and the one before; private to the thread */
        _Atomic(const char *) awaits;
        struct stamp_deadline *certain; /* until then it is; for all processes that share its memory */
        pthread_mutex_t lock;
        pthread_cond_t confirmed;
};

_Noreturn void db_ownership_lost(const char *service, const char *reason)
{
        log_event(LOG_LEVEL_ERROR, "this process is no longer the owner and exits", LOG_STR("sonet.lease", service),
                  LOG_STR("error.message", reason));
        _exit(DB_OWNERSHIP_EXIT);
}

static void set_certain_until(struct db_ownership *o, int64_t until_us)
{
        (void)pthread_mutex_lock(&o->lock);
        stamp_deadline_set(o->certain, until_us);
        (void)pthread_cond_broadcast(&o->confirmed);
        (void)pthread_mutex_unlock(&o->lock);
}

/* Leases not held yet are only retried. */
static bool end_lease(struct db_ownership *o, struct part *part, const char *reason)
{
        if (o->held) {
                db_ownership_lost(part->session.name, reason);
        }
        lease_session_close(&part->session);
        return false;
}

static bool read_answer(struct db_ownership *o, struct part *part, int64_t deadline_us)
{
        switch (lease_session_await(&part->session, deadline_us)) {
        case DB_DONE:
                return true;
        case DB_EXPIRED:
                return end_lease(o, part, "PostgreSQL is not responding");
        default:
                return end_lease(o, part, "PostgreSQL terminated the lease's session");
        }
}

/* All sessions at the same time. The answers prove that every session has lived, and had its lock, until it answered.
 */
static bool touch_all(struct db_ownership *o)
{
        int64_t asked_us = clock_boot_us();
        int64_t deadline_us = clock_monotonic_us() + LEASE_IDLE_MS * INT64_C(1000);

        o->quiet = !stamp_deadline_was_asked(o->certain);

        for (size_t i = 0; i < o->n; i++) {
                if (!lease_session_ask(&o->parts[i].session)) {
                        return end_lease(o, &o->parts[i], "the lease's connection was lost");
                }
        }
        for (size_t i = 0; i < o->n; i++) {
                if (!read_answer(o, &o->parts[i], deadline_us)) {
                        return false;
                }
        }
        set_certain_until(o, asked_us + LEASE_TRUST_MS * INT64_C(1000));
        return true;
}

/* No lock is kept, and every session while the server lives: one that it has ended would not let the thread pause. */
static void give_up(struct db_ownership *o, size_t failed, enum lease_state state)
{
        for (size_t i = 0; i < o->n; i++) {
                lease_session_unlock(&o->parts[i].session);
        }
        for (size_t i = 0; i < o->n; i++) {
                if (state == LEASE_UNREACHABLE) {
                        lease_session_close(&o->parts[i].session);
                } else if (i > failed) {
                        lease_session_keep_open(&o->parts[i].session);
                }
        }
}

/* All or none: a process that kept some while another has the rest would keep a third one from taking them. */
static bool lock_all(struct db_ownership *o)
{
        for (size_t i = 0; i < o->n; i++) {
                enum lease_state state = lease_session_try(&o->parts[i].session);

                if (state != LEASE_HELD) {
                        atomic_store(&o->awaits, state == LEASE_TAKEN ? o->parts[i].session.name : NULL);
                        give_up(o, i, state);
                        return false;
                }
        }
        atomic_store(&o->awaits, NULL);
        return true;
}

/* All writes have the same time to end: shorter than the wait for the former owner's last response. */
static bool fence_all(struct db_ownership *o)
{
        int64_t until_us = clock_monotonic_us() + FENCE_MS * INT64_C(1000);
        bool all = true;

        for (size_t i = 0; i < o->n; i++) {
                all = db_fence_wait(db_fence(o->parts[i].db), &o->parts[i].session, until_us) && all;
        }
        return all;
}

/* The remaining time in which a former owner may still respond. */
static int64_t left_to_wait_us(const struct db_ownership *o)
{
        int64_t locked_us = 0;

        for (size_t i = 0; i < o->n; i++) {
                if (o->parts[i].session.locked_us == 0) {
                        return DB_OWNERSHIP_WAIT_MS * INT64_C(1000);
                }
                if (o->parts[i].session.locked_us > locked_us) {
                        locked_us = o->parts[i].session.locked_us;
                }
        }
        return locked_us + DB_OWNERSHIP_WAIT_MS * INT64_C(1000) - clock_boot_us();
}

static void try_to_own(struct db_ownership *o)
{
        if (!lock_all(o) || !fence_all(o) || left_to_wait_us(o) > 0) {
                return;
        }
        for (size_t i = 0; i < o->n; i++) {
                db_fence(o->parts[i].db)->alive = o->parts[i].session.alive;
        }
        o->held = touch_all(o);
        if (o->held) {
                log_event(LOG_LEVEL_INFO, "this process is the owner", LOG_INT("sonet.leases", (int64_t)o->n));
        }
}

static int pause_ms(const struct db_ownership *o)
{
        if (o->held) {
                return o->quiet ? LEASE_QUIET_MS : LEASE_TOUCH_MS;
        }
        int64_t left_ms = left_to_wait_us(o) / 1000 + 1;

        return left_ms > 0 && left_ms < LEASE_TOUCH_MS ? (int)left_ms : LEASE_TOUCH_MS;
}

static void wake_keeper(struct db_ownership *o)
{
        uint64_t one = 1;

        (void)!write(o->wake_fd, &one, sizeof(one)); /* it fails only if it is already readable */
}

/* Waits until the next check, or until certainty is needed, a server ends a session, or the owner stops. False: it
 * is stopping. */
static bool pause_between(struct db_ownership *o)
{
        struct pollfd p[DB_OWNERSHIP_MAX + 1] = {{.fd = o->wake_fd, .events = POLLIN}};
        uint64_t n;

        for (size_t i = 0; i < o->n; i++) {
                p[i + 1] = (struct pollfd){.fd = lease_session_fd(&o->parts[i].session), .events = POLLIN};
        }
        if (poll(p, (nfds_t)o->n + 1, pause_ms(o)) > 0 && (p[0].revents & POLLIN) != 0) {
                (void)!read(o->wake_fd, &n, sizeof(n));
        }
        return !atomic_load(&o->stopping);
}

static void *keep_ownership(void *context)
{
        struct db_ownership *o = context;

        do {
                if (o->held) {
                        (void)touch_all(o);
                } else {
                        try_to_own(o);
                }
        } while (pause_between(o));
        return NULL;
}

struct db_ownership *db_ownership_new(void)
{
        struct db_ownership *o = calloc(1, sizeof(*o));

        if (o == NULL || (o->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
                abort();
        }
        o->certain = shared_stamps_deadline_new();
        (void)pthread_mutex_init(&o->lock, NULL);
        (void)pthread_cond_init(&o->confirmed, NULL);
        return o;
}

void db_ownership_add(struct db_ownership *o, struct db *db, const char *service)
{
        if (o->n == DB_OWNERSHIP_MAX) {
                abort(); /* a bug: the services are a fixed table */
        }
        db_fence_init(db_fence(db), service);
        o->parts[o->n++] = (struct part){.session = {.url = db_url(db), .name = service}, .db = db};
}

bool db_ownership_covers(struct db *db)
{
        return db_fence(db)->on;
}

void db_ownership_start(struct db_ownership *o)
{
        if (pthread_create(&o->thread, NULL, keep_ownership, o) != 0) {
                abort();
        }
        o->started = true;
        (void)pthread_setname_np(o->thread, "db-ownership");
}

static bool is_certain(const struct db_ownership *o)
{
        return clock_boot_us() < stamp_deadline_get(o->certain);
}

bool db_ownership_held(struct db_ownership *o)
{
        if (o == NULL) {
                return true;
        }
        stamp_deadline_ask(o->certain);
        return is_certain(o);
}

bool db_ownership_kept(const struct db_ownership *o)
{
        return o == NULL || clock_boot_us() < stamp_deadline_get(o->certain) + LEASE_QUIET_MS * INT64_C(1000);
}

void db_ownership_stamp(struct db_ownership *o)
{
        if (o != NULL) {
                stamps_before(o->certain);
        }
}

const char *db_ownership_awaits(const struct db_ownership *o)
{
        return o != NULL ? atomic_load(&o->awaits) : NULL;
}

void db_ownership_confirm(struct db_ownership *o)
{
        if (db_ownership_held(o)) {
                return;
        }
        NO_WAIT_ASSERT();
        wake_keeper(o);
        (void)pthread_mutex_lock(&o->lock);
        while (!db_ownership_held(o)) {
                (void)pthread_cond_wait(&o->confirmed, &o->lock);
        }
        (void)pthread_mutex_unlock(&o->lock);
}

void db_ownership_free(struct db_ownership *o)
{
        if (o == NULL) {
                return;
        }
        atomic_store(&o->stopping, true);
        wake_keeper(o);
        if (o->started) {
                (void)pthread_join(o->thread, NULL);
        }
        for (size_t i = 0; i < o->n; i++) {
                lease_session_close(&o->parts[i].session);
        }
        (void)pthread_cond_destroy(&o->confirmed);
        (void)pthread_mutex_destroy(&o->lock);
        (void)close(o->wake_fd);
        shared_stamps_deadline_free(o->certain);
        free(o);
}
