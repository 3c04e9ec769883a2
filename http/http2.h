/* HTTP/2 (RFC 9113) on a connection, over nghttp2, which knows frames, header compression and flow control, and refuses
 * what breaks the protocol. http2_connection.c moves bytes between it and the socket and watches the time,
 * http2_session.c is told of what it read, http2_request.c makes requests of that, http2_answer.c sends answers,
 * http2_flow.c those that are made on the way, http2_upgrade.c those without an end, and http2_allowance.c bounds what
 * a client may send that nobody asked for. Private to http/.
 *
 * All of it belongs to the I/O thread, but for a request that its owner has (a stream that is held): of that the I/O
 * thread touches nothing but its place in lists until http_respond has put it on the loop's list `answered`.
 *
 *   0 --request complete--> HELD --http_respond--> HELD|SENDING --I/O, from the list--> 0
 *                            '--I/O, when the server stops--> HELD|ABANDONED --http_respond--> freed, answer thrown
 * away
 *
 * A stream that ends while it is held (the client reset it, or is gone) is forgotten by its connection at once, and
 * freed when the answer comes. It still counts as held, so that resetting makes no room for more. */
#ifndef HTTP_HTTP2_H
#define HTTP_HTTP2_H

#include <nghttp2/nghttp2.h>
#include "http/internal.h"

enum {
        HTTP2_UNSENT_BYTES = 256 << 10, /* of answers, on one connection: beyond it no further request begins */
        HTTP2_SEND_BYTES = 64 << 10,    /* what is given to the socket at once, and a frame more */
        HTTP2_FRAME_BYTES = 17 << 10,   /* the largest frame that we send, with its head */
};

/* What a client may send without sense: each frame of that kind costs, and time and work that is done give it back. */
struct http2_allowance {
        int64_t left;
        int64_t refilled_us;
};

struct http2 {
        nghttp2_session *session;
        struct http_connection *connection;
        struct http2_stream *first, **end; /* open ones, oldest first */
        int n_open;
        int n_held;
        struct buf out; /* what the socket did not take: from out_at */
        size_t out_at;
        bool out_counted;           /* the server waits for it when it stops */
        size_t unsent;              /* of the answers of all streams */
        int64_t progress_us;        /* the socket last took something of its answers */
        int64_t heard_us, asked_us; /* the client said anything last; was pinged, or 0 */
        struct http2_allowance allowance;
        bool closing; /* GOAWAY is sent: it ends with its last stream */
};

enum { HTTP_UPGRADE_UNSENT_MAX_BYTES = 64 << 20 }; /* which no owner lets come */

/* A connection that has left HTTP, or a stream of one that speaks HTTP/2 (upgrade.h). */
struct http_upgraded {
        struct http_flow flow;       /* first; of a stream */
        struct http2_stream *stream; /* NULL: it is the whole connection */
        const struct http_upgrade *upgrade;
        void *context;
        struct http_connection *connection;
        struct buf out; /* not taken by the socket, or the session, yet: from out_at */
        size_t out_at;
        int64_t due_us; /* of the owner; INT64_MAX: none */
        bool paused, closing;
        bool working; /* the connection is being worked on, and looks at what changes by itself */
};
void http_upgrade_compact(struct http_upgraded *u);

/* A request over HTTP/2, beside its exchange and in the same arena. */
struct http2_stream {
        struct http_exchange *exchange;
        struct http2 *http2; /* NULL: the connection has ended */
        struct http_loop *loop;
        int32_t id;
        bool open;                                 /* the session knows it, and it is on its connection's list */
        struct http2_stream *next, **at;           /* of the connection */
        struct http2_stream *held_next, **held_at; /* of the loop */
        struct http2_stream *answered_next;
        _Atomic unsigned turn; /* HTTP_TURN_… */
        /* the head, as it comes */
        struct str method, scheme, authority, path;
        struct http_header *fields;
        size_t n_fields, head_bytes;
        uint64_t length; /* what Content-Length says; UINT64_MAX: nothing */
        bool has_host, has_length, expects, head_complete;
        int refused; /* with this status, or 0 */
        const char *refusal;
        /* the rest */
        bool complete;                  /* all of the request is here */
        bool answering;                 /* so that what still comes of the request is thrown away */
        bool waiting;                   /* complete, and not begun before the client takes answers */
        bool flow_waits;                /* the answer's flow had nothing to send */
        struct http_upgraded *upgraded; /* whose answer it is; NULL: it ends by itself */
        int64_t begun_us, due_us;       /* when it came; when its answer must have been taken */
        struct http_response response;
};

/* http2_session.c */
struct http2 *http2_new(struct http_connection *c); /* NULL: no memory */
void http2_free(struct http2 *h);                   /* and its streams that no exchange holds */
/* Takes all the bytes, and makes of them what they ask for. */
void http2_take(struct http2 *h, const char *bytes, size_t len);
/* Tells the client that no further stream is taken; those that are open go on, unless the code is an error's. */
void http2_close(struct http2 *h, uint32_t code);

/* http2_allowance.c */
void http2_allowance_init(struct http2_allowance *a, int64_t now_us);
void http2_spend(struct http2 *h, const nghttp2_frame_hd *frame); /* may close the connection */
void http2_earn(struct http2 *h, int units);
/* What is wrong with no frame but with their number or size. */
void http2_calm(struct http2 *h);

/* http2_request.c */
struct http2_stream *http2_stream_new(struct http2 *h, int32_t id); /* NULL: no memory */
void http2_stream_end(struct http2_stream *s);                      /* the session has forgotten it */
void http2_request_field(struct http2_stream *s, struct str name, struct str value);
void http2_request_head(struct http2_stream *s, bool last); /* the head is complete, maybe the whole request */
void http2_request_body(struct http2_stream *s, struct str piece);
void http2_request_end(struct http2_stream *s);            /* the body is complete */
void http2_request_hand_over_part(struct http2_stream *s); /* a body that broke off, to a sink's owner */
void http2_request_refuse(struct http2_stream *s, int status, const char *detail);
void http2_begin_waiting(struct http2 *h); /* requests that waited until the client takes its answers */

/* http2_flow.c */
ssize_t http2_flow_read(struct http2_stream *s, char *into, size_t size); /* as nghttp2 wants it */
void http2_flow_wake(struct http2 *h);                                    /* what files are read from has more */
void http2_flow_resume(struct http2_stream *s);                           /* it has something to send */
void http2_flow_take(struct http2_stream *s, struct str piece, bool last);
/* Asks a flow again that has waited long enough; resets a stream whose client takes too little. */
void http2_flow_due(struct http2_stream *s, int64_t now_us);

/* http2_upgrade.c */
/* Makes the stream its owner's, whose `begin` is called once the head is submitted. */
void http2_upgrade_make(struct http2_stream *s);
void http2_upgrade_begin(struct http2_stream *s);
void http2_upgrade_due(struct http2_stream *s, int64_t now_us);
void http2_upgrade_stop(struct http2 *h);

/* http2_answer.c */
void http2_answer(struct http2_stream *s, struct http_response *response);
/* On the owner's thread. False when the server has abandoned the request, whose memory is the caller's then. */
bool http2_respond(struct http2_stream *s, struct http_response *response);
void http2_take_answered(struct http_loop *loop);
void http2_abandon_held(struct http_loop *loop); /* the loop ends */

/* http2_connection.c */
/* The first bytes of HTTP/2 (RFC 9113, 3.4). */
enum http2_preface { HTTP2_PREFACE, HTTP2_PREFACE_PART, HTTP2_PREFACE_NOT };
enum http2_preface http2_preface(const char *bytes, size_t len);
enum http_step http2_start(struct http_connection *c, const char *bytes, size_t len);
enum http_step http2_work(struct http_connection *c);
void http2_due(struct http_connection *c, int64_t now_us);
void http2_stop(struct http_loop *loop); /* tells all connections that the server stops */

#endif
