/* What a decoding child inherits, and how long its parent waits for it. The child is this program, and does what the
 * MIME type says. */
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
#include "services/media/sniff.h"

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

/* The output without arguments. */
static int say_abilities(void)
{
        printf("pictures\n");
        return fflush(stdout);
}

static int be_child(const char *what)
{
        if (what == NULL) {
                return say_abilities();
        }
        if (strcmp(what, "hang") == 0) {
                hang();
        }
        if (strcmp(what, "wave") == 0) {
                printf("duration 1500\nsound\nwaveform 0 100 101 5\ndone\n");
                return fflush(stdout);
        }
        return strcmp(what, "count") == 0 ? count_fds() : 0;
}

/* --- the parent --- */

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

static void decode_as(const char *what, int wait_ms, struct decoded *out)
{
        int fd = memfd_create("picture", MFD_CLOEXEC);

        errno = EINTR; /* some leftover value */
        assert_int_equal(decode(c, &(struct decode_request){.fd = fd, .mime_type = what, .wait_ms = wait_ms}, out),
                         SN_OK);
        close(fd);
}

static void a_child_has_no_descriptor_but_its_own(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);
        int leaked = fcntl(STDOUT_FILENO, F_DUPFD, 40), low = dup(STDOUT_FILENO);
        char expected[32];

        (void)state;
        assert_true(leaked >= 40 && low >= 0);
        decode_as("count", LONG_MS, d);
        close(leaked);
        close(low);
        (void)snprintf(expected, sizeof(expected), "has %d", DECODE_FIRST_FD + DECODE_N_OUTPUTS);
        assert_string_equal(d->reason, expected);
}

static void a_child_that_says_nothing_fails_at_once(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);

        (void)state;
        decode_as("end", LONG_MS, d);
        assert_string_equal(d->reason, "it cannot be read safely");
}

static void a_child_that_closes_its_output_and_goes_on_is_killed(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);

        (void)state;
        decode_as("hang", SHORT_MS, d);
        assert_string_equal(d->reason, "it takes too long to read");
}

static bool stop_at_once(void *context)
{
        ++*(int *)context;
        return false;
}

static void a_child_is_killed_when_its_work_is_cancelled(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);
        int fd = memfd_create("picture", MFD_CLOEXEC), asked = 0;
        const struct decode_request request = {
            .fd = fd, .mime_type = "hang", .wait_ms = LONG_MS, .goes_on = stop_at_once, .context = &asked};

        (void)state;
        assert_int_equal(decode(c, &request, d), SN_CANCELLED);
        assert_int_equal(asked, 1);
        close(fd);
}

static void a_waveform_is_parsed_up_to_the_first_invalid_value(void **state)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);

        (void)state;
        decode_as("wave", LONG_MS, d);
        assert_string_equal(d->reason, "");
        assert_true(d->is_sound);
        assert_int_equal(d->duration_ms, 1500);
        assert_int_equal(d->n_waveform, 2);
        assert_int_equal(d->waveform[1], 100);
}

static void missing_abilities_are_detected(void **state)
{
        struct decode_abilities abilities = {.films = true, .avif = true};

        (void)state;
        assert_int_equal(decode_ask(c, &abilities), SN_OK);
        assert_true(abilities.pictures);
        assert_false(abilities.films);
        assert_false(abilities.avif);
}

static void media_that_cannot_be_processed_are_refused_by_kind(void **state)
{
        static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\2\0\0\0";
        static const char ogg[] = "OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x13OpusHead\1\1";
        int picture = memfd_create("picture", MFD_CLOEXEC), sound = memfd_create("sound", MFD_CLOEXEC);
        struct sniffed type;

        (void)state;
        assert_int_equal(write(picture, png, sizeof(png)), sizeof(png));
        assert_int_equal(write(sound, ogg, sizeof(ogg)), sizeof(ogg));
        media_limits = (struct media_limits){.takes_pictures = true};
        assert_int_equal(sniff(c, picture, "file", &type), SN_OK);
        assert_int_equal(sniff(c, sound, "file", &type), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.detail,
                            "this server takes no videos and sounds, since it could not process them");
        media_limits = (struct media_limits){.takes_films = true};
        assert_int_equal(sniff(c, sound, "file", &type), SN_OK);
        assert_string_equal(type.mime_type, "audio/ogg");
        assert_int_equal(sniff(c, picture, "file", &type), SN_INVALID_ARGUMENT);
        close(picture);
        close(sound);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_child_has_no_descriptor_but_its_own, begin, finish),
            cmocka_unit_test_setup_teardown(a_child_that_says_nothing_fails_at_once, begin, finish),
            cmocka_unit_test_setup_teardown(a_child_that_closes_its_output_and_goes_on_is_killed, begin, finish),
            cmocka_unit_test_setup_teardown(a_child_is_killed_when_its_work_is_cancelled, begin, finish),
            cmocka_unit_test_setup_teardown(a_waveform_is_parsed_up_to_the_first_invalid_value, begin, finish),
            cmocka_unit_test_setup_teardown(missing_abilities_are_detected, begin, finish),
            cmocka_unit_test_setup_teardown(media_that_cannot_be_processed_are_refused_by_kind, begin, finish),
        };
        return argc > 1 && strcmp(argv[1], DECODE_COMMAND) == 0 ? be_child(argv[2])
                                                                : cmocka_run_group_tests(tests, NULL, NULL);
}
