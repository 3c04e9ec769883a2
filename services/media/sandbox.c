/* Owns the limits and the seccomp filter of a decoding child. */
#include "services/media/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static bool limit(int what, rlim_t most)
{
        return setrlimit((__rlimit_resource_t)what, &(struct rlimit){most, most}) == 0;
}

bool sandbox_limit(int64_t file_bytes, int cpu_s)
{
        return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_DUMPABLE, 0) == 0 && (SANDBOX_SANITIZED || limit(RLIMIT_AS, (rlim_t)2 << 30)) &&
               limit(RLIMIT_CPU, (rlim_t)cpu_s) && limit(RLIMIT_FSIZE, (rlim_t)file_bytes) &&
               limit(RLIMIT_NOFILE, 64) && limit(RLIMIT_CORE, 0);
}

/* Memory, threads, time, and open descriptors. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(pwrite64),
    SCMP_SYS(writev),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(close),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sysinfo),
    SCMP_SYS(poll),
    SCMP_SYS(dup),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(uname),
};

/* Calls that libraries try but can do without. */
static const int refused[] = {
    SCMP_SYS(open),   SCMP_SYS(openat),      SCMP_SYS(stat),        SCMP_SYS(lstat),      SCMP_SYS(newfstatat),
    SCMP_SYS(statx),  SCMP_SYS(access),      SCMP_SYS(faccessat),   SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(socket), SCMP_SYS(prlimit64),   SCMP_SYS(getcwd),      SCMP_SYS(unlink),     SCMP_SYS(ioctl),
    SCMP_SYS(tgkill), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
};

enum {
        NEW_NAMESPACES =
            CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
        SET_VMA = 0x53564d41, /* PR_SET_VMA: names for memory mappings */
};

/* Calls that are allowed for certain arguments only: new threads but no processes; this process but no other. */
static const struct {
        uint32_t action;
        int call;
        struct scmp_arg_cmp argument;
} by_argument[] = {
    {SCMP_ACT_ALLOW, SCMP_SYS(clone), {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | NEW_NAMESPACES, CLONE_THREAD}},
    {SCMP_ACT_ALLOW, SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFD, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFL, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(prctl), {0, SCMP_CMP_EQ, PR_SET_NAME, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(prctl), {0, SCMP_CMP_EQ, SET_VMA, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(sched_getaffinity), {0, SCMP_CMP_EQ, 0, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(sched_getattr), {0, SCMP_CMP_EQ, 0, 0}},
    {SCMP_ACT_ALLOW, SCMP_SYS(sched_setattr), {0, SCMP_CMP_EQ, 0, 0}},
    /* glib passes its thread's id */
    {SANDBOX_SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sched_getaffinity), {0, SCMP_CMP_NE, 0, 0}},
    {SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sched_getattr), {0, SCMP_CMP_NE, 0, 0}},
    {SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sched_setattr), {0, SCMP_CMP_NE, 0, 0}},
};

static bool fill(scmp_filter_ctx filter)
{
        /* A filter cannot inspect arguments passed by address, so the C library is made to fall back to clone. */
        bool ok = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;

        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
                ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
        }
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == 0;
        }
        for (size_t i = 0; i < sizeof(by_argument) / sizeof(by_argument[0]); i++) {
                ok = ok && seccomp_rule_add_array(filter, by_argument[i].action, by_argument[i].call, 1,
                                                  &by_argument[i].argument) == 0;
        }
        return ok;
}

/* TSYNC: also applies to threads that libraries have started. */
bool sandbox_close(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        bool ok = filter != NULL && fill(filter) && seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                  seccomp_load(filter) == 0;

        seccomp_release(filter);
        return ok;
}
