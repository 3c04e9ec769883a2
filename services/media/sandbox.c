/* Owns the limits and the seccomp filter of a decoding child. */
#include "services/media/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static bool limit(int what, rlim_t most)
{
        return setrlimit((__rlimit_resource_t)what, &(struct rlimit){most, most}) == 0;
}

bool sandbox_limit(void)
{
        return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_DUMPABLE, 0) == 0 && limit(RLIMIT_AS, (rlim_t)2 << 30) && limit(RLIMIT_CPU, 60) &&
               limit(RLIMIT_FSIZE, (rlim_t)2 << 30) && limit(RLIMIT_NOFILE, 64) && limit(RLIMIT_CORE, 0);
}

/* Memory, threads, time, and descriptors that are open. */
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
    SCMP_SYS(fcntl),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sched_setattr),
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
    SCMP_SYS(prctl),
    SCMP_SYS(dup),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(uname),
};

/* What libraries try, and do without. */
static const int refused[] = {
    SCMP_SYS(open),   SCMP_SYS(openat),      SCMP_SYS(stat),        SCMP_SYS(lstat),      SCMP_SYS(newfstatat),
    SCMP_SYS(statx),  SCMP_SYS(access),      SCMP_SYS(faccessat),   SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(socket), SCMP_SYS(prlimit64),   SCMP_SYS(getcwd),      SCMP_SYS(unlink),     SCMP_SYS(ioctl),
    SCMP_SYS(tgkill), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
};

static bool fill(scmp_filter_ctx filter)
{
        bool ok = true;

        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
                ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
        }
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
                ok = ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == 0;
        }
        return ok;
}

bool sandbox_close(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        bool ok = filter != NULL && fill(filter) && seccomp_load(filter) == 0;

        seccomp_release(filter);
        return ok;
}
