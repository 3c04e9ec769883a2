/* Shared by the files of http/. server.c starts and stops, listen.c listens, loop.c is an I/O thread, connection.c a
 * connection on it, request.c reads its requests, move.c passes it to another thread, deadline.c enforces timeouts,
 * exchange.c is one request and its response, answer.c formats a response, unread.c limits buffered responses, shares.c
 * limits what one address may use, sink.c receives bodies that are not kept in memory, file.c sends files, refuse.c
 * rejects, upgrade.c is for connections that leave HTTP. head.c, chunked.c, websocket.c, wheel.c and tls.c are
 * independent of the rest. HTTP/2 is in http2.h and its files.
 *
 * Ownership. Each connection belongs to one I/O thread, and only that thread reads from it, closes it and checks its
 * deadlines. But a response is sent by the worker that made it, without a thread switch. The member `owner` says who
 * may touch the connection's exchange and write to its socket:
 *
 * 0 (I/O) --I/O--> HELD --http_respond--> HELD|SENDING --> 0                    all is sent: no thread is woken
 *                   |                          '--> the loop's list `returned` --I/O--> 0               otherwise
 *                   '--I/O, when the server stops--> HELD|ABANDONED --http_respond--> freed, response discarded
 *
 * - EVENT is added by the I/O thread when the socket is ready while a worker owns the connection, and from the start if
 *   there is already more to read: then ownership returns through the list.
 * - HELD: the I/O thread neither closes the descriptor nor frees the connection, whatever the client does.
 * - SENDING: for the duration of one system call; the I/O thread waits for it even when the server stops.
 * - ABANDONED: the I/O thread has closed the descriptor and forgotten the connection; its memory is the worker's.
 * - The exchange is freed by the worker if everything is sent or it was abandoned, and by the I/O thread otherwise.
 * - http_server.busy counts who may still touch the server; decrementing it is the last access. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include "base/metrics.h"
#include "base/workers.h"
#include "http/chunked.h"
#include "http/head.h"
#include "http/server.h"
#include "http/tls.h"
#include "http/upgrade.h"
#include "http/wheel.h"

enum {
        HTTP_PEER_SIZE = 46,
        HTTP_DEFAULT_MAX_BODY = 1 << 20,
        HTTP_REFUSAL_BYTES = 64 << 10,
        HTTP_REFUSED_CONNECTIONS_MAX = 64, /* beyond max_connections: connections that are being rejected */
};

enum http_turn {
        HTTP_OWNER_IO = 0,
        HTTP_OWNER_HELD = 1,
        HTTP_OWNER_SENDING = 2,
        HTTP_OWNER_EVENT = 4,
        HTTP_OWNER_ABANDONED = 8,
};

/* What the I/O thread does when it owns the connection. */
enum http_phase {
        HTTP_READING_HEAD, /* or idle: no part of a request has arrived */
        HTTP_READING_BODY,
        HTTP_SENDING,
        HTTP_SECURING,   /* TLS handshake */
        HTTP_SPEAKING_2, /* HTTP/2: its state is in http2 */
        HTTP_UPGRADED,   /* has left HTTP: its owner is in upgraded */
        HTTP_LINGERING,  /* after the last response: what the client still sends is read and dropped */
};

/* A client connection. Everything except owner and exchange is private to the I/O thread; active_us is owned like
 * exchange. */
struct http_connection {
        struct http_timer timer;             /* first: deadline.c converts between the two */
        struct http_connection *next, **at;  /* on the loop's list of all connections */
        struct http_connection *queued_next; /* in the loop's `returned` or `ready` */
        struct http_loop *loop;
        int fd;
        _Atomic unsigned owner;
        enum http_phase phase;
        bool readable;       /* there may be something to read */
        bool half_closed;    /* the client sends no more or is gone: reading will tell */
        bool ended;          /* read to a proper end */
        bool linger;         /* drain before closing: part of a request is unread */
        bool ready;          /* on the loop's list */
        int64_t begun_us;    /* when the first bytes of the request arrived; 0: none */
        int64_t active_us;   /* when the last request was answered, or the connection accepted */
        int64_t linger_us;   /* until when to linger */
        size_t linger_bytes; /* and how much may still come */
        struct buf in;       /* read but not consumed: from in_at */
        size_t in_at;
        struct http_head *head;         /* the parser, if the head arrived in pieces */
        struct http_exchange *exchange; /* being read, held or answered */
        struct http2 *http2;            /* state for HTTP_SPEAKING_2, with its own exchanges */
        struct http_upgraded *upgraded; /* state for HTTP_UPGRADED */
        struct tls *tls;                /* NULL: no TLS */
        char *certificate;              /* the names in the client's certificate, or NULL */
        bool begun;                     /* the HTTP version is known */
        struct http_share_of_address *share;
        char peer[HTTP_PEER_SIZE];
};

/* State of the next piece of a file: if it is not in the page cache, a reader thread reads it, or the I/O thread if
 * there is none. */
enum http_fetch { HTTP_FETCH_NONE, HTTP_FETCH_NEEDED, HTTP_FETCH_UNDER_WAY, HTTP_FETCH_OVER };

enum http_sent { HTTP_SENT_ALL, HTTP_SENT_PART, HTTP_SENT_BROKEN };

/* One request and its response; in the request's arena. */
struct http_exchange {
        struct http_request request; /* first: the owner has a pointer to it */
        struct http_server *server;
        struct http_connection *connection;
        bool counted; /* in busy and in flight */
        bool http_10, keep_alive, is_head;
        /* the body of the request */
        bool chunked;
        bool wants_continue;
        uint64_t left; /* if it has a Content-Length */
        struct http_chunked decoder;
        struct buf trailers;                /* raw, if any are wanted */
        struct http_header *trailer_fields; /* of the request, once it is complete */
        struct buf body;
        uint64_t max_body;
        uint64_t received;                              /* by a sink */
        int64_t sink_due_us;                            /* when it will have been too slow */
        bool resumed;                                   /* the sink was full, and has not been called since */
        bool paused;                                    /* the sink is full, */
        struct http_exchange *paused_next, **paused_at; /* on the loop's list, */
        size_t owed;                         /* and over HTTP/2 no window update was sent for this much of the body */
        int64_t held_bytes;                  /* of the body, as counted */
        bool sends_file;                     /* counted in total, */
        bool sends_file_of_share;            /* and for the address */
        bool spooled;                        /* the owner keeps the body in the spool, */
        int64_t spooled_bytes;               /* and this much of it is counted */
        struct http_share_of_address *share; /* of the client's address; NULL: nothing is counted */
        /* the response */
        bool close;
        char *head;
        size_t head_len;
        struct buf answer;
        size_t answer_len;      /* bytes to send of it: 0 for HEAD */
        struct http_file *file; /* sent after answer, or NULL */
        size_t file_len;        /* bytes to send of it: 0 for HEAD */
        bool file_watched;      /* the loop is told when the pipe has more */
        int fetch_fd;           /* signals that a piece of the file is in memory; -1: none requested */
        enum http_fetch fetch;
        size_t sent; /* of head, answer and file together */
        /* When the client will have been too slow; when it last accepted something. */
        int64_t sending_due_us, progress_us;
        int64_t acknowledged;
        struct http_flow *flow;             /* over HTTP/2, instead of answer */
        const struct http_upgrade *upgrade; /* the next owner of the connection; NULL: it stays HTTP */
        void *upgrade_context;
        struct http2_stream *stream; /* over HTTP/2, what http2.h says of it */
};

struct http_metrics {
        struct metric *connections, *in_flight, *slow_clients, *floods;
};

/* An I/O thread. */
struct http_loop {
        struct http_server *server;
        pthread_t thread;
        int epoll_fd, wake_fd;
        atomic_int n_connections;
        _Atomic(struct http_connection *) arrived; /* from other loops, newest first */
        bool accepting;
        int spare_fd;        /* reserve descriptor, used to reject clients when there are no others */
        bool exhausted_said; /* already logged */
        bool exhausted;      /* no descriptor was left for a new connection: retried at the next tick */
        int64_t now_us;      /* when it last woke up */
        struct http_wheel wheel;
        struct http_connection *connections;
        struct http_connection *ready;              /* to be processed again before sleeping */
        struct http_exchange *paused;               /* exchanges whose sinks are full */
        atomic_bool pauses;                         /* some exchanges may be paused */
        atomic_bool room;                           /* some sinks may have room again */
        _Atomic(struct http_connection *) returned; /* by workers, newest first */
        _Atomic(struct http2_stream *) answered;    /* the same over HTTP/2 */
        struct http2_stream *held;                  /* owned by workers */
        _Atomic(struct http_task *) posted;         /* by other threads, newest first */
        bool told_stopping;                         /* HTTP/2 connections were told that the server is stopping */
        struct http_head head;                      /* of a request that arrives in one piece */
        char *scratch;
        size_t scratch_bytes;
        char *frames;                 /* HTTP/2 frames to be written to a socket */
        atomic_int_least64_t unread;  /* response bytes not accepted by clients, at the last check */
        atomic_int_least64_t answers; /* response bytes produced since */
};

struct http_server {
        struct http_options options;
        struct http_handlers handlers;
        struct http_metrics metrics;
        struct tls_context *tls; /* NULL: no TLS */
        struct http_loop *loops;
        int n_loops, n_started;
        int listen_fd, port;
        atomic_bool stopping; /* no new connections, new requests get 503 */
        atomic_bool quit;     /* the loops end */
        atomic_int busy;      /* complete requests not yet released */
        atomic_int n_connections;
        pthread_mutex_t readers_lock;
        struct workers *readers; /* for files that are not in memory; NULL: could not be started */
};

/* loop.c */
SN_CHECKED bool http_loop_init(struct http_server *server, struct http_loop *loop);
void http_loop_free(struct http_loop *loop);
void *http_loop_main(void *loop);
void http_loop_wake(struct http_loop *loop);
void http_loop_give_back(struct http_loop *loop,
                         struct http_connection *c); /* from any thread: gives it back through the list */
void http_loop_add_ready(struct http_loop *loop, struct http_connection *c);
void http_loop_take_returned(
    struct http_loop *loop); /* takes back the connections on the list, without working on them */

/* move.c */
struct http_loop *http_loop_of_long_connections(struct http_server *server);
struct http_loop *http_loop_with_fewest(struct http_loop *loop);
/* False: the kernel is out of memory. */
SN_CHECKED bool http_loop_link(struct http_loop *loop, struct http_connection *c);
void http_loop_unlink(struct http_connection *c);
/* None of its requests is held, and it is not on the ready list. From now on it belongs to the other thread. */
enum http_step http_connection_move(struct http_connection *c, struct http_loop *to);
void http_loop_take_arrived(struct http_loop *loop, bool work); /* and works on them */

/* connection.c: on the I/O thread, and, except for event, when it owns the connection */
/* The result of a step: there may be more to do; or there is not, or the connection has ended or changed owner. */
enum http_step { HTTP_AGAIN, HTTP_ENOUGH };

void http_connection_new(struct http_loop *loop, int fd, const struct sockaddr_storage *address); /* takes over fd */
void http_connection_event(struct http_connection *c, uint32_t epoll_events);
/* The epoll data for the source of a response: addresses are even, and the lowest bit distinguishes it from the
 * socket. */
void *http_connection_source(struct http_connection *c);
void http_connection_source_event(struct http_connection *c); /* the source of a response has more data */
void http_connection_work(struct http_connection *c);         /* as much as there is to do; may end it */
/* Sends without blocking: the number of bytes accepted, possibly 0, or -1 if the connection is broken. */
ssize_t http_connection_send(struct http_connection *c, const char *bytes, size_t len);
enum http_step http_connection_linger(struct http_connection *c);
void http_connection_returned(struct http_connection *c);
void http_connection_drop(struct http_connection *c); /* that is on no loop */
void http_connection_end_all(struct http_loop *loop); /* when the loop ends */
/* Reads at most size available bytes; 0: none for now, -1: end of the connection. */
ssize_t http_connection_receive(struct http_connection *c, char *into, size_t size);
/* The same into several areas, which together have the size. Not for TLS. */
ssize_t http_connection_receive_areas(struct http_connection *c, struct iovec *areas, int n, size_t size);
enum http_step http_connection_answer(struct http_connection *c, struct http_response *response);
enum http_step http_connection_refuse(struct http_connection *c, int status, const char *detail);
enum http_step http_connection_end(struct http_connection *c);
enum http_step http_connection_end_hard(struct http_connection *c);

/* request.c */
enum http_step http_request_read_head(struct http_connection *c);
enum http_step http_request_read_body(struct http_connection *c);
enum http_step http_request_hand_over_part(struct http_connection *c); /* hands a truncated body to the sink's owner */
enum http_step http_request_refuse_part(struct http_connection *c, int status,
                                        const char *detail); /* rejects an incomplete request */

/* upgrade.c */
enum http_step http_upgrade_begin(struct http_connection *c); /* after the exchange with the response */
enum http_step http_upgrade_work(struct http_connection *c);
void http_upgrade_due(struct http_connection *c, int64_t now_us);
void http_upgrade_end(struct http_connection *c); /* does nothing if it is not upgraded */
void http_upgrade_stop(struct http_loop *loop);   /* tells all owners that the server is stopping */
size_t http_upgrade_unsent(const struct http_connection *c);
void http_loop_run_posted(struct http_loop *loop); /* all tasks that were posted */

/* deadline.c */
void http_deadline_set(struct http_connection *c, int64_t due_us); /* no effect if an earlier time is set */
int64_t http_deadline_idle(const struct http_connection *c);
int64_t http_deadline_slow(const struct http_connection *c);
void http_deadline_begin_sending(struct http_connection *c); /* from now on the I/O thread sends its response */
void http_deadline_due(struct http_timer *timer, int64_t now_us);

/* exchange.c */
struct http_exchange *http_exchange_new(struct http_connection *c); /* NULL: out of memory */
/* Fills in the request from a head, which may be incomplete. */
void http_exchange_fill(struct http_exchange *x, const struct http_head *head, const char *bytes);
void http_exchange_count(struct http_exchange *x);
void http_server_uncount(struct http_server *server); /* the server may be freed after it */
void http_exchange_end(struct http_exchange *x);      /* takes NULL */
/* Sends once, without blocking. */
enum http_sent http_exchange_send(struct http_exchange *x, int fd);

/* answer.c */
const char *http_date(void); /* "Sun, 06 Nov 1994 08:49:37 GMT": the current time, in thread-local memory */
bool http_status_has_no_length(int status);
void http_answer_check(struct http_response *response); /* replaces an invalid response with a 500 */
/* Takes ownership of the response: formats its head and keeps its body. */
void http_answer_take(struct http_exchange *x, struct http_response *response);

/* refuse.c */
/* The owner's response for a rejection, or a minimal one. */
void http_refusal(struct http_server *server, struct http_request *r, int status, const char *detail,
                  struct http_response *response);

/* sink.c */
enum http_sink_result { HTTP_SINK_TOOK, HTTP_SINK_TOO_LARGE, HTTP_SINK_REFUSED /* early is filled in */ };
void http_sink_begin(struct http_exchange *x, uint64_t max_body);
enum http_sink_result http_sink_take(struct http_exchange *x, struct str piece, struct http_response *early);
/* Memory of the sink for its next bytes; 0: none. To be followed by http_sink_received. */
int http_sink_areas(struct http_exchange *x, struct iovec *areas, int n);
/* Like http_sink_take, of bytes that are within the body's limit; 0 if none have arrived. */
enum http_sink_result http_sink_received(struct http_exchange *x, size_t bytes, struct http_response *early);
/* After it was full. False: the sink's owner rejects the rest, and early is filled in. */
SN_CHECKED bool http_sink_goes_on(struct http_exchange *x, struct http_response *early);
int64_t http_sink_due(const struct http_exchange *x);     /* when the body will have been too slow */
bool http_sink_keeps_part(const struct http_exchange *x); /* of a body that is still arriving */
void http_sink_resume(struct http_exchange *x);           /* does nothing if it is not paused */
void http_sinks_resume(struct http_loop *loop);           /* those with room */

/* trailers.c */
void http_trailers_begin(struct http_exchange *x); /* for a chunked body, if any are wanted */
void http_trailers_end(struct http_exchange *x);   /* the body has ended */
void http_trailers_add(struct http_exchange *x, struct str name, struct str value); /* if it is wanted */

/* file.c */
void http_file_begin(struct http_exchange *x, struct http_response *response); /* takes ownership; NULL: none */
enum http_sent http_file_send(struct http_exchange *x, int fd);
/* A pipe without data, or a file that is not in memory: the connection is woken when there is more. */
void http_file_watch(struct http_exchange *x);
void http_file_end(struct http_exchange *x);
struct http_flow *http_file_flow(struct http_exchange *x); /* the same over HTTP/2 */

/* fetch.c, on the I/O thread */
/* How many bytes can be read from there without waiting for the disk, up to a maximum. */
size_t http_fetch_ready(struct http_exchange *x, int fd, int64_t at, size_t wanted);
/* After 0: starts a read, which wakes the connection when it is done. False: read them here. */
bool http_fetch_begin(struct http_exchange *x, int fd, int64_t at);
void http_fetch_end(struct http_exchange *x);

/* unread.c */
void http_unread_limit(int listen_fd, const struct http_options *options); /* per connection, in the kernel */
void http_unread_add(struct http_loop *loop, size_t bytes);                /* a response was produced; any thread */
void http_unread_check(struct http_loop *loop);                            /* for all of them together */

/* shares.c */
enum http_share_is {
        HTTP_SHARE_FREE,
        HTTP_SHARE_USED,     /* all of it: the client gets an error */
        HTTP_SHARE_EXCEEDED, /* more than that: dropped without an answer */
};
enum http_share_is http_share_join(struct http_connection *c); /* of a new connection; must be left in any case */
void http_share_leave(struct http_connection *c);
/* Counts the growth of the body's memory, on the I/O thread; false: too much, and the body is dropped. */
SN_CHECKED bool http_share_hold_body(struct http_exchange *x);
#define HTTP_TOO_MANY_BODIES "The server is receiving too many request bodies at once; try again."
void http_share_release(struct http_exchange *x); /* any thread, even when the server is gone */

/* listen.c */
SN_CHECKED sn_status http_listen(struct http_server *server, struct buf *error);

#endif
