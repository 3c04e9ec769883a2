/* Owns checking one's own ports: connect, send a request, and wait for the first byte of a response. */
#include "cmd/serve/watchdog.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"

#define N_PORTS 2

struct watchdog {
        struct watchdog_options options;
        struct ticker *ticker;
        int failures[N_PORTS]; /* consecutive ones */
};

enum outcome { ANSWERS, DEAF, UNKNOWN };

/* "0.0.0.0" and "::" listen on loopback, too. */
static int open_socket(const struct watchdog_port *port, struct addrinfo **found)
{
        struct addrinfo hints = {.ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
        const char *address = strcmp(port->address, "0.0.0.0") == 0 ? "127.0.0.1"
                              : strcmp(port->address, "::") == 0    ? "::1"
                                                                    : port->address;
        char number[8];

        snprintf(number, sizeof(number), "%d", port->port);
        *found = NULL;
        if (getaddrinfo(address, number, &hints, found) != 0) {
                return -1;
        }
        return socket((*found)->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool wait_for(int fd, short events, int64_t until_us)
{
        struct pollfd one = {.fd = fd, .events = events};
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;

        return left_ms > 0 && poll(&one, 1, (int)left_ms) > 0;
}

/* Any reaction counts, even a close (TLS rejects this request): it accepted the connection. */
static bool request_health(int fd, const struct watchdog_port *port, int64_t until_us)
{
        static const char rest[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        static const char h2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
        const char *greeting = port->http2 ? h2 : rest;
        size_t len = port->http2 ? sizeof(h2) - 1 : sizeof(rest) - 1;
        char byte;

        if (!wait_for(fd, POLLOUT, until_us) || send(fd, greeting, len, MSG_NOSIGNAL) < 0) {
                return false;
        }
        return wait_for(fd, POLLIN, until_us) && (recv(fd, &byte, 1, 0) >= 0 || errno == ECONNRESET);
}

/* Without a free descriptor it cannot tell. */
static enum outcome probe_port(const struct watchdog_port *port, int patience_ms)
{
        int64_t until_us = clock_monotonic_us() + (int64_t)patience_ms * 1000;
        struct addrinfo *found;
        int fd = open_socket(port, &found);
        enum outcome outcome = UNKNOWN;

        if (fd >= 0) {
                bool connects = connect(fd, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS;

                outcome = connects && request_health(fd, port, until_us) ? ANSWERS : DEAF;
                close(fd);
        }
        if (found != NULL) {
                freeaddrinfo(found);
        }
        return outcome;
}

static void end_process(const char *name)
{
        log_event(LOG_LEVEL_ERROR, "a port of this process is not responding: exiting to be restarted",
                  LOG_STR("sonet.port", name));
        _exit(EXIT_FAILURE);
}

static int64_t look_at_port(void *context)
{
        struct watchdog *w = context;

        for (int i = 0; i < N_PORTS; i++) {
                const struct watchdog_port *port = &w->options.ports[i];
                enum outcome outcome = port->port > 0 ? probe_port(port, w->options.patience_ms) : UNKNOWN;

                w->failures[i] = outcome == DEAF ? w->failures[i] + 1 : 0;
                if (w->failures[i] >= w->options.failures) {
                        w->failures[i] = 0;
                        w->options.deaf(port->name);
                }
        }
        return w->options.every_ms;
}

struct watchdog *watchdog_new(const struct watchdog_options *options)
{
        struct watchdog *w = calloc(1, sizeof(*w));

        if (w == NULL) {
                return NULL;
        }
        w->options = *options;
        if (w->options.deaf == NULL) {
                w->options.deaf = end_process;
        }
        w->ticker = ticker_new("watchdog", look_at_port, w);
        return w;
}

void watchdog_free(struct watchdog *w)
{
        if (w != NULL) {
                ticker_free(w->ticker);
                free(w);
        }
}
