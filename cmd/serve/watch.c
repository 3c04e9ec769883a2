/* Owns the threads that check what the process depends on, and their results. */
#include "cmd/serve/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "cache/redis.h"
#include "cmd/serve/serve.h"
#include "db/probe.h"

#define EVERY_MS     1000
#define RETRY_MS     100
#define ANSWER_MS    2000
#define FRESH_US     4000000  /* a check per second, which may take two, and one for a busy machine */
#define START_US     10000000 /* what is unavailable during startup is not logged before this time */
#define REASON_BYTES 512
#define NEVER        (-FRESH_US)

struct part {
        const char *name;
        enum watch_state (*look)(struct part *part, struct buf *reason);
        struct server *server;
        const struct service_definition *definition; /* NULL: Redis */
        struct db_probe *probe;                      /* of a local service */
        struct ticker *ticker;
        bool was_up;
        int64_t started_us;
        _Atomic enum watch_state state;
        atomic_int_least64_t seen_us;
        pthread_mutex_t lock;
        char reason[REASON_BYTES]; /* under the lock */
};

struct watch {
        size_t n;
        struct part parts[SERVICES_MAX + 1];
};

/* --- looking --- */

static enum watch_state look_at_database(struct part *part, struct buf *reason)
{
        switch (db_probe_look(part->probe, ANSWER_MS, reason)) {
        case SN_OK:
                return WATCH_UP;
        case SN_FAILED_PRECONDITION:
        case SN_OUT_OF_RANGE:
                return WATCH_INCOMPLETE;
        default:
                return WATCH_DOWN;
        }
}

static enum watch_state look_at_service(struct part *part, struct buf *reason)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(&part->server->outside, ANSWER_MS);

        if (rpc_check_health(c, part->definition->contract) == SN_OK) {
                return WATCH_UP;
        }
        buf_append_c(reason, c->problem.detail != NULL ? c->problem.detail : "not ready");
        return WATCH_DOWN;
}

/* cache/ itself logs when Redis becomes unreachable or reachable. */
static enum watch_state look_at_redis(struct part *part, struct buf *reason)
{
        return redis_up(part->server->redis) ? WATCH_UP : WATCH_DOWN;
}

/* True if it differs from the previous one. */
static bool keep_reason(struct part *part, const struct buf *reason)
{
        const char *text = reason->len > 0 ? reason->data : "";

        (void)pthread_mutex_lock(&part->lock);
        bool differs = strncmp(part->reason, text, REASON_BYTES - 1) != 0;
        (void)snprintf(part->reason, REASON_BYTES, "%s", text);
        (void)pthread_mutex_unlock(&part->lock);
        return differs;
}

static void log_change(struct part *part, enum watch_state state, const struct buf *reason)
{
        bool news = keep_reason(part, reason);

        if (state == WATCH_UP) {
                if (news && part->was_up) {
                        log_event(LOG_LEVEL_INFO, "ready again", LOG_STR("sonet.part", part->name));
                }
                part->was_up = true;
        } else if (news && (part->was_up || clock_monotonic_us() - part->started_us > START_US)) {
                log_event(LOG_LEVEL_WARN, "not ready", LOG_STR("sonet.part", part->name),
                          LOG_STR("error.message", reason->len > 0 ? reason->data : ""));
        }
}

static int64_t look_at_part(void *context)
{
        CLEANUP(buf_free) struct buf reason;
        struct part *part = context;

        buf_init(&reason, REASON_BYTES);
        enum watch_state state = part->look(part, &reason);

        atomic_store(&part->state, state);
        atomic_store(&part->seen_us, clock_monotonic_us());
        log_change(part, state, &reason);
        return state == WATCH_UP ? EVERY_MS : RETRY_MS;
}

/* --- results --- */

static struct part *find_part(const struct watch *watch, const char *name)
{
        for (size_t i = 0; i < watch->n; i++) {
                if (strcmp(watch->parts[i].name, name) == 0) {
                        return (struct part *)&watch->parts[i];
                }
        }
        return NULL;
}

enum watch_state watch_state(const struct watch *watch, const char *name)
{
        const struct part *part = find_part(watch, name);

        if (part == NULL || clock_monotonic_us() - atomic_load(&part->seen_us) > FRESH_US) {
                return WATCH_DOWN;
        }
        return atomic_load(&part->state);
}

void watch_reason(struct watch *watch, const char *name, struct buf *reason)
{
        struct part *part = find_part(watch, name);

        (void)pthread_mutex_lock(&part->lock);
        buf_append_c(reason, part->reason);
        (void)pthread_mutex_unlock(&part->lock);
}

/* --- start and stop --- */

static struct part *add_part(struct watch *watch, struct server *server, const char *name,
                             enum watch_state (*look_at)(struct part *part, struct buf *reason))
{
        struct part *part = &watch->parts[watch->n++];

        *part = (struct part){.name = name, .look = look_at, .server = server, .started_us = clock_monotonic_us()};
        atomic_store(&part->seen_us, NEVER);
        (void)pthread_mutex_init(&part->lock, NULL);
        return part;
}

/* The local services, for a gateway those that it calls, and Redis. */
static void add_all(struct watch *watch, struct server *server)
{
        for (size_t i = 0; i < server->n_locals; i++) {
                const struct local *local = &server->locals[i];
                struct part *part = add_part(watch, server, local->definition->name, look_at_database);

                part->probe = db_probe_new(local->service.db, local->definition->schema);
        }
        for (size_t i = 0; server->with_gateway && i < sonet_n_services; i++) {
                if (!serve_is_local(server, sonet_services[i]->name)) {
                        add_part(watch, server, sonet_services[i]->name, look_at_service)->definition =
                            sonet_services[i];
                }
        }
        add_part(watch, server, WATCH_REDIS, look_at_redis);
}

struct watch *watch_new(struct server *server)
{
        struct watch *watch = calloc(1, sizeof(*watch));

        if (watch == NULL) {
                abort();
        }
        add_all(watch, server);
        for (size_t i = 0; i < watch->n; i++) {
                watch->parts[i].ticker = ticker_new("watch", look_at_part, &watch->parts[i]);
        }
        return watch;
}

void watch_free(struct watch *watch)
{
        for (size_t i = 0; watch != NULL && i < watch->n; i++) {
                ticker_free(watch->parts[i].ticker);
                db_probe_free(watch->parts[i].probe);
                (void)pthread_mutex_destroy(&watch->parts[i].lock);
        }
        free(watch);
}
