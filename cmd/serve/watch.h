/* Watch: checks once a second what the process depends on: its databases, remote services, Redis. Each part has its
 * own thread, so that a hanging one does not delay the others. Callers get the latest result without blocking. Why
 * something is unavailable is only logged, once per reason. */
#ifndef CMD_SERVE_WATCH_H
#define CMD_SERVE_WATCH_H

#include "base/buf.h"

struct server;
struct watch;

enum watch_state {
        WATCH_DOWN,       /* no response within two seconds, or no result for four */
        WATCH_INCOMPLETE, /* of a database: it responds, but a migration is missing */
        WATCH_UP,
};

#define WATCH_REDIS "redis"

/* Starts the threads. server must be set up, and outlive the watch. */
struct watch *watch_new(struct server *server);
/* name: of a service, or WATCH_REDIS. Any thread; does not block. */
enum watch_state watch_state(const struct watch *watch, const char *name);
/* Appends why it is not up, if that is known. For the log only. */
void watch_reason(struct watch *watch, const char *name, struct buf *reason);
/* Waits for running checks. Takes NULL. */
void watch_free(struct watch *watch);

#endif
