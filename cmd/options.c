/* Owns parsing command lines. getopt_long does the splitting; this file adds typed values, help and error messages. */
#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "cmd/commands.h"

#define NEAREST_MAX_LENGTH 32

static size_t min_of(size_t a, size_t b, size_t c)
{
        size_t least = a < b ? a : b;
        return least < c ? least : c;
}

/* Levenshtein distance of two short words; long ones count as completely different. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t row[NEAREST_MAX_LENGTH + 1];
        size_t a_len = strlen(a), b_len = strlen(b);

        if (a_len > NEAREST_MAX_LENGTH || b_len > NEAREST_MAX_LENGTH) {
                return SIZE_MAX;
        }
        for (size_t j = 0; j <= b_len; j++) {
                row[j] = j;
        }
        for (size_t i = 1; i <= a_len; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= b_len; j++) {
                        size_t above = row[j];
                        row[j] = min_of(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
                        diagonal = above;
                }
        }
        return row[b_len];
}

const char *nearest_name(const char *word, const char *const *names, size_t n, size_t stride)
{
        const char *best = NULL;
        size_t least = strlen(word) / 3 + 2; /* "prot" finds "port", "x" finds nothing much longer */

        for (size_t i = 0; i < n; i++) {
                const char *name = *(const char *const *)((const char *)names + i * stride);
                size_t distance = edit_distance(word, name);
                if (distance < least && distance < strlen(name)) {
                        least = distance;
                        best = name;
                }
        }
        return best;
}

static void print_help(const char *name, const struct option_row *rows, size_t n)
{
        const struct command *command = command_find(name);

        printf("Usage: sonet %s%s%s%s\n", name, n > 0 ? " [OPTION]…" : "", command->operands[0] != '\0' ? " " : "",
               command->operands);
        printf("%s\n\n%s", command->summary, command->details);
        if (n > 0) {
                printf("\nOptions:\n");
        }
        for (size_t i = 0; i < n; i++) {
                char left[40];
                int len = snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].value != NULL ? " " : "",
                                   rows[i].value != NULL ? rows[i].value : "");
                printf("  %-*s %s\n", len > 20 ? len : 20, left, rows[i].help);
        }
}

static bool store_number(const struct option_row *row, const char *command, const char *text)
{
        int64_t value = 0;

        if (!str_to_i64(str_of(text), &value) || value < row->min || value > row->max) {
                fprintf(stderr, "sonet %s: --%s takes a whole number from %lld to %lld, not '%s'\n", command, row->name,
                        (long long)row->min, (long long)row->max, text);
                return false;
        }
        *(int64_t *)row->target = value;
        return true;
}

static bool store_texts(const struct option_row *row, const char *command, const char *text)
{
        struct option_texts *texts = row->target;

        if (texts->n == OPTION_TEXTS_MAX) {
                fprintf(stderr, "sonet %s: --%s can be given at most %d times\n", command, row->name, OPTION_TEXTS_MAX);
                return false;
        }
        texts->items[texts->n++] = text;
        return true;
}

static bool store_option(const struct option_row *row, const char *command, const char *text)
{
        switch (row->type) {
        case OPTION_FLAG:
                *(bool *)row->target = true;
                return true;
        case OPTION_TEXT:
                *(const char **)row->target = text;
                return true;
        case OPTION_TEXTS:
                return store_texts(row, command, text);
        case OPTION_NUMBER:
                break;
        }
        return store_number(row, command, text);
}

/* What getopt_long rejected: an option without its value, or an unknown one. */
static enum options_result report_bad_option(int found, const struct option_row *rows, size_t n, char **argv)
{
        const char *word = argv[optind - 1];
        size_t dashes = strspn(word, "-");

        if (found == ':') {
                fprintf(stderr, "sonet %s: %s requires a value\n", argv[0], word);
                return OPTIONS_BAD;
        }
        const char *near = n > 0 ? nearest_name(word + dashes, &rows[0].name, n, sizeof(rows[0])) : NULL;
        fprintf(stderr, "sonet %s: unknown option %s", argv[0],
                optopt != 0 && dashes < 2 ? "with a single dash" : word);
        if (near != NULL) {
                fprintf(stderr, "; did you mean --%s?", near);
        }
        fprintf(stderr, "\nTry 'sonet help %s'.\n", argv[0]);
        return OPTIONS_BAD;
}

enum options_result options_parse(const struct option_row *rows, size_t n, int argc, char **argv, int *first)
{
        struct option longs[OPTIONS_MAX + 2] = {{0}};

        if (n > OPTIONS_MAX) {
                abort(); /* a table in this program exceeds the limit */
        }
        for (size_t i = 0; i < n; i++) {
                longs[i].name = rows[i].name;
                longs[i].has_arg = rows[i].type == OPTION_FLAG ? no_argument : required_argument;
                longs[i].val = 256 + (int)i;
        }
        longs[n] = (struct option){"help", no_argument, NULL, 'h'};
        opterr = 0;
        optind = 0; /* glibc: reset, so that parsing can run more than once per process */
        for (int found; (found = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
                if (found == 'h') {
                        print_help(argv[0], rows, n);
                        return OPTIONS_HELP;
                }
                if (found < 256) {
                        return report_bad_option(found, rows, n, argv);
                }
                if (!store_option(&rows[found - 256], argv[0], optarg)) {
                        return OPTIONS_BAD;
                }
        }
        *first = optind;
        return OPTIONS_RUN;
}
