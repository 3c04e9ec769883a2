/* Owns the children of `sonet up`: starting, reaping, restarting and stopping them. Independent of what they do. */
#include "cmd/up/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include "base/clock.h"
#include "base/log.h"
#include "cmd/commands.h"

#define MAX_CHILDREN   32
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   2000
#define HEALTHY_MS     10000
#define FORCE_MS       1000

struct child {
        struct child_spec spec;
        pid_t pid;          /* 0: not running */
        int64_t started_ms; /* monotonic */
        int64_t due_ms;     /* when it may start again */
        int pause_ms;       /* before the next start; 0: at once */
        bool wanted;
};

struct supervisor {
        sigset_t signals;
        struct child children[MAX_CHILDREN];
        int n;
        int stops; /* how often stopping was requested */
        int deaths;
        bool
            has_run; /* everything has been ready once: what a child refuses now may be a file that is being replaced */
        bool refused; /* a child did not take its settings */
        pid_t task;   /* of supervisor_run */
        int task_status;
};

static int64_t now_ms(void)
{
        return clock_monotonic_us() / 1000;
}

struct supervisor *supervisor_new(void)
{
        struct supervisor *s = calloc(1, sizeof(*s));

        if (s == NULL) {
                abort();
        }
        sigemptyset(&s->signals);
        sigaddset(&s->signals, SIGINT);
        sigaddset(&s->signals, SIGTERM);
        sigaddset(&s->signals, SIGHUP);
        sigaddset(&s->signals, SIGCHLD);
        sigprocmask(SIG_BLOCK, &s->signals, NULL);
        signal(SIGPIPE, SIG_IGN); /* the reader of our output may exit; we continue */
        /* Backends of a killed postmaster become our children, so that we can wait for them. Otherwise only init
         * could. */
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        return s;
}

void supervisor_free(struct supervisor *s)
{
        free(s);
}

static void start_child(struct child *child)
{
        if (child->spec.clean != NULL) {
                child->spec.clean(child->spec.context);
        }
        child->pid = process_start(&child->spec.process);
        child->started_ms = now_ms();
        if (child->pid < 0) {
                log_event(LOG_LEVEL_ERROR, "cannot start a process", LOG_STR("process.name", child->spec.process.name),
                          LOG_STR("error.message", strerror(errno)));
                child->pid = 0;
                child->pause_ms = PAUSE_MAX_MS;
                child->due_ms = now_ms() + child->pause_ms;
        }
}

void supervisor_add(struct supervisor *s, const struct child_spec *spec)
{
        if (s->n >= MAX_CHILDREN) {
                abort(); /* a bug: the services are a fixed table */
        }
        struct child *child = &s->children[s->n++];
        *child = (struct child){.spec = *spec, .wanted = true};
        start_child(child);
}

/* The first restart is immediate; a child that keeps exiting waits longer and longer. */
static void plan_replacement(struct child *child)
{
        int64_t lived_ms = now_ms() - child->started_ms;

        if (lived_ms >= HEALTHY_MS) {
                child->pause_ms = 0;
        }
        child->due_ms = now_ms() + child->pause_ms;
        child->pause_ms = child->pause_ms == 0 ? PAUSE_FIRST_MS : child->pause_ms * 2;
        if (child->pause_ms > PAUSE_MAX_MS) {
                child->pause_ms = PAUSE_MAX_MS;
        }
}

static void note_death(struct supervisor *s, struct child *child, int status)
{
        int64_t pid = child->pid;

        child->pid = 0;
        if (!child->wanted) {
                return;
        }
        s->deaths++;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SETTINGS && !s->has_run) {
                s->refused = true;
                s->stops = s->stops > 0 ? s->stops : 1;
                return;
        }
        plan_replacement(child);
        log_event(LOG_LEVEL_WARN, "a process exited and is being restarted",
                  LOG_STR("process.name", child->spec.process.name), LOG_INT("process.pid", pid),
                  LOG_INT("process.exit_code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
                  LOG_INT("sonet.signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

static void reap_children(struct supervisor *s)
{
        int status = 0;

        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
                if (pid == s->task) {
                        s->task = 0;
                        s->task_status = status;
                }
                for (int i = 0; i < s->n; i++) {
                        if (s->children[i].pid == pid) {
                                note_death(s, &s->children[i], status);
                        }
                }
        }
}

/* Takes one signal, or none within timeout_ms. */
static void wait_signal(struct supervisor *s, int64_t timeout_ms)
{
        struct timespec left = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000};

        switch (sigtimedwait(&s->signals, NULL, &left)) {
        case SIGINT:
        case SIGTERM:
        case SIGHUP:
                s->stops++;
                break;
        default:
                break; /* SIGCHLD, timeout or EINTR: the caller checks everything anyway */
        }
        reap_children(s);
}

static int64_t until_next_start(const struct supervisor *s, int64_t most_ms)
{
        int64_t wait_ms = most_ms;

        for (int i = 0; i < s->n; i++) {
                const struct child *child = &s->children[i];
                if (child->wanted && child->pid == 0 && child->due_ms - now_ms() < wait_ms) {
                        wait_ms = child->due_ms - now_ms();
                }
        }
        return wait_ms > 0 ? wait_ms : 0;
}

bool supervisor_poll(struct supervisor *s, int timeout_ms)
{
        wait_signal(s, until_next_start(s, timeout_ms));
        for (int i = 0; s->stops == 0 && i < s->n; i++) {
                struct child *child = &s->children[i];
                if (child->wanted && child->pid == 0 && child->due_ms <= now_ms()) {
                        start_child(child);
                }
        }
        return s->stops == 0;
}

void supervisor_has_run(struct supervisor *s)
{
        s->has_run = true;
}

bool supervisor_refused(const struct supervisor *s)
{
        return s->refused;
}

int supervisor_deaths(const struct supervisor *s)
{
        return s->deaths;
}

int supervisor_run(struct supervisor *s, const struct process_spec *spec)
{
        s->task = process_start(spec);
        if (s->task < 0) {
                s->task = 0;
                return 127;
        }
        while (s->task != 0) {
                if (!supervisor_poll(s, 1000) && s->task != 0) {
                        kill(-s->task, SIGKILL); /* its process group: initdb has children, too */
                        wait_signal(s, 100);
                }
        }
        if (s->stops > 0) {
                return -1;
        }
        return WIFEXITED(s->task_status) ? WEXITSTATUS(s->task_status) : 128 + WTERMSIG(s->task_status);
}

static int running_in_rank(const struct supervisor *s, int rank)
{
        int running = 0;

        for (int i = 0; i < s->n; i++) {
                running += s->children[i].spec.rank == rank && s->children[i].pid != 0;
        }
        return running;
}

enum stop_step { STOP_ASK, STOP_FORCE, STOP_KILL };

static void signal_rank(struct supervisor *s, int rank, enum stop_step step)
{
        for (int i = 0; i < s->n; i++) {
                const struct child *child = &s->children[i];
                if (child->spec.rank != rank || child->pid == 0) {
                        continue;
                }
                int signal = step == STOP_ASK     ? child->spec.stop_signal
                             : step == STOP_FORCE ? child->spec.force_signal
                                                  : SIGKILL;
                kill(child->pid, signal);
        }
}

static int rank_grace_ms(const struct supervisor *s, int rank)
{
        int grace_ms = 0;

        for (int i = 0; i < s->n; i++) {
                if (s->children[i].spec.rank == rank && s->children[i].spec.grace_ms > grace_ms) {
                        grace_ms = s->children[i].spec.grace_ms;
                }
        }
        return grace_ms;
}

/* Waits until the rank has ended or the time is up; a second request to stop ends the first wait. */
static bool wait_rank(struct supervisor *s, int rank, int timeout_ms, bool patient)
{
        int64_t until_ms = now_ms() + timeout_ms;

        for (int64_t left_ms; running_in_rank(s, rank) > 0; wait_signal(s, left_ms)) {
                left_ms = until_ms - now_ms();
                if (left_ms <= 0 || (patient && s->stops > 1)) {
                        return false;
                }
        }
        return true;
}

static void stop_rank(struct supervisor *s, int rank)
{
        if (s->stops <= 1) {
                signal_rank(s, rank, STOP_ASK);
        }
        if (wait_rank(s, rank, rank_grace_ms(s, rank), true)) {
                return;
        }
        signal_rank(s, rank, STOP_FORCE);
        if (wait_rank(s, rank, FORCE_MS, false)) {
                return;
        }
        signal_rank(s, rank, STOP_KILL);
        wait_rank(s, rank, FORCE_MS, false);
}

static int next_rank(const struct supervisor *s, int after)
{
        int rank = -1;

        for (int i = 0; i < s->n; i++) {
                int its = s->children[i].spec.rank;
                if (its > after && (rank < 0 || its < rank)) {
                        rank = its;
                }
        }
        return rank;
}

void supervisor_stop(struct supervisor *s)
{
        for (int i = 0; i < s->n; i++) {
                s->children[i].wanted = false;
        }
        for (int rank = next_rank(s, -1); rank >= 0; rank = next_rank(s, rank)) {
                stop_rank(s, rank);
        }
        for (int i = 0; i < s->n; i++) {
                if (s->children[i].spec.clean != NULL) {
                        s->children[i].spec.clean(s->children[i].spec.context);
                }
        }
        reap_children(s);
}
