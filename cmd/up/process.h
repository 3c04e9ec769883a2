/* Process: the account that programs run under, starting one as a child that ends with us, and finding what an earlier
 * run left. */
#ifndef CMD_UP_PROCESS_H
#define CMD_UP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/status.h"

#define ACCOUNT_MAX_GROUPS 32

/* Whom children run as. Root gives them an unprivileged account (PostgreSQL will not run as root); everybody else is
 * who they are. */
struct account {
        bool drop; /* change to it; false: we are it already */
        uid_t uid;
        gid_t gid;
        gid_t groups[ACCOUNT_MAX_GROUPS];
        int n_groups;
        char name[64];
        char home[256];
};

SN_CHECKED sn_status account_choose(struct account *account, struct buf *error);
/* Names the first folder on the way to path that the account cannot pass (SN_PERMISSION_DENIED). What does not
 * exist yet is no hindrance. */
SN_CHECKED sn_status account_check_reach(const struct account *account, const char *path, struct buf *error);

struct process_spec {
        const char *name;              /* in messages: "postgresql" */
        const struct account *account; /* NULL: stay who we are */
        const char *folder;            /* working folder; how an earlier run's processes are found */
        const char *log_file;          /* standard output and error are appended to it; NULL: ours */
        int death_signal;              /* what it gets when we die, whatever kills us */
        char *const *argv;             /* NULL: the child ends with what run gave */
        int program_fd; /* > 0: the program to run, whatever argv[0] says: it needs no path that the account can pass */
        char *const *envp;
        int (*run)(void *context); /* in the child, when all is set up and before argv; not 0 ends it; may be NULL */
        void *context;
};

/* The child's id, or -1 with errno. What goes wrong in the child is said on its standard error, and it ends with 127.
 */
pid_t process_start(const struct process_spec *spec);

/* Running processes whose working folder is `folder` and whose program's file name starts with `program`: both together
 * make sure that a process is ours, even when ids have been used again. Never ourselves; zombies do not count. */
size_t process_find(const char *folder, const char *program, pid_t *pids, size_t max);
/* Kills what process_find finds until there is none; false when some is left after timeout_ms. */
bool process_kill_all(const char *folder, const char *program, int signal, int timeout_ms);

#endif
