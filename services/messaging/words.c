/* Owns splitting texts into words. */
#include "services/messaging/words.h"

#include <stdbool.h>
#include <string.h>
#include "base/text.h"

enum {
        WORD_MAX = 64,
        WORD_BYTES = 256
}; /* WORD_MAX characters; WORD_BYTES leaves room for characters that fold to several */

static bool is_of_word(uint32_t c)
{
        return text_is_letter(c) || text_is_mark(c) || text_is_number(c);
}

/* Han, and scripts that are written together with it. */
static bool stands_alone(uint32_t c)
{
        return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
               (c >= 0x20000 && c <= 0x3ffff);
}

/* The length in bytes of the word at p, of which the first *kept are used; 0 if no word begins there. */
static size_t measure_word(const char *p, size_t len, size_t *kept)
{
        size_t bytes = 0, characters = 0;
        uint32_t c = 0;

        *kept = 0;
        while (bytes < len) {
                size_t step = utf8_decode(p + bytes, len - bytes, &c);

                if (!is_of_word(c) || (stands_alone(c) && bytes > 0)) {
                        break;
                }
                bytes += step;
                *kept = ++characters <= WORD_MAX ? bytes : *kept;
                if (stands_alone(c)) {
                        break;
                }
        }
        return bytes;
}

/* "" if nothing is left. */
static char *fold_word(struct arena *arena, const char *p, size_t len)
{
        char *folded = text_casefold_nfkc(arena, arena_strndup(arena, p, len));
        char *plain = folded != NULL ? text_without_marks(arena, folded) : "";
        size_t kept = strlen(plain);

        if (kept > WORD_BYTES) {
                for (kept = WORD_BYTES; (plain[kept] & 0xc0) == 0x80; kept--) {
                }
                plain[kept] = '\0';
        }
        return plain;
}

size_t words_of(struct arena *arena, const char *text, size_t most, char ***words)
{
        size_t len = strlen(text), n = 0, bytes = 0, kept = 0;
        uint32_t c = 0;

        *words = ARENA_ARRAY(arena, char *, most);
        for (size_t at = 0; at < len && n < most; at += bytes) {
                bytes = measure_word(text + at, len - at, &kept);
                if (bytes == 0) {
                        bytes = utf8_decode(text + at, len - at, &c);
                        continue;
                }
                (*words)[n] = fold_word(arena, text + at, kept);
                n += (*words)[n][0] != '\0';
        }
        return n;
}
