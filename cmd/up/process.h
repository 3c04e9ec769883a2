/* Process: the account that programs run under, starting one as a child that ends with us, and finding those left
 * over from an earlier run. */
#ifndef CMD_UP_PROCESS_H
#define CMD_UP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/status.h"

#define ACCOUNT_MAX_GROUPS 32

/* The account for children. Root switches to an unprivileged account (PostgreSQL refuses to run as root); other
 * users keep theirs. */
struct account {
        bool drop; /* switch to it; false: it is ours already */
        uid_t uid;
        gid_t gid;
        gid_t groups[ACCOUNT_MAX_GROUPS];
        int n_groups;
        char name[64];
        char home[256];
};

SN_CHECKED sn_status account_choose(struct account *account, struct buf *error);
/* Reports the first folder on the path that the account cannot enter (SN_PERMISSION_DENIED). Missing ones are no
 * obstacle. */
SN_CHECKED sn_status account_check_reach(const struct account *account, const char *path, struct buf *error);

struct process_spec {
        const char *name;              /* in messages: "postgresql" */
        const struct account *account; /* NULL: keep ours */
        const char *folder;            /* working folder; also identifies processes of an earlier run */
        const char *log_file;          /* standard output and error are appended to it; NULL: ours */
        int death_signal;              /* sent to it when we exit, for whatever reason */
        char *const *argv;             /* NULL: exit with the result of run */
        int program_fd; /* > 0: the program to run, regardless of argv[0]: it needs no path that the account can access
                         */
        char *const *envp;
        int (*run)(void *context); /* in the child, after setup and before argv; nonzero ends it; may be NULL */
        void *context;
};

/* The child's pid, or -1 with errno. Errors in the child are printed on its standard error, and it exits with 127. */
pid_t process_start(const struct process_spec *spec);

/* Running processes whose working folder is `folder` and whose executable's name starts with `program`: together
 * these ensure that a process is ours, even if its pid was reused. Excludes ourselves and zombies. */
size_t process_find(const char *folder, const char *program, pid_t *pids, size_t max);
/* Kills what process_find finds until there is none; false if some are left after timeout_ms. */
bool process_kill_all(const char *folder, const char *program, int signal, int timeout_ms);

#endif
