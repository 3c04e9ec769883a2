/* Starts and stops the server: a listening socket and the I/O threads. */
#include "http/internal.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum { STOP_LOOK_MS = 2 };

int http_server_port(const struct http_server *server)
{
        return server->port;
}

static void server_free(struct http_server *server)
{
        for (int i = 0; i < server->n_loops; i++) {
                http_loop_free(&server->loops[i]);
        }
        if (server->listen_fd >= 0) {
                close(server->listen_fd);
        }
        workers_free(server->readers);
        pthread_mutex_destroy(&server->readers_lock);
        tls_context_free(server->tls);
        free(server->loops);
        free(server);
}

static void wake_all(struct http_server *server)
{
        for (int i = 0; i < server->n_started; i++) {
                http_loop_wake(&server->loops[i]);
        }
}

static void join_all(struct http_server *server)
{
        atomic_store(&server->quit, true);
        wake_all(server);
        for (int i = 0; i < server->n_started; i++) {
                pthread_join(server->loops[i].thread, NULL);
        }
        for (int i = 0; i < server->n_started; i++) { /* connections moved to one that had already ended */
                http_loop_take_arrived(&server->loops[i], false);
                http_connection_end_all(&server->loops[i]);
        }
}

static bool loops_start(struct http_server *server)
{
        int n = server->options.io_threads;
        n = n < 1 || server->options.http2_only || server->tls != NULL ? 1 : n;
        server->loops = calloc((size_t)n, sizeof(server->loops[0]));
        if (server->loops == NULL) {
                return false;
        }
        while (server->n_loops < n) {
                if (!http_loop_init(server, &server->loops[server->n_loops++])) {
                        return false;
                }
        }
        for (int i = 0; i < server->n_loops; i++) {
                if (pthread_create(&server->loops[i].thread, NULL, http_loop_main, &server->loops[i]) != 0) {
                        return false;
                }
                server->n_started++;
        }
        return true;
}

/* Signals are handled by the main thread: the server's threads start with all of them blocked. */
static bool threads_start(struct http_server *server)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool started = loops_start(server);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return started;
}

static struct http_server *server_new(const struct http_options *options, const struct http_handlers *handlers)
{
        struct http_server *server = calloc(1, sizeof(*server));
        if (server == NULL) {
                return NULL;
        }
        server->options = *options;
        server->handlers = *handlers;
        server->listen_fd = -1;
        pthread_mutex_init(&server->readers_lock, NULL);
        const char *name = server->options.name;
        server->metrics = (struct http_metrics){
            .connections = metric_gauge(metrics_intern("sonet_%s_connections", name), "Open connections.", NULL),
            .in_flight = metric_gauge(metrics_intern("sonet_%s_requests_in_flight", name),
                                      "Complete requests that are not yet answered.", NULL),
            .slow_clients = metric_counter(metrics_intern("sonet_%s_slow_clients_total", name),
                                           "Connections dropped because the client was too slow.", NULL),
            .floods =
                metric_counter(metrics_intern("sonet_%s_floods_total", name),
                               "HTTP/2 connections closed because the client sent too many useless frames.", NULL),
        };
        return server;
}

sn_status http_server_start(const struct http_options *options, const struct http_handlers *handlers,
                            struct http_server **out, struct buf *error)
{
        struct http_server *server = server_new(options, handlers);
        if (server == NULL) {
                buf_append_c(error, "cannot start the HTTP server: out of memory");
                return SN_RESOURCE_EXHAUSTED;
        }
        sn_status status = SN_OK;
        if (options->tls != NULL) {
                server->tls = tls_server(options->tls, error);
                server->options.tls = NULL; /* owned by the caller */
                status = server->tls != NULL ? SN_OK : SN_FAILED_PRECONDITION;
        }
        if (status == SN_OK) {
                status = http_listen(server, error);
        }
        if (status == SN_OK && !threads_start(server)) {
                buf_append_c(error, "cannot start the threads of the HTTP server");
                status = SN_RESOURCE_EXHAUSTED;
        }
        server->options.address = NULL;
        if (status != SN_OK) {
                join_all(server);
                server_free(server);
                return status;
        }
        *out = server;
        return SN_OK;
}

/* Polls instead of being notified: the last one to finish must not touch the server any more. */
static void wait_until_quiet(struct http_server *server, int64_t until_us)
{
        while (atomic_load(&server->busy) > 0 && clock_monotonic_us() < until_us) {
                clock_sleep_ms(STOP_LOOK_MS);
        }
}

void http_server_stop(struct http_server *server, int grace_ms)
{
        if (server == NULL) {
                return;
        }
        atomic_store(&server->stopping, true);
        shutdown(server->listen_fd, SHUT_RDWR); /* from here on new connections are refused */
        wake_all(server);
        wait_until_quiet(server, clock_monotonic_us() + (int64_t)grace_ms * 1000);
        join_all(server);
        wait_until_quiet(server, INT64_MAX); /* a worker may be giving its connection back */
        server_free(server);
}
