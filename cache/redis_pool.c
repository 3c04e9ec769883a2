/* Connections to Redis, bounded, and the breaker that keeps calls from waiting for a Redis that is unreachable. All
 * state is under one lock, which is never held while talking to Redis. */
#include "cache/redis_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/no_wait.h"
#include "base/log.h"
#include "base/ticker.h"
#include "cache/redis.h"

static struct timeval timeval_of(int ms)
{
        return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

/* hiredis uses write(2): without this a closed connection would end the process. */
static void ignore_sigpipe(void)
{
        struct sigaction action;
        if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
                signal(SIGPIPE, SIG_IGN);
        }
}

struct redis *redis_new(const char *url, int max_connections)
{
        struct redis *r = calloc(1, sizeof(*r));
        if (r == NULL) {
                return NULL;
        }
        r->idle = calloc((size_t)max_connections, sizeof(r->idle[0]));
        if (r->idle == NULL || !redis_address_parse(url, &r->address)) {
                free(r->idle);
                free(r);
                return NULL;
        }
        ignore_sigpipe();
        r->max_connections = max_connections;
        pthread_mutex_init(&r->lock, NULL);
        pthread_cond_init(&r->released, NULL);
        r->commands = metric_counter("sonet_redis_commands_total", "Commands sent to Redis.", NULL);
        r->failures = metric_counter("sonet_redis_failures_total", "Failed operations on Redis.", NULL);
        r->state = metric_gauge("sonet_redis_breaker", "0: closed, 1: open, 2: half open.", NULL);
        r->seconds = metric_histogram("sonet_redis_seconds",
                                      "Round-trip time to Redis, including the wait for a connection.", NULL);
        return r;
}

static void drop_idle(struct redis *r)
{
        while (r->n_idle > 0) {
                redisFree(r->idle[--r->n_idle]);
                r->n_open--;
        }
}

void redis_free(struct redis *r)
{
        if (r == NULL) {
                return;
        }
        drop_idle(r);
        pthread_cond_destroy(&r->released);
        pthread_mutex_destroy(&r->lock);
        redis_address_free(&r->address);
        free(r->idle);
        free(r);
}

uint64_t redis_generation(const struct redis *r)
{
        return r->generation;
}

bool redis_is_server(struct redis *r, const char *run_id, size_t len)
{
        pthread_mutex_lock(&r->lock);
        bool same = len > 0 && len == strlen(r->run_id) && memcmp(run_id, r->run_id, len) == 0;
        pthread_mutex_unlock(&r->lock);
        return same;
}

static bool say_command(redisContext *connection, int argc, const char **argv, char reason[128])
{
        redisReply *reply = redisCommandArgv(connection, argc, argv, NULL);
        bool ok = reply != NULL && reply->type != REDIS_REPLY_ERROR;
        if (!ok) {
                snprintf(reason, 128, "%s", reply == NULL ? connection->errstr : reply->str);
        }
        if (reply != NULL) {
                freeReplyObject(reply);
        }
        return ok;
}

static bool log_in(struct redis *r, redisContext *connection, char reason[128])
{
        const struct redis_address *a = &r->address;
        if (a->password != NULL) {
                const char *with_user[] = {"AUTH", a->user, a->password}, *without[] = {"AUTH", a->password};
                if (!(a->user != NULL ? say_command(connection, 3, with_user, reason)
                                      : say_command(connection, 2, without, reason))) {
                        return false;
                }
        }
        char number[12];
        snprintf(number, sizeof(number), "%d", a->database);
        const char *select[] = {"SELECT", number};
        return a->database == 0 || say_command(connection, 2, select, reason);
}

/* The server's run_id into out; "" if it is not reported (an ACL may forbid INFO). False if the connection failed. */
static bool ask_run_id(redisContext *connection, char out[48], char reason[128])
{
        out[0] = '\0';
        redisReply *reply = redisCommand(connection, "INFO server");
        if (reply == NULL) {
                snprintf(reason, 128, "%s", connection->errstr);
                return false;
        }
        const char *found = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "run_id:") : NULL;
        if (found != NULL) {
                snprintf(out, 48, "%.*s", (int)strcspn(found + 7, "\r\n") % 48, found + 7);
        }
        freeReplyObject(reply);
        return true;
}

/* A server with another run_id has started, so its memory may be empty. One that reports none always counts as new. */
static void note_server(struct redis *r, const char *run_id)
{
        pthread_mutex_lock(&r->lock);
        if (run_id[0] == '\0' || strcmp(run_id, r->run_id) != 0) {
                memcpy(r->run_id, run_id, sizeof(r->run_id));
                r->generation++;
                drop_idle(r);
        }
        pthread_mutex_unlock(&r->lock);
}

redisContext *redis_connect(struct redis *r, int timeout_ms, char reason[128])
{
        const struct redis_address *a = &r->address;
        struct timeval timeout = timeval_of(timeout_ms);
        redisContext *connection = a->path != NULL ? redisConnectUnixWithTimeout(a->path, timeout)
                                                   : redisConnectWithTimeout(a->host, a->port, timeout);
        char run_id[48] = "";
        if (connection == NULL) {
                snprintf(reason, 128, "out of memory");
                return NULL;
        }
        if (connection->err == 0) {
                (void)fcntl(connection->fd, F_SETFD, FD_CLOEXEC); /* hiredis does not */
        }
        if (connection->err != 0 || redisSetTimeout(connection, timeout) != REDIS_OK) {
                snprintf(reason, 128, "%s", connection->errstr);
        } else if (log_in(r, connection, reason) && ask_run_id(connection, run_id, reason)) {
                note_server(r, run_id);
                return connection;
        }
        redisFree(connection);
        return NULL;
}

static void set_breaker(struct redis *r, enum redis_breaker state)
{
        r->breaker = state;
        metric_set(r->state, state);
}

/* Under the lock. A first failure opens for a short time, each failed try after it for twice as long. */
static void note_failure(struct redis *r, const struct redis_checkout *checkout)
{
        metric_add(r->failures, 1);
        r->last_ok_us = 0;
        drop_idle(r);
        if (r->breaker == REDIS_CLOSED) {
                r->open_ms = REDIS_OPEN_MIN_MS;
                log_event(LOG_LEVEL_WARN, "Redis is unreachable: continuing without it",
                          LOG_STR("error.message", checkout->reason));
        } else if (checkout->probe) {
                r->open_ms = r->open_ms * 2 < REDIS_OPEN_MAX_MS ? r->open_ms * 2 : REDIS_OPEN_MAX_MS;
        } else {
                return; /* began before the breaker opened: says nothing new */
        }
        r->open_until_us = clock_monotonic_us() + r->open_ms * 1000;
        set_breaker(r, REDIS_OPEN);
        pthread_cond_broadcast(&r->released); /* callers waiting for a connection can give up */
}

static void note_success(struct redis *r, const struct redis_checkout *checkout)
{
        if (checkout->probe) {
                set_breaker(r, REDIS_CLOSED);
                log_event(LOG_LEVEL_INFO, "Redis is reachable again");
        }
        r->last_ok_us = r->breaker == REDIS_CLOSED ? clock_monotonic_us() : 0;
}

/* Under the lock. */
static bool breaker_lets_in(struct redis *r, struct redis_checkout *checkout)
{
        if (r->breaker == REDIS_OPEN && clock_monotonic_us() >= r->open_until_us) {
                set_breaker(r, REDIS_HALF_OPEN);
                checkout->probe = true;
        }
        return r->breaker == REDIS_CLOSED || checkout->probe;
}

/* Under the lock. True with a connection from the pool, or with the right (counted in n_open) to make one. */
static bool wait_for_slot(struct redis *r, int64_t wait_ms, struct redis_checkout *checkout)
{
        int64_t until_us = 0;
        while (r->n_idle == 0 && r->n_open >= r->max_connections) {
                if (until_us == 0) {
                        until_us = clock_monotonic_us() + wait_ms * 1000;
                }
                if (!cond_wait_until(&r->released, &r->lock, until_us) ||
                    (r->breaker != REDIS_CLOSED && !checkout->probe)) {
                        snprintf(checkout->reason, sizeof(checkout->reason), "no free connection");
                        return false;
                }
        }
        if (r->n_idle > 0) {
                checkout->connection = r->idle[--r->n_idle];
        } else {
                r->n_open++;
        }
        return true;
}

static void give_up_slot(struct redis *r)
{
        r->n_open--;
        pthread_cond_signal(&r->released);
}

static bool connect_in_slot(struct redis *r, struct redis_checkout *checkout)
{
        checkout->connection = redis_connect(r, REDIS_TIMEOUT_MS, checkout->reason);
        if (checkout->connection != NULL) {
                return true;
        }
        pthread_mutex_lock(&r->lock);
        note_failure(r, checkout);
        give_up_slot(r);
        pthread_mutex_unlock(&r->lock);
        return false;
}

/* True if Redis closed the connection while it was idle in the pool (because of a restart, for example) or sent
 * unsolicited bytes. Checked before anything is sent, so that no command can run twice. */
static bool went_stale(const redisContext *connection)
{
        char byte;
        ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return n >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* Replaces a stale connection, and drops the other idle ones, which are as old. */
static bool renew_connection(struct redis *r, struct redis_checkout *checkout)
{
        redisFree(checkout->connection);
        checkout->connection = NULL;
        pthread_mutex_lock(&r->lock);
        drop_idle(r);
        pthread_cond_broadcast(&r->released);
        pthread_mutex_unlock(&r->lock);
        return connect_in_slot(r, checkout);
}

bool redis_checkout_begin(struct redis *r, int64_t wait_ms, struct redis_checkout *checkout)
{
        NO_WAIT_ASSERT();
        *checkout = (struct redis_checkout){0};
        pthread_mutex_lock(&r->lock);
        bool in = breaker_lets_in(r, checkout);
        bool slot = in && wait_for_slot(r, wait_ms < REDIS_TIMEOUT_MS ? wait_ms : REDIS_TIMEOUT_MS, checkout);
        if (in && !slot && checkout->probe) {
                note_failure(r, checkout); /* the try is over: another one comes later */
        }
        pthread_mutex_unlock(&r->lock);
        if (!slot) {
                return false;
        }
        if (checkout->connection == NULL) {
                return connect_in_slot(r, checkout);
        }
        return !went_stale(checkout->connection) || renew_connection(r, checkout);
}

void redis_checkout_explain(struct redis_checkout *checkout, const char *reason)
{
        snprintf(checkout->reason, sizeof(checkout->reason), "%s", reason);
}

void redis_checkout_end(struct redis *r, struct redis_checkout *checkout, bool healthy)
{
        if (!healthy) {
                redisFree(checkout->connection);
        }
        pthread_mutex_lock(&r->lock);
        if (healthy) {
                note_success(r, checkout);
                r->idle[r->n_idle++] = checkout->connection;
                pthread_cond_signal(&r->released);
        } else {
                note_failure(r, checkout);
                give_up_slot(r);
        }
        pthread_mutex_unlock(&r->lock);
}

bool redis_up(struct redis *r)
{
        pthread_mutex_lock(&r->lock);
        bool up = r->breaker == REDIS_CLOSED && r->last_ok_us != 0 &&
                  clock_monotonic_us() - r->last_ok_us < REDIS_FRESH_MS * INT64_C(1000);
        pthread_mutex_unlock(&r->lock);
        if (up) {
                return true;
        }
        if (no_wait_refuses()) {
                return false;
        }
        /* Unknown or outdated: ask, if the breaker allows it. */
        struct redis_checkout checkout;
        if (!redis_checkout_begin(r, REDIS_TIMEOUT_MS, &checkout)) {
                return false;
        }
        const char *ping[] = {"PING"};
        bool healthy = say_command(checkout.connection, 1, ping, checkout.reason);
        redis_checkout_end(r, &checkout, healthy);
        return healthy;
}
