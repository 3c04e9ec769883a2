/* Views into text, decimal numbers, UTF-8. */
#include "base/str.h"

#include <string.h>

struct str str_of(const char *c_string)
{
        return c_string == NULL ? (struct str){"", 0} : (struct str){c_string, strlen(c_string)};
}

bool str_equal(struct str a, struct str b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_equal_c(struct str a, const char *b)
{
        return str_equal(a, str_of(b));
}

static unsigned char ascii_lower(char c)
{
        unsigned char u = (unsigned char)c;
        return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool str_equal_nocase(struct str a, struct str b)
{
        if (a.len != b.len) {
                return false;
        }
        for (size_t i = 0; i < a.len; i++) {
                if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
                        return false;
                }
        }
        return true;
}

bool str_starts(struct str s, struct str prefix)
{
        return s.len >= prefix.len && str_equal((struct str){s.ptr, prefix.len}, prefix);
}

bool str_next(struct str *s, char sep, struct str *head)
{
        if (s->len == 0) {
                return false;
        }
        const char *end = memchr(s->ptr, sep, s->len);
        size_t len = end == NULL ? s->len : (size_t)(end - s->ptr);
        size_t taken = end == NULL ? len : len + 1;
        *head = (struct str){s->ptr, len};
        *s = (struct str){s->ptr + taken, s->len - taken};
        return true;
}

bool str_has_word(const char *words, const char *word)
{
        struct str rest = str_of(words), one;

        while (str_next(&rest, ' ', &one)) {
                if (str_equal_c(one, word)) {
                        return true;
                }
        }
        return false;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
        while (s.len > 0 && is_blank(s.ptr[0])) {
                s.ptr++;
                s.len--;
        }
        while (s.len > 0 && is_blank(s.ptr[s.len - 1])) {
                s.len--;
        }
        return s;
}

char *str_dup(struct arena *arena, struct str s)
{
        return arena_strndup(arena, s.ptr, s.len);
}

bool str_to_i64(struct str s, int64_t *out)
{
        bool negative = s.len > 0 && s.ptr[0] == '-';
        size_t i = negative ? 1 : 0;
        if (i == s.len) {
                return false;
        }
        int64_t value = 0;
        for (; i < s.len; i++) {
                int digit = s.ptr[i] - '0';
                if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
                        return false;
                }
        }
        *out = value;
        return true;
}

/* The length of the well-formed sequence at p, whose first byte is over 0x7f; 0 if it is malformed (Unicode 15,
 * table 3-7). */
static size_t sequence_length(const unsigned char *p, size_t left)
{
        unsigned char lead = p[0], least = 0x80, most = 0xbf;
        size_t n;
        if (lead >= 0xc2 && lead <= 0xdf) {
                n = 2;
        } else if ((lead & 0xf0) == 0xe0) {
                n = 3;
                least = lead == 0xe0 ? 0xa0 : 0x80; /* overlong */
                most = lead == 0xed ? 0x9f : 0xbf;  /* surrogates */
        } else if (lead >= 0xf0 && lead <= 0xf4) {
                n = 4;
                least = lead == 0xf0 ? 0x90 : 0x80;
                most = lead == 0xf4 ? 0x8f : 0xbf; /* past U+10FFFF */
        } else {
                return 0;
        }
        if (left < n || p[1] < least || p[1] > most) {
                return 0;
        }
        for (size_t i = 2; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80) {
                        return 0;
                }
        }
        return n;
}

bool utf8_valid(const char *ptr, size_t len)
{
        const unsigned char *p = (const unsigned char *)ptr;
        size_t i = 0;
        while (i < len) {
                uint64_t eight;
                if (len - i >= sizeof(eight)) { /* most text is ASCII: eight bytes at a time */
                        memcpy(&eight, p + i, sizeof(eight));
                        if ((eight & 0x8080808080808080u) == 0) {
                                i += sizeof(eight);
                                continue;
                        }
                }
                if (p[i] < 0x80) {
                        i++;
                        continue;
                }
                size_t n = sequence_length(p + i, len - i);
                if (n == 0) {
                        return false;
                }
                i += n;
        }
        return true;
}

size_t utf8_length(const char *ptr, size_t len)
{
        size_t n = 0;
        for (size_t i = 0; i < len; i++) {
                n += ((unsigned char)ptr[i] & 0xc0) != 0x80;
        }
        return n;
}

size_t utf8_decode(const char *ptr, size_t len, uint32_t *code_point)
{
        const unsigned char *p = (const unsigned char *)ptr;
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        if (n > len) {
                n = len; /* cannot happen with valid text; prevents reading past it */
        }
        uint32_t value = p[0] & lead_bits[n];
        for (size_t i = 1; i < n; i++) {
                value = value << 6 | (p[i] & 0x3f);
        }
        *code_point = value;
        return n;
}
