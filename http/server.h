/* HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113) server over epoll: I/O threads read complete requests, workers answer
 * them. A connection that starts with HTTP/2's preface is HTTP/2. Independent of routes. Invalid or ambiguous
 * requests get an error response, and the connection is closed (over HTTP/2 the stream is). Slow clients (a request
 * not complete 10 s after its first byte, a response of which nothing is accepted for 30 s) are dropped; idle
 * keep-alive connections after 75 s. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/status.h"

struct http_server;
struct http_upgrade;

#define HTTP_MAX_HEADERS  64
#define HTTP_MAX_TRAILERS 8

struct http_header {
        const char *name;
        const char *value;
};

struct http_request;
struct http_response;

/* Receives a body that is not kept in memory: set in on_headers; on_request is called at its end. */
struct http_sink {
        /* The next bytes, on the I/O thread: fast, never blocks. False: early is filled in, and the rest is not
         * read. Called without bytes when a sink that was full has room again, before anything more is read. */
        bool (*take)(struct http_request *r, struct str piece, struct http_response *early);
        /* Checked at the start and after each call: no more of the body is read (over HTTP/2: no window update is
         * sent) until the sink has room again, and the client is not considered slow meanwhile. A client that waits
         * for 100 Continue gets it when the sink has room. NULL: never full. */
        bool (*is_full)(struct http_request *r);
        /* Where the next bytes may be received, so that they need not be copied: fills in up to n areas, and returns
         * how many. Afterwards received, which otherwise is like take, is called with the number of bytes that are
         * there, possibly 0. No areas, or NULL: take is called. */
        int (*areas)(struct http_request *r, struct iovec *areas, int n);
        bool (*received)(struct http_request *r, size_t bytes, struct http_response *early);
        /* A body may take any time, unless nothing arrives for stall_ms or the average falls below
         * HTTP_SINK_BYTES_PER_SECOND by as much: then 408. */
        int stall_ms;
        bool keeps_part; /* if the body is truncated or stalls, on_request gets what arrived, with is_part set */
};
#define HTTP_SINK_BYTES_PER_SECOND 1024
/* From any thread: sinks that were full are checked again. */
void http_sinks_have_room(struct http_server *server);

struct http_request {
        struct arena *arena; /* valid until http_respond */
        const char *method;
        const char *path; /* percent-encoded as sent, without the query */
        struct str query; /* after '?', raw */
        struct str body;  /* followed by a NUL that is not counted */
        const char *peer; /* "127.0.0.1" */
        const struct http_header *headers;
        size_t n_headers;
        int64_t started_us; /* monotonic, when the headers were complete */
        bool http_2;
        bool has_body;
        /* The names in the client's verified certificate, each followed by a space; "": none. */
        const char *certificate;
        void *user;                         /* the owner's, e.g. the route found in on_headers */
        const struct http_sink *sink;       /* set in on_headers: receives the body */
        const char *const *wanted_trailers; /* set in on_headers: NULL-terminated names of trailers to keep, or NULL;
                                               all others are dropped */
        const struct http_header *trailers; /* set with the body: those that were sent */
        size_t n_trailers;
        /* The body was truncated; the client may be gone. */
        bool is_part;
        /* Set by the owner, or NULL: called when the request ends, on any thread. */
        void (*release)(struct http_request *r);
};

/* The first value of a header, ignoring case; NULL if absent. */
const char *http_request_header(const struct http_request *r, const char *name);

/* A response produced while it is sent, and possibly while the request still arrives: HTTP/2 only. Allocated in the
 * request's arena; everything but close runs on the connection's I/O thread: fast, never blocks. */
struct http_flow {
        /* Writes the next bytes and returns how many; HTTP_FLOW_WAITS: wait for more of the request (or until_us);
         * HTTP_FLOW_BROKEN: reset the stream. With the last bytes it sets ended, and may set the response's
         * trailers. */
        ssize_t (*read)(struct http_flow *flow, char *into, size_t size, struct http_response *response);
        /* More of the request, if on_headers returned the response; last: it is complete. NULL: the rest is dropped. */
        void (*take)(struct http_flow *flow, struct str piece, bool last);
        /* Called once: everything is sent, or the client or the server is gone. */
        void (*close)(struct http_flow *flow);
        size_t done;      /* bytes of the request that were consumed: the client may send as many more */
        int64_t until_us; /* when to call a waiting flow again; 0: never */
        bool ended;
};
enum { HTTP_FLOW_WAITS = -1, HTTP_FLOW_BROKEN = -2 };
/* For a flow's read, in response to a request: reads what is available of a file without waiting for the disk.
 * HTTP_FLOW_WAITS: a thread is reading it, and the flow is called again. HTTP_FLOW_BROKEN: the file ends here or
 * cannot be read. */
ssize_t http_flow_read_file(struct http_request *r, int fd, int64_t at, char *into, size_t size);
/* The same for a non-blocking pipe; at most one per request. */
ssize_t http_flow_read_pipe(struct http_request *r, int fd, char *into, size_t size);

/* A region of a file as the body. With HTTP/1.1 the kernel sends it (sendfile). The server closes fd. */
struct http_file {
        int fd;       /* -1: none; only the length is sent, in response to HEAD */
        bool is_pipe; /* the bytes come through a pipe; if it ends early, the client is disconnected */
        int64_t offset;
        int64_t length;
};

struct http_response {
        int status;
        struct buf body;
        struct http_file *file; /* instead of body, or NULL; in the request's arena */
        struct http_flow *flow; /* instead of body, or NULL */
        struct http_header headers[24];
        size_t n_headers;
        struct http_header trailers[6]; /* HTTP/2 only: sent after the body; values valid as long as those of headers */
        size_t n_trailers;
        bool close;     /* HTTP/1.1: send Connection: close */
        bool no_length; /* for HEAD: body is not what GET would send, so omit the length (RFC 9110, 8.6) */
        /* HTTP/1.1: after the head and a body without a length, the connection belongs to this owner (upgrade.h).
         * NULL: it stays HTTP. */
        const struct http_upgrade *upgrade;
        void *upgrade_context;
};
void http_response_header(struct http_response *r, const char *name,
                          const char *value); /* value must be valid as long as the request's arena */
void http_response_trailer(struct http_response *r, const char *name, const char *value);
/* "Not Found"; "" for a status that the server does not use. */
const char *http_reason(int status);

#define HTTP_DATE_SIZE 100
/* Formats seconds since 1970 as "Sun, 06 Nov 1994 08:49:37 GMT"; returns text. */
char *http_date_of(char text[HTTP_DATE_SIZE], int64_t seconds);

struct http_handlers {
        /* On the I/O thread, when the headers are complete and before any body is read: fast, never blocks. True:
         * read on (at most *max_body bytes, 413 beyond). False: the response is filled in and sent; the connection
         * is closed if a body is arriving, and stays open otherwise. A flow may then read the body. */
        bool (*on_headers)(void *context, struct http_request *r, size_t *max_body, struct http_response *early);
        /* On the I/O thread, when the request is complete: hand it to a worker, which calls http_respond exactly
         * once. False: the response is filled in (503 if queues are full). */
        bool (*on_request)(void *context, struct http_request *r, struct http_response *early);
        /* Fills in a response for requests that the server itself rejects (400, 408, 413, 414, 417, 431, 501, 503,
         * 505), so that all problems have the same form. On an I/O thread; method and path are "" if the request
         * could not be parsed. */
        void (*on_refusal)(void *context, struct http_request *r, int status, const char *detail,
                           struct http_response *response);
        void *context;
};

struct http_options {
        const char *name;            /* for metrics and thread names: "http" */
        const char *address;         /* "127.0.0.1", "::1", "0.0.0.0" */
        int port;                    /* 0: any free one */
        const struct tls_files *tls; /* NULL: no TLS. With TLS: HTTP/2 only. */
        bool http2_only;             /* HTTP/1.1 clients get an error */
        int io_threads;              /* HTTP/1.1 connections are distributed over them; all others use the first */
        int max_connections;
        int max_streams;         /* concurrent ones per HTTP/2 connection; further ones are refused */
        size_t window_bytes;     /* what HTTP/2 clients may send of a body before it is read */
        size_t max_header_bytes; /* 431 beyond, or 414 */
        size_t arena_bytes;      /* limit of each request's arena */
        int slow_client_ms;      /* 10,000 */
        int idle_ms;             /* 75,000: longer than proxies keep a connection, so that they close it first */
        int64_t unread_bytes;    /* response bytes that clients have not accepted, in total: above it the largest are
                                    dropped */
};

/* What one client address may use of the process, on all its ports. Applied before the first server starts; without
 * it nothing is limited. An address is an IPv4 address or the first 64 bits of an IPv6 address, as for rate limits. */
struct http_shares {
        int connections;    /* 0: no limit. Above it: 429, or over HTTP/2 closed without an answer */
        int64_t body_bytes; /* bytes of request bodies in memory, of all addresses; one may use a quarter; 0: no limit.
                               Above it: 503 */
        int64_t spool_bytes, spool_files; /* total for bodies that sinks' owners keep (http_spool_begin); one address
                                             may use a quarter; 0: no limit */
        int64_t files;                    /* files being sent, to all addresses; one may use a quarter; 0: no limit */
        bool (*is_exempt)(const char *peer); /* a proxy, which acts for many clients; NULL: no exemptions */
};
void http_limit_shares(const struct http_shares *limits);
/* A body that its sink's owner keeps in the spool (base/spool.h) counts towards its client's address until the
 * request ends. False: the address has used its share. Announced bytes must fit, and are counted as they arrive. On
 * the I/O thread. */
SN_CHECKED bool http_spool_begin(struct http_request *r, int64_t announced);
SN_CHECKED bool http_spool_add(struct http_request *r, size_t bytes);
/* A response that is a file holds descriptors until the client has read it. http_file_expect, on the I/O thread: the
 * response may be a file. http_file_admit, on any thread: it will be one, and counts until the request ends;
 * of_client false: not towards the client's address. False: too many are being sent. */
void http_file_expect(struct http_request *r);
SN_CHECKED bool http_file_admit(struct http_request *r, bool of_client);

/* The number of connections for which there are descriptors, after those reserved for everything else, on the two
 * ports of a process: what is wanted, or a quarter for gRPC and the rest for HTTP. Raises the process's soft
 * open-file limit as far as needed and allowed. */
struct http_share {
        int http, grpc;
};
struct http_share http_share_descriptors(int64_t http, int64_t grpc, int64_t reserved);
SN_CHECKED sn_status http_server_start(const struct http_options *options, const struct http_handlers *handlers,
                                       struct http_server **server, struct buf *error);
int http_server_port(const struct http_server *server);
/* From any thread, without blocking on the client: takes ownership of the response's body, sends it (the I/O thread
 * sends what the client does not accept at once), and releases the request. */
void http_respond(struct http_request *r, struct http_response *response);
/* Stops accepting, waits until all running requests are answered (at most grace_ms), then closes. Meanwhile new
 * requests on open connections get 503. Later responses are discarded: http_respond is safe even when the server is
 * gone. Takes NULL. */
void http_server_stop(struct http_server *server, int grace_ms);

#endif
