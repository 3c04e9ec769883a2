/* Tests of what a decoding child inherits and how long its parent waits for it: the child is this program, and does
 * what its MIME type says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "services/media/decode.h"

enum { LONG_MS = 300000, SHORT_MS = 200 };

/* --- the child --- */

static int count_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 1024; fd++) {
                n += fcntl(fd, F_GETFD) >= 0;
        }
        printf("reason has %d\n", n);
        return fflush(stdout);
}

static _Noreturn void hang(void)
{
        printf("done\n");
        (void)fclose(stdout);
        for (;;) {
                (void)pause();
        }
}

static int be_child(const char *what)
{
        if (strcmp(what, "hang") == 0) {
                hang();
        }
        return strcmp(what, "count") == 0 ? count_fds() : 0;
}

/* --- its caller --- */

static struct rpc_call *c;

static int begin(void **state)
{
        (void)state;
        c = rpc_call_new_background(NULL, LONG_MS);
        return 0;
}

static int finish(void **state)
{
        (void)state;
        rpc_call_free(c);
        return 0;
}

static void decode(const char *what, int wait_ms, struct decoded *out)
{
        int fd = memfd_create("picture", MFD_CLOEXEC);

        errno = EINTR; /* whatever it was before */
        assert_int_equal(
            decode_picture(c, &(struct decode_request){.fd = fd, .mime_type = what, .wait_ms = wait_ms}, out), SN_OK);
        close(fd);
}

static void a_child_has_no_descriptor_but_its_own(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);
        int leaked = fcntl(STDOUT_FILENO, F_DUPFD, 40), low = dup(STDOUT_FILENO);
        char expected[32];

        (void)state;
        assert_true(leaked >= 40 && low >= 0);
        decode("count", LONG_MS, d);
        close(leaked);
        close(low);
        (void)snprintf(expected, sizeof(expected), "has %d", DECODE_FIRST_FD + DECODE_N_OUTPUTS);
        assert_string_equal(d->reason, expected);
}

static void a_child_that_says_nothing_fails_at_once(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);

        (void)state;
        decode("end", LONG_MS, d);
        assert_string_equal(d->reason, "it cannot be read safely");
}

static void a_child_that_closes_its_output_and_goes_on_is_killed(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);

        (void)state;
        decode("hang", SHORT_MS, d);
        assert_string_equal(d->reason, "it takes too long to read");
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_child_has_no_descriptor_but_its_own, begin, finish),
            cmocka_unit_test_setup_teardown(a_child_that_says_nothing_fails_at_once, begin, finish),
            cmocka_unit_test_setup_teardown(a_child_that_closes_its_output_and_goes_on_is_killed, begin, finish),
        };
        return argc > 2 && strcmp(argv[1], DECODE_COMMAND) == 0 ? be_child(argv[2])
                                                                : cmocka_run_group_tests(tests, NULL, NULL);
}
