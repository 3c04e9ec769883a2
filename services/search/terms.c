/* Walks the tree twice: first to collect the words, whose alternatives are then read together; then to write the
 * tsquery. */
#include "services/search/terms.h"

#include <math.h>
#include <string.h>
#include "base/str.h"
#include "services/search/forms.h"
#include "services/search/stems.h"
#include "services/search/terms_parts.h"

enum { QUERY_MAX_BYTES = 256 * 1024, ALTERNATIVES_MAX = 400, FREQUENT = 1000 };

sn_status terms_fail(struct rpc_call *c, size_t at, const char *wants)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "query_invalid", "query", "at character %zu: expected %s", at,
                             wants);
}

static size_t first_leaf_at(const struct query *query)
{
        while (query->kind <= QUERY_NOT) {
                query = query->children[0];
        }
        return query->at;
}

sn_status terms_read(struct rpc_call *c, const char *text, struct query **out)
{
        struct query_error error;
        struct query *query = query_parse(c->arena, text, &error);

        if (query == NULL) {
                return terms_fail(c, error.at, error.wants);
        }
        *out = query_reduce(c->arena, query);
        return *out != NULL ? SN_OK : terms_fail(c, first_leaf_at(query), "a word with a letter, a digit or an emoji");
}

/* ---- Alternatives ---- */

/* How many notes have the word as typed. */
static int64_t count_as_typed(const struct making *m, size_t place)
{
        for (size_t i = 0; i < m->n_rows; i++) {
                if ((size_t)m->rows[i]->place == place && m->rows[i]->kind[0] == 'w') {
                        return m->rows[i]->open;
                }
        }
        return 0;
}

/* A word that many notes have as typed is neither mistyped nor just a prefix. */
static bool is_frequent(const struct making *m, const struct leaf *leaf)
{
        return count_as_typed(m, leaf->word) >= FREQUENT;
}

static bool is_last(const struct making *m, const struct leaf *leaf)
{
        return !m->exact && !m->as_typed && leaf == &m->leaves[m->n_leaves - 1] && leaf->query->kind == QUERY_WORD &&
               !leaf->excluded && !is_frequent(m, leaf);
}

bool terms_may_be_start(const struct making *m, const struct leaf *leaf)
{
        return leaf->query->kind == QUERY_PREFIX || is_last(m, leaf) || leaf->lexemes.items[0].kind == LEXEME_PAIR;
}

/* The number of notes is stored among the words, as ":all". */
static sn_status load_alternatives(struct making *m)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        for (size_t i = 0; i < m->n_leaves; i++) {
                if (m->leaves[i].word > 0) {
                        m->words[m->leaves[i].word - 1].starts = terms_may_be_start(m, &m->leaves[i]);
                }
        }
        struct forms_asked forms = forms_of(m->c->arena, m->words, m->n_words, m->language);
        m->words[m->n_words] = (struct word_asked){.word = "", .lexeme = ":all"};
        TRY(db_read(m->c, &tx));
        TRY(store_alternatives(tx, m->words, m->n_words + 1, &forms, &m->n_rows, &m->rows));
        return typos_choose(tx, m);
}

/* The inverse document frequency of BM25. */
static double rarity_of(const struct making *m, int64_t n)
{
        double with = (double)(n > 0 ? n : 1);

        return log(1 + (m->n_notes + 1 - with + 0.5) / (with + 0.5));
}

char *terms_quote(struct arena *arena, const char *lexeme, const char *behind)
{
        char *out = arena_alloc(arena, 2 * strlen(lexeme) + strlen(behind) + 3), *at = out;

        *at++ = '\'';
        for (; *lexeme != '\0'; lexeme++) {
                if (*lexeme == '\'' || *lexeme == '\\') {
                        *at++ = *lexeme;
                }
                *at++ = *lexeme;
        }
        *at++ = '\'';
        memcpy(at, behind, strlen(behind) + 1);
        return out;
}

static struct alternative *add_alternative(struct making *m, const struct leaf *leaf, const char *lexeme)
{
        struct terms *out = m->out;

        if (leaf->excluded || out->n_alternatives == ALTERNATIVES_MAX) {
                return ARENA_NEW(m->c->arena, struct alternative); /* not used for ranking */
        }
        out->alternatives[out->n_alternatives] =
            (struct alternative){.term = out->n, .lexeme = lexeme, .weight = 1, .exactness = EXACT_WORD};
        return &out->alternatives[out->n_alternatives++];
}

static void write_alternative(struct making *m, const char *query, bool first)
{
        buf_append_c(&m->query, first ? "" : " | ");
        buf_append_c(&m->query, query);
}

/* ---- Writing ---- */

/* The weight of an alternative by its kind. */
static double weight_of(char kind)
{
        return kind == 'w' ? 1 : kind == 's' ? 0.8 : kind == 'o' ? 0.7 : 0.5;
}

/* Beside a frequent word, a form that hardly any note has, such as "~en:und" beside "und". It would find next to
 * nothing, but PostgreSQL takes several times as long for two common words if one of them has an alternative. */
static bool is_negligible(const struct making *m, const SearchRows__Word *row)
{
        int64_t open = count_as_typed(m, (size_t)row->place);

        return open >= FREQUENT && row->open < open / 100;
}

bool terms_is_admitted(const struct making *m, const SearchRows__Word *row)
{
        char kind = row->kind[0];

        return kind == 'w' || (kind == 's' && !is_negligible(m, row)) ||
               (kind != 'p' && kind != 'b' && kind != 's' && !m->as_typed);
}

static void write_word(struct making *m, const struct leaf *leaf)
{
        struct arena *arena = m->c->arena;
        size_t n = 0;

        for (size_t i = 0; i < m->n_rows; i++) {
                const SearchRows__Word *row = m->rows[i];
                bool typo = row->kind[0] == 'y';

                if ((size_t)row->place != leaf->word || !terms_is_admitted(m, row)) {
                        continue;
                }
                char *query = terms_quote(arena, row->word, "");
                struct alternative *alternative = add_alternative(m, leaf, row->word);
                if (row->kind[1] == ':') { /* a synonym in one language */
                        alternative->language = arena_printf(arena, ":lang:%s", row->kind + 2);
                        query = arena_printf(arena, "(%s & '%s')", query, alternative->language);
                }
                alternative->weight = rarity_of(m, row->open) * weight_of(row->kind[0]);
                alternative->exactness = typo ? EXACT_TYPO : row->kind[0] == 'o' ? EXACT_RELATED : EXACT_WORD;
                write_alternative(m, query, n++ == 0);
        }
}

/* The words with a prefix, or the prefix if there are many. PostgreSQL reads the lists of all words with a prefix as a
 * whole, but of words it skips what is outside of a window. */
static const char *words_with_prefix(const struct making *m, size_t place)
{
        struct arena *arena = m->c->arena;
        const char *words = "";
        size_t n = 0;

        for (size_t i = 0; i < m->n_rows; i++) {
                if ((size_t)m->rows[i]->place == place && m->rows[i]->kind[0] == 'b') {
                        words = arena_printf(arena, "%s%s%s", words, n > 0 ? " | " : "",
                                             terms_quote(arena, m->rows[i]->word, ""));
                        n++;
                }
        }
        return n > 0 && n <= STORE_PREFIX_WORDS ? arena_printf(arena, "(%s)", words)
                                                : terms_quote(arena, m->words[place - 1].lexeme, ":*");
}

static void write_prefix(struct making *m, const struct leaf *leaf, bool first)
{
        const char *word = m->words[leaf->word - 1].lexeme, *query = words_with_prefix(m, leaf->word);
        struct alternative *alternative = add_alternative(m, leaf, word);

        alternative->exactness = EXACT_RELATED;
        alternative->start = true;
        write_alternative(m, query, first);
}

/* Makes a phrase of adjacent words. A last single character of a script without spaces may begin a pair. */
static struct phrase *phrase_of(struct arena *arena, const struct leaf *leaf)
{
        const struct lexemes *lexemes = &leaf->lexemes;
        struct phrase *phrase = ARENA_NEW(arena, struct phrase);

        phrase->words = ARENA_ARRAY(arena, char *, lexemes->n_words);
        phrase->starts = ARENA_ARRAY(arena, bool, lexemes->n_words);
        phrase->lexemes = lexemes;
        /* the last character of a run of pairs adds nothing to the pair before it */
        for (size_t i = 0; i < lexemes->n && phrase->n < lexemes->n_words; i++) {
                const struct lexeme *l = &lexemes->items[i];
                bool tail = l->kind == LEXEME_PAIR && i > 0 && lexemes->items[i - 1].kind == LEXEME_PAIR &&
                            (i + 1 == lexemes->n || lexemes->items[i + 1].kind != LEXEME_PAIR);

                if (l->position > 0) {
                        phrase->starts[phrase->n] =
                            tail || (phrase->n + 1 == lexemes->n_words && leaf->query->kind == QUERY_PREFIX);
                        phrase->words[phrase->n++] = l->text;
                }
        }
        return phrase;
}

static void write_phrase(struct making *m, const struct leaf *leaf)
{
        struct arena *arena = m->c->arena;
        const struct phrase *phrase = phrase_of(arena, leaf);
        struct alternative *alternative = add_alternative(m, leaf, NULL);
        const char *query = "", *pairs = "";

        for (size_t i = 0; i < phrase->n; i++) {
                bool whole = m->has_pairs && i > 0 && !phrase->starts[i];
                const char *pair = whole ? stems_pair(arena, phrase->words[i - 1], phrase->words[i]) : NULL;

                pairs = pair != NULL ? arena_printf(arena, "%s%s & ", pairs, terms_quote(arena, pair, "")) : pairs;
                query = arena_printf(arena, "%s%s%s", query, i > 0 ? " <-> " : "",
                                     terms_quote(arena, phrase->words[i], phrase->starts[i] ? ":*" : ""));
        }
        alternative->phrase = phrase;
        alternative->weight = rarity_of(m, (int64_t)(m->n_notes / 100)) * 1.5;
        write_alternative(m, arena_printf(arena, "(%s(%s))", pairs, query), true);
}

static void write_leaf(struct making *m)
{
        const struct leaf *leaf = &m->leaves[m->written++];

        if (leaf->filter != NULL) {
                buf_append_c(&m->query, terms_quote(m->c->arena, leaf->filter, ""));
                return;
        }
        if (leaf->word == 0) {
                write_phrase(m, leaf);
        } else {
                if (leaf->query->kind == QUERY_WORD) {
                        write_word(m, leaf);
                }
                if (terms_may_be_start(m, leaf)) {
                        write_prefix(m, leaf, leaf->query->kind == QUERY_PREFIX);
                }
        }
        if (!leaf->excluded) {
                m->out->items[m->out->n++] = (struct term){.text = leaf->query->text, .at = leaf->query->at};
        }
}

/* Filters of the whole query are not part of the tsquery. */
static bool is_whole(const struct making *m, const struct query *query)
{
        return query->kind == QUERY_FILTER && m->leaves[m->written].filter == NULL;
}

/* Whether the leaf includes a prefix of so many notes that reading them all takes longer than comparing it with those
 * that are read anyway. */
static bool is_everywhere(const struct making *m, const struct leaf *leaf)
{
        double most = 0;
        size_t n_words = 0;
        bool start = leaf->word > 0 && terms_may_be_start(m, leaf);

        for (size_t i = 0; start && i < m->n_rows; i++) {
                if ((size_t)m->rows[i]->place == leaf->word) {
                        most = m->rows[i]->kind[0] == 'p' ? (double)m->rows[i]->open : most;
                        n_words += m->rows[i]->kind[0] == 'b';
                }
        }
        return n_words > STORE_PREFIX_WORDS && most * most > 4.0 * TERMS_RANKED * m->n_notes;
}

/* False if nothing is written. */
static bool write_one(struct making *m, const struct query *query)
{
        if (is_whole(m, query)) {
                m->written++;
                return false;
        }
        if (m->for_index && is_everywhere(m, &m->leaves[m->written])) {
                m->written++;
                m->omitted = true;
                return false;
        }
        buf_append_char(&m->query, '(');
        write_leaf(m);
        buf_append_char(&m->query, ')');
        return true;
}

/* For the index, terms that are everywhere are left out, and with them alternatives to them and exclusions: what is
 * written matches more than the query, never less. */
static bool write_query(struct making *m, const struct query *query)
{
        bool any = false, omitted = m->omitted;

        if (query->kind > QUERY_NOT) {
                return write_one(m, query);
        }
        m->omitted = false;
        buf_append_c(&m->query, query->kind == QUERY_NOT ? "!(" : "(");
        for (size_t i = 0; i < query->n; i++) {
                size_t len = m->query.len;

                if (any) {
                        buf_append_c(&m->query, query->kind == QUERY_OR ? " | " : " & ");
                }
                if (write_query(m, query->children[i])) {
                        any = true;
                } else {
                        m->query.len = len;
                }
        }
        buf_append_char(&m->query, ')');
        any = any && (!m->omitted || query->kind == QUERY_AND);
        m->omitted = m->omitted || omitted;
        return any;
}

/* text: NULL if it has no words. */
static sn_status write_text(struct making *m, const struct query *query, bool for_index, const char **text)
{
        m->for_index = for_index;
        m->omitted = false;
        m->written = m->out->n = m->out->n_alternatives = 0;
        buf_init(&m->query, QUERY_MAX_BYTES);
        bool any = write_query(m, query);
        *text = any ? arena_strndup(m->c->arena, m->query.data, m->query.len) : NULL;
        any = m->query.overflow;
        buf_free(&m->query);
        return any ? terms_fail(m->c, 1, "a shorter query") : SN_OK;
}

static sn_status write_tsquery(struct making *m, const struct query *query, bool as_typed, struct terms_query *out)
{
        m->as_typed = as_typed;
        TRY(write_text(m, query, true, &out->index));
        out->whole = !m->omitted;
        TRY(write_text(m, query, false, &out->text));
        terms_estimate(m, query, out);
        out->few = out->text != NULL && out->few;
        return SN_OK;
}

/* Steps are ordered by size, largest first. */
static void read_counts(struct making *m)
{
        struct terms *out = m->out;

        out->steps = ARENA_ARRAY(m->c->arena, struct step, m->n_rows);
        m->n_notes = 1;
        m->has_pairs = true;
        for (size_t i = m->n_rows; i-- > 0;) {
                const SearchRows__Word *row = m->rows[i];

                if (row->kind[0] == 't') {
                        out->steps[out->n_steps++] = (struct step){-row->place, row->word, row->open};
                } else if (row->kind[0] == 'r') {
                        m->has_pairs = false;
                } else if (strcmp(row->word, ":all") == 0 && row->open > 0) {
                        m->n_notes = (double)row->open;
                }
        }
        out->n_notes = m->n_notes;
}

/* Writes the complete query last, since the alternatives of the last one are kept. */
static sn_status write_all(struct making *m, const struct query *query)
{
        struct terms *out = m->out;

        read_counts(m);
        TRY(write_tsquery(m, query, true, &out->as_typed));
        TRY(write_tsquery(m, query, false, &out->query));
        if (out->as_typed.text != NULL && out->query.text != NULL && strcmp(out->as_typed.text, out->query.text) == 0) {
                out->as_typed.text = NULL;
        }
        return SN_OK;
}

sn_status terms_make(struct rpc_call *c, const struct query *query, bool exact, struct terms *out)
{
        struct making *m = ARENA_NEW(c->arena, struct making);

        *out = (struct terms){.above = "",
                              .below = "",
                              .alternatives = ARENA_ARRAY(c->arena, struct alternative, ALTERNATIVES_MAX),
                              .items = ARENA_ARRAY(c->arena, struct term, QUERY_MAX_TERMS)};
        *m = (struct making){.c = c, .out = out, .language = "", .exact = exact};
        if (!query_asks_for_something(query)) {
                return terms_fail(c, 1, "a word besides the excluded ones");
        }
        TRY(terms_collect(m, query));
        TRY(load_alternatives(m));
        return write_all(m, query);
}
