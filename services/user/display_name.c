/* Owns the rules for display names, which appear on other people's pages. */
#include "services/user/display_name.h"

#include <string.h>
#include "base/str.h"
#include "base/text.h"
#include "rpc/rpc.h"

char *display_name_collapse(struct arena *arena, const char *text)
{
        size_t len = strlen(text), kept = 0, end = 0, bytes;
        char *out = arena_alloc(arena, len + 1);
        bool after_space = true;

        for (size_t i = 0; i < len; i += bytes) {
                uint32_t code_point;

                bytes = utf8_decode(text + i, len - i, &code_point);
                bool space = text_is_space(code_point);

                if (!space || !after_space) {
                        memcpy(out + kept, text + i, bytes);
                        kept += bytes;
                }
                end = space ? end : kept;
                after_space = space;
        }
        out[end] = '\0';
        return out;
}

char *display_name_clean(struct arena *arena, const char *given)
{
        return text_is_blank(given) ? arena_strdup(arena, "") : display_name_collapse(arena, given);
}
