/* Text as people compare it: folding of case, width and composition, and the character classes that make up words. A
 * thin layer over utf8proc, so that no other file depends on it. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/str.h"

/* Unicode's toNFKC_Casefold (UAX #31): "Ａlice", "alice" and "ALICE" are equal; invisible characters are removed. The
 * basis of username and hashtag keys. NULL if text is not UTF-8. For names only: its time is quadratic in the length
 * of a run of combining marks. */
char *text_casefold_nfkc(struct arena *arena, const char *text);

/* Removes combining marks, including those that are part of a letter: "é" is "e", "ё" is "е"; "ı" is "i", "ø" is
 * "o", "ß" is "ss". For comparing words in scripts in which marks only modify a letter. text must be UTF-8. */
char *text_without_marks(struct arena *arena, const char *text);

/* Sanitises bytes from an untrusted source for storing and displaying: invalid UTF-8, and whatever text_is_one_line
 * rejects, becomes U+FFFD, and the text is cut between characters to at most max_bytes. */
char *text_clean(struct arena *arena, struct str bytes, size_t max_bytes);

/* Trims what is invisible (text_is_blank) at both ends. text must be UTF-8. */
struct str text_trim(struct str text);

bool text_is_letter(uint32_t code_point); /* general category L*, and Nl (Ⅷ): what makes a word a word */
bool text_is_mark(uint32_t code_point);   /* M*: belongs to the character before it */
bool text_is_number(uint32_t code_point); /* N* */
bool text_is_space(uint32_t code_point);  /* Z*, and control characters: what ends a link */

/* Nothing of it is visible: spaces, controls, formatting characters and fillers. */
bool text_is_blank(const char *text);
/* No line breaks or other controls, and no characters that change the direction of surrounding text (UAX #9's
 * embeddings, overrides and isolates): safe to show inside other text. */
bool text_is_one_line(const char *text);
/* The same for multi-line text: line breaks and tabs are allowed, and of bidirectional controls only the overrides
 * are not, which show letters in another order than they are written. */
bool text_is_lines(const char *text);

#endif
