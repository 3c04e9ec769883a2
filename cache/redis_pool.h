/* The pool of connections to Redis and its circuit breaker: private to cache/. */
#ifndef CACHE_REDIS_POOL_H
#define CACHE_REDIS_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hiredis/hiredis.h>
#include "base/metrics.h"

enum {
        REDIS_TIMEOUT_MS = 250,
        REDIS_FRESH_MS = 1000,
        REDIS_OPEN_MIN_MS = 250,
        REDIS_OPEN_MAX_MS = 2000,
        REDIS_MAX_SCRIPTS = 64
};

/* Where Redis is, from its URL. */
struct redis_address {
        char *path; /* of a socket, or NULL: then host and port */
        char *host;
        int port;
        char *user, *password; /* NULL: none */
        int database;
};
bool redis_address_parse(const char *url, struct redis_address *address);
void redis_address_free(struct redis_address *address);

/* Closed: all is well. Open: calls fail at once until open_until_us. Half open: one call tries, the others fail at
 * once. */
enum redis_breaker { REDIS_CLOSED, REDIS_OPEN, REDIS_HALF_OPEN };

struct redis_script_entry {
        const char *lua; /* the pointer is the key */
        char sha[41];
        _Atomic uint64_t loaded; /* the generation in which Redis took its text; 0: none */
};

struct redis {
        struct redis_address address;
        pthread_mutex_t lock;
        pthread_cond_t released;
        redisContext **idle; /* a stack: the last one released is used first */
        int n_idle, n_open, max_connections;
        enum redis_breaker breaker;
        int64_t open_until_us, open_ms;
        int64_t last_ok_us; /* when a checkout ended healthy; 0: never, or one failed since */
        char run_id[48];    /* of the last connected server; a server with another ID has lost this one's data */
        _Atomic uint64_t generation;
        struct redis_script_entry scripts[REDIS_MAX_SCRIPTS];
        int n_scripts;
        struct metric *commands, *failures, *state, *seconds;
};

/* Opens a connection, says who it is, and notes a new server. NULL when that fails; reason (not NULL) gets why. */
redisContext *redis_connect(struct redis *r, int timeout_ms, char reason[128]);

/* A connection in use: from asking the breaker until it is returned to the pool. */
struct redis_checkout {
        redisContext *connection;
        bool probe; /* the one that tries while the breaker is half open */
        char reason[128];
};
/* False at once when the breaker is open, and after wait_ms without a free connection. */
bool redis_checkout_begin(struct redis *r, int64_t wait_ms, struct redis_checkout *checkout);
/* Why it is about to end unhealthy, for the log. */
void redis_checkout_explain(struct redis_checkout *checkout, const char *reason);
/* healthy: Redis answered. Otherwise the connection is closed and the breaker opens. */
void redis_checkout_end(struct redis *r, struct redis_checkout *checkout, bool healthy);

#endif
