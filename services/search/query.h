/* The query language (docs/search.md): parses a text into a tree, and prints a tree. Pure. */
#ifndef SERVICES_SEARCH_QUERY_H
#define SERVICES_SEARCH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

enum { QUERY_MAX_TERMS = 50, QUERY_MAX_DEPTH = 10 };

enum query_kind {
        QUERY_AND,
        QUERY_OR,
        QUERY_NOT,
        QUERY_WORD,   /* text, as typed */
        QUERY_PREFIX, /* text, without the '*' */
        QUERY_PHRASE, /* text, without the quotation marks */
        QUERY_FILTER, /* filter and text: "from:ada" */
};

enum query_filter {
        FILTER_FROM,
        FILTER_TO,
        FILTER_MENTIONS,
        FILTER_LANG,
        FILTER_HAS,
        FILTER_SINCE,
        FILTER_UNTIL,
        FILTER_DURING,
        FILTER_IN,
        FILTER_IS,
        FILTER_MIN_LIKES,
        FILTER_TAG,
        FILTER_URL,
        FILTER_COUNT
};

struct query {
        enum query_kind kind;
        enum query_filter filter;
        const char *text;        /* leaves only; never "" */
        struct query **children; /* AND and OR have two or more, NOT has one */
        size_t n;
        size_t at; /* leaves only: the position in the text, in code points from 1 */
};

struct query_error {
        size_t at;         /* position in code points from 1; one past the last at the end */
        const char *wants; /* what was expected: "a word" */
};

/* Parses UTF-8 text. NULL with *error set if it is not a valid query. */
struct query *query_parse(struct arena *arena, const char *text, struct query_error *error);
/* The tree without leaves that consist of punctuation alone, such as "&". NULL if nothing is left. */
struct query *query_reduce(struct arena *arena, struct query *query);
/* The simplest text of a tree: query_parse returns the same tree. */
char *query_print(struct arena *arena, const struct query *query);
/* False if a query only excludes, since it would have to read every note. */
bool query_asks_for_something(const struct query *query);
/* "from"; never NULL. */
const char *query_filter_name(enum query_filter filter);

#endif
