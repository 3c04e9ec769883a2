/* Opens the listening socket. */
#include "http/internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_listener(const struct addrinfo *a, const struct http_options *options)
{
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int on = 1, off = 0;
        if (fd < 0) {
                return -1;
        }
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* inherited by accepted sockets */
        if (a->ai_family == AF_INET6) {
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)); /* "::" means every address */
        }
        http_unread_limit(fd, options);
        if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
                int why = errno;
                close(fd);
                errno = why;
                return -1;
        }
        return fd;
}

static int port_of(int fd)
{
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        char port[8];
        if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
            getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV) != 0) {
                return -1;
        }
        int64_t number = -1;
        return str_to_i64(str_of(port), &number) ? (int)number : -1;
}

sn_status http_listen(struct http_server *server, struct buf *error)
{
        char port[16];
        snprintf(port, sizeof(port), "%d", server->options.port);
        struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
        int failed = getaddrinfo(server->options.address, port, &hints, &found);
        if (failed != 0) {
                buf_printf(error, "cannot listen on %s: not a valid address: %s", server->options.address,
                           gai_strerror(failed));
                return SN_INVALID_ARGUMENT;
        }
        server->listen_fd = open_listener(found, &server->options);
        if (server->listen_fd < 0) {
                buf_printf(error, "cannot listen on %s port %d: %s", server->options.address, server->options.port,
                           strerror(errno));
        }
        freeaddrinfo(found);
        if (server->listen_fd < 0) {
                return SN_UNAVAILABLE;
        }
        server->port = port_of(server->listen_fd);
        return SN_OK;
}
