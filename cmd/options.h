/* Options: one table per command, used for both parsing and the help page. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type { OPTION_FLAG, OPTION_NUMBER, OPTION_TEXT, OPTION_TEXTS };

/* The target of an OPTION_TEXTS, which may be repeated. */
#define OPTION_TEXTS_MAX 64
struct option_texts {
        const char *items[OPTION_TEXTS_MAX];
        size_t n;
};

struct option_row {
        const char *name; /* "port" for --port */
        enum option_type type;
        void *target; /* bool *, int64_t *, const char ** or struct option_texts *; holds the default before parsing */
        const char *value; /* the value's name in the help: "N"; NULL for OPTION_FLAG */
        const char *help;
        int64_t min, max; /* of OPTION_NUMBER */
};

enum options_result {
        OPTIONS_RUN,  /* continue; operands start at argv[*first] */
        OPTIONS_HELP, /* --help was printed: exit 0 */
        OPTIONS_BAD,  /* an error was printed: exit EXIT_USAGE */
};

#define OPTIONS_MAX 24
/* argv[0] is the name of a command in main.c's table. Options may come before, between and after operands. */
enum options_result options_parse(const struct option_row *rows, size_t n, int argc, char **argv, int *first);

/* The most similar name, or NULL if none is similar. names[i] is stride bytes after the previous one. */
const char *nearest_name(const char *word, const char *const *names, size_t n, size_t stride);

#endif
