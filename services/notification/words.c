/* Owns the sentences of words.def.h. */
#include "services/notification/words.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "services/notification/sentence.h"

enum { NAME_MAX_BYTES = 300 };
enum language { ENGLISH, GERMAN, LANGUAGE_COUNT };
enum { OF_ONE, OF_TWO, OF_MORE, FORM_COUNT };

static const char *const words[TYPE_COUNT][LANGUAGE_COUNT][FORM_COUNT] = {
#define WORDS(TYPE, language, one, two, more) [TYPE_##TYPE][language] = {one, two, more},
#define OWN_WORDS(TYPE, language, one)        [TYPE_##TYPE][language] = {one, one, one},
#include "services/notification/words.def.h"
#undef WORDS
#undef OWN_WORDS
};

/* By the first part of the tag, as mail/template.c chooses. */
static enum language language_of(const char *tag)
{
        return strcspn(tag, "-") == 2 && strncasecmp(tag, "de", 2) == 0 ? GERMAN : ENGLISH;
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

char *headline_of(struct arena *arena, const char *language, const Notification__Notification *n)
{
        int form = n->n_actors < 2 ? OF_ONE : n->actors_count == 2 ? OF_TWO : OF_MORE;
        const struct sentence_value values[] = {
            {"1", words_name(arena, n->actors[0])},
            {"2", n->n_actors > 1 ? words_name(arena, n->actors[1]) : ""},
            {"n", arena_printf(arena, "%" PRId64, n->actors_count - 2)},
        };
        enum notification_type type;
        const char *sentence = type_find(n->type, &type) ? words[type][language_of(language)][form] : n->type;

        return sentence_write(arena, sentence, values, sizeof(values) / sizeof(values[0]));
}

char *words_beginning(struct arena *arena, const struct rules *rules, const Notification__Notification *n, size_t max)
{
        if (n->chat != NULL) {
                return rules->show_content && n->text[0] != '\0' ? words_cut(arena, n->text, max) : NULL;
        }
        bool open = n->note != NULL && n->note->visibility == NOTE__VISIBILITY__VISIBILITY_PUBLIC;

        return open && rules->show_content ? words_cut(arena, n->note->text, max) : NULL;
}
