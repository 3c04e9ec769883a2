/* The log when its reader hangs: threads that must not block do not, and their lines are written or counted as dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { LINES = 10000 };

static int read_end, saved_stderr;

static int setup(void **state)
{
        int ends[2];

        (void)state;
        log_setup("test", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
        if (pipe(ends) != 0) {
                return -1;
        }
        saved_stderr = dup(STDERR_FILENO);
        read_end = ends[0];
        (void)dup2(ends[1], STDERR_FILENO);
        return close(ends[1]);
}

static int teardown(void **state)
{
        (void)state;
        (void)dup2(saved_stderr, STDERR_FILENO);
        return close(saved_stderr) + close(read_end);
}

static void *say_much(void *unused)
{
        (void)unused;
        log_from_event_loop();
        for (int i = 0; i < LINES; i++) {
                log_event(LOG_LEVEL_INFO, "refused", LOG_INT("sonet.number", i));
        }
        return NULL;
}

static int64_t number_in(const char *line, const char *key)
{
        const char *at = strstr(line, key);

        return at != NULL ? strtol(at + strlen(key), NULL, 10) : -1;
}

/* All lines are complete and in order, and the others were counted. */
static void assert_all_are_told_of(FILE *log)
{
        int64_t told = 0, last = -1;
        char line[1024];

        while (told < LINES && fgets(line, sizeof(line), log) != NULL) {
                int64_t dropped = number_in(line, "\"sonet.log.dropped\":"),
                        number = number_in(line, "\"sonet.number\":");

                assert_int_equal('{', line[0]);
                assert_string_equal("}\n", line + strlen(line) - 2);
                assert_true((dropped > 0) != (number > last));
                told += dropped > 0 ? dropped : 1;
                last = dropped > 0 ? last : number;
        }
        assert_int_equal(LINES, told);
}

static void an_event_loop_does_not_wait_for_the_reader_of_the_log(void **state)
{
        struct timespec until;
        pthread_t thread;
        FILE *log;

        (void)state;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 60;
        (void)pthread_create(&thread, NULL, say_much, NULL);
        assert_int_equal(0, pthread_timedjoin_np(thread, NULL, &until)); /* nothing was read */
        log = fdopen(dup(read_end), "r");
        assert_all_are_told_of(log);
        (void)fclose(log);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(an_event_loop_does_not_wait_for_the_reader_of_the_log, setup, teardown),
        };

        return cmocka_run_group_tests_name("base log", tests, NULL, NULL);
}
