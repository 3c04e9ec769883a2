/* Owns the estimate of how many notes match a query, by the counts of its words. */
#include <math.h>
#include "services/search/terms_parts.h"

static bool is_asked_for(const struct making *m, const struct leaf *leaf, const SearchRows__Word *row)
{
        return row->kind[0] == 'p' ? terms_may_be_start(m, leaf) : terms_is_admitted(m, row);
}

/* An upper bound of the notes with the counted word or one of its alternatives. */
static double most_of_word(const struct making *m, const struct leaf *leaf, size_t word)
{
        double most = 0;

        if (leaf->paired && !m->has_pairs) {
                return m->n_notes;
        }
        for (size_t i = 0; i < m->n_rows; i++) {
                if ((size_t)m->rows[i]->place == word && is_asked_for(m, leaf, m->rows[i])) {
                        most += (double)m->rows[i]->open;
                }
        }
        return word > 0 ? fmin(most, m->n_notes) : m->n_notes;
}

/* Of the notes with both words of a phrase, about so many have them next to each other. */
#define ADJACENT 0.5

static double share_of_leaf(const struct making *m, const struct leaf *leaf, double first, double second)
{
        double adjacent = leaf->also > 0 && leaf->word == 0 && leaf->filter == NULL && !leaf->paired ? ADJACENT : 1;

        return adjacent * first / m->n_notes * second / m->n_notes;
}

struct matching {
        double most, share; /* share: of all notes, if words occurred independently */
};

/* At least so many notes are assumed to be left by an exclusion: nearly all have the prefix, but not all. */
#define LEFT 0.1

/* *at: the index of the next leaf. */
static struct matching matching_of(const struct making *m, const struct query *query, size_t *at)
{
        struct matching all = {.most = query->kind == QUERY_OR ? 0 : m->n_notes, .share = query->kind != QUERY_OR};

        if (query->kind > QUERY_NOT) {
                const struct leaf *leaf = &m->leaves[(*at)++];
                double first = most_of_word(m, leaf, leaf->counted), second = most_of_word(m, leaf, leaf->also);

                return (struct matching){fmin(first, second), share_of_leaf(m, leaf, first, second)};
        }
        for (size_t i = 0; i < query->n; i++) {
                struct matching child = matching_of(m, query->children[i], at);

                if (query->kind == QUERY_OR) {
                        all = (struct matching){all.most + child.most, all.share + child.share};
                } else if (query->kind == QUERY_AND) {
                        all = (struct matching){fmin(all.most, child.most), all.share * child.share};
                } else {
                        all.share = fmax(1 - child.share, LEFT);
                }
        }
        return all;
}

/* Words in one query are correlated, so their share is assumed to be between the independent one and the maximum. */
void terms_estimate(const struct making *m, const struct query *query, struct terms_query *out)
{
        size_t at = 0;
        struct matching matching = matching_of(m, query, &at);
        double share = sqrt(matching.share * matching.most / m->n_notes);

        out->most = matching.most;
        out->share = fmin(fmax(share, 1 / m->n_notes), 1);
        out->few = matching.most * matching.most < TERMS_RANKED * m->n_notes;
}
