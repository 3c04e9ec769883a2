/* Owns dropping what a query says nothing by, so that every leaf of its tree has something to search for. */
#include "services/search/query.h"

#include <string.h>
#include "services/search/lexemes.h"

/* Punctuation alone, such as a lone "&", has no lexemes. Neither has a word that is too long for the index, but that
 * must not be taken for nothing. */
static bool says_nothing(struct arena *arena, const struct query *leaf)
{
        struct arena_mark mark = arena_mark(arena);
        bool nothing = leaf->kind != QUERY_FILTER && strlen(leaf->text) <= LEXEME_MAX_BYTES &&
                       lexemes_of(arena, leaf->text).n_words == 0;

        arena_reset(arena, mark);
        return nothing;
}

/* The children of a list of the same kind become children of this one, as the parser makes them. */
static void append_child(struct query *list, struct query *child)
{
        size_t n = child->kind == list->kind ? child->n : 1;

        memcpy(list->children + list->n, child->kind == list->kind ? child->children : &child,
               n * sizeof(*list->children));
        list->n += n;
}

static struct query *drop_from_list(struct arena *arena, const struct query *query)
{
        struct query *list = ARENA_NEW(arena, struct query);

        *list = (struct query){.kind = query->kind, .children = ARENA_ARRAY(arena, struct query *, QUERY_MAX_TERMS)};
        for (size_t i = 0; i < query->n; i++) {
                struct query *child = query_reduce(arena, query->children[i]);

                if (child != NULL) {
                        append_child(list, child);
                }
        }
        return list->n > 1 ? list : list->n == 1 ? list->children[0] : NULL;
}

static struct query *drop_from_not(struct arena *arena, const struct query *query)
{
        struct query *child = query_reduce(arena, query->children[0]), *not ;

        if (child == NULL || child->kind == QUERY_NOT) {
                return child != NULL ? child->children[0] : NULL;
        }
        not = ARENA_NEW(arena, struct query);
        *not = (struct query){.kind = QUERY_NOT, .children = ARENA_ARRAY(arena, struct query *, 1), .n = 1};
        not ->children[0] = child;
        return not ;
}

struct query *query_reduce(struct arena *arena, struct query *query)
{
        if (query->kind > QUERY_NOT) {
                return says_nothing(arena, query) ? NULL : query;
        }
        return query->kind == QUERY_NOT ? drop_from_not(arena, query) : drop_from_list(arena, query);
}
