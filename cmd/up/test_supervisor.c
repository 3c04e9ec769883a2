/* Children of the supervisor: restarted, stopped in order, killed, and ended with it. Each child reports its state
 * through a pipe. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/up/supervisor.h"

#define PATIENCE_MS 20000 /* how long a test waits for an expected event */

static int told[2]; /* the pipe */

static void tell(char letter)
{
        if (write(told[1], &letter, 1) != 1) {
                _exit(9);
        }
}

/* The next letter from a child, while the supervisor runs; 0 if there is none. */
static char hear(struct supervisor *s)
{
        struct pollfd p = {told[0], POLLIN, 0};
        char letter = 0;

        for (int i = 0; i < PATIENCE_MS / 10; i++) {
                if (poll(&p, 1, s != NULL ? 0 : 10) == 1) {
                        return read(told[0], &letter, 1) == 1 ? letter : 0;
                }
                if (s != NULL) {
                        supervisor_poll(s, 10);
                }
        }
        return 0;
}

static volatile sig_atomic_t asked;

static void on_term(int number)
{
        asked = 1;
}

static void wait_until_asked(void)
{
        sigset_t term, before;

        signal(SIGTERM, on_term);
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, &before);
        tell('r'); /* ready: from here on it may be signalled */
        while (!asked) {
                sigsuspend(&before);
        }
}

static int die_at_once(void *context)
{
        tell('d');
        return 3;
}

static int live_until_asked(void *context)
{
        wait_until_asked();
        tell(*(const char *)context);
        return 0;
}

static int live_for_ever(void *context)
{
        signal(SIGTERM, SIG_IGN);
        tell('r');
        for (;;) {
                pause();
        }
        return 0;
}

static int tell_pid_and_live(void *context)
{
        pid_t pid = getpid();

        if (write(told[1], &pid, sizeof(pid)) != sizeof(pid)) {
                return 9;
        }
        return live_for_ever(context);
}

static struct child_spec child(int (*run)(void *context), const char *letter, int rank)
{
        return (struct child_spec){
            .process = {.name = "child", .death_signal = SIGKILL, .run = run, .context = (void *)letter},
            .rank = rank,
            .stop_signal = SIGTERM,
            .grace_ms = PATIENCE_MS,
            .force_signal = SIGKILL};
}

static struct supervisor *add_one(struct child_spec spec)
{
        struct supervisor *s = supervisor_new();

        supervisor_add(s, &spec);
        return s;
}

static int refuse_settings(void *context)
{
        tell('d');
        return EXIT_SETTINGS;
}

static void a_child_that_rejects_its_settings_ends_all(void **state)
{
        struct supervisor *s = add_one(child(refuse_settings, "", 0));

        assert_int_equal(hear(s), 'd');
        while (supervisor_poll(s, 1000)) {
        }
        assert_true(supervisor_refused(s));
        assert_int_equal(supervisor_deaths(s), 1);
        supervisor_stop(s);
        supervisor_free(s);
}

static void a_child_that_exits_is_restarted(void **state)
{
        struct supervisor *s = add_one(child(die_at_once, "", 0));

        for (int i = 0; i < 4; i++) {
                assert_int_equal(hear(s), 'd');
        }
        assert_true(supervisor_deaths(s) >= 3);
        supervisor_stop(s);
        supervisor_free(s);
        while (poll(&(struct pollfd){told[0], POLLIN, 0}, 1, 0) == 1) {
                hear(NULL); /* one that was started while we checked */
        }
}

static void the_lower_rank_stops_first(void **state)
{
        struct supervisor *s = supervisor_new();
        struct child_spec later = child(live_until_asked, "b", 2), sooner = child(live_until_asked, "a", 1);

        supervisor_add(s, &later);
        supervisor_add(s, &sooner);
        assert_int_equal(hear(s), 'r');
        assert_int_equal(hear(s), 'r');
        supervisor_stop(s);
        supervisor_free(s);
        assert_int_equal(hear(NULL), 'a');
        assert_int_equal(hear(NULL), 'b');
}

static void a_child_that_does_not_exit_is_killed_after_its_grace(void **state)
{
        struct child_spec spec = child(live_for_ever, "", 0);

        spec.grace_ms = 20;
        struct supervisor *s = add_one(spec);
        assert_int_equal(hear(s), 'r');
        supervisor_stop(s); /* otherwise the test would hang */
        supervisor_free(s);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void a_second_request_kills_at_once(void **state)
{
        struct supervisor *s = add_one(child(live_for_ever, "", 0)); /* its grace is longer than the test's timeout */

        assert_int_equal(hear(s), 'r');
        raise(SIGTERM); /* blocked: handled by the next poll */
        assert_false(supervisor_poll(s, 1000));
        raise(SIGINT);
        supervisor_stop(s);
        supervisor_free(s);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static int give_seven(void *context)
{
        return 7;
}

static void a_task_runs_to_its_end_and_returns_its_exit_code(void **state)
{
        struct supervisor *s = supervisor_new();

        assert_int_equal(
            supervisor_run(s, &(struct process_spec){.name = "task", .death_signal = SIGKILL, .run = give_seven}), 7);
        supervisor_free(s);
}

static void a_program_that_does_not_exist_is_a_failed_task(void **state)
{
        struct supervisor *s = supervisor_new();
        char *argv[] = {"/nonexistent/program", NULL};

        assert_int_equal(
            supervisor_run(s, &(struct process_spec){.name = "task", .death_signal = SIGKILL, .argv = argv}), 127);
        supervisor_free(s);
}

static void a_task_ends_on_a_request_to_stop(void **state)
{
        struct supervisor *s = supervisor_new();

        raise(SIGTERM);
        assert_int_equal(
            supervisor_run(s, &(struct process_spec){.name = "task", .death_signal = SIGKILL, .run = live_for_ever}),
            -1);
        supervisor_free(s);
        while (poll(&(struct pollfd){told[0], POLLIN, 0}, 1, 0) == 1) {
                hear(NULL); /* it may have been ready before it was killed */
        }
}

static void children_exit_with_a_killed_supervisor(void **state)
{
        pid_t victim = 0;
        pid_t supervisor = fork();

        if (supervisor == 0) {
                struct supervisor *s = add_one(child(tell_pid_and_live, "", 0));
                while (supervisor_poll(s, 1000)) {
                }
                _exit(0);
        }
        assert_int_equal(read(told[0], &victim, sizeof(victim)), sizeof(victim));
        assert_int_equal(hear(NULL), 'r');
        kill(supervisor, SIGKILL);
        waitpid(supervisor, NULL, 0);
        /* This test is the subreaper: it can wait for the orphan, which returns only when that has exited. */
        int status = 0;
        assert_int_equal(waitpid(victim, &status, 0), victim);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void processes_are_found_by_folder_and_program_together(void **state)
{
        char folder[] = "/tmp/sonet-process.XXXXXX";
        char *argv[] = {"/bin/sleep", "1000", NULL};
        pid_t found[4];

        assert_non_null(mkdtemp(folder));
        pid_t pid = process_start(
            &(struct process_spec){.name = "sleep", .folder = folder, .death_signal = SIGKILL, .argv = argv});
        assert_true(pid > 0);
        size_t n = 0;
        for (int i = 0; n == 0 && i < PATIENCE_MS / 10; i++) { /* until it has changed folder and program */
                n = process_find(folder, "sleep", found, 4);
                poll(NULL, 0, n == 0 ? 10 : 0);
        }
        assert_int_equal(n, 1);
        assert_int_equal(found[0], pid);
        assert_int_equal(process_find(folder, "postgres", found, 4), 0);
        assert_int_equal(process_find("/tmp", "sleep", found, 4), 0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(process_find(folder, "sleep", found, 4), 0);
        rmdir(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_child_that_exits_is_restarted),
            cmocka_unit_test(a_child_that_rejects_its_settings_ends_all),
            cmocka_unit_test(the_lower_rank_stops_first),
            cmocka_unit_test(a_child_that_does_not_exit_is_killed_after_its_grace),
            cmocka_unit_test(a_second_request_kills_at_once),
            cmocka_unit_test(a_task_runs_to_its_end_and_returns_its_exit_code),
            cmocka_unit_test(a_program_that_does_not_exist_is_a_failed_task),
            cmocka_unit_test(a_task_ends_on_a_request_to_stop),
            cmocka_unit_test(children_exit_with_a_killed_supervisor),
            cmocka_unit_test(processes_are_found_by_folder_and_program_together),
        };
        if (pipe(told) != 0) {
                return 1;
        }
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
