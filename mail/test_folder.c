/* The folder of mails without a mail server: what is written, and what is removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include <cmocka.h>
#include "mail/parts.h"

#define NOW_S INT64_C(1800000000)
#define DAY_S 86400

static char folder[] = "/tmp/sonet-mails.XXXXXX";

static int setup(void **state)
{
        return mkdtemp(folder) != NULL ? 0 : -1;
}

static const char *path_of(const char *name)
{
        static char path[200];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static void make_file(const char *name, int64_t age_s)
{
        FILE *file = fopen(path_of(name), "w");

        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(utime(path_of(name), &(struct utimbuf){NOW_S - age_s, NOW_S - age_s}), 0);
}

static bool is_there(const char *name)
{
        return access(path_of(name), F_OK) == 0;
}

#define ID(n) "0192d5d0-7c1e-7abc-8def-00000000000" #n

static void only_mails_are_removed_after_a_week(void **state)
{
        const struct mail_options options = {.folder = folder};
        static const char *const names[] = {ID(1) ".eml", ID(2) ".eml", ID(3) ".eml.part", "letters.eml", ID(4) ".txt"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                make_file(names[i], i == 1 ? 7 * DAY_S : 7 * DAY_S + 1);
        }
        mail_folder_clean(&options, NOW_S);
        assert_false(is_there(names[0]));
        assert_true(is_there(names[1]));
        assert_false(is_there(names[2]));
        assert_true(is_there(names[3]));
        assert_true(is_there(names[4]));
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                (void)unlink(path_of(names[i]));
        }
        assert_int_equal(rmdir(folder), 0);
}

static void a_missing_folder_does_no_harm(void **state)
{
        const struct mail_options options = {.folder = "/tmp/sonet-mails-that-are-not-there"};

        mail_folder_clean(&options, NOW_S);
        assert_int_not_equal(access(options.folder, F_OK), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(only_mails_are_removed_after_a_week),
            cmocka_unit_test(a_missing_folder_does_no_harm),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
