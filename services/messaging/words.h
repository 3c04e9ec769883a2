/* The words of a text, as messages are found by them. Pure. */
#ifndef SERVICES_MESSAGING_WORDS_H
#define SERVICES_MESSAGING_WORDS_H

#include <stddef.h>
#include "base/arena.h"

/* Runs of letters, marks and numbers, of which the first 64 characters count, without case, width and accents; where no
 * spaces stand between words each character is one. Of UTF-8; at most `most`, the first ones. Time grows with the
 * length of the text, whatever it holds. */
size_t words_of(struct arena *arena, const char *text, size_t most, char ***words);

#endif
