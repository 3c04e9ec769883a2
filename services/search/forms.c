/* The language of a query is unknown, so a word gets its stems in every language. */
#include "services/search/forms.h"

#include <string.h>
#include "services/search/stems.h"

static bool has_letters_of(const struct word_asked *words, size_t n, enum script script)
{
        for (size_t i = 0; i < n; i++) {
                const char *word = words[i].word;
                uint32_t c = 0;

                if (word[0] != '\0' && utf8_decode(word, strlen(word), &c) > 0 && script_of(c) == script) {
                        return true;
                }
        }
        return false;
}

static void add_forms(struct arena *arena, const struct language *const *languages, const char *word, int64_t place,
                      struct forms_asked *to)
{
        size_t n = stems_forms(arena, languages, to->n_languages, word, &to->lexemes[to->n]);

        for (; n > 0; n--) {
                to->places[to->n++] = place;
        }
}

struct forms_asked forms_of(struct arena *arena, const struct word_asked *words, size_t n, const char *language)
{
        size_t n_all = 0;
        const struct language *all = language_list(&n_all);
        const struct language **languages = ARENA_ARRAY(arena, const struct language *, n_all);
        struct forms_asked forms = {.places = ARENA_ARRAY(arena, int64_t, 2 * n_all * n),
                                    .lexemes = ARENA_ARRAY(arena, char *, 2 * n_all * n),
                                    .languages = ARENA_ARRAY(arena, char *, n_all)};

        for (size_t i = 0; i < n_all; i++) {
                if (has_letters_of(words, n, all[i].script) &&
                    (language[0] == '\0' || strcmp(language, all[i].code) == 0)) {
                        forms.languages[forms.n_languages] = (char *)all[i].code;
                        languages[forms.n_languages++] = &all[i];
                }
        }
        for (size_t i = 0; i < n; i++) {
                if (words[i].word[0] != '\0') {
                        add_forms(arena, languages, words[i].word, (int64_t)i + 1, &forms);
                }
        }
        return forms;
}
