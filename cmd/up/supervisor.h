/* Supervisor: children that are replaced when they die, in one thread that waits for signals and nothing else. What
 * takes time is done by children too, so that Ctrl-C is always heard.
 *
 * Its shape:   s = supervisor_new(); supervisor_add(…)…; while (supervisor_poll(s, 1000)) {}  supervisor_stop(s); */
#ifndef CMD_UP_SUPERVISOR_H
#define CMD_UP_SUPERVISOR_H

#include <stdbool.h>
#include "cmd/up/process.h"

struct supervisor;

struct child_spec {
        struct process_spec process;
        int rank;         /* stopping goes from rank 0 up; those of one rank stop together */
        int stop_signal;  /* asks it to end */
        int grace_ms;     /* how long it may take to */
        int force_signal; /* then, and at the second Ctrl-C; a second later SIGKILL */
        void (*clean)(
            void *context); /* before each start and after the end: away with what a killed one leaves; may be NULL */
        void *context;
};

/* One per process: takes over SIGINT, SIGTERM, SIGHUP and SIGCHLD, and adopts what its children leave. */
struct supervisor *supervisor_new(void);
void supervisor_free(struct supervisor *s); /* takes NULL */

/* Starts it. From now on it runs until supervisor_stop; a new one starts at once when it exits, then after pauses that
 * grow to 2 s and are forgotten once it lived for 10 s. spec is copied; what it points to must stay. */
void supervisor_add(struct supervisor *s, const struct child_spec *spec);
/* Waits for at most timeout_ms, less when something happened. False when we were asked to stop, or a child ended with
 * EXIT_SETTINGS: it would only end so again. */
bool supervisor_poll(struct supervisor *s, int timeout_ms);
bool supervisor_refused(const struct supervisor *s);
/* How often children have died since the start. */
int supervisor_deaths(const struct supervisor *s);
/* Runs a child to its end: its exit code, 128 + signal, or -1 when we were asked to stop (the child is killed). */
int supervisor_run(struct supervisor *s, const struct process_spec *spec);
/* Stops all children, rank by rank; being asked to stop a second time forces it. */
void supervisor_stop(struct supervisor *s);

#endif
