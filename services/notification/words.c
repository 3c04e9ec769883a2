/* Owns the sentences of words.def.h. */
#include "services/notification/words.h"

#include <inttypes.h>
#include <string.h>
#include "services/notification/sentence.h"

enum { NAME_MAX_BYTES = 300 };
enum language { ENGLISH, GERMAN, LANGUAGE_COUNT };

static const char *const words[TYPE_COUNT][LANGUAGE_COUNT] = {
#define WORDS(TYPE, language, one, two, more) [TYPE_##TYPE][language] = one "\n" two "\n" more,
#define OWN_WORDS(TYPE, language, one)        [TYPE_##TYPE][language] = one,
#include "services/notification/words.def.h"
#undef WORDS
#undef OWN_WORDS
};

const char *words_source(const char *type, const char *language)
{
        static const char *const languages[LANGUAGE_COUNT] = {[ENGLISH] = "en", [GERMAN] = "de"};
        enum notification_type found;

        for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
                if (strcmp(languages[i], language) == 0) {
                        return type_find(type, &found) ? words[found][i] : NULL;
                }
        }
        return NULL;
}

char *words_cut(struct arena *arena, const char *text, size_t max)
{
        size_t len = strnlen(text, max + 1);

        if (len > max) {
                for (len = max; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80; len--) {
                }
        }
        return arena_strndup(arena, text, len);
}

char *words_name(struct arena *arena, const User__Author *member)
{
        return words_cut(arena, member->display_name, NAME_MAX_BYTES);
}

/* The line of a sentence with this number, or its last line if it has fewer. */
static char *form_of(struct arena *arena, const char *source, size_t form)
{
        struct str rest = str_of(source), line = rest;

        for (size_t i = 0; i <= form && rest.len > 0; i++) {
                (void)str_next(&rest, '\n', &line);
        }
        return str_dup(arena, line);
}

char *headline_of(struct arena *arena, const char *source, const Notification__Notification *n)
{
        size_t form = n->n_actors < 2 ? 0 : n->actors_count == 2 ? 1 : 2;
        const struct sentence_value values[] = {
            {"1", words_name(arena, n->actors[0])},
            {"2", n->n_actors > 1 ? words_name(arena, n->actors[1]) : ""},
            {"n", arena_printf(arena, "%" PRId64, n->actors_count - 2)},
        };

        return sentence_write(arena, form_of(arena, source, form), values, sizeof(values) / sizeof(values[0]));
}

char *words_beginning(struct arena *arena, const struct rules *rules, const Notification__Notification *n, size_t max)
{
        if (n->chat != NULL) {
                return rules->show_content && n->text[0] != '\0' ? words_cut(arena, n->text, max) : NULL;
        }
        bool open = n->note != NULL && n->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;

        return open && rules->show_content ? words_cut(arena, n->note->text, max) : NULL;
}
