/* Owns the keys that a search for members compares. */
#include "services/user/name_keys.h"

#include <string.h>
#include "base/text.h"
#include "services/user/display_name.h"
#include "services/user/username.h"

static bool is_of_word(uint32_t c)
{
        return text_is_letter(c) || text_is_mark(c) || text_is_number(c) || c == '_';
}

static char *cut(struct arena *arena, const char *text)
{
        size_t len = strlen(text), bytes = 0, points = 0;

        while (bytes < len && points < NAME_KEY_MAX) {
                uint32_t c;

                bytes += utf8_decode(text + bytes, len - bytes, &c);
                points++;
        }
        return arena_strndup(arena, text, bytes);
}

size_t name_keys(struct arena *arena, const char *display_name, char *keys[NAME_KEYS_MAX])
{
        const char *name = username_key(arena, display_name_collapse(arena, display_name));
        size_t len = strlen(name), n = 0, bytes;
        bool in_word = false;

        for (size_t i = 0; i < len && n < NAME_KEYS_MAX; i += bytes) {
                uint32_t c;

                bytes = utf8_decode(name + i, len - i, &c);
                if (is_of_word(c) && !in_word) {
                        keys[n++] = cut(arena, name + i);
                }
                in_word = is_of_word(c);
        }
        return n;
}

char *name_query_key(struct arena *arena, const char *query)
{
        return cut(arena, username_key_shown(arena, display_name_collapse(arena, query)));
}
