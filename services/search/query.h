/* The language of queries (docs/search.md): a text into a tree, and a tree into its text. Pure. */
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
        const char *text;        /* of leaves; never "" */
        struct query **children; /* of AND and OR two or more, of NOT one */
        size_t n;
        size_t at; /* of leaves: where it begins in the text, in code points from 1 */
};

struct query_error {
        size_t at;         /* in code points from 1; one more than there are: at the end */
        const char *wants; /* "a word" */
};

/* The tree of a text; NULL with *error when it is not a valid query. UTF-8. */
struct query *query_parse(struct arena *arena, const char *text, struct query_error *error);
/* The text whose tree this is, in its plainest form: query_parse gives the same tree again. */
char *query_print(struct arena *arena, const struct query *query);
/* Not when it only excludes: that would be to read every note. */
bool query_asks_for_something(const struct query *query);
/* "from"; never NULL. */
const char *query_filter_name(enum query_filter filter);

#endif
