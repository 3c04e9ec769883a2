/* The list of connections, kept by libmicrohttpd's notifications: a descriptor in it is open as long as the lock is
 * held. */
#include "http/internal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

/* IPv4 in an IPv6 socket is shown as what it is. */
static void peer_text(const struct sockaddr *address, char out[HTTP_PEER_SIZE])
{
        out[0] = '\0';
        if (address->sa_family == AF_INET) {
                inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out, HTTP_PEER_SIZE);
        } else if (address->sa_family == AF_INET6) {
                const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
                if (IN6_IS_ADDR_V4MAPPED(a)) {
                        inet_ntop(AF_INET, &a->s6_addr[12], out, HTTP_PEER_SIZE);
                } else {
                        inet_ntop(AF_INET6, a, out, HTTP_PEER_SIZE);
                }
        }
}

struct http_connection *http_connection_of(struct MHD_Connection *mhd)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info == NULL ? NULL : info->socket_context;
}

void http_connection_enter(struct http_connection *c, enum http_phase phase)
{
        atomic_store_explicit(&c->since_us, clock_monotonic_us(), memory_order_relaxed);
        atomic_store_explicit(&c->phase, phase, memory_order_release);
}

static void started(struct http_server *server, struct MHD_Connection *mhd, void **socket_context)
{
        struct http_connection *c = calloc(1, sizeof(*c));
        if (c == NULL) {
                return; /* its first request is refused for want of a connection */
        }
        c->server = server;
        c->mhd = mhd;
        c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        peer_text(MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, c->peer);
        pthread_mutex_init(&c->lock, NULL);
        http_connection_enter(c, HTTP_IDLE);
        *socket_context = c;
        metric_add(server->metrics.connections, 1);

        pthread_mutex_lock(&server->lock);
        c->next = server->connections;
        if (c->next != NULL) {
                c->next->prev = c;
        }
        server->connections = c;
        server->n_connections++;
        pthread_mutex_unlock(&server->lock);
}

static void closed(struct http_connection *c)
{
        struct http_server *server = c->server;
        pthread_mutex_lock(&server->lock);
        if (c->next != NULL) {
                c->next->prev = c->prev;
        }
        if (c->prev != NULL) {
                c->prev->next = c->next;
        } else {
                server->connections = c->next;
        }
        server->n_connections--;
        pthread_mutex_unlock(&server->lock);

        metric_add(server->metrics.connections, -1);
        if (c->linger) {
                http_watch_linger(server, fcntl(c->fd, F_DUPFD_CLOEXEC, 0));
        }
        pthread_mutex_destroy(&c->lock);
        free(c);
}

void http_connection_notify(void *server, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                started(server, mhd, socket_context);
        } else if (*socket_context != NULL) {
                closed(*socket_context); /* libmicrohttpd closes the descriptor after this */
                *socket_context = NULL;
        }
}
