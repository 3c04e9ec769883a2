/* Command lines: parsing, errors, and suggested names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/commands.h"
#include "cmd/options.h"

static int nothing(int argc, char **argv)
{
        return 0;
}

const struct command *command_find(const char *name)
{
        static const struct command up = {"up", nothing, "", "starts", "Details.\n"};

        return strcmp(name, "up") == 0 ? &up : NULL;
}

struct values {
        int64_t port;
        const char *folder;
        bool split;
};

static enum options_result parse(struct values *v, int *first, int argc, const char *const *words)
{
        char *argv[16] = {0};
        const struct option_row rows[] = {
            {"port", OPTION_NUMBER, &v->port, "N", "a port", 0, 65535},
            {"data", OPTION_TEXT, &v->folder, "DIR", "a folder", 0, 0},
            {"split", OPTION_FLAG, &v->split, NULL, "apart", 0, 0},
        };

        for (int i = 0; i < argc; i++) {
                argv[i] = (char *)words[i];
        }
        return options_parse(rows, 3, argc, argv, first);
}

#define PARSE(v, first, ...)                                                                                           \
        parse((v), (first), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                             \
              (const char *[]){__VA_ARGS__})

static void options_are_stored_in_their_targets_and_operands_follow(void **state)
{
        struct values v = {8080, "here", false};
        int first = 0;

        assert_int_equal(PARSE(&v, &first, "up", "one", "--port", "9", "--split", "--data=/x", "two"), OPTIONS_RUN);
        assert_int_equal(v.port, 9);
        assert_string_equal(v.folder, "/x");
        assert_true(v.split);
        assert_int_equal(first, 5);
}

static void absent_options_keep_their_defaults(void **state)
{
        struct values v = {8080, "here", false};
        int first = 0;

        assert_int_equal(PARSE(&v, &first, "up"), OPTIONS_RUN);
        assert_int_equal(v.port, 8080);
        assert_string_equal(v.folder, "here");
        assert_false(v.split);
}

static void numbers_outside_their_range_are_rejected(void **state)
{
        static const char *const wrong[] = {"65536", "-1", "", "8o80", " 80", "99999999999999999999", "1e3"};

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                struct values v = {8080, "here", false};
                int first = 0;
                assert_int_equal(PARSE(&v, &first, "up", "--port", wrong[i]), OPTIONS_BAD);
                assert_int_equal(v.port, 8080);
        }
}

static void unknown_options_and_missing_values_are_rejected(void **state)
{
        struct values v = {8080, "here", false};
        int first = 0;

        assert_int_equal(PARSE(&v, &first, "up", "--prot", "1"), OPTIONS_BAD);
        assert_int_equal(PARSE(&v, &first, "up", "-p"), OPTIONS_BAD);
        assert_int_equal(PARSE(&v, &first, "up", "--data"), OPTIONS_BAD);
        assert_int_equal(PARSE(&v, &first, "up", "--split=yes"), OPTIONS_BAD);
}

static void help_is_printed_on_request(void **state)
{
        struct values v = {8080, "here", false};
        int first = 0;

        assert_int_equal(PARSE(&v, &first, "up", "--help"), OPTIONS_HELP);
}

static void the_nearest_name_is_suggested_unless_all_are_far(void **state)
{
        static const char *const names[] = {"up", "serve", "migrate", "admin"};

        assert_string_equal(nearest_name("servr", names, 4, sizeof(names[0])), "serve");
        assert_string_equal(nearest_name("migrat", names, 4, sizeof(names[0])), "migrate");
        assert_null(nearest_name("zzzzzz", names, 4, sizeof(names[0])));
        assert_null(nearest_name("", names, 4, sizeof(names[0])));
        assert_null(nearest_name("a-name-that-is-far-longer-than-any-command-could-be", names, 4, sizeof(names[0])));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(options_are_stored_in_their_targets_and_operands_follow),
            cmocka_unit_test(absent_options_keep_their_defaults),
            cmocka_unit_test(numbers_outside_their_range_are_rejected),
            cmocka_unit_test(unknown_options_and_missing_values_are_rejected),
            cmocka_unit_test(help_is_printed_on_request),
            cmocka_unit_test(the_nearest_name_is_suggested_unless_all_are_far),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
