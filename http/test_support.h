/* For tests of http/: a server with paths that exercise its features, and a client on bare sockets that can
 * misbehave. */
#ifndef HTTP_TEST_SUPPORT_H
#define HTTP_TEST_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/server.h"

/* Paths: /echo (a worker returns what it got), /inline (on_request responds), /hold (the same after fixture_release,
 * with how many of them were answered before), /block (a worker waits for fixture_release), /big (20 MiB), /page
 * (FIXTURE_PAGE_BYTES), /limit (accepts 100 bytes of body), /refuse (on_headers responds 404), /empty (204),
 * /unchanged (304), /inject (tries to smuggle a header), /overflow (a body that overflowed), /spool (a sink that
 * counts towards the address; 503 above its share). */
#define FIXTURE_PAGE_BYTES 100000

struct fixture {
        struct http_server *server;
        int port;
};

/* options may be NULL; port and address are set by it. */
void fixture_start(struct fixture *f, const struct http_options *options);
/* A server with handlers of the test's own. */
void fixture_start_handlers(struct fixture *f, const struct http_options *options,
                            const struct http_handlers *handlers);
/* The default options with these limits for slow and idle clients. */
void fixture_start_limits(struct fixture *f, int slow_client_ms, int idle_ms);
void fixture_stop(struct fixture *f);
struct http_options fixture_options(void);
void fixture_wait_blocked(int n); /* until n requests are inside /block */
void fixture_release(void);       /* all requests in /block, current and future */
int64_t fixture_slow_clients(void);
int64_t fixture_connections(void);

struct reply {
        int status; /* 0: the connection ended without a response */
        char head[8192];
        char *body;
        size_t body_len;
};

int client_open(const struct fixture *f);
int client_try(const struct fixture *f); /* -1: refused */
/* Sends all of it, or as much as the server accepts before it closes. */
void client_send(int fd, const char *bytes, size_t len);
void client_send_text(int fd, const char *text);
/* Waits until the peer's kernel has acknowledged everything sent, so that what follows is a separate packet. */
void client_wait_taken(int fd);
/* Reads one response; head_only: without a body, whatever its length. */
void client_read(int fd, struct reply *r, bool head_only);
void reply_free(struct reply *r);
bool reply_has(const struct reply *r, const char *header_line); /* "Connection: close" */
void client_expect(int fd, int status, const char *body);       /* body NULL: any */
void client_expect_end(int fd);                                 /* the server closes without sending anything */
void client_reset(int fd);                                      /* closes with RST */

/* Waits for the condition; fails the test after 20 s. */
#define WAIT_UNTIL(condition)                                                                                          \
        do {                                                                                                           \
                int waited_ = 0;                                                                                       \
                while (!(condition)) {                                                                                 \
                        if (++waited_ > 4000) {                                                                        \
                                fail_msg("never: %s", #condition);                                                     \
                        }                                                                                              \
                        clock_sleep_ms(5);                                                                             \
                }                                                                                                      \
        } while (0)

#endif
