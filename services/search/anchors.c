/* Of several required terms chooses the one that is probably rarest: a member, hashtag or link, or else the longest
 * word. Of alternatives it needs all. */
#include "services/search/anchors.h"

#include <string.h>
#include "base/str.h"
#include "base/uuid.h"
#include "services/search/filters.h"
#include "services/search/search.h"
#include "services/search/stems.h"
#include "services/search/store_alerts.h"

enum { WEIGHT_OF_SIGNS = 1000, START_MAX = 3 };

struct anchors {
        char **items;
        size_t n;
        size_t weight; /* 0 if there are none */
};

static struct anchors anchor_of_lexeme(struct rpc_call *c, const char *lexeme, size_t weight)
{
        struct anchors out = {.items = ARENA_ARRAY(c->arena, char *, 1), .n = 1, .weight = weight};

        out.items[0] = (char *)lexeme;
        return out;
}

/* For "gar*": search_anchors() of the schema indexes the same number of leading code points of each word. */
static struct anchors start_of(struct rpc_call *c, const char *word)
{
        size_t len = 0, left = strlen(word), n;
        uint32_t code_point;

        for (size_t i = 0; i < START_MAX && len < left; i++, len += n) {
                n = utf8_decode(word + len, left - len, &code_point);
        }
        return anchor_of_lexeme(c, arena_printf(c->arena, "%.*s*", (int)len, word), len);
}

/* In all languages, since the language of future notes is unknown. */
static sn_status with_forms(struct rpc_call *c, const struct lexeme *word, struct anchors *out)
{
        size_t n = 0, n_forms, n_rows = 0;
        const struct language *all = language_list(&n);
        const struct language **languages = ARENA_ARRAY(c->arena, const struct language *, n);
        char **forms = ARENA_ARRAY(c->arena, char *, 2 * n);
        SearchRows__Word **rows = NULL;

        for (size_t i = 0; i < n; i++) {
                languages[i] = &all[i];
        }
        n_forms = stems_forms(c->arena, languages, n, word->word, forms);
        TRY(DB_READ(c, tx, store_synonym_forms(tx, word->text, &n_rows, &rows)));
        *out = (struct anchors){.items = ARENA_ARRAY(c->arena, char *, n_forms + n_rows + 1),
                                .weight = strlen(word->text)};
        out->items[out->n++] = word->text;
        for (size_t i = 0; i < n_forms; i++) {
                out->items[out->n++] = forms[i];
        }
        for (size_t i = 0; i < n_rows; i++) {
                out->items[out->n++] = rows[i]->word;
        }
        return SN_OK;
}

/* Leaves out the last of several words, which may be only the beginning of one. */
static const struct lexeme *longest_word(const struct lexemes *lexemes)
{
        const struct lexeme *best = NULL;

        for (size_t i = 0, k = 0; i < lexemes->n; i++) {
                const struct lexeme *l = &lexemes->items[i];

                k += l->position > 0;
                if (l->position > 0 && (lexemes->n_words == 1 || k < lexemes->n_words) &&
                    (best == NULL || strlen(l->text) > strlen(best->text))) {
                        best = l;
                }
        }
        return best;
}

static sn_status of_words(struct rpc_call *c, const struct query *query, struct anchors *out)
{
        struct lexemes lexemes = lexemes_of(c->arena, query->text);
        const struct lexeme *word = longest_word(&lexemes);
        bool single = lexemes.n_words == 1;

        if (word == NULL) {
                return SN_OK;
        }
        if (word->kind == LEXEME_PAIR || (single && query->kind == QUERY_PREFIX)) {
                *out = start_of(c, word->text);
                return SN_OK;
        }
        if (single && query->kind == QUERY_WORD && word->kind == LEXEME_WORD && query->text[0] != '@') {
                return with_forms(c, word, out);
        }
        *out = anchor_of_lexeme(c, word->text, strlen(word->text));
        return SN_OK;
}

/* Filters of the whole query, and those that half of all notes match, are not anchors. */
static sn_status of_filter(struct rpc_call *c, const struct query *query, struct anchors *out)
{
        struct terms unused = {.above = "", .below = ""};
        const char *lexeme = NULL;

        switch (query->filter) {
        case FILTER_FROM:
        case FILTER_TO:
        case FILTER_MENTIONS:
        case FILTER_TAG:
        case FILTER_URL:
                TRY(filter_lexeme(c, query, false, &unused, &lexeme));
                if (strcmp(lexeme + strlen(lexeme) - 2, ":-") == 0) {
                        return terms_fail(c, query->at, "a member");
                }
                *out = anchor_of_lexeme(c, lexeme, WEIGHT_OF_SIGNS);
                return SN_OK;
        default:
                return SN_OK;
        }
}

static sn_status of_leaf(struct rpc_call *c, const struct query *query, struct anchors *out)
{
        struct query tag = {.kind = QUERY_FILTER, .filter = FILTER_TAG, .text = query->text, .at = query->at};
        bool hashtag = query->kind == QUERY_WORD && query->text[0] == '#' && query->text[1] != '\0';

        if (hashtag || query->kind == QUERY_FILTER) {
                return of_filter(c, hashtag ? &tag : query, out);
        }
        return of_words(c, query, out);
}

static struct anchors join_anchors(struct rpc_call *c, const struct anchors *a, const struct anchors *b)
{
        struct anchors out = {.items = ARENA_ARRAY(c->arena, char *, a->n + b->n),
                              .n = a->n + b->n,
                              .weight = a->weight < b->weight ? a->weight : b->weight};

        if (out.weight > 0) {
                memcpy(out.items, a->items, a->n * sizeof(*a->items));
                memcpy(out.items + a->n, b->items, b->n * sizeof(*b->items));
        }
        return out;
}

static sn_status anchors_of(struct rpc_call *c, const struct query *query, struct anchors *out)
{
        *out = (struct anchors){0};
        if (query->kind == QUERY_NOT) {
                return SN_OK;
        }
        if (query->kind > QUERY_NOT) {
                return of_leaf(c, query, out);
        }
        for (size_t i = 0; i < query->n; i++) {
                struct anchors child;

                TRY(anchors_of(c, query->children[i], &child));
                if (query->kind == QUERY_OR && i > 0) {
                        *out = join_anchors(c, out, &child);
                } else if (child.weight > out->weight) {
                        *out = child;
                }
        }
        return SN_OK;
}

/* ---- Filters that no new note passes ---- */

/* One's own notes, and what a note only gets later or had in the past. */
static sn_status check_filter(struct rpc_call *c, const struct query *filter)
{
        struct terms met = {.above = "", .below = ""};
        const char *lexeme = NULL, *own = arena_printf(c->arena, ":from:%s", c->actor);
        char now[UUID_SIZE];

        TRY(filter_lexeme(c, filter, true, &met, &lexeme));
        if (met.only_bookmarked || met.min_likes > 0 || (lexeme != NULL && strcmp(lexeme, own) == 0) ||
            (met.below[0] != '\0' && strcmp(met.below, uuid_at_ms(c->now_ms, now)) <= 0)) {
                return terms_fail(c, filter->at, "something that a new note by another member can have");
        }
        return SN_OK;
}

static sn_status check_required(struct rpc_call *c, const struct query *query)
{
        if (query->kind == QUERY_FILTER) {
                return check_filter(c, query);
        }
        for (size_t i = 0; query->kind == QUERY_AND && i < query->n; i++) {
                TRY(check_required(c, query->children[i]));
        }
        return SN_OK;
}

sn_status anchors_make(struct rpc_call *c, const struct query *query, char ***anchors, size_t *n)
{
        struct anchors made;

        TRY(check_required(c, query));
        TRY(anchors_of(c, query, &made));
        *anchors = made.items;
        *n = made.n;
        return made.weight > 0 ? SN_OK
                               : terms_fail(c, 1,
                                            "a word, a hashtag, a member or a link that each note must have that you"
                                            " are to be told of");
}
