/* HTTP/1.1 (RFC 9112) and HTTP/2 (RFC 9113) server over epoll: I/O threads collect whole requests, a worker answers.
 * A connection that begins with HTTP/2's preface speaks HTTP/2. Knows nothing of routes. What is wrong or could be read
 * in two ways is refused, with one response, and the connection closed (over HTTP/2 the stream). Slow
 * clients (a request not complete 10 s after its first byte, an answer of which nothing is taken for 30 s) are dropped;
 * idle keep-alive connections after 75 s. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
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

/* Where a body goes that is not kept in memory: on_headers names one, and then has no on_request before its end. */
struct http_sink {
        /* The next bytes, on the I/O thread: fast, never blocks. False: early is filled in, and the rest is not read.
         */
        bool (*take)(struct http_request *r, struct str piece, struct http_response *early);
        /* Asked after that: no more of the body is read (over HTTP/2: no credit is given) until it has room again, and
         * its client is not slow. NULL: never. */
        bool (*is_full)(struct http_request *r);
        /* A body may take as long as it likes, unless nothing comes for so long, or less than
         * HTTP_SINK_BYTES_PER_SECOND, of which stall_ms may be saved up: 408. */
        int stall_ms;
        bool keeps_part; /* of a body that breaks off or stalls, on_request gets what came, with is_part */
};
#define HTTP_SINK_BYTES_PER_SECOND 1024
/* From any thread: sinks that were full are asked again. */
void http_sinks_have_room(struct http_server *server);

struct http_request {
        struct arena *arena; /* lives until http_respond */
        const char *method;
        const char *path; /* as sent, percent-encoded, without the query */
        struct str query; /* after '?', raw */
        struct str body;  /* ends with a NUL that does not count */
        const char *peer; /* "127.0.0.1" */
        const struct http_header *headers;
        size_t n_headers;
        int64_t started_us; /* monotonic, when the headers were complete */
        bool http_2;
        bool has_body;
        const char *certificate; /* names in the client's verified certificate, each with a space behind it; "": none */
        void *user;              /* the owner's, e.g. the route found in on_headers */
        const struct http_sink *sink;       /* set in on_headers: takes the body */
        const char *const *wanted_trailers; /* set in on_headers, names with a NULL behind them, or NULL: the fields
                                               behind the body that are kept; all others are dropped */
        const struct http_header *trailers; /* with the body: those of them that came */
        size_t n_trailers;
        bool is_part;                            /* the body was cut off; who sent it may be gone */
        void (*release)(struct http_request *r); /* the owner's, or NULL: the request ends, on any thread */
};

/* The first value of a header, ignoring case; NULL when absent. */
const char *http_request_header(const struct http_request *r, const char *name);

/* An answer that is made while the client takes it, and may be given while the request still comes: HTTP/2 only. It
 * lives in the request's arena, and all but close runs on the connection's I/O thread: fast, never blocks. */
struct http_flow {
        /* Puts the next bytes, at most size: how many, HTTP_FLOW_WAITS for more of the request (or until_us), or
         * HTTP_FLOW_BROKEN, which resets the stream. With the last ones it sets ended, and may set the response's
         * trailers. */
        ssize_t (*read)(struct http_flow *flow, char *into, size_t size, struct http_response *response);
        /* What came of the request, of an answer that on_headers gave; last: no more comes. NULL: it is dropped. */
        void (*take)(struct http_flow *flow, struct str piece, bool last);
        void (*close)(struct http_flow *flow); /* once: all is sent, the client has gone, or the server has */
        size_t done;      /* bytes of the request that were dealt with: the client may send so many more */
        int64_t until_us; /* a flow that waits is asked again then; 0: never */
        bool ended;
};
enum { HTTP_FLOW_WAITS = -1, HTTP_FLOW_BROKEN = -2 };
/* For a flow's read, of a request's answer: what is there of a file, without waiting for the disk. HTTP_FLOW_WAITS: a
 * thread reads it, and the flow is asked again then. HTTP_FLOW_BROKEN: the file ends here, or cannot be read. */
ssize_t http_flow_read_file(struct http_request *r, int fd, int64_t at, char *into, size_t size);
/* The same of a pipe that does not block, the only one of its request. */
ssize_t http_flow_read_pipe(struct http_request *r, int fd, char *into, size_t size);

/* A region of a file in place of the body. HTTP/1.1 has it sent by the kernel. The server closes fd. */
struct http_file {
        int fd;       /* -1: there is none, and only the length is told, to a HEAD */
        bool is_pipe; /* the bytes come through it; when it ends before its time the client is cut off */
        int64_t offset;
        int64_t length;
};

struct http_response {
        int status;
        struct buf body;
        struct http_file *file; /* in place of it, or NULL; lives in the request's arena */
        struct http_flow *flow; /* in place of the body, or NULL */
        struct http_header headers[24];
        size_t n_headers;
        struct http_header trailers[6]; /* HTTP/2 only: after the body, with values that live as long as the headers' */
        size_t n_trailers;
        bool close;     /* HTTP/1.1: Connection: close after it */
        bool no_length; /* to HEAD: the body is not what GET would send, so its length is not told (RFC 9110, 8.6) */
        /* HTTP/1.1: after the head and the body, which has no length then, the connection is this one's (upgrade.h).
         * NULL: it stays one of HTTP. */
        const struct http_upgrade *upgrade;
        void *upgrade_context;
};
void http_response_header(struct http_response *r, const char *name,
                          const char *value); /* value lives in the request's arena */
void http_response_trailer(struct http_response *r, const char *name, const char *value);
/* "Not Found"; "" for a status that the server never sends. */
const char *http_reason(int status);

#define HTTP_DATE_SIZE 100
/* "Sun, 06 Nov 1994 08:49:37 GMT", of seconds since 1970. Gives text. */
char *http_date_of(char text[HTTP_DATE_SIZE], int64_t seconds);

struct http_handlers {
        /* On the I/O thread, when the headers are complete and before any body is read: fast, never blocks. True: read
         * on (to at most *max_body bytes, 413 beyond). False: the response is filled in and sent; the connection is
         * closed when a body is under way, and goes on otherwise. A flow may take the body then. */
        bool (*on_headers)(void *context, struct http_request *r, size_t *max_body, struct http_response *early);
        /* On the I/O thread, when the request is complete: hand it to a worker, who calls http_respond exactly once.
         * False: the response is filled in (503 when queues are full). */
        bool (*on_request)(void *context, struct http_request *r, struct http_response *early);
        /* Fills in a response for what the server refuses itself (400, 408, 413, 414, 417, 431, 501, 503, 505), so that
         * all problems look alike. On an I/O thread; of what never became a request, method and path are "". */
        void (*on_refusal)(void *context, struct http_request *r, int status, const char *detail,
                           struct http_response *response);
        void *context;
};

struct http_options {
        const char *name;            /* in metrics and names of threads: "http" */
        const char *address;         /* "127.0.0.1", "::1", "0.0.0.0" */
        int port;                    /* 0: any free one */
        const struct tls_files *tls; /* NULL: in clear. With it HTTP/2 only. */
        bool http2_only;             /* whoever speaks HTTP/1.1 is told so */
        int io_threads;              /* over which connections of HTTP/1.1 are spread; all others are on the first */
        int max_connections;
        int max_streams;         /* of each HTTP/2 connection, at a time: further ones are refused */
        size_t window_bytes;     /* that HTTP/2 clients may send of a body before it is read */
        size_t max_header_bytes; /* 431 beyond, or 414 */
        size_t arena_bytes;      /* cap of each request's arena */
        int slow_client_ms;      /* 10,000 */
        int idle_ms;             /* 75,000: longer than proxies keep a connection, so that they close it first */
        int64_t unread_bytes;    /* of answers that clients have not taken, in all: beyond it the largest are dropped */
};

/* What one client address may have of the process, on all its ports. Taken over before the first server starts; without
 * it nothing is bounded. Addresses count as networks do in limits of rates: of IPv6 the first 64 bits. */
struct http_shares {
        int connections;    /* 0: any number. Those beyond are told 429, or closed over HTTP/2 alone. */
        int64_t body_bytes; /* of request bodies in memory, all addresses together, of which one may have a quarter; 0:
                               any number. What comes beyond is told 503. */
        int64_t spool_bytes, spool_files; /* what there is for all bodies that sinks' owners keep (http_spool_begin), of
                                             which one address may have a quarter; 0: any number */
        int64_t files; /* that answers send at a time, all addresses together, of which one may have a quarter; 0: any
                          number */
        bool (*is_exempt)(const char *peer); /* a proxy, which speaks for many clients; NULL: none is exempt */
};
void http_limit_shares(const struct http_shares *limits);
/* A body that its sink's owner keeps in the spool (base/spool.h) counts with its client's address until the request
 * ends. False: the address has its share. Bytes that are announced must fit, and are counted as they come. On the I/O
 * thread. */
SN_CHECKED bool http_spool_begin(struct http_request *r, int64_t announced);
SN_CHECKED bool http_spool_add(struct http_request *r, size_t bytes);
/* An answer that is a file holds descriptors for as long as its client takes it. http_file_expect, on the I/O thread:
 * the answer may be one. http_file_admit, on any thread: it is to be made, and counts until the request ends; of_client
 * false: not for the client's address. False: as many are on their way as may be. */
void http_file_expect(struct http_request *r);
SN_CHECKED bool http_file_admit(struct http_request *r, bool of_client);

/* How many connections there are descriptors for, beside those that are reserved for everything else, on the two ports
 * of a process: what is wanted, or a quarter for gRPC and the rest for HTTP. Raises the process's soft limit of open
 * files as far as that needs and may. */
struct http_share {
        int http, grpc;
};
struct http_share http_share_descriptors(int64_t http, int64_t grpc, int64_t reserved);
SN_CHECKED sn_status http_server_start(const struct http_options *options, const struct http_handlers *handlers,
                                       struct http_server **server, struct buf *error);
int http_server_port(const struct http_server *server);
/* From any thread, without waiting for the client: takes over the response's body, sends it (what the client does not
 * take at once is left to the I/O thread), and releases the request. */
void http_respond(struct http_request *r, struct http_response *response);
/* Stops accepting, waits until every request that runs is answered (at most grace_ms), closes. Requests that come on
 * open connections meanwhile are refused with 503. Answers that come later are thrown away: http_respond is safe, even
 * when the server is gone. Takes NULL. */
void http_server_stop(struct http_server *server, int grace_ms);

#endif
