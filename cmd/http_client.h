/* HTTP/1.1 over a plain socket: one exchange for `sonet up`, which asks its own gateway, and connections that stay open
 * for `sonet import`. JSON bodies, no TLS: for the same machine, or a network that is trusted. */
#ifndef CMD_HTTP_CLIENT_H
#define CMD_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/buf.h"

struct http_target {
        struct sockaddr_storage address;
        socklen_t address_len;
        char host[64]; /* as it stands in URLs: "127.0.0.1", "[::1]" */
        int port;
};

/* address is a literal IPv4 or IPv6 address; a wildcard gives the loopback address to reach it. False when it is no
 * address. */
bool http_target_set(struct http_target *target, const char *address, int port);
/* Sends a request with a JSON body (NULL: none). The status, with the body in answer; -1 when there was no whole answer
 * in time. */
int http_exchange(const struct http_target *target, const char *method, const char *path, const char *json,
                  int timeout_ms, struct buf *answer);
/* "http://ADDRESS[:PORT][/]", with a literal address or localhost. False when it is anything else. */
bool http_target_parse(struct http_target *target, const char *url);

/* A connection that is opened on demand and kept for the next request. One thread at a time. */
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
        int64_t retry_after_s; /* -1: the server did not say */
};

void http_connection_init(struct http_connection *connection, const struct http_target *target);
void http_connection_close(struct http_connection *connection);
/* The status, or -1 when there was no whole answer in time (the connection is closed then, and the request may have
 * been done). A kept connection that the server has closed meanwhile is opened anew once, when not a byte of an answer
 * had come. */
int http_connection_exchange(struct http_connection *connection, const struct http_ask *ask, int timeout_ms,
                             struct http_reply *reply);

/* Whether the address and port of the target (not the loopback that stands for a wildcard) can be listened on. */
bool http_port_is_free(const char *address, int port);

#endif
