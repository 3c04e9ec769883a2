/* Owns sentences with variables. */
#include "services/notification/sentence.h"

#include <string.h>
#include "base/buf.h"
#include "base/status.h"

/* Finds the next variable and the plain text before it. False if there is none left. */
static bool next_variable(const char **at, struct str *before, struct str *name)
{
        const char *open = strchr(*at, '{'), *close = open != NULL ? strchr(open, '}') : NULL;

        if (open == NULL) {
                *before = str_of(*at);
                return false;
        }
        *before = (struct str){*at, (size_t)(open - *at)};
        *name = (struct str){open + 1, close != NULL ? (size_t)(close - open - 1) : strlen(open + 1)};
        *at = close != NULL ? close + 1 : open + strlen(open);
        return true;
}

char *sentence_write(struct arena *arena, const char *source, const struct sentence_value *values, size_t n)
{
        CLEANUP(buf_free) struct buf out;
        struct str before, name;

        buf_init(&out, SENTENCE_MAX_BYTES);
        while (next_variable(&source, &before, &name)) {
                buf_append(&out, before.ptr, before.len);
                for (size_t i = 0; i < n; i++) {
                        if (str_equal_c(name, values[i].name)) {
                                buf_append_c(&out, values[i].text);
                        }
                }
        }
        buf_append(&out, before.ptr, before.len);
        return arena_strndup(arena, out.data, out.len);
}

bool sentence_check(const char *source, const char *const *names, size_t n, struct str *unknown)
{
        struct str before;

        while (next_variable(&source, &before, unknown)) {
                bool known = false;

                for (size_t i = 0; i < n; i++) {
                        known = known || str_equal_c(*unknown, names[i]);
                }
                if (!known) {
                        return false;
                }
        }
        return true;
}
