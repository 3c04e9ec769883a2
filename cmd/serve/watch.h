/* Watch: looks once a second at what the process stands on: its databases, the services elsewhere, Redis. Each part has
 * a thread of its own, so one that hangs hides nothing of the others. Who asks gets what was seen last, and waits for
 * nothing. Why something is unavailable goes to the log alone, once for each reason. */
#ifndef CMD_SERVE_WATCH_H
#define CMD_SERVE_WATCH_H

#include "base/buf.h"

struct server;
struct watch;

enum watch_state {
        WATCH_DOWN,       /* no answer within two seconds, or nothing was seen for four */
        WATCH_INCOMPLETE, /* of a database: it answers, and a migration is missing */
        WATCH_UP,
};

#define WATCH_REDIS "redis"

/* Starts the threads. server must be set up, and outlive it. */
struct watch *watch_new(struct server *server);
/* name: of a service, or WATCH_REDIS. Any thread, without waiting. */
enum watch_state watch_state(const struct watch *watch, const char *name);
/* Appends why it is not up; nothing when that is not known. For the log only. */
void watch_reason(struct watch *watch, const char *name, struct buf *reason);
/* Waits for the looks that are under way. Takes NULL. */
void watch_free(struct watch *watch);

#endif
