/* Search queries: every text is either parsed to a tree, whose text parses to the same tree, with and without what says
 * nothing, or rejected with an error position within the text. */
#include <string.h>

#include "base/str.h"
#include "fuzz/must.h"
#include "services/search/query.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static size_t count_leaves(const struct query *query)
{
        size_t n = query->n == 0;

        MUST(query->n > 0 || query->text[0] != '\0');
        for (size_t i = 0; i < query->n; i++) {
                n += count_leaves(query->children[i]);
        }
        return n;
}

/* What is left prints and parses as a tree of which nothing more is dropped. */
static void check_reduced(struct arena *arena, struct query *query)
{
        struct query *reduced = query_reduce(arena, query), *again;
        struct query_error error;
        char *printed;

        if (reduced != NULL) {
                MUST(count_leaves(reduced) <= count_leaves(query));
                printed = query_print(arena, reduced);
                again = query_parse(arena, printed, &error);
                MUST(again != NULL && strcmp(query_print(arena, again), printed) == 0);
                MUST(count_leaves(query_reduce(arena, again)) == count_leaves(again));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *arena = arena_new(ARENA_BYTES);
        char *text = arena_strndup(arena, (const char *)data, size);
        struct query_error error;
        struct query *query;

        if (utf8_valid(text, strlen(text))) {
                query = query_parse(arena, text, &error);
                if (query == NULL) {
                        MUST(error.wants != NULL && error.at >= 1 && error.at <= utf8_length(text, strlen(text)) + 1);
                } else {
                        char *printed = query_print(arena, query);
                        struct query *again = query_parse(arena, printed, &error);

                        MUST(count_leaves(query) <= QUERY_MAX_TERMS);
                        MUST(again != NULL && strcmp(query_print(arena, again), printed) == 0);
                        MUST(count_leaves(again) == count_leaves(query));
                        check_reduced(arena, query);
                }
        }
        arena_free(arena);
        return 0;
}
