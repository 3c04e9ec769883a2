/* Owns fork: what is set up between fork and exec, in which order, and how our own processes are recognised. */
#include "cmd/up/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/str.h"

#define LOG_FILE_MAX_BYTES (16 * 1024 * 1024)

static sn_status account_fill(struct account *account, const struct passwd *entry, struct buf *error)
{
        account->uid = entry->pw_uid;
        account->gid = entry->pw_gid;
        account->n_groups = ACCOUNT_MAX_GROUPS;
        if (getgrouplist(entry->pw_name, entry->pw_gid, account->groups, &account->n_groups) < 0) {
                account->n_groups = ACCOUNT_MAX_GROUPS; /* the first ones of many groups are enough */
        }
        int name_len = snprintf(account->name, sizeof(account->name), "%s", entry->pw_name);
        int home_len = snprintf(account->home, sizeof(account->home), "%s", entry->pw_dir);
        if (name_len >= (int)sizeof(account->name) || home_len >= (int)sizeof(account->home)) {
                buf_printf(error, "the account '%s' has a name or a home folder that is too long", entry->pw_name);
                return SN_FAILED_PRECONDITION;
        }
        return SN_OK;
}

sn_status account_choose(struct account *account, struct buf *error)
{
        *account = (struct account){0};
        if (geteuid() != 0) {
                const struct passwd *self = getpwuid(geteuid());
                if (self != NULL) {
                        return account_fill(account, self, error);
                }
                account->uid = geteuid();
                account->gid = getegid();
                snprintf(account->name, sizeof(account->name), "user %u", (unsigned)account->uid);
                return SN_OK;
        }
        const struct passwd *other = getpwnam("sonet");
        if (other == NULL) {
                other = getpwnam("postgres");
        }
        if (other == NULL || other->pw_uid == 0) {
                buf_append_c(
                    error,
                    "PostgreSQL cannot run as root, and there is no account 'sonet' or 'postgres' to run it under; "
                    "create one with: useradd --system sonet");
                return SN_FAILED_PRECONDITION;
        }
        account->drop = true;
        return account_fill(account, other, error);
}

static bool account_become(const struct account *account)
{
        if (account == NULL || !account->drop) {
                return true;
        }
        return setgroups((size_t)account->n_groups, account->groups) == 0 && setgid(account->gid) == 0 &&
               setuid(account->uid) == 0;
}

/* In a child running as the account: writes the first folder that it cannot enter to `report`. Exit code 0 if there
 * is none. */
static int first_closed_folder(const char *path, int report)
{
        char prefix[PATH_MAX];
        size_t len = strlen(path);

        for (size_t i = 1; i <= len && i < sizeof(prefix); i++) {
                if (path[i] != '/' && path[i] != '\0') {
                        continue;
                }
                memcpy(prefix, path, i);
                prefix[i] = '\0';
                if (access(prefix, X_OK) != 0) {
                        if (errno == ENOENT) {
                                return 0; /* the rest will be created, accessible */
                        }
                        return write(report, prefix, i) == (ssize_t)i ? 1 : 2;
                }
        }
        return 0;
}

sn_status account_check_reach(const struct account *account, const char *path, struct buf *error)
{
        int report[2];
        char closed[PATH_MAX] = "";

        if (!account->drop) {
                return SN_OK; /* we created or opened it ourselves */
        }
        if (pipe2(report, O_CLOEXEC) != 0) {
                buf_printf(error, "cannot create a pipe: %s", strerror(errno));
                return SN_INTERNAL;
        }
        pid_t pid = fork();
        if (pid == 0) {
                _exit(account_become(account) ? first_closed_folder(path, report[1]) : 2);
        }
        close(report[1]);
        ssize_t got = 0;
        while (pid > 0 && (got = read(report[0], closed, sizeof(closed) - 1)) < 0 && errno == EINTR) {
        }
        close(report[0]);
        int status = -1;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (status == 0) {
                return SN_OK;
        }
        closed[got > 0 ? got : 0] = '\0';
        buf_printf(error,
                   "the data folder %s is not accessible to the account '%s', which PostgreSQL and Redis run under: it "
                   "may not enter %s. "
                   "Choose another folder with --data, or open that one (chmod o+x)",
                   path, account->name, closed[0] != '\0' ? closed : path);
        return SN_PERMISSION_DENIED;
}

/* Appends to the log file, which is started over when it becomes large, so that it cannot fill the disk. */
static bool redirect_output(const char *log_file)
{
        struct stat st;
        int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;

        if (log_file == NULL) {
                return true;
        }
        if (stat(log_file, &st) == 0 && st.st_size > LOG_FILE_MAX_BYTES) {
                flags |= O_TRUNC;
        }
        int fd = open(log_file, flags, 0600);
        return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0;
}

static bool redirect_input(void)
{
        int fd = open("/dev/null", O_RDONLY);
        bool done = fd >= 0 && dup2(fd, STDIN_FILENO) >= 0;

        if (fd > STDERR_FILENO) {
                close(fd);
        }
        return done;
}

/* We block signals and ignore SIGPIPE, and our parent may ignore more; exec inherits all that, so the child restores
 * the defaults. */
static void reset_signals(void)
{
        sigset_t none;

        for (int i = 1; i < NSIG; i++) {
                signal(i, SIG_DFL); /* fails for SIGKILL and SIGSTOP, which cannot be changed */
        }
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *child_set_up(const struct process_spec *spec, pid_t parent)
{
        setsid(); /* Ctrl-C on the terminal must only reach us: we stop the children in order */
        umask(077);
        if (!account_become(spec->account)) {
                return "cannot switch to its account";
        }
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        /* After changing the account, which clears it; and the parent may have exited before it was set. */
        if (prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0 || getppid() != parent) {
                return "the supervisor has exited";
        }
        if (spec->folder != NULL && chdir(spec->folder) != 0) {
                return "cannot enter its folder";
        }
        if (!redirect_input()) {
                return "cannot open /dev/null";
        }
        return redirect_output(spec->log_file) ? NULL : "cannot open its log file";
}

static void child_main(const struct process_spec *spec, pid_t parent)
{
        const char *failed = child_set_up(spec, parent);
        const char *doing = failed;

        if (failed == NULL) {
                reset_signals();
                int code = spec->run != NULL ? spec->run(spec->context) : 0;
                if (code != 0 || spec->argv == NULL) {
                        _exit(code);
                }
                char *const *envp = spec->envp != NULL ? spec->envp : environ;
                if (spec->program_fd > 0) {
                        execveat(spec->program_fd, "", spec->argv, envp, AT_EMPTY_PATH);
                } else {
                        execve(spec->argv[0], spec->argv, envp);
                }
                doing = spec->argv[0];
        }
        dprintf(STDERR_FILENO, "sonet: cannot start %s: %s: %s\n", spec->name, doing, strerror(errno));
        _exit(127);
}

pid_t process_start(const struct process_spec *spec)
{
        pid_t parent = getpid();

        fflush(stdout);
        fflush(stderr);
        pid_t pid = fork();
        if (pid == 0) {
                child_main(spec, parent);
        }
        return pid;
}

static bool link_is(pid_t pid, const char *link, char target[PATH_MAX])
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, link);
        ssize_t len = readlink(path, target, PATH_MAX - 1);
        if (len < 0) {
                return false; /* gone, a zombie, or another account's */
        }
        target[len] = '\0';
        return true;
}

static bool is_ours(pid_t pid, const char *folder, const char *program)
{
        char target[PATH_MAX];

        if (pid == getpid() || !link_is(pid, "cwd", target) || strcmp(target, folder) != 0) {
                return false;
        }
        if (!link_is(pid, "exe", target)) {
                return false;
        }
        const char *slash = strrchr(target, '/');
        return slash != NULL && strncmp(slash + 1, program, strlen(program)) == 0;
}

size_t process_find(const char *folder, const char *program, pid_t *pids, size_t max)
{
        size_t n = 0;
        DIR *proc = opendir("/proc");

        if (proc == NULL) {
                return 0;
        }
        for (const struct dirent *entry; n < max && (entry = readdir(proc)) != NULL;) {
                int64_t pid = 0;
                if (str_to_i64(str_of(entry->d_name), &pid) && pid > 0 && is_ours((pid_t)pid, folder, program)) {
                        pids[n++] = (pid_t)pid;
                }
        }
        closedir(proc);
        return n;
}

bool process_kill_all(const char *folder, const char *program, int signal, int timeout_ms)
{
        int64_t until_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
        pid_t pids[256];

        for (;;) {
                size_t n = process_find(folder, program, pids, sizeof(pids) / sizeof(pids[0]));
                if (n == 0) {
                        return true;
                }
                if (clock_monotonic_us() > until_us) {
                        return false;
                }
                for (size_t i = 0; i < n; i++) {
                        kill(pids[i], signal);
                }
                clock_sleep_ms(5);
        }
}
