/* What the files of http/ share. server.c starts and stops, listen.c listens, watch.c accepts and times out,
 * connection.c keeps the list of connections, exchange.c runs one request and its response, check.c judges its head,
 * refuse.c answers what the server refuses itself. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <microhttpd.h>
#include "base/metrics.h"
#include "http/server.h"

enum { HTTP_PEER_SIZE = 46, HTTP_DEFAULT_MAX_BODY = 1 << 20, HTTP_REFUSAL_BYTES = 64 << 10, HTTP_LINGER_MAX = 64 };

enum http_phase {
        HTTP_IDLE,    /* between requests; the first bytes of the next one may be there */
        HTTP_HEADERS, /* the request line is there */
        HTTP_BODY,
        HTTP_RUNNING, /* with the owner; the connection is suspended */
        HTTP_SENDING,
};

/* What the watcher remembers of a connection from one look to the next. Only its thread touches it. */
struct http_watch {
        uint64_t requests;   /* the value of http_connection.requests that the rest belongs to */
        uint64_t bytes;      /* received when the connection was seen idle, or acknowledged when it was seen sending */
        int64_t noticed_us;  /* when bytes of the next request were seen on the idle connection; 0: none */
        int64_t progress_us; /* when the client last took bytes of the response; 0: not looked at yet */
        bool half_closed;    /* the client was seen to have closed its side */
        bool dropped;        /* ended; libmicrohttpd has only to notice */
};

/* One client connection, from the start of it in libmicrohttpd to the end. */
struct http_connection {
        struct http_server *server;
        struct MHD_Connection *mhd;
        struct http_connection *next, *prev; /* under the server's lock */
        int fd;
        char peer[HTTP_PEER_SIZE];
        bool linger; /* I/O thread: drain what the client still sends when it is closed */
        _Atomic enum http_phase phase;
        _Atomic int64_t since_us;  /* when the phase began */
        _Atomic uint64_t requests; /* finished ones */
        _Atomic uint64_t sending_bytes;
        struct http_watch watch;
        pthread_mutex_t lock; /* guards exchange against http_server_stop */
        struct http_exchange *exchange;
};

struct http_metrics {
        struct metric *connections, *in_flight, *slow_clients;
};

struct http_server {
        struct http_options options;
        struct http_handlers handlers;
        struct http_metrics metrics;
        struct MHD_Daemon **daemons; /* one I/O thread each */
        int n_daemons;
        int listen_fd, port;
        int wake_fd; /* wakes the watcher */
        pthread_t watcher;
        atomic_bool stopping; /* no new connections, new requests get 503 */
        atomic_bool quit;     /* the watcher ends */
        atomic_int busy;      /* requests that are complete and not yet released */
        atomic_int suspended; /* connections suspended whose resume has not returned */
        pthread_mutex_t lock;
        struct http_connection *connections;
        int n_connections;
        int handed[HTTP_LINGER_MAX]; /* descriptors for the watcher to drain; under the lock */
        int n_handed;
};

/* connection.c */
void http_connection_notify(void *server, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);
struct http_connection *http_connection_of(struct MHD_Connection *mhd);
void http_connection_enter(struct http_connection *c, enum http_phase phase);

/* exchange.c: the callbacks of libmicrohttpd */
void *http_exchange_begin(void *server, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_exchange_handle(void *server, struct MHD_Connection *mhd, const char *url, const char *method,
                                     const char *version, const char *upload, size_t *upload_size, void **exchange);
void http_exchange_end(void *server, struct MHD_Connection *mhd, void **exchange, enum MHD_RequestTerminationCode code);
/* Takes the request away from its owner, who may still answer into the void, and lets the connection close. */
void http_exchange_abandon(struct http_connection *c);

/* check.c */
struct http_head {
        const char *method, *version;
        char *uri;          /* raw, in the request's arena */
        const char *uri_at; /* where it stands in libmicrohttpd's memory */
        size_t uri_len;
        /* found by http_check_head */
        bool chunked;
        uint64_t content_length;
        bool has_content_length;
};
/* Fills in the request from the head. 0, or the status and the detail to refuse it with. */
int http_check_head(struct http_server *server, struct MHD_Connection *mhd, struct http_head *head,
                    struct http_request *r, const char **detail);

/* refuse.c */
/* The owner's response for a refusal, or a bare one. */
void http_refusal(struct http_server *server, struct http_request *r, int status, const char *detail,
                  struct http_response *response);
/* Writes a refusal straight to the socket, where libmicrohttpd has no place for one, without waiting. */
void http_refuse_raw(struct http_server *server, int fd, int status, const char *detail);

/* listen.c */
SN_CHECKED sn_status http_listen(struct http_server *server, struct buf *error);

/* watch.c */
void *http_watch_main(void *server);
void http_watch_wake(struct http_server *server);
/* Takes over a descriptor to drain. */
void http_watch_linger(struct http_server *server, int fd);

#endif
