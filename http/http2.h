/* HTTP/2 (RFC 9113) on a connection, using nghttp2, which handles frames, header compression and flow control, and
 * rejects protocol errors. http2_connection.c moves bytes between it and the socket and watches the deadlines,
 * http2_session.c has its callbacks, http2_request.c assembles requests, http2_answer.c sends responses, http2_flow.c
 * those that are produced while they are sent, http2_upgrade.c endless ones, and http2_allowance.c limits how many
 * useless frames a client may send. Private to http/.
 *
 * Everything belongs to the I/O thread, except a request that its owner is working on (a held stream): until
 * http_respond has put it on the loop's list `answered`, the I/O thread only touches its list links.
 *
 *   0 --request complete--> HELD --http_respond--> HELD|SENDING --I/O, from the list--> 0
 *                            '--I/O, when the server stops--> HELD|ABANDONED --http_respond--> freed, response
 * discarded
 *
 * If a stream ends while it is held (the client reset it or disconnected), its connection forgets it at once, and it is
 * freed when the response comes. It still counts as held, so that resetting streams does not make room for more. */
#ifndef HTTP_HTTP2_H
#define HTTP_HTTP2_H

#include <nghttp2/nghttp2.h>
#include "http/internal.h"

enum {
        HTTP2_UNSENT_BYTES = 256 << 10, /* of responses on one connection; above it no further request starts */
        HTTP2_SEND_BYTES = 64 << 10,    /* given to the socket at once, plus up to one frame */
        HTTP2_FRAME_BYTES = 17 << 10,   /* the largest frame that we send, including its header */
};

/* Budget for useless frames: each one spends from it; time and completed requests refill it. */
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
        struct buf out; /* not yet accepted by the socket: from out_at */
        size_t out_at;
        bool out_counted;           /* the server waits for it when stopping */
        size_t unsent;              /* bytes of the responses of all streams */
        int64_t progress_us;        /* when the socket last accepted response bytes */
        int64_t heard_us, asked_us; /* when the client last sent anything; when it was pinged, or 0 */
        struct http2_allowance allowance;
        bool closing; /* GOAWAY was sent; the connection closes with its last stream */
};

enum { HTTP_UPGRADE_UNSENT_MAX_BYTES = 64 << 20 }; /* a safety limit that no owner reaches */

/* A connection that has left HTTP, or one HTTP/2 stream (upgrade.h). */
struct http_upgraded {
        struct http_flow flow;       /* first; for a stream */
        struct http2_stream *stream; /* NULL: the whole connection */
        const struct http_upgrade *upgrade;
        void *context;
        struct http_connection *connection;
        struct buf out; /* not yet accepted by the socket or the session: from out_at */
        size_t out_at;
        int64_t due_us; /* the owner's deadline; INT64_MAX: none */
        bool paused, closing;
        bool working; /* the connection is being processed and will notice changes itself */
};
void http_upgrade_compact(struct http_upgraded *u);

/* An HTTP/2 request, next to its exchange and in the same arena. */
struct http2_stream {
        struct http_exchange *exchange;
        struct http2 *http2; /* NULL: the connection has ended */
        struct http_loop *loop;
        int32_t id;
        bool open;                                 /* known to the session and on its connection's list */
        struct http2_stream *next, **at;           /* on the connection's list */
        struct http2_stream *held_next, **held_at; /* on the loop's list */
        struct http2_stream *answered_next;
        _Atomic unsigned owner; /* HTTP_OWNER_… */
        /* the head so far */
        struct str method, scheme, authority, path;
        struct http_header *fields;
        size_t n_fields, head_bytes;
        uint64_t length; /* Content-Length; UINT64_MAX: none */
        bool has_host, has_length, expects, head_complete;
        int refused; /* rejected with this status, or 0 */
        const char *refusal;
        /* the rest */
        bool complete;                  /* the whole request has arrived */
        bool answering;                 /* the rest of the request is discarded */
        bool waiting;                   /* complete, but not started until the client reads responses */
        bool flow_waits;                /* the response's flow had nothing to send */
        struct http_upgraded *upgraded; /* set for a response without an end, NULL otherwise */
        int64_t begun_us, due_us;       /* when it arrived; when its response must have been read */
        struct http_response response;
};

/* http2_session.c */
struct http2 *http2_new(struct http_connection *c); /* NULL: out of memory */
void http2_free(struct http2 *h);                   /* and its streams that no exchange holds */
/* Processes all the bytes. */
void http2_take(struct http2 *h, const char *bytes, size_t len);
/* Tells the client that no further streams are accepted; open streams continue unless the code is an error. */
void http2_close(struct http2 *h, uint32_t code);

/* http2_allowance.c */
void http2_allowance_init(struct http2_allowance *a, int64_t now_us);
void http2_spend(struct http2 *h, const nghttp2_frame_hd *frame); /* may close the connection */
void http2_earn(struct http2 *h, int units);
/* Closes the connection because of the number or size of frames, when no single frame is at fault. */
void http2_calm(struct http2 *h);

/* http2_request.c */
struct http2_stream *http2_stream_new(struct http2 *h, int32_t id); /* NULL: out of memory */
void http2_stream_end(struct http2_stream *s);                      /* the session has forgotten it */
void http2_request_field(struct http2_stream *s, struct str name, struct str value);
void http2_request_head(struct http2_stream *s, bool last); /* the head is complete; last: so is the request */
void http2_request_body(struct http2_stream *s, struct str piece);
void http2_request_end(struct http2_stream *s);            /* the body is complete */
void http2_request_go_on(struct http2_stream *s);          /* the body's sink was full and has room again */
void http2_request_hand_over_part(struct http2_stream *s); /* hands a truncated body to the sink's owner */
void http2_request_refuse(struct http2_stream *s, int status, const char *detail);
void http2_begin_waiting(struct http2 *h); /* starts requests that waited for the client to read responses */

/* http2_flow.c */
ssize_t http2_flow_read(struct http2_stream *s, char *into, size_t size); /* the read callback of nghttp2 */
void http2_flow_wake(struct http2 *h);                                    /* the source of a file has more data */
void http2_flow_resume(struct http2_stream *s);                           /* it has something to send */
void http2_flow_take(struct http2_stream *s, struct str piece, bool last);
/* Polls a flow that has waited long enough; resets a stream whose client reads too slowly. */
void http2_flow_due(struct http2_stream *s, int64_t now_us);

/* http2_upgrade.c */
/* Gives the stream to its owner, whose `begin` is called once the head is submitted. */
void http2_upgrade_make(struct http2_stream *s);
void http2_upgrade_begin(struct http2_stream *s);
void http2_upgrade_due(struct http2_stream *s, int64_t now_us);
void http2_upgrade_stop(struct http2 *h);

/* http2_answer.c */
void http2_answer(struct http2_stream *s, struct http_response *response);
/* On the owner's thread. False if the server has abandoned the request; its memory then belongs to the caller. */
bool http2_respond(struct http2_stream *s, struct http_response *response);
void http2_take_answered(struct http_loop *loop);
void http2_abandon_held(struct http_loop *loop); /* when the loop ends */

/* http2_connection.c */
/* The connection preface of HTTP/2 (RFC 9113, 3.4). */
enum http2_preface { HTTP2_PREFACE, HTTP2_PREFACE_PART, HTTP2_PREFACE_NOT };
enum http2_preface http2_preface(const char *bytes, size_t len);
enum http_step http2_start(struct http_connection *c, const char *bytes, size_t len);
enum http_step http2_work(struct http_connection *c);
void http2_due(struct http_connection *c, int64_t now_us);
void http2_stop(struct http_loop *loop); /* tells all connections that the server is stopping */

#endif
