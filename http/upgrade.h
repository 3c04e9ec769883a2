/* Connections that leave HTTP: after the head of a response with an `upgrade` (101, or 200 with an endless body),
 * all bytes on the connection belong to its owner. All callbacks run on the I/O thread and must not block; other
 * threads reach it with http_server_post. An idle connection uses no thread and no buffers. Over HTTP/2 the owner
 * gets only the request's stream, after a 200: what it sends is the body, and it receives no bytes
 * (http2_upgrade.c). */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H

#include "http/server.h"

struct http_upgraded;

/* The owner's callbacks. context is that of the response. */
struct http_upgrade {
        /* The head was sent. */
        void (*begin)(void *context, struct http_upgraded *u);
        /* Consumes bytes from the front of *in. It may leave some only after http_upgraded_pause. */
        void (*bytes)(void *context, struct str *in);
        /* The client has read everything that was sent, or over HTTP/2 has window for it. NULL: not needed. */
        void (*sent)(void *context);
        /* The time given to http_upgraded_due has come; at most half a second late. */
        void (*due)(void *context, int64_t now_us);
        /* The server is stopping: end the connection soon. */
        void (*stop)(void *context);
        /* The connection has ended or never started (then possibly on the thread of http_respond). This is the last
         * call. */
        void (*end)(void *context);
};

/* Sends the bytes, buffering what the client does not read. The buffer is unbounded: the owner must check
 * http_upgraded_unsent. */
void http_upgraded_send(struct http_upgraded *u, const void *bytes, size_t len);
size_t http_upgraded_unsent(const struct http_upgraded *u);
/* Offers buffered bytes to the kernel now instead of on the next turn of the I/O thread: call it before judging what
 * is unsent. Does nothing over HTTP/2. */
void http_upgraded_flush(struct http_upgraded *u);
/* Stops reading until resumed; bytes that the owner left are then offered again. */
void http_upgraded_pause(struct http_upgraded *u);
void http_upgraded_resume(struct http_upgraded *u);
/* Sets the time (monotonic) at which due is called, replacing the previous one. */
void http_upgraded_due(struct http_upgraded *u, int64_t due_us);
/* Stops reading, sends what is buffered, and closes the connection after at most wait_us. */
void http_upgraded_close(struct http_upgraded *u, int64_t wait_us);

/* Something to run on the I/O thread, embedded in its data. Tasks run in the order in which they were posted. Tasks
 * left when the server has stopped do not run, so stop posting before it stops, or clean them up. The server must
 * have exactly one I/O thread. */
struct http_task {
        void (*run)(struct http_task *task);
        struct http_task *next;
};
void http_server_post(struct http_server *server, struct http_task *task);

#endif
