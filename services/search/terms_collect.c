/* Owns the first walk over a query's tree: collecting the words and lexemes to look up in the index. */
#include <string.h>
#include "services/search/edits.h"
#include "services/search/filters.h"
#include "services/search/stems.h"
#include "services/search/terms_parts.h"

/* Looking for the words that a mistyped one may stand for takes some ms, and a query may have fifty words. */
enum { CORRECTED_MAX = 10 };

static bool may_be_mistyped(const struct query *query, const struct lexeme *lexeme)
{
        return query->kind == QUERY_WORD && query->text[0] != '@' && query->text[0] != '#' &&
               edits_forgiven(lexeme->text) > 0;
}

/* Requests the number of notes with a lexeme. */
static size_t count_lexeme(struct making *m, const char *lexeme)
{
        m->words[m->n_words++] = (struct word_asked){.word = "", .lexeme = lexeme};
        return m->n_words;
}

/* Not the last character of a run of pairs, which is only a beginning of one. */
static bool is_pair(const struct lexemes *lexemes, size_t i)
{
        return lexemes->items[i].kind == LEXEME_PAIR && i + 1 < lexemes->n && lexemes->items[i + 1].kind == LEXEME_PAIR;
}

/* The longest of the complete words, or pairs of characters, except one; NULL if there is none. */
static const char *longest_word(const struct leaf *leaf, const char *besides)
{
        const struct lexemes *lexemes = &leaf->lexemes;
        size_t unfinished = leaf->query->kind == QUERY_PREFIX ? lexemes->n_words : 0;
        const char *longest = NULL;

        for (size_t i = 0; i < lexemes->n; i++) {
                const struct lexeme *l = &lexemes->items[i];

                if ((l->kind == LEXEME_WORD || is_pair(lexemes, i)) && (unfinished == 0 || l->position != unfinished) &&
                    (besides == NULL || strcmp(l->text, besides) != 0) &&
                    (longest == NULL || strlen(l->text) > strlen(longest))) {
                        longest = l->text;
                }
        }
        return longest;
}

/* NULL if it has no two adjacent frequent words. */
static const char *first_pair(struct arena *arena, const struct leaf *leaf)
{
        const struct lexemes *lexemes = &leaf->lexemes;
        size_t unfinished = leaf->query->kind == QUERY_PREFIX ? lexemes->n_words : 0;

        for (size_t i = 1; i < lexemes->n; i++) {
                const struct lexeme *before = &lexemes->items[i - 1], *l = &lexemes->items[i];
                char *pair = before->kind == LEXEME_WORD && l->kind == LEXEME_WORD && l->position != unfinished
                                 ? stems_pair(arena, before->text, l->text)
                                 : NULL;

                if (pair != NULL) {
                        return pair;
                }
        }
        return NULL;
}

/* The two longest words are probably the rarest, and a pair is rarer still. */
static void count_phrase(struct making *m, struct leaf *leaf)
{
        const char *pair = first_pair(m->c->arena, leaf), *first = pair != NULL ? pair : longest_word(leaf, NULL);
        const char *second =
            first != NULL && (pair == NULL || leaf->lexemes.n_words > 2) ? longest_word(leaf, first) : NULL;

        leaf->paired = pair != NULL;
        leaf->counted = first != NULL ? count_lexeme(m, first) : 0;
        leaf->also = second != NULL ? count_lexeme(m, second) : 0;
}

/* Each two characters of a script without spaces count as a word: their pairs overlap. */
static size_t count_words(const struct lexemes *lexemes)
{
        size_t n = 0, n_pairs = 0;

        for (size_t i = 0; i < lexemes->n; i++) {
                n_pairs += lexemes->items[i].kind == LEXEME_PAIR;
                n += lexemes->items[i].position > 0 && lexemes->items[i].kind != LEXEME_PAIR;
        }
        return n + (n_pairs + 1) / 2;
}

static sn_status collect_words(struct making *m, struct leaf *leaf)
{
        leaf->lexemes = lexemes_of(m->c->arena, leaf->query->text);
        if (leaf->lexemes.n_words == 0) {
                return terms_fail(m->c, leaf->query->at, "a shorter word");
        }
        m->n_typed += count_words(&leaf->lexemes);
        if (m->n_typed > QUERY_MAX_TERMS) {
                return terms_fail(m->c, leaf->query->at,
                                  "the end: a query has at most 50 words, those of phrases included");
        }
        if (leaf->lexemes.n_words == 1 && leaf->query->kind != QUERY_PHRASE) {
                const struct lexeme *lexeme = &leaf->lexemes.items[0];
                bool word = leaf->query->kind == QUERY_WORD && lexeme->kind == LEXEME_WORD;

                m->words[m->n_words++] = (struct word_asked){
                    .word = word && leaf->query->text[0] != '@' ? lexeme->word : "",
                    .lexeme = lexeme->text,
                    .typos = word && !m->exact && !leaf->excluded && may_be_mistyped(leaf->query, lexeme) &&
                             m->n_mistyped++ < CORRECTED_MAX,
                    .synonyms = word && !leaf->excluded && leaf->query->text[0] != '@'};
                leaf->word = leaf->counted = m->n_words;
        } else {
                count_phrase(m, leaf);
        }
        return SN_OK;
}

static sn_status collect_filter(struct making *m, struct leaf *leaf, const struct query *filter, bool whole)
{
        TRY(filter_lexeme(m->c, filter, whole, m->out, &leaf->filter));
        if (leaf->filter != NULL) {
                leaf->counted = count_lexeme(m, leaf->filter);
        }
        return SN_OK;
}

static sn_status collect_leaf(struct making *m, const struct query *query, bool excluded, bool whole)
{
        struct leaf *leaf = &m->leaves[m->n_leaves++];

        *leaf = (struct leaf){.query = query, .excluded = excluded};
        if (query->kind == QUERY_WORD && query->text[0] == '#' && query->text[1] != '\0') {
                struct query tag = {.kind = QUERY_FILTER, .filter = FILTER_TAG, .text = query->text, .at = query->at};

                return collect_filter(m, leaf, &tag, false);
        }
        if (query->kind != QUERY_FILTER) {
                return collect_words(m, leaf);
        }
        if (query->filter == FILTER_LANG && !excluded) {
                m->language = query->text;
        }
        return collect_filter(m, leaf, query, whole);
}

static sn_status collect(struct making *m, const struct query *query, bool excluded, bool whole)
{
        if (query->kind > QUERY_NOT) {
                return collect_leaf(m, query, excluded, whole);
        }
        for (size_t i = 0; i < query->n; i++) {
                TRY(collect(m, query->children[i], excluded != (query->kind == QUERY_NOT),
                            whole && query->kind == QUERY_AND));
        }
        return SN_OK;
}

sn_status terms_collect(struct making *m, const struct query *query)
{
        return collect(m, query, false, true);
}
