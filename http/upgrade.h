/* Connections that leave HTTP: after the head of an answer with an `upgrade` (101, or 200 with a body that has no end)
 * all bytes on the connection are its owner's. Everything is called on the I/O thread and must not wait; other threads
 * come to it by http_server_post. An idle connection costs no thread and no buffers. Over HTTP/2 it is the request's
 * stream alone, after a 200: what is sent is its body, and no bytes come (http2_upgrade.c). */
#ifndef HTTP_UPGRADE_H
#define HTTP_UPGRADE_H

#include "http/server.h"

struct http_upgraded;

/* What its owner does with it. context is that of the response. */
struct http_upgrade {
        /* The head is sent. */
        void (*begin)(void *context, struct http_upgraded *u);
        /* Takes bytes that came from the front of *in. It leaves some only after http_upgraded_pause. */
        void (*bytes)(void *context, struct str *in);
        /* The client has taken all that was unsent, or over HTTP/2 has room for it. NULL: the owner need not know. */
        void (*sent)(void *context);
        /* The moment of http_upgraded_due has come, half a second late at most. */
        void (*due)(void *context, int64_t now_us);
        /* The server stops: end it soon. */
        void (*stop)(void *context);
        /* The connection has ended, or never began (then maybe on the thread of http_respond): the last call. */
        void (*end)(void *context);
};

/* Sends, or keeps what the client does not take. The owner looks at http_upgraded_unsent: nothing bounds it here. */
void http_upgraded_send(struct http_upgraded *u, const void *bytes, size_t len);
size_t http_upgraded_unsent(const struct http_upgraded *u);
/* Gives the kernel at once what it takes, instead of when the I/O thread comes to it: before the owner judges what is
 * unsent. Nothing over HTTP/2. */
void http_upgraded_flush(struct http_upgraded *u);
/* Reads no more, until it is resumed: bytes that the owner has left are offered again then. */
void http_upgraded_pause(struct http_upgraded *u);
void http_upgraded_resume(struct http_upgraded *u);
/* Calls due at this moment (monotonic), instead of at that which was given before. */
void http_upgraded_due(struct http_upgraded *u, int64_t due_us);
/* Reads no more, sends what is unsent, and ends: after wait_us at the latest. */
void http_upgraded_close(struct http_upgraded *u, int64_t wait_us);

/* Something to do on the I/O thread, embedded in what it needs. Tasks run in the order in which they were posted; those
 * that are left when the server has stopped are not run: whoever posts stops before the server does, or looks after
 * them. The server must have one I/O thread. */
struct http_task {
        void (*run)(struct http_task *task);
        struct http_task *next;
};
void http_server_post(struct http_server *server, struct http_task *task);

#endif
