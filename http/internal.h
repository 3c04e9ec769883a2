/* What the files of http/ share. server.c starts and stops, listen.c listens, loop.c is an I/O thread, connection.c a
 * connection on it, request.c reads its requests, move.c gives it to another thread,
 * deadline.c ends what takes too long, exchange.c is one request and
 * its response, answer.c makes a response's bytes, unread.c bounds what clients are sent and do not take, shares.c what
 * one address may have, sink.c takes bodies that are not kept in memory, file.c sends answers that are not, refuse.c
 * says no, upgrade.c is for connections that leave HTTP. head.c, chunked.c, websocket.c, wheel.c and tls.c know nothing
 * of all that. HTTP/2 is in http2.h and its files.
 *
 * Whose turn is it? Each connection belongs to one I/O thread, and only that thread reads from it, closes it and looks
 * at its deadlines. But the answer is sent by the worker who made it, without a thread switch. The word `turn` says who
 * may touch the connection's exchange and write to its socket:
 *
 * 0 (I/O) --I/O--> HELD --http_respond--> HELD|SENDING --> 0                 all is sent: no thread is woken
 * |                          '--> the loop's list `returned` --I/O--> 0    otherwise                      '--I/O, when
 * the server stops--> HELD|ABANDONED --http_respond--> freed, answer thrown away
 *
 * - EVENT is added by the I/O thread when the socket has something to say and it is not its turn, and from the start
 *   when there is more to read already: then the turn goes back through the list.
 *
 * - HELD: the I/O thread neither closes the descriptor nor frees the connection, whatever the client does.
 * - SENDING: for the moment of one system call; the I/O thread waits for it even when the server stops.
 * - ABANDONED: the I/O thread has closed the descriptor and forgotten the connection; its memory is the worker's.
 * - The exchange is freed by the worker when all is sent or it was abandoned, and by the I/O thread otherwise.
 * - http_server.busy counts who may still touch the server; taking one's own count away is the last that one does. */
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
        HTTP_REFUSED_CONNECTIONS_MAX = 64, /* beyond max_connections: those that are being told so */
};

enum http_turn {
        HTTP_TURN_IO = 0,
        HTTP_TURN_HELD = 1,
        HTTP_TURN_SENDING = 2,
        HTTP_TURN_EVENT = 4,
        HTTP_TURN_ABANDONED = 8,
};

/* What the I/O thread does when it is its turn. */
enum http_phase {
        HTTP_READING_HEAD, /* or idle: nothing of a request is there */
        HTTP_READING_BODY,
        HTTP_SENDING,
        HTTP_SECURING,   /* shaking hands over TLS */
        HTTP_SPEAKING_2, /* HTTP/2: all of it is in http2 */
        HTTP_UPGRADED,   /* it left HTTP: its owner is in upgraded */
        HTTP_LINGERING,  /* answered for the last time: what the client still sends is read and dropped */
};

/* One client connection. All but turn and exchange is the I/O thread's alone; active_us goes with the turn. */
struct http_connection {
        struct http_timer timer;             /* first: deadline.c gets from one to the other */
        struct http_connection *next, **at;  /* all of the loop */
        struct http_connection *queued_next; /* in the loop's `returned` or `ready` */
        struct http_loop *loop;
        int fd;
        _Atomic unsigned turn;
        enum http_phase phase;
        bool readable;       /* there may be something to read */
        bool half_closed;    /* the client sends no more, or is gone: reading tells */
        bool ended;          /* it was read to the end, and not broken off */
        bool linger;         /* drain before closing: something of the request is not read */
        bool ready;          /* in the loop's list */
        int64_t begun_us;    /* when the first bytes of the request came; 0: none is there */
        int64_t active_us;   /* when the last request was answered, or the connection made */
        int64_t linger_us;   /* until when to linger */
        size_t linger_bytes; /* and how much may still come */
        struct buf in;       /* read and not used yet: from in_at */
        size_t in_at;
        struct http_head *head;         /* as far as it is read, when it did not come in one piece */
        struct http_exchange *exchange; /* the one that is read, held or answered */
        struct http2 *http2;            /* what HTTP_SPEAKING_2 needs, with exchanges of its own */
        struct http_upgraded *upgraded; /* what HTTP_UPGRADED needs */
        struct tls *tls;                /* NULL: in clear */
        char *certificate;              /* names in the client's, or NULL */
        bool begun;                     /* which HTTP this is has been seen */
        struct http_share_of_address *share;
        char peer[HTTP_PEER_SIZE];
};

/* Of the next piece of a file: where it is not in memory, a thread reads it, or the I/O thread when that cannot be. */
enum http_fetch { HTTP_FETCH_NONE, HTTP_FETCH_NEEDED, HTTP_FETCH_UNDER_WAY, HTTP_FETCH_OVER };

enum http_sent { HTTP_SENT_ALL, HTTP_SENT_PART, HTTP_SENT_BROKEN };

/* One request and its response; lives in the request's arena. */
struct http_exchange {
        struct http_request request; /* first: the owner's pointer leads here */
        struct http_server *server;
        struct http_connection *connection;
        bool counted; /* in busy and in flight */
        bool http_10, keep_alive, is_head;
        /* the request's body */
        bool chunked;
        bool wants_continue;
        uint64_t left; /* with a length */
        struct http_chunked decoder;
        struct buf trailers;                /* as they came, when some are wanted */
        struct http_header *trailer_fields; /* of the request, once there is one */
        struct buf body;
        uint64_t max_body;
        uint64_t received;                              /* by a sink */
        int64_t sink_due_us;                            /* when it has given too little */
        bool paused;                                    /* the sink is full, */
        struct http_exchange *paused_next, **paused_at; /* of the loop, */
        size_t owed;                         /* and over HTTP/2 no credit was given for so much of the body */
        int64_t held_bytes;                  /* of the body, as counted */
        bool sends_file;                     /* which is counted, */
        bool sends_file_of_share;            /* and with the address */
        bool spooled;                        /* the body's owner keeps it in the spool, */
        int64_t spooled_bytes;               /* and so much of it is counted */
        struct http_share_of_address *share; /* with whose address; NULL: nothing is counted */
        /* the response */
        bool close;
        char *head;
        size_t head_len;
        struct buf answer;
        size_t answer_len;      /* of what is sent of it: 0 for HEAD */
        struct http_file *file; /* after answer, or NULL */
        size_t file_len;        /* of what is sent of it: 0 for HEAD */
        bool file_watched;      /* the loop is told when more comes through the pipe */
        int fetch_fd;           /* tells when a piece of the file is in memory; -1: none was fetched */
        enum http_fetch fetch;
        size_t sent;                         /* of head, answer and file together */
        int64_t sending_due_us, progress_us; /* when the client has taken too little; when it last took something */
        int64_t acknowledged;
        struct http_flow *flow;             /* over HTTP/2, in place of answer */
        const struct http_upgrade *upgrade; /* whose the connection is after it; NULL: it goes on */
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
        int spare_fd;        /* given up to turn clients away when there is no other */
        bool exhausted_said; /* in the log */
        bool exhausted;      /* no descriptor was left for a new connection: tried again at the next tick */
        int64_t now_us;      /* when it woke up */
        struct http_wheel wheel;
        struct http_connection *connections;
        struct http_connection *ready;              /* to be looked at again before sleeping */
        struct http_exchange *paused;               /* whose sinks are full */
        atomic_bool pauses;                         /* there may be some */
        atomic_bool room;                           /* they may not be full any more */
        _Atomic(struct http_connection *) returned; /* by workers, newest first */
        _Atomic(struct http2_stream *) answered;    /* the same over HTTP/2 */
        struct http2_stream *held;                  /* which are with workers */
        _Atomic(struct http_task *) posted;         /* by other threads, newest first */
        bool told_stopping;                         /* the connections of HTTP/2 know that the server stops */
        struct http_head head;                      /* of a request that comes in one piece */
        char *scratch;
        size_t scratch_bytes;
        char *frames;                 /* of HTTP/2, on their way to a socket */
        atomic_int_least64_t unread;  /* bytes of answers that clients had not taken, at the last look */
        atomic_int_least64_t answers; /* bytes of answers that were made since */
};

struct http_server {
        struct http_options options;
        struct http_handlers handlers;
        struct http_metrics metrics;
        struct tls_context *tls; /* NULL: in clear */
        struct http_loop *loops;
        int n_loops, n_started;
        int listen_fd, port;
        atomic_bool stopping; /* no new connections, new requests get 503 */
        atomic_bool quit;     /* the loops end */
        atomic_int busy;      /* requests that are complete and not yet released */
        atomic_int n_connections;
        pthread_mutex_t readers_lock;
        struct workers *readers; /* of files that are not in memory; NULL: there were none */
};

/* loop.c */
SN_CHECKED bool http_loop_init(struct http_server *server, struct http_loop *loop);
void http_loop_free(struct http_loop *loop);
void *http_loop_main(void *loop);
void http_loop_wake(struct http_loop *loop);
void http_loop_give_back(struct http_loop *loop,
                         struct http_connection *c); /* from any thread: its turn, by the list */
void http_loop_add_ready(struct http_loop *loop, struct http_connection *c);
void http_loop_take_turns(
    struct http_loop *loop); /* of the connections that were given back, without working on them */

/* move.c */
struct http_loop *http_loop_of_long_connections(struct http_server *server);
struct http_loop *http_loop_with_fewest(struct http_loop *loop);
SN_CHECKED bool http_loop_link(struct http_loop *loop, struct http_connection *c); /* false: no memory in the kernel */
void http_loop_unlink(struct http_connection *c);
/* Nothing of it is held or ready. It is the other thread's from now on. */
enum http_step http_connection_move(struct http_connection *c, struct http_loop *to);
void http_loop_take_arrived(struct http_loop *loop, bool work); /* and works on them */

/* connection.c, all on the I/O thread, and but for event when it is its turn */
/* What a step of its work says: there may be more to do; or there is not, or the connection has ended or is not ours.
 */
enum http_step { HTTP_AGAIN, HTTP_ENOUGH };

void http_connection_new(struct http_loop *loop, int fd, const struct sockaddr_storage *address); /* takes over fd */
void http_connection_event(struct http_connection *c, uint32_t epoll_events);
/* What epoll knows of what an answer is read from: an address is even, and the lowest bit tells it from the socket. */
void *http_connection_source(struct http_connection *c);
void http_connection_source_event(struct http_connection *c); /* what an answer is read from has more */
void http_connection_work(struct http_connection *c);         /* as much as there is to do; may end it */
/* Sends without waiting: the bytes that were taken, which may be none, or -1 when the connection is broken. */
ssize_t http_connection_send(struct http_connection *c, const char *bytes, size_t len);
enum http_step http_connection_linger(struct http_connection *c);
void http_connection_returned(struct http_connection *c);
void http_connection_drop(struct http_connection *c); /* which no loop has */
void http_connection_end_all(struct http_loop *loop); /* the loop ends */
/* Bytes that are there, at most size of them; 0: none for now, -1: no more will come. */
ssize_t http_connection_receive(struct http_connection *c, char *into, size_t size);
enum http_step http_connection_answer(struct http_connection *c, struct http_response *response);
enum http_step http_connection_refuse(struct http_connection *c, int status, const char *detail);
enum http_step http_connection_end(struct http_connection *c);
enum http_step http_connection_end_hard(struct http_connection *c);

/* request.c */
enum http_step http_request_read_head(struct http_connection *c);
enum http_step http_request_read_body(struct http_connection *c);
enum http_step http_request_hand_over_part(struct http_connection *c); /* a body that broke off, to a sink's owner */
enum http_step http_request_refuse_part(struct http_connection *c, int status,
                                        const char *detail); /* a request that is not whole */

/* upgrade.c */
enum http_step http_upgrade_begin(struct http_connection *c); /* its exchange, with the answer, is over */
enum http_step http_upgrade_work(struct http_connection *c);
void http_upgrade_due(struct http_connection *c, int64_t now_us);
void http_upgrade_end(struct http_connection *c); /* nothing, when it is none */
void http_upgrade_stop(struct http_loop *loop);   /* tells all owners that the server stops */
size_t http_upgrade_unsent(const struct http_connection *c);
void http_loop_run_posted(struct http_loop *loop); /* all tasks that were posted */

/* deadline.c */
void http_deadline_set(struct http_connection *c, int64_t due_us); /* or sooner, when that was set */
int64_t http_deadline_idle(const struct http_connection *c);
int64_t http_deadline_slow(const struct http_connection *c);
void http_deadline_begin_sending(
    struct http_connection *c); /* its exchange is answered by the I/O thread from now on */
void http_deadline_due(struct http_timer *timer, int64_t now_us);

/* exchange.c */
struct http_exchange *http_exchange_new(struct http_connection *c); /* NULL: no memory */
/* Fills in the request from a head, or from as much of one as was read. */
void http_exchange_fill(struct http_exchange *x, const struct http_head *head, const char *bytes);
void http_exchange_count(struct http_exchange *x);
void http_server_uncount(struct http_server *server); /* the server may be gone after it */
void http_exchange_end(struct http_exchange *x);      /* takes NULL */
/* Sends once, without waiting. */
enum http_sent http_exchange_send(struct http_exchange *x, int fd);

/* answer.c */
const char *http_date(void); /* "Sun, 06 Nov 1994 08:49:37 GMT": now, in memory of the thread */
bool http_status_has_no_length(int status);
void http_answer_check(struct http_response *response); /* 500 in place of what must not be sent */
/* Takes over the response: makes its head, and keeps its body. */
void http_answer_take(struct http_exchange *x, struct http_response *response);

/* refuse.c */
/* The owner's response for a refusal, or a bare one. */
void http_refusal(struct http_server *server, struct http_request *r, int status, const char *detail,
                  struct http_response *response);

/* sink.c */
enum http_sink_result { HTTP_SINK_TOOK, HTTP_SINK_TOO_LARGE, HTTP_SINK_REFUSED /* early is filled in */ };
void http_sink_begin(struct http_exchange *x, uint64_t max_body);
enum http_sink_result http_sink_take(struct http_exchange *x, struct str piece, struct http_response *early);
int64_t http_sink_due(const struct http_exchange *x);     /* when what came is too little */
bool http_sink_keeps_part(const struct http_exchange *x); /* of a body that is on its way */
void http_sink_resume(struct http_exchange *x);           /* nothing, when it is not paused */
void http_sinks_resume(struct http_loop *loop);           /* those that have room */

/* trailers.c */
void http_trailers_begin(struct http_exchange *x); /* of a body in chunks, when some are wanted */
void http_trailers_end(struct http_exchange *x);   /* it is here */
void http_trailers_add(struct http_exchange *x, struct str name, struct str value); /* when it is wanted */

/* file.c */
void http_file_begin(struct http_exchange *x, struct http_response *response); /* takes it over; NULL: there is none */
enum http_sent http_file_send(struct http_exchange *x, int fd);
/* A pipe that has nothing now, or a file that is not in memory: the connection is worked on when there is more. */
void http_file_watch(struct http_exchange *x);
void http_file_end(struct http_exchange *x);
struct http_flow *http_file_flow(struct http_exchange *x); /* the same over HTTP/2 */

/* fetch.c, on the I/O thread */
/* How many bytes from there on can be read without waiting for the disk, at most so many. */
size_t http_fetch_ready(struct http_exchange *x, int fd, int64_t at, size_t wanted);
/* After 0: has them read, and the connection is worked on when they are there. False: read them here. */
bool http_fetch_begin(struct http_exchange *x, int fd, int64_t at);
void http_fetch_end(struct http_exchange *x);

/* unread.c */
void http_unread_limit(int listen_fd, const struct http_options *options); /* of each connection, in the kernel */
void http_unread_add(struct http_loop *loop, size_t bytes);                /* an answer was made; any thread */
void http_unread_check(struct http_loop *loop);                            /* of all of them together */

/* shares.c */
enum http_share_is {
        HTTP_SHARE_FREE,
        HTTP_SHARE_USED,     /* all of it: the client is told so */
        HTTP_SHARE_EXCEEDED, /* and not even that */
};
enum http_share_is http_share_join(struct http_connection *c); /* a new connection; to be left in any case */
void http_share_leave(struct http_connection *c);
/* Counts what the body's memory has grown by, on the I/O thread; false: it is too much, and dropped. */
SN_CHECKED bool http_share_hold_body(struct http_exchange *x);
#define HTTP_TOO_MANY_BODIES "The server is receiving too many request bodies at once; try again."
void http_share_release(struct http_exchange *x); /* any thread, also when the server is gone */

/* listen.c */
SN_CHECKED sn_status http_listen(struct http_server *server, struct buf *error);

#endif
