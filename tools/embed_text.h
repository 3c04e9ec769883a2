/* What the tools share that put texts into the binary. */
#ifndef TOOLS_EMBED_TEXT_H
#define TOOLS_EMBED_TEXT_H

#include <stdio.h>

/* Ends the tool with a sentence about a file. */
void embed_fail(const char *path, const char *what) __attribute__((noreturn));
/* Writes the file's text as a string literal of C, a line of it a line. Fails on bytes that are no text. */
void embed_write_text(FILE *out, const char *path);

#endif
