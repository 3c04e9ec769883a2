/* Reads the texts as the index did, so that what is marked is what was found. */
#include "services/search/highlight.h"

#include <string.h>
#include "base/str.h"
#include "services/search/lexemes.h"
#include "services/search/scripts.h"
#include "services/search/store.h"

enum { HIGHLIGHTS_MAX = 100, WORDS_MAX = 20000 };

struct marking {
        struct rpc_call *c;
        const struct terms *terms;
        char **stemmed; /* words of the texts whose stems are asked for */
        size_t n_stemmed;
};

static bool is_among(const char *word, char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(words[i], word) == 0) {
                        return true;
                }
        }
        return false;
}

/* ---- Stems, which the database makes ---- */

static size_t collect_stems(const struct terms *terms, char **stems)
{
        size_t n = 0;

        for (size_t i = 0; i < terms->n_alternatives; i++) {
                if (terms->alternatives[i].lexeme != NULL && terms->alternatives[i].lexeme[0] == '~') {
                        stems[n++] = (char *)terms->alternatives[i].lexeme;
                }
        }
        return n;
}

static sn_status load_stemmed(struct marking *m, const struct lexemes *texts, size_t n_texts)
{
        struct arena *arena = m->c->arena;
        char **stems = ARENA_ARRAY(arena, char *, m->terms->n_alternatives), **words;
        size_t n_stems = collect_stems(m->terms, stems), n_words = 0, room = 0;

        for (size_t i = 0; i < n_texts; i++) {
                room += texts[i].n;
        }
        words = ARENA_ARRAY(arena, char *, room);
        for (size_t i = 0; n_stems > 0 && i < n_texts; i++) {
                for (size_t k = 0; k < texts[i].n && n_words < WORDS_MAX; k++) {
                        if (texts[i].items[k].kind == LEXEME_WORD) {
                                words[n_words++] = texts[i].items[k].word;
                        }
                }
        }
        return n_words > 0
                   ? DB_READ(m->c, tx, store_stemmed(tx, words, n_words, stems, n_stems, &m->n_stemmed, &m->stemmed))
                   : SN_OK;
}

/* ---- Marking ---- */

/* A match that begins at a lexeme: so many lexemes, up to this code point. */
struct met {
        size_t n, end;
};

static size_t end_of(const struct lexeme *lexeme)
{
        return lexeme->start + lexeme->length;
}

/* Of a pair of characters that begins as was typed, what was typed. */
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

/* All of it, or nothing. */
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

static struct met meet(const struct marking *m, const struct lexeme *from, size_t left)
{
        struct met longest = {0};

        for (size_t i = 0; i < m->terms->n_alternatives; i++) {
                const struct alternative *a = &m->terms->alternatives[i];
                struct met met = a->phrase != NULL ? meet_phrase(a->phrase, from, left) : meet_word(a, from);

                longest = met.end > longest.end ? met : longest;
        }
        if (longest.n == 0 && from->kind == LEXEME_WORD && is_among(from->word, m->stemmed, m->n_stemmed)) {
                return (struct met){1, end_of(from)};
        }
        return longest;
}

static void mark(struct arena *arena, Search__Found *found, size_t start, size_t end)
{
        Search__Highlight *last = found->n_highlights > 0 ? found->highlights[found->n_highlights - 1] : NULL;

        if (last != NULL && start <= last->start + last->length) { /* pairs overlap */
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
                struct met met = meet(m, &text->items[i], text->n - i);

                for (size_t k = i; k < i + met.n; k++) {
                        const struct lexeme *l = &text->items[k];

                        mark(m->c->arena, found, l->start, k + 1 < i + met.n ? end_of(l) : met.end);
                }
        }
}

sn_status highlight_notes(struct rpc_call *c, const struct terms *terms, Search__SearchPage *page)
{
        struct marking m = {.c = c, .terms = terms};
        struct lexemes *texts = ARENA_ARRAY(c->arena, struct lexemes, page->n_items);

        for (size_t i = 0; i < page->n_items; i++) {
                if (page->items[i]->type == SEARCH__FOUND_TYPE__FOUND_TYPE_NOTE) {
                        texts[i] = lexemes_of(c->arena, page->items[i]->note->text);
                }
        }
        TRY(load_stemmed(&m, texts, page->n_items));
        for (size_t i = 0; i < page->n_items; i++) {
                if (texts[i].n > 0) {
                        mark_text(&m, &texts[i], page->items[i]);
                }
        }
        return SN_OK;
}
