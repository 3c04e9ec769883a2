/* Non-owning views of text and bytes, for parsing. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct str {
        const char *ptr;
        size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
struct str str_of(const char *c_string); /* NULL gives the empty view */
bool str_equal(struct str a, struct str b);
bool str_equal_c(struct str a, const char *b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII */
bool str_starts(struct str s, struct str prefix);
/* Splits at the first sep: *head is what precedes it, *s what follows. False if s was empty. */
bool str_next(struct str *s, char sep, struct str *head);
bool str_has_word(const char *words, const char *word); /* words: separated by single spaces */
struct str str_trim(struct str s);                      /* ASCII space and tab */
char *str_dup(struct arena *arena, struct str s);       /* NUL-terminated copy */
bool str_to_i64(struct str s, int64_t *out); /* decimal, the whole view, no '+'; false leaves *out unchanged */
/* The decimal digits of a number, in the end of the array. */
static inline struct str str_of_u64(uint64_t value, char digits[20])
{
        size_t at = 20;
        do {
                digits[--at] = (char)('0' + value % 10);
                value /= 10;
        } while (value > 0);
        return (struct str){digits + at, 20 - at};
}

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL counts as well-formed. */
bool utf8_valid(const char *ptr, size_t len);
/* Number of code points of valid UTF-8. */
size_t utf8_length(const char *ptr, size_t len);
/* Decodes one code point of valid UTF-8 at ptr (len > 0) and returns its length. */
size_t utf8_decode(const char *ptr, size_t len, uint32_t *code_point);

#endif
