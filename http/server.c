/* Starts and stops the server: a listening socket of our own, one libmicrohttpd daemon per I/O thread, and the watcher,
 * which deals accepted connections out. (libmicrohttpd's own thread pool aborts the process when it is quiesced while
 * one of its threads stops listening by itself; without a listening socket it has nothing to quiesce.)
 *
 * Stopping must leave no connection suspended, or libmicrohttpd aborts: requests that the owner has not answered when
 * the grace is over are abandoned, and resumed here. */
#include "http/internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { HEAD_EXTRA_BYTES = 14 << 10, STOP_LOOK_MS = 2 };

int http_server_port(const struct http_server *server)
{
        return server->port;
}

/* The head of a request, what libmicrohttpd makes of it (60 bytes a header or parameter), and the head of the response
 * share this memory, which is cleared after each request: no more than needed. */
static size_t connection_bytes(const struct http_options *options)
{
        return options->max_header_bytes + HEAD_EXTRA_BYTES;
}

/* Paths and queries are handed on as they were sent. */
static size_t keep_escapes(void *context, struct MHD_Connection *mhd, char *text)
{
        return strlen(text);
}

static struct MHD_Daemon *daemon_start(struct http_server *server)
{
        return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0,
                                NULL, NULL, http_exchange_handle, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                connection_bytes(&server->options), MHD_OPTION_CONNECTION_LIMIT,
                                (unsigned)server->options.max_connections + 1024u, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
                                MHD_OPTION_NOTIFY_COMPLETED, http_exchange_end, server, MHD_OPTION_NOTIFY_CONNECTION,
                                http_connection_notify, server, MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin,
                                server, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
}

static bool daemons_start(struct http_server *server)
{
        int n = server->options.io_threads < 1 ? 1 : server->options.io_threads;
        server->daemons = calloc((size_t)n, sizeof(struct MHD_Daemon *));
        while (server->daemons != NULL && server->n_daemons < n) {
                struct MHD_Daemon *daemon = daemon_start(server);
                if (daemon == NULL) {
                        return false;
                }
                server->daemons[server->n_daemons++] = daemon;
        }
        return server->daemons != NULL;
}

static void server_free(struct http_server *server)
{
        for (int i = 0; i < server->n_daemons; i++) {
                MHD_stop_daemon(server->daemons[i]);
        }
        for (int i = 0; i < server->n_handed; i++) {
                close(server->handed[i]);
        }
        if (server->listen_fd >= 0) {
                close(server->listen_fd);
        }
        if (server->wake_fd >= 0) {
                close(server->wake_fd);
        }
        free(server->daemons);
        pthread_mutex_destroy(&server->lock);
        free(server);
}

/* Signals are the main thread's business: the threads of the server start with all of them blocked. */
static bool threads_start(struct http_server *server)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool started = daemons_start(server) && pthread_create(&server->watcher, NULL, http_watch_main, server) == 0;
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
        server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        pthread_mutex_init(&server->lock, NULL);
        server->metrics = (struct http_metrics){
            .connections = metric_gauge("sonet_http_connections", "Open HTTP connections.", NULL),
            .in_flight = metric_gauge("sonet_http_requests_in_flight",
                                      "Complete HTTP requests that are not answered yet.", NULL),
            .slow_clients = metric_counter("sonet_http_slow_clients_total",
                                           "Connections dropped because the client was too slow.", NULL),
        };
        return server;
}

sn_status http_server_start(const struct http_options *options, const struct http_handlers *handlers,
                            struct http_server **out, struct buf *error)
{
        struct http_server *server = server_new(options, handlers);
        if (server == NULL || server->wake_fd < 0) {
                buf_append_c(error, "no memory or descriptor left for the HTTP server");
                free(server);
                return SN_RESOURCE_EXHAUSTED;
        }
        sn_status status = http_listen(server, error);
        if (status == SN_OK && !threads_start(server)) {
                buf_append_c(error, "the threads of the HTTP server cannot be started");
                status = SN_RESOURCE_EXHAUSTED;
        }
        server->options.address = NULL; /* the caller's */
        if (status != SN_OK) {
                server_free(server);
                return status;
        }
        *out = server;
        return SN_OK;
}

/* Resumes what is still suspended, and shuts the sockets of clients that do not take their answer. */
static void drop_requests(struct http_server *server)
{
        pthread_mutex_lock(&server->lock);
        for (struct http_connection *c = server->connections; c != NULL; c = c->next) {
                http_exchange_abandon(c);
                shutdown(c->fd, SHUT_RDWR);
        }
        pthread_mutex_unlock(&server->lock);
}

static bool is_quiet(struct http_server *server)
{
        return atomic_load(&server->busy) == 0 && atomic_load(&server->suspended) == 0;
}

void http_server_stop(struct http_server *server, int grace_ms)
{
        if (server == NULL) {
                return;
        }
        atomic_store(&server->stopping, true);
        http_watch_wake(server);
        int64_t until_us = clock_monotonic_us() + (int64_t)grace_ms * 1000;
        /* Looks now and then instead of being told: whoever finishes last must not touch the server any more. */
        while (!is_quiet(server)) {
                if (clock_monotonic_us() >= until_us) {
                        drop_requests(server);
                }
                clock_sleep_ms(STOP_LOOK_MS);
        }
        atomic_store(&server->quit, true);
        http_watch_wake(server);
        pthread_join(server->watcher, NULL);
        server_free(server);
}
