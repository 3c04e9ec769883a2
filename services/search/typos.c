/* Owns which words a mistyped one is taken to stand for: those with one error, and those with two only if there is none
 * with one and no note has the word as typed. */
#include <string.h>
#include "services/search/edits.h"
#include "services/search/terms_parts.h"

enum { TYPOS_MAX = 5 };

static bool is_typo_of(const SearchRows__Word *row, size_t place)
{
        return (size_t)row->place == place && row->kind[0] == 'y';
}

/* Words of hidden notes alone do not count: what one may not see must not change what is found. */
static bool has_with_errors(const struct making *m, size_t place, size_t errors)
{
        for (size_t i = 0; i < m->n_rows; i++) {
                if (is_typo_of(m->rows[i], place) && m->rows[i]->open > 0 &&
                    edits_between(m->words[place - 1].lexeme, m->rows[i]->word, errors) <= errors) {
                        return true;
                }
        }
        return false;
}

static bool is_in_a_note(const struct making *m, size_t place)
{
        for (size_t i = 0; i < m->n_rows; i++) {
                if ((size_t)m->rows[i]->place == place && m->rows[i]->kind[0] == 'w') {
                        return m->rows[i]->open > 0;
                }
        }
        return false;
}

static bool may_have_two(const struct making *m, size_t place)
{
        const struct word_asked *word = &m->words[place - 1];

        return word->typos && edits_forgiven(word->lexeme) > 1 && !is_in_a_note(m, place) &&
               !has_with_errors(m, place, 1);
}

/* Removes the candidates for this word that have more errors than allowed; the other rows keep their order. */
static void keep_typos(struct making *m, size_t place, size_t errors)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_rows; i++) {
                if (!is_typo_of(m->rows[i], place) ||
                    edits_between(m->words[place - 1].lexeme, m->rows[i]->word, errors) <= errors) {
                        m->rows[n++] = m->rows[i];
                }
        }
        m->n_rows = n;
}

/* How many candidates for the same word are in more notes, or in as many and sort before this one. */
static size_t rank_of(const struct making *m, const SearchRows__Word *row)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_rows; i++) {
                const SearchRows__Word *other = m->rows[i];

                n += is_typo_of(other, (size_t)row->place) &&
                     (other->open > row->open || (other->open == row->open && strcmp(other->word, row->word) < 0));
        }
        return n;
}

static void keep_most_frequent(struct making *m)
{
        SearchRows__Word **kept = ARENA_ARRAY(m->c->arena, SearchRows__Word *, m->n_rows + 1);
        size_t n = 0;

        for (size_t i = 0; i < m->n_rows; i++) {
                if (m->rows[i]->kind[0] != 'y' || rank_of(m, m->rows[i]) < TYPOS_MAX) {
                        kept[n++] = m->rows[i];
                }
        }
        m->rows = kept;
        m->n_rows = n;
}

static sn_status add_with_two(struct db_tx *tx, struct making *m, size_t place)
{
        SearchRows__Word **more = NULL, **all;
        size_t n = 0;

        TRY(store_alike(tx, place, m->words[place - 1].lexeme, &n, &more));
        all = ARENA_ARRAY(m->c->arena, SearchRows__Word *, m->n_rows + n + 1);
        memcpy(all, m->rows, m->n_rows * sizeof(SearchRows__Word *));
        for (size_t i = 0; i < n; i++) {
                all[m->n_rows + i] = more[i];
        }
        m->rows = all;
        m->n_rows += n;
        return SN_OK;
}

sn_status typos_choose(struct db_tx *tx, struct making *m)
{
        for (size_t place = 1; place <= m->n_words; place++) {
                bool two = may_have_two(m, place);

                if (two) {
                        keep_typos(m, place, 0);
                        TRY(add_with_two(tx, m, place));
                }
                keep_typos(m, place, two ? 2 : 1);
        }
        keep_most_frequent(m);
        return SN_OK;
}
