/* One HTTP/1.1 exchange over a plain socket, for `sonet up` to ask its own gateway. Not for anything further away. */
#ifndef CMD_HTTP_CLIENT_H
#define CMD_HTTP_CLIENT_H

#include <stdbool.h>
#include <sys/socket.h>
#include "base/buf.h"

struct http_target {
        struct sockaddr_storage address;
        socklen_t address_len;
        char host[64]; /* as it stands in URLs: "127.0.0.1", "[::1]" */
        int port;
};

/* address is a literal IPv4 or IPv6 address; a wildcard gives the loopback address to reach it. False when it is no address. */
bool http_target_set(struct http_target *target, const char *address, int port);
/* Sends a request with a JSON body (NULL: none). The status, with the body in answer; -1 when there was no whole answer in time. */
int http_exchange(const struct http_target *target, const char *method, const char *path, const char *json, int timeout_ms,
                  struct buf *answer);
/* Whether the address and port of the target (not the loopback that stands for a wildcard) can be listened on. */
bool http_port_is_free(const char *address, int port);

#endif
