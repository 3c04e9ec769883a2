/* For the tests of http/: a server whose paths show what it does, and a client of bare sockets that can misbehave. */
#ifndef HTTP_TEST_SUPPORT_H
#define HTTP_TEST_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/server.h"

/* Paths: /echo (a worker answers with what it got), /inline (on_request answers), /hold (the same, once fixture_release
 * was called, with how many of them were answered before), /block (a worker waits for fixture_release), /big (20 MiB),
 * /page (FIXTURE_PAGE_BYTES), /limit (takes 100 bytes of body), /refuse (on_headers answers 404), /empty (204),
 * /unchanged (304), /inject (tries to smuggle a header), /overflow (a body that overflowed), /spool (a sink that counts
 * with the address; 503 beyond its share). */
#define FIXTURE_PAGE_BYTES 100000

struct fixture {
        struct http_server *server;
        int port;
};

/* options may be NULL; port and address are set here. */
void fixture_start(struct fixture *f, const struct http_options *options);
/* Its usual options with these limits for slow and for idle clients. */
void fixture_start_limits(struct fixture *f, int slow_client_ms, int idle_ms);
void fixture_stop(struct fixture *f);
struct http_options fixture_options(void);
void fixture_wait_blocked(int n); /* until n requests are inside /block */
void fixture_release(void);       /* all requests in /block, now and later */
int64_t fixture_slow_clients(void);
int64_t fixture_connections(void);

struct reply {
        int status; /* 0: the connection ended without one */
        char head[8192];
        char *body;
        size_t body_len;
};

int client_open(const struct fixture *f);
int client_try(const struct fixture *f); /* -1: refused */
/* All of it, or as much as the server takes before it closes. */
void client_send(int fd, const char *bytes, size_t len);
void client_send_text(int fd, const char *text);
/* Until the server's machine has acknowledged all that was sent: what is sent next comes in a packet of its own. */
void client_wait_taken(int fd);
/* One response; head_only: it has no body whatever its length says. */
void client_read(int fd, struct reply *r, bool head_only);
void reply_free(struct reply *r);
bool reply_has(const struct reply *r, const char *header_line); /* "Connection: close" */
void client_expect(int fd, int status, const char *body);       /* body may be NULL: any */
void client_expect_end(int fd);                                 /* the server closes, and sends nothing before it */
void client_reset(int fd);                                      /* closes with RST */

/* Until the condition holds; fails the test after 20 s. */
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
