/* The watcher: one thread that accepts connections, drops the clients that are too slow, and drains what refused
 * clients still send.
 *
 * libmicrohttpd's own time-out counts idleness only, and a client that drips a byte a second is never idle; so it is
 * off, and this thread looks at every connection twice a second or so. Bytes of a request whose first line is not
 * complete are invisible to the server: the kernel's count of bytes received (tcp_info) tells such a connection from an
 * idle one. */
#include "http/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
        LINGER_MS = 2000,       /* how long a refused client may go on sending */
        LINGER_BYTES = 4 << 20, /* and how much */
        ACCEPTS_AT_ONCE = 64,
        VICTIMS_AT_ONCE = 64,
        TCP_STATE_CLOSE_WAIT = 8,        /* the kernel's TCP_CLOSE_WAIT, which <linux/tcp.h> does not name */
        SENDING_BYTES_PER_SECOND = 4096, /* the slowest that a whole response may be taken */
};

struct lingering {
        int fd;
        int64_t until_us;
        size_t bytes_left;
};

struct watcher {
        struct http_server *server;
        bool listening;
        int next_daemon;
        struct lingering lingering[HTTP_LINGER_MAX];
        int n_lingering;
        int64_t tick_ms;
        int64_t next_sweep_us;
};

/* --- accepting --- */

static int connections_now(struct http_server *server)
{
        pthread_mutex_lock(&server->lock);
        int n = server->n_connections;
        pthread_mutex_unlock(&server->lock);
        return n;
}

static void take_connection(struct watcher *w, int fd, const struct sockaddr_storage *address, socklen_t len)
{
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct http_server *server = w->server;
        struct MHD_Daemon *daemon = server->daemons[w->next_daemon++ % server->n_daemons];
        if (MHD_add_connection(daemon, fd, (const struct sockaddr *)address, len) != MHD_YES) {
                log_event(LOG_LEVEL_WARN, "a connection could not be taken"); /* libmicrohttpd has closed it */
        }
}

static bool accept_failed_for_good(int why)
{
        return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

/* False when the process has no descriptor left: the next tick tries again. */
static bool accept_some(struct watcher *w)
{
        int room = w->server->options.max_connections - connections_now(w->server);
        for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
                struct sockaddr_storage address;
                socklen_t len = sizeof(address);
                int fd = accept4(w->server->listen_fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                        return !accept_failed_for_good(errno);
                }
                if (room-- > 0) {
                        take_connection(w, fd, &address, len);
                } else {
                        http_refuse_raw(w->server, fd, 503, "The server has as many connections as it takes.");
                        http_watch_linger(w->server, fd);
                }
        }
        return true;
}

/* --- draining refused clients --- */

/* Closing a socket with unread bytes resets it, and the client may lose the refusal that it has not read yet. */
void http_watch_linger(struct http_server *server, int fd)
{
        if (fd < 0) {
                return;
        }
        shutdown(fd, SHUT_WR);
        pthread_mutex_lock(&server->lock);
        bool room = server->n_handed < HTTP_LINGER_MAX;
        if (room) {
                server->handed[server->n_handed++] = fd;
        }
        pthread_mutex_unlock(&server->lock);
        if (room) {
                http_watch_wake(server);
        } else {
                close(fd);
        }
}

static void take_lingering(struct watcher *w)
{
        struct http_server *server = w->server;
        pthread_mutex_lock(&server->lock);
        for (int i = 0; i < server->n_handed; i++) {
                if (w->n_lingering == HTTP_LINGER_MAX) {
                        close(server->handed[i]);
                        continue;
                }
                w->lingering[w->n_lingering++] =
                    (struct lingering){server->handed[i], clock_monotonic_us() + LINGER_MS * 1000, LINGER_BYTES};
        }
        server->n_handed = 0;
        pthread_mutex_unlock(&server->lock);
}

/* True when there is nothing more to wait for. */
static bool drain(struct lingering *l)
{
        char sink[16384];
        for (;;) {
                ssize_t n = recv(l->fd, sink, sizeof(sink), MSG_DONTWAIT);
                if (n < 0) {
                        return errno != EAGAIN && errno != EINTR;
                }
                if (n == 0 || (size_t)n >= l->bytes_left) {
                        return true;
                }
                l->bytes_left -= (size_t)n;
        }
}

static void drain_all(struct watcher *w)
{
        int64_t now = clock_monotonic_us();
        for (int i = 0; i < w->n_lingering;) {
                if (drain(&w->lingering[i]) || now >= w->lingering[i].until_us || atomic_load(&w->server->quit)) {
                        close(w->lingering[i].fd);
                        w->lingering[i] = w->lingering[--w->n_lingering];
                } else {
                        i++;
                }
        }
}

/* --- slow clients --- */

enum verdict { KEEP, DROP_IDLE, DROP_SLOW, DROP_STALLED };

static bool tcp_look(int fd, struct tcp_info *info)
{
        socklen_t len = sizeof(*info);
        memset(info, 0, sizeof(*info));
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

/* A new request was begun since the last look: what is remembered belongs to the one before. */
static void watch_begin(struct http_connection *c, uint64_t requests)
{
        c->watch = (struct http_watch){.requests = requests};
        struct tcp_info info;
        if (requests > 0 && tcp_look(c->fd, &info)) { /* on a new connection every byte is of the first request */
                c->watch.bytes = info.tcpi_bytes_received;
        }
}

/* A little less than the limit, so that the client is gone within it although the watcher only looks now and then. */
static int64_t slow_us(const struct watcher *w)
{
        return (w->server->options.slow_client_ms - 2 * w->tick_ms) * 1000;
}

static enum verdict judge_idle(struct watcher *w, struct http_connection *c, int64_t since, int64_t now)
{
        struct tcp_info info;
        if (c->watch.noticed_us == 0 && tcp_look(c->fd, &info)) {
                /* The client has closed its side together with its last request: libmicrohttpd does not hear of that.
                 * Seen twice, so that a request that has only just come with it is served. */
                if (info.tcpi_state == TCP_STATE_CLOSE_WAIT) {
                        bool again = c->watch.half_closed;
                        c->watch.half_closed = true;
                        return again ? DROP_IDLE : KEEP;
                }
                c->watch.noticed_us = info.tcpi_bytes_received > c->watch.bytes ? now : 0;
        }
        if (c->watch.noticed_us != 0) {
                return now - c->watch.noticed_us >= slow_us(w) ? DROP_SLOW : KEEP;
        }
        return now - since >= (int64_t)w->server->options.idle_ms * 1000 ? DROP_IDLE : KEEP;
}

static enum verdict judge_sending(struct watcher *w, struct http_connection *c, int64_t since, int64_t now)
{
        int64_t stall_us = (int64_t)w->server->options.slow_client_ms * 3000;
        struct tcp_info info;
        if (tcp_look(c->fd, &info) && (c->watch.progress_us < since || info.tcpi_bytes_acked != c->watch.bytes)) {
                c->watch.bytes = info.tcpi_bytes_acked;
                c->watch.progress_us = now;
        }
        uint64_t size = atomic_load_explicit(&c->sending_bytes, memory_order_relaxed);
        int64_t whole_us = stall_us + (int64_t)(size / SENDING_BYTES_PER_SECOND) * 1000000;
        return now - c->watch.progress_us >= stall_us || now - since >= whole_us ? DROP_STALLED : KEEP;
}

static enum verdict judge(struct watcher *w, struct http_connection *c, int64_t now)
{
        uint64_t requests = atomic_load_explicit(&c->requests, memory_order_relaxed);
        enum http_phase phase = atomic_load_explicit(&c->phase, memory_order_acquire);
        int64_t since = atomic_load_explicit(&c->since_us, memory_order_relaxed);
        if (requests != c->watch.requests) {
                watch_begin(c, requests);
        }
        switch (phase) {
        case HTTP_IDLE:
                return judge_idle(w, c, since, now);
        case HTTP_HEADERS:
                since = c->watch.noticed_us != 0 ? c->watch.noticed_us : since;
                return now - since >= slow_us(w) ? DROP_SLOW : KEEP;
        case HTTP_BODY:
                return now - since >= slow_us(w) ? DROP_SLOW : KEEP;
        case HTTP_SENDING:
                return judge_sending(w, c, since, now);
        case HTTP_RUNNING:
                break;
        }
        return KEEP;
}

/* Ends connections; those that are told why are given as duplicates, since they may go while they are told. */
static int find_victims(struct watcher *w, int *victims)
{
        struct http_server *server = w->server;
        int n = 0;
        int64_t now = clock_monotonic_us();
        pthread_mutex_lock(&server->lock);
        for (struct http_connection *c = server->connections; c != NULL && n < VICTIMS_AT_ONCE; c = c->next) {
                enum verdict verdict = c->watch.dropped ? KEEP : judge(w, c, now);
                if (verdict == KEEP) {
                        continue;
                }
                c->watch.dropped = true;
                int fd = verdict == DROP_SLOW ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;
                if (fd >= 0) {
                        victims[n++] = fd;
                } else {
                        shutdown(c->fd, SHUT_RDWR);
                }
                metric_add(server->metrics.slow_clients, verdict == DROP_IDLE ? 0 : 1);
        }
        pthread_mutex_unlock(&server->lock);
        return n;
}

static void sweep(struct watcher *w)
{
        int victims[VICTIMS_AT_ONCE];
        int n;
        do {
                n = find_victims(w, victims);
                for (int i = 0; i < n; i++) {
                        http_refuse_raw(w->server, victims[i], 408, "The request did not arrive in time.");
                        shutdown(victims[i], SHUT_RDWR);
                        close(victims[i]);
                }
        } while (n == VICTIMS_AT_ONCE);
}

/* --- the thread --- */

void http_watch_wake(struct http_server *server)
{
        uint64_t one = 1;
        ssize_t written = write(server->wake_fd, &one, sizeof(one)); /* full means that it is awake already */
        (void)written;
}

static int wait_for_events(struct watcher *w, struct pollfd *fds)
{
        int n = 0;
        fds[n++] = (struct pollfd){.fd = w->server->wake_fd, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = w->listening ? w->server->listen_fd : -1, .events = POLLIN};
        for (int i = 0; i < w->n_lingering; i++) {
                fds[n++] = (struct pollfd){.fd = w->lingering[i].fd, .events = POLLIN};
        }
        int64_t left_us = w->next_sweep_us - clock_monotonic_us();
        return poll(fds, (nfds_t)n, left_us <= 0 ? 0 : (int)(left_us / 1000) + 1);
}

static void clear_wake(struct http_server *server)
{
        uint64_t count;
        ssize_t n = read(server->wake_fd, &count, sizeof(count));
        (void)n;
}

static void stop_listening(struct watcher *w)
{
        w->listening = false;
        close(w->server->listen_fd);
        w->server->listen_fd = -1;
}

void *http_watch_main(void *arg)
{
        struct watcher w = {.server = arg, .listening = true};
        struct pollfd fds[HTTP_LINGER_MAX + 2];
        bool exhausted = false;
        int tick_ms = w.server->options.slow_client_ms / 20;
        w.tick_ms = tick_ms < 10 ? 10 : tick_ms > 500 ? 500 : tick_ms;
        pthread_setname_np(pthread_self(), "http-watch");
        while (!atomic_load(&w.server->quit)) {
                int ready = wait_for_events(&w, fds);
                if (ready > 0 && fds[0].revents != 0) {
                        clear_wake(w.server);
                }
                if (w.server->listen_fd >= 0 && atomic_load(&w.server->stopping)) {
                        stop_listening(&w);
                }
                if (w.listening && ready > 0 && fds[1].revents != 0) {
                        exhausted = !accept_some(&w);
                        w.listening = !exhausted;
                }
                take_lingering(&w);
                drain_all(&w);
                if (clock_monotonic_us() >= w.next_sweep_us) {
                        w.listening = w.server->listen_fd >= 0;
                        sweep(&w);
                        w.next_sweep_us = clock_monotonic_us() + w.tick_ms * 1000;
                }
        }
        if (w.server->listen_fd >= 0) {
                stop_listening(&w);
        }
        take_lingering(&w);
        drain_all(&w);
        return NULL;
}
