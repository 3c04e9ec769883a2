/* The words of a text, by which messages are found. Pure. */
#ifndef SERVICES_MESSAGING_WORDS_H
#define SERVICES_MESSAGING_WORDS_H

#include <stddef.h>
#include "base/arena.h"

/* Runs of letters, marks and numbers, cut to 64 characters, without case, width and accents. In scripts without spaces
 * each character is a word. Returns at most the first `most`. text must be UTF-8. Takes linear time for any text. */
size_t words_of(struct arena *arena, const char *text, size_t most, char ***words);

#endif
