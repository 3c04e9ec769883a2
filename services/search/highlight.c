/* Splits texts as the index does, so that marks match what was found. */
#include "services/search/highlight.h"

#include <string.h>
#include "base/str.h"
#include "services/search/lexemes.h"
#include "services/search/stems.h"

enum { HIGHLIGHTS_MAX = 100 };

struct marking {
        struct rpc_call *c;
        const struct terms *terms;
        bool *stemmed; /* for each lexeme of the text: its stem is searched for */
};

/* ---- Stems ---- */

static bool is_asked_for(const struct terms *terms, const char *sign)
{
        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const char *lexeme = terms->alternatives[i].lexeme;

                if (lexeme != NULL && strcmp(lexeme, sign) == 0) {
                        return true;
                }
        }
        return false;
}

static bool asks_for_stems(const struct terms *terms, const struct language *language)
{
        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const char *lexeme = terms->alternatives[i].lexeme;

                if (lexeme != NULL && lexeme[0] == '~' &&
                    strncmp(lexeme + 1, language->code, strlen(language->code)) == 0) {
                        return true;
                }
        }
        return false;
}

static void find_stems(struct marking *m, const struct language *language, const struct lexemes *text)
{
        struct arena *arena = m->c->arena;
        char **words = ARENA_ARRAY(arena, char *, text->n), **stems = ARENA_ARRAY(arena, char *, text->n);

        for (size_t i = 0; i < text->n; i++) {
                words[i] = text->items[i].word;
        }
        stems_of(arena, language, words, text->n, stems);
        for (size_t i = 0; i < text->n; i++) {
                if (text->items[i].kind == LEXEME_WORD && stems[i] != NULL && !m->stemmed[i]) {
                        m->stemmed[i] = is_asked_for(m->terms, stem_sign(arena, language, stems[i]));
                }
        }
}

static void find_all_stems(struct marking *m, const struct lexemes *text)
{
        size_t n = 0;
        const struct language *languages = language_list(&n);

        m->stemmed = ARENA_ARRAY(m->c->arena, bool, text->n);
        for (size_t i = 0; i < n; i++) {
                if (asks_for_stems(m->terms, &languages[i])) {
                        find_stems(m, &languages[i], text);
                }
        }
}

/* ---- Marking ---- */

/* A match that begins at a lexeme: its number of lexemes, and the code point at its end. */
struct met {
        size_t n, end;
};

static size_t end_of(const struct lexeme *lexeme)
{
        return lexeme->start + lexeme->length;
}

/* If a pair of characters only begins with what was typed, marks only that part. */
static struct met meet_word(const struct alternative *a, const struct lexeme *lexeme)
{
        bool start = a->start;
        size_t len = strlen(a->lexeme);

        if (lexeme->position == 0 ||
            (start ? strncmp(lexeme->text, a->lexeme, len) : strcmp(lexeme->text, a->lexeme)) != 0) {
                return (struct met){0};
        }
        return (struct met){1, start && lexeme->kind == LEXEME_PAIR ? lexeme->start + utf8_length(a->lexeme, len)
                                                                    : end_of(lexeme)};
}

/* Matches the whole phrase or nothing. */
static struct met meet_phrase(const struct lexemes *phrase, const struct lexeme *from, size_t left)
{
        size_t n = phrase->n_words;
        const struct lexeme *last = &phrase->items[n - 1];

        for (size_t i = 0; i < n; i++) {
                const struct lexeme *wanted = &phrase->items[i];
                bool start = wanted->kind == LEXEME_PAIR && wanted == last;

                if (i >= left || from[i].position == 0 ||
                    (start ? strncmp(from[i].text, wanted->text, strlen(wanted->text))
                           : strcmp(from[i].text, wanted->text)) != 0) {
                        return (struct met){0};
                }
        }
        return (struct met){n, last->kind == LEXEME_PAIR ? from[n - 1].start + last->length : end_of(&from[n - 1])};
}

static struct met match_at(const struct marking *m, const struct lexeme *from, size_t left, bool stemmed)
{
        struct met longest = {0};

        for (size_t i = 0; i < m->terms->n_alternatives; i++) {
                const struct alternative *a = &m->terms->alternatives[i];
                struct met met = a->phrase != NULL ? meet_phrase(a->phrase->lexemes, from, left) : meet_word(a, from);

                longest = met.end > longest.end ? met : longest;
        }
        return longest.n == 0 && stemmed ? (struct met){1, end_of(from)} : longest;
}

static void add_mark(struct arena *arena, Search__Found *found, size_t start, size_t end)
{
        Search__Highlight *last = found->n_highlights > 0 ? found->highlights[found->n_highlights - 1] : NULL;

        if (last != NULL && start <= last->start + last->length) { /* overlapping pairs */
                last->length = (uint32_t)(end - last->start > last->length ? end - last->start : last->length);
                return;
        }
        if (found->n_highlights == HIGHLIGHTS_MAX) {
                return;
        }
        last = ARENA_NEW(arena, Search__Highlight);
        search__highlight__init(last);
        last->start = (uint32_t)start;
        last->length = (uint32_t)(end - start);
        found->highlights[found->n_highlights++] = last;
}

static void mark_text(const struct marking *m, const struct lexemes *text, Search__Found *found)
{
        found->highlights = ARENA_ARRAY(m->c->arena, Search__Highlight *, HIGHLIGHTS_MAX);
        for (size_t i = 0; i < text->n; i++) {
                struct met met = match_at(m, &text->items[i], text->n - i, m->stemmed[i]);

                for (size_t k = i; k < i + met.n; k++) {
                        const struct lexeme *l = &text->items[k];

                        add_mark(m->c->arena, found, l->start, k + 1 < i + met.n ? end_of(l) : met.end);
                }
        }
}

void highlight_notes(struct rpc_call *c, const struct terms *terms, Search__SearchPage *page)
{
        struct marking m = {.c = c, .terms = terms};

        for (size_t i = 0; i < page->n_items; i++) {
                if (page->items[i]->type == SEARCH__FOUND_TYPE__FOUND_TYPE_NOTE) {
                        struct lexemes text = lexemes_of(c->arena, page->items[i]->note->text);

                        find_all_stems(&m, &text);
                        mark_text(&m, &text, page->items[i]);
                }
        }
}
