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

struct mark {
        size_t start, end;
};

struct marks {
        struct mark items[HIGHLIGHTS_MAX];
        size_t n;
};

static void add_mark(struct marks *marks, size_t start, size_t end)
{
        struct mark *last = marks->n > 0 ? &marks->items[marks->n - 1] : NULL;

        if (last != NULL && start <= last->end) { /* overlapping pairs */
                last->end = end > last->end ? end : last->end;
        } else if (marks->n < HIGHLIGHTS_MAX) {
                marks->items[marks->n++] = (struct mark){start, end};
        }
}

static void mark_text(const struct marking *m, const struct lexemes *text, struct marks *marks)
{
        for (size_t i = 0; i < text->n; i++) {
                struct met met = match_at(m, &text->items[i], text->n - i, m->stemmed[i]);

                for (size_t k = i; k < i + met.n; k++) {
                        const struct lexeme *l = &text->items[k];

                        add_mark(marks, l->start, k + 1 < i + met.n ? end_of(l) : met.end);
                }
        }
}

static void answer_marks(struct arena *arena, const struct marks *marks, Search__Found *found)
{
        found->highlights = ARENA_ARRAY(arena, Search__Highlight *, marks->n);
        for (size_t i = 0; i < marks->n; i++) {
                Search__Highlight *highlight = ARENA_NEW(arena, Search__Highlight);

                search__highlight__init(highlight);
                highlight->start = (uint32_t)marks->items[i].start;
                highlight->length = (uint32_t)(marks->items[i].end - marks->items[i].start);
                found->highlights[found->n_highlights++] = highlight;
        }
}

/* The words of a long text take more memory than the text; those of a whole page would be too much for one call. */
static void highlight_note(struct marking *m, Search__Found *found)
{
        struct arena *arena = m->c->arena;
        struct arena_mark before = arena_mark(arena);
        struct lexemes text = lexemes_of(arena, found->note->text);
        struct marks marks;

        marks.n = 0;
        find_all_stems(m, &text);
        mark_text(m, &text, &marks);
        arena_reset(arena, before);
        answer_marks(arena, &marks, found);
}

void highlight_notes(struct rpc_call *c, const struct terms *terms, Search__SearchPage *page)
{
        struct marking m = {.c = c, .terms = terms};

        for (size_t i = 0; i < page->n_items; i++) {
                if (page->items[i]->type == SEARCH__FOUND_TYPE__FOUND_TYPE_NOTE) {
                        highlight_note(&m, page->items[i]);
                }
        }
}
