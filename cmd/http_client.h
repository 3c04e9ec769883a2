/* HTTP/1.1 over plain sockets: single exchanges for `sonet up`, which calls its own gateway, and persistent
 * connections for `sonet import`. JSON bodies, no TLS: for the same machine or a trusted network. */
#ifndef CMD_HTTP_CLIENT_H
#define CMD_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/buf.h"

struct http_target {
        struct sockaddr_storage address;
        socklen_t address_len;
        char host[64]; /* as in URLs: "127.0.0.1", "[::1]" */
        int port;
};

/* address is an IPv4 or IPv6 address; a wildcard is replaced by the loopback address. False if it is not an address. */
bool http_target_set(struct http_target *target, const char *address, int port);
/* Sends a request with a JSON body (NULL: none). Returns the status, with the body in answer; -1 if there was no
 * complete response in time. */
int http_exchange(const struct http_target *target, const char *method, const char *path, const char *json,
                  int timeout_ms, struct buf *answer);
/* "http://ADDRESS[:PORT][/]", with an IP address or localhost. False for anything else. */
bool http_target_parse(struct http_target *target, const char *url);

/* A connection opened on demand and kept for the next request. Single-threaded. */
struct http_connection {
        const struct http_target *target;
        int fd; /* -1: closed */
};

struct http_ask {
        const char *method, *path;
        const char *json;   /* NULL: no body */
        const char *bearer; /* access token, or NULL */
        const char *key;    /* Idempotency-Key, or NULL */
};

struct http_reply {
        struct buf body;       /* initialised by the caller */
        int64_t retry_after_s; /* -1: not given */
};

void http_connection_init(struct http_connection *connection, const struct http_target *target);
void http_connection_close(struct http_connection *connection);
/* The status, or -1 if there was no complete response in time (the connection is then closed, and the request may
 * have been processed). If the server has closed a kept connection, it is reopened once, provided that no byte of a
 * response was received. */
int http_connection_exchange(struct http_connection *connection, const struct http_ask *ask, int timeout_ms,
                             struct http_reply *reply);

/* Whether the target's address and port (not the loopback address that replaces a wildcard) can be listened on. */
bool http_port_is_free(const char *address, int port);

#endif
