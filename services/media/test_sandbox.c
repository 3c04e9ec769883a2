/* What a decoding child may do once its sandbox is closed. Each test runs in its own process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "services/media/sandbox.h"

typedef bool attempt(void);

enum { NOT_CLOSED = 3 };

/* The sanitizers' runtimes query the affinity of each new thread by its id, which the filter refuses. */
#if defined(__SANITIZE_THREAD__)
enum { CAN_BEGIN_THREADS = false };
#else
enum { CAN_BEGIN_THREADS = true };
#endif

static int status_of(attempt *try_it)
{
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !sandbox_close()) {
                        _exit(NOT_CLOSED);
                }
                _exit(try_it() ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static void works(attempt *try_it)
{
        int status = status_of(try_it);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void kills(attempt *try_it)
{
        int status = status_of(try_it);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* --- processes --- */

static void *nothing(void *context)
{
        return context;
}

static bool begin_thread(void)
{
        pthread_t thread;
        return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool begin_process(void)
{
        return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static bool begin_namespace(void)
{
        return syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNET, 0, 0, 0, 0) >= 0;
}

static bool clone3_is_not_there(void)
{
        return syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS;
}

static void threads_can_be_started_but_no_processes(void **state)
{
        (void)state;
        if (CAN_BEGIN_THREADS) {
                works(begin_thread);
        }
        works(clone3_is_not_there);
        kills(begin_process);
        kills(begin_namespace);
}

/* --- arguments --- */

static bool read_flags(void)
{
        return fcntl(STDIN_FILENO, F_GETFD) >= 0 && fcntl(STDIN_FILENO, F_GETFL) >= 0;
}

static bool signal_another(void)
{
        return fcntl(STDIN_FILENO, F_SETOWN, getpid()) == 0;
}

static bool name_thread(void)
{
        return prctl(PR_SET_NAME, "worker") == 0;
}

static bool become_dumpable(void)
{
        return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static bool others_are_not_scheduled(void)
{
        cpu_set_t cpus;
        return syscall(SYS_sched_setattr, 1, NULL, 0) < 0 && errno == EPERM &&
               (SANDBOX_SANITIZED || (sched_getaffinity(1, sizeof(cpus), &cpus) < 0 && errno == EPERM)) &&
               sched_getaffinity(0, sizeof(cpus), &cpus) == 0;
}

static void calls_are_allowed_depending_on_their_arguments(void **state)
{
        (void)state;
        works(read_flags);
        kills(signal_another);
        works(name_thread);
        kills(become_dumpable);
        works(others_are_not_scheduled);
}

/* --- threads that already exist --- */

static atomic_int begun;
static atomic_int closed;
static atomic_int opened = -1;

static void *open_when_closed(void *context)
{
        atomic_store(&begun, 1);
        while (!atomic_load(&closed)) {
                (void)sched_yield();
        }
        atomic_store(&opened, open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
        return context;
}

static int close_with_a_thread(void)
{
        pthread_t thread;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || pthread_create(&thread, NULL, open_when_closed, NULL) != 0) {
                return NOT_CLOSED;
        }
        while (!atomic_load(&begun)) {
                (void)sched_yield();
        }
        if (!sandbox_close()) {
                return NOT_CLOSED;
        }
        atomic_store(&closed, 1);
        (void)pthread_join(thread, NULL);
        return atomic_load(&opened);
}

static void existing_threads_are_sandboxed(void **state)
{
        int status = 0;
        pid_t pid = fork();

        (void)state;
        assert_true(pid >= 0);
        if (pid == 0) {
                _exit(close_with_a_thread());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(threads_can_be_started_but_no_processes),
            cmocka_unit_test(calls_are_allowed_depending_on_their_arguments),
            cmocka_unit_test(existing_threads_are_sandboxed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
