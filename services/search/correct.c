/* Corrects typing mistakes in a query. Uses only words of the notes that are shown, so it reveals nothing about notes
 * that the reader may not see. */
#include "services/search/find.h"

#include <string.h>
#include "services/search/rank.h"

/* What the notes have instead of the term; NULL if one has it as typed, or none has it. */
static const char *find_correction(const struct terms *terms, const struct ranked *const *shown, size_t n, size_t term)
{
        const char *correction = NULL;

        for (size_t i = 0; i < n; i++) {
                const struct alternative *match = rank_match(terms, shown[i]->ranks, term);

                if (match != NULL && match->exactness != EXACT_TYPO) {
                        return NULL;
                }
                correction = correction == NULL && match != NULL ? match->lexeme : correction;
        }
        return correction;
}

/* corrections: indexed by the position at which a leaf begins. */
static struct query *copy_corrected(struct arena *arena, const struct query *query, const char *const *corrections)
{
        struct query *copy = ARENA_NEW(arena, struct query);

        *copy = *query;
        if (query->kind >= QUERY_WORD) {
                copy->text = corrections[query->at] != NULL ? corrections[query->at] : query->text;
                return copy;
        }
        copy->children = ARENA_ARRAY(arena, struct query *, query->n);
        for (size_t i = 0; i < query->n; i++) {
                copy->children[i] = copy_corrected(arena, query->children[i], corrections);
        }
        return copy;
}

const char *find_corrected(struct arena *arena, const struct search *search, const struct ranked *const *shown,
                           size_t n)
{
        const struct terms *terms = &search->terms;
        const char **corrections = ARENA_ARRAY(arena, const char *, strlen(search->in->query) + 2);
        bool any = false;

        for (size_t i = 0; i < terms->n; i++) {
                const char *correction = find_correction(terms, shown, n, i);

                corrections[terms->items[i].at] = correction;
                any = any || correction != NULL;
        }
        return any ? query_print(arena, copy_corrected(arena, search->query, corrections)) : "";
}
