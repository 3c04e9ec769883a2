/* Text as people compare it: folding of case, width and composition, and the classes of characters that words are made
 * of. Thin over utf8proc, so that no other file depends on it. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/str.h"

/* Unicode's toNFKC_Casefold (UAX #31): "Ａlice", "alice" and "ALICE" give the same; invisible characters go. The base
 * of username and hashtag keys. NULL when text is not UTF-8. Meant for names: its time grows with the square of a run
 * of combining marks. */
char *text_casefold_nfkc(struct arena *arena, const char *text);

/* Without combining marks, of which a letter may have one as part of it: "é" is "e", "ё" is "е"; "ı" is "i", "ø" is
 * "o", "ß" is "ss". For comparing words of scripts in which marks only colour a letter; of UTF-8. */
char *text_without_marks(struct arena *arena, const char *text);

/* Bytes that a stranger sent, as text that can be kept and shown: what is not UTF-8, and all that text_is_one_line
 * refuses, is shown as U+FFFD, and the end is cut between two characters so that at most max_bytes are left. */
char *text_clean(struct arena *arena, struct str bytes, size_t max_bytes);

/* Without what shows nothing (text_is_blank) at both ends. Of UTF-8. */
struct str text_trim(struct str text);

bool text_is_letter(uint32_t code_point); /* general category L*, and Nl (Ⅷ): what makes a word a word */
bool text_is_mark(uint32_t code_point);   /* M*: belongs to the character before it */
bool text_is_number(uint32_t code_point); /* N* */
bool text_is_space(uint32_t code_point);  /* Z*, and control characters: what ends a link */

/* Nothing of it is seen: spaces, controls, and characters that only format, or fill a place with nothing. */
bool text_is_blank(const char *text);
/* Neither line breaks nor other controls, nor characters that turn the direction of what stands around it (UAX #9's
 * embeddings, overrides and isolates): fit to be shown within other text. */
bool text_is_one_line(const char *text);
/* The same for text of several lines: line breaks and tabs are fine, and of what turns direction only the overrides are
 * not, which show letters in another order than they are said. */
bool text_is_lines(const char *text);

#endif
