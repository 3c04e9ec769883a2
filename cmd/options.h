/* Options: one table per command says what --options it takes; parsing and the help page both come from it. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type { OPTION_FLAG, OPTION_NUMBER, OPTION_TEXT, OPTION_TEXTS };

/* Target of OPTION_TEXTS, which may be given more than once. */
#define OPTION_TEXTS_MAX 64
struct option_texts {
        const char *items[OPTION_TEXTS_MAX];
        size_t n;
};

struct option_row {
        const char *name; /* "port" for --port */
        enum option_type type;
        void *target; /* bool *, int64_t *, const char ** or struct option_texts *; holds the default before parsing */
        const char *value; /* how help calls the value: "N"; NULL with OPTION_FLAG */
        const char *help;
        int64_t min, max; /* of OPTION_NUMBER */
};

enum options_result {
        OPTIONS_RUN,  /* go on; operands stand from argv[*first] */
        OPTIONS_HELP, /* --help was asked for and printed: exit 0 */
        OPTIONS_BAD,  /* the reason was printed: exit EXIT_USAGE */
};

#define OPTIONS_MAX 24
/* argv[0] is the name of a command in main.c's table. Options may stand before, between and after operands. */
enum options_result options_parse(const struct option_row *rows, size_t n, int argc, char **argv, int *first);

/* The name that was probably meant: nearest by edits, or NULL when none is near. names[i] stands stride bytes after the
 * one before. */
const char *nearest_name(const char *word, const char *const *names, size_t n, size_t stride);

#endif
