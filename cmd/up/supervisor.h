/* Supervisor: restarts children that exit, in one thread that only waits for signals. Anything slow runs in children,
 * too, so that Ctrl-C is always handled.
 *
 * Usage:   s = supervisor_new(); supervisor_add(…)…; while (supervisor_poll(s, 1000)) {}  supervisor_stop(s); */
#ifndef CMD_UP_SUPERVISOR_H
#define CMD_UP_SUPERVISOR_H

#include <stdbool.h>
#include "cmd/up/process.h"

struct supervisor;

struct child_spec {
        struct process_spec process;
        int rank;                     /* stopping starts with rank 0; children with the same rank stop together */
        int stop_signal;              /* asks it to exit */
        int grace_ms;                 /* how long that may take */
        int force_signal;             /* sent after that, and at the second Ctrl-C; SIGKILL a second later */
        void (*clean)(void *context); /* before each start and after the end: cleans up after a kill; may be NULL */
        void *context;
};

/* One per process: handles SIGINT, SIGTERM, SIGHUP and SIGCHLD, and adopts orphaned descendants. */
struct supervisor *supervisor_new(void);
void supervisor_free(struct supervisor *s); /* takes NULL */

/* Starts it, and restarts it until supervisor_stop: the first time at once, then after delays that grow to 2 s and
 * are reset once it has run for 10 s. spec is copied; what it points to must stay valid. */
void supervisor_add(struct supervisor *s, const struct child_spec *spec);
/* Waits until something happens, at most timeout_ms. False if stopping was requested, or a child exited with
 * EXIT_SETTINGS before supervisor_has_run, since it would only do so again. */
bool supervisor_poll(struct supervisor *s, int timeout_ms);
/* Everything was ready: from now on children are restarted whatever they exit with. */
void supervisor_has_run(struct supervisor *s);
bool supervisor_refused(const struct supervisor *s);
/* How often children have exited since the start. */
int supervisor_deaths(const struct supervisor *s);
/* Runs a child to completion: its exit code, 128 + signal, or -1 if stopping was requested (the child is killed). */
int supervisor_run(struct supervisor *s, const struct process_spec *spec);
/* Stops all children, rank by rank; a second request to stop kills them. */
void supervisor_stop(struct supervisor *s);

#endif
