/* Folding and classes of characters, by utf8proc's tables. Keeps no state. */
#include "base/text.h"

#include <string.h>
#include <utf8proc.h>

enum { SCRATCH_CODE_POINTS = 256 };

static const utf8proc_option_t NFKC_CASEFOLD =
    UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;

static bool is_ascii(const char *text, size_t len)
{
        unsigned char seen = 0;
        for (size_t i = 0; i < len; i++) {
                seen |= (unsigned char)text[i];
        }
        return seen < 0x80;
}

static char *lower_ascii(struct arena *arena, const char *text, size_t len)
{
        char *out = arena_strndup(arena, text, len);
        for (size_t i = 0; i < len; i++) {
                if (out[i] >= 'A' && out[i] <= 'Z') {
                        out[i] += 'a' - 'A';
                }
        }
        return out;
}

char *text_casefold_nfkc(struct arena *arena, const char *text)
{
        size_t len = strlen(text);
        if (is_ascii(text, len)) {
                return lower_ascii(arena, text, len);
        }

        utf8proc_int32_t scratch[SCRATCH_CODE_POINTS + 1]; /* reencode writes its NUL behind the last code point */
        utf8proc_int32_t *points = scratch;
        const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
        utf8proc_ssize_t n =
            utf8proc_decompose(bytes, (utf8proc_ssize_t)len, points, SCRATCH_CODE_POINTS, NFKC_CASEFOLD);
        if (n > SCRATCH_CODE_POINTS) {
                points = arena_alloc_array(arena, (size_t)n + 1, sizeof(*points));
                n = utf8proc_decompose(bytes, (utf8proc_ssize_t)len, points, n, NFKC_CASEFOLD);
        }
        if (n < 0) {
                return NULL;
        }
        n = utf8proc_reencode(points, n, NFKC_CASEFOLD);
        return n < 0 ? NULL : arena_strndup(arena, (const char *)points, (size_t)n);
}

/* Letters with a stroke or without a dot: Unicode treats these marks as part of the letter. */
static utf8proc_int32_t plain_letter(utf8proc_int32_t c)
{
        static const struct {
                utf8proc_int32_t letter, plain;
        } pairs[] = {{0xF8, 'o'}, {0x142, 'l'}, {0x111, 'd'}, {0x127, 'h'}, {0x131, 'i'}, {0x167, 't'}};

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
                if (pairs[i].letter == c) {
                        return pairs[i].plain;
                }
        }
        return c;
}

char *text_without_marks(struct arena *arena, const char *text)
{
        size_t len = strlen(text);
        const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK;

        if (is_ascii(text, len)) {
                return arena_strndup(arena, text, len);
        }
        utf8proc_int32_t *points = arena_alloc_array(arena, 4 * len + 1, sizeof(*points));
        utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, points,
                                                (utf8proc_ssize_t)(4 * len), options);
        if (n < 0 || (size_t)n > 4 * len) {
                return arena_strndup(arena, text, len);
        }
        for (utf8proc_ssize_t i = 0; i < n; i++) {
                points[i] = plain_letter(points[i]);
        }
        n = utf8proc_reencode(points, n, options);
        return n < 0 ? arena_strndup(arena, text, len) : arena_strndup(arena, (const char *)points, (size_t)n);
}

static bool is_ascii_letter(uint32_t c)
{
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

bool text_is_letter(uint32_t code_point)
{
        if (code_point < 0x80) {
                return is_ascii_letter(code_point);
        }
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
        return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
               category == UTF8PROC_CATEGORY_NL;
}

bool text_is_mark(uint32_t code_point)
{
        if (code_point < 0x300) {
                return false;
        }
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
        return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool text_is_number(uint32_t code_point)
{
        if (code_point < 0x80) {
                return code_point >= '0' && code_point <= '9';
        }
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
        return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool text_is_space(uint32_t code_point)
{
        if (code_point < 0x80) {
                return code_point <= ' ' || code_point == 0x7f;
        }
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code_point);
        return (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP) ||
               category == UTF8PROC_CATEGORY_CC;
}

/* Letters and symbols by category that are invisible: Hangul fillers, the empty Braille cell. */
static bool is_empty_form(utf8proc_int32_t c)
{
        return c == 0x115F || c == 0x1160 || c == 0x2800 || c == 0x3164 || c == 0xFFA0 || (c >= 0xFE00 && c <= 0xFE0F);
}

static bool shows_nothing(utf8proc_int32_t c)
{
        return text_is_space((uint32_t)c) || utf8proc_category(c) == UTF8PROC_CATEGORY_CF || is_empty_form(c);
}

static bool turns_direction(utf8proc_int32_t c)
{
        return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool breaks_line(utf8proc_int32_t c)
{
        utf8proc_category_t category = utf8proc_category(c);

        return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
               category == UTF8PROC_CATEGORY_ZP || turns_direction(c);
}

/* Whether all characters, or none, are of a kind. */
static bool each_is(const char *text, bool (*kind)(utf8proc_int32_t), bool wanted)
{
        const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
        utf8proc_int32_t c;

        while (*at != '\0') {
                utf8proc_ssize_t n = utf8proc_iterate(at, -1, &c);

                if (n <= 0 || kind(c) != wanted) {
                        return false;
                }
                at += n;
        }
        return true;
}

bool text_is_blank(const char *text)
{
        return each_is(text, shows_nothing, true);
}

bool text_is_one_line(const char *text)
{
        return each_is(text, breaks_line, false);
}

static bool breaks_text(utf8proc_int32_t c)
{
        bool control = utf8proc_category(c) == UTF8PROC_CATEGORY_CC && c != '\t' && c != '\n' && c != '\r';

        return control || c == 0x202D || c == 0x202E;
}

bool text_is_lines(const char *text)
{
        return each_is(text, breaks_text, false);
}

char *text_clean(struct arena *arena, struct str bytes, size_t max_bytes)
{
        static const struct str replacement = STR("\xef\xbf\xbd");
        size_t most = bytes.len < max_bytes / replacement.len ? bytes.len * replacement.len : max_bytes, len = 0;
        char *out = arena_alloc(arena, most + 1);
        while (bytes.len > 0) {
                utf8proc_int32_t c;
                utf8proc_ssize_t n =
                    utf8proc_iterate((const utf8proc_uint8_t *)bytes.ptr, (utf8proc_ssize_t)bytes.len, &c);
                bool good = n > 0 && !breaks_line(c);
                size_t taken = n > 0 ? (size_t)n : 1;
                struct str shown = good ? (struct str){bytes.ptr, taken} : replacement;
                if (len + shown.len > most) {
                        break;
                }
                memcpy(out + len, shown.ptr, shown.len);
                len += shown.len;
                bytes = (struct str){bytes.ptr + taken, bytes.len - taken};
        }
        out[len] = '\0';
        return out;
}

/* The length of the first character if it is invisible; 0 if it is visible, or there is none. */
static size_t first_blank(struct str text)
{
        uint32_t c = 0;
        size_t n = text.len > 0 ? utf8_decode(text.ptr, text.len, &c) : 0;
        return n > 0 && shows_nothing((utf8proc_int32_t)c) ? n : 0;
}

static size_t last_blank(struct str text)
{
        size_t n = text.len > 0 ? 1 : 0;
        while (n < text.len && ((unsigned char)text.ptr[text.len - n] & 0xc0) == 0x80) {
                n++;
        }
        return first_blank((struct str){text.ptr + text.len - n, n});
}

struct str text_trim(struct str text)
{
        size_t n;
        while ((n = first_blank(text)) > 0) {
                text = (struct str){text.ptr + n, text.len - n};
        }
        while ((n = last_blank(text)) > 0) {
                text.len -= n;
        }
        return text;
}
