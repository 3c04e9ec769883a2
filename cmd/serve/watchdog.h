/* Watchdog: checks that this process's own ports respond, and ends the process if one repeatedly does not: a process
 * that listens without responding is worse than none, which the supervisor replaces. */
#ifndef CMD_SERVE_WATCHDOG_H
#define CMD_SERVE_WATCHDOG_H

#include <stdbool.h>

struct watchdog;

struct watchdog_port {
        const char *name;    /* "HTTP", for the log */
        const char *address; /* the listening address */
        int port;            /* 0: none */
        bool http2;          /* send HTTP/2's preface instead of GET /healthz */
};

struct watchdog_options {
        struct watchdog_port ports[2];
        int every_ms, patience_ms;      /* the interval, and the timeout of one response */
        int failures;                   /* consecutive ones */
        void (*deaf)(const char *name); /* NULL: logs and ends the process */
};

struct watchdog *watchdog_new(const struct watchdog_options *options);
void watchdog_free(struct watchdog *watchdog); /* takes NULL */

#endif
