/* Watchdog: asks this process's own ports whether they answer, and ends the process when one does not, several times in
 * a row: a process that listens and does not answer is worse than none, which the supervisor replaces. */
#ifndef CMD_SERVE_WATCHDOG_H
#define CMD_SERVE_WATCHDOG_H

#include <stdbool.h>

struct watchdog;

struct watchdog_port {
        const char *name;    /* "HTTP", for the log */
        const char *address; /* that it listens on */
        int port;            /* 0: there is none */
        bool http2;          /* it is greeted with HTTP/2's preface; otherwise with GET /healthz */
};

struct watchdog_options {
        struct watchdog_port ports[2];
        int every_ms, patience_ms;      /* how often, and how long one answer may take */
        int failures;                   /* in a row */
        void (*deaf)(const char *name); /* NULL: logs and ends the process */
};

struct watchdog *watchdog_new(const struct watchdog_options *options);
void watchdog_free(struct watchdog *watchdog); /* takes NULL */

#endif
