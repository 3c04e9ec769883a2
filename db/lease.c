/* Owns the thread of a lease that comes and goes. */
#include "db/lease.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "db/lease_session.h"

struct db_lease {
        struct lease_session session;
        char *url, *name;
        pthread_t thread;
        int stop_fd; /* readable: end */
        bool held;
        atomic_int_least64_t certain_until_us; /* on the boot clock; 0: not held */
};

static void look(struct db_lease *lease)
{
        int64_t asked_us = clock_boot_us();
        bool held = lease_session_try(&lease->session) == LEASE_HELD;

        atomic_store(&lease->certain_until_us, held ? asked_us + LEASE_TRUST_MS * INT64_C(1000) : 0);
        if (held != lease->held) {
                log_event(held ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, held ? "the lease is held" : "the lease was lost",
                          LOG_STR("sonet.lease", lease->name));
        }
        lease->held = held;
}

/* Until the next look, or until the server ends the session, or the owner lets go. False: it lets go. */
static bool pause_between(struct db_lease *lease)
{
        struct pollfd p[2] = {{.fd = lease->stop_fd, .events = POLLIN},
                              {.fd = lease_session_fd(&lease->session), .events = POLLIN}};

        (void)poll(p, 2, lease->held ? LEASE_TOUCH_MS : LEASE_RETRY_MS);
        return (p[0].revents & POLLIN) == 0;
}

static void *keep_lease(void *context)
{
        struct db_lease *lease = context;

        do {
                look(lease);
        } while (pause_between(lease));
        lease_session_close(&lease->session); /* and the lock with it */
        return NULL;
}

struct db_lease *db_lease_new(const char *url, const char *name)
{
        struct db_lease *lease = calloc(1, sizeof(*lease));

        if (!lease || !(lease->url = strdup(url)) || !(lease->name = strdup(name)) ||
            (lease->stop_fd = eventfd(0, EFD_CLOEXEC)) < 0) {
                abort();
        }
        lease->session = (struct lease_session){.url = lease->url, .name = lease->name};
        if (pthread_create(&lease->thread, NULL, keep_lease, lease) != 0) {
                abort();
        }
        (void)pthread_setname_np(lease->thread, "db-lease");
        return lease;
}

bool db_lease_held(const struct db_lease *lease)
{
        return clock_boot_us() < atomic_load_explicit(&lease->certain_until_us, memory_order_relaxed);
}

void db_lease_free(struct db_lease *lease)
{
        uint64_t one = 1;

        if (!lease) {
                return;
        }
        while (write(lease->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
        }
        (void)pthread_join(lease->thread, NULL);
        (void)close(lease->stop_fd);
        free(lease->url);
        free(lease->name);
        free(lease);
}
