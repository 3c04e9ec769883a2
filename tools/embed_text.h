/* Shared by the tools that embed texts in the binary. */
#ifndef TOOLS_EMBED_TEXT_H
#define TOOLS_EMBED_TEXT_H

#include <stdio.h>

/* Exits with an error message about a file. */
void embed_fail(const char *path, const char *what) __attribute__((noreturn));
/* Writes the file's text as a C string literal, line by line. Fails on bytes that are not text. */
void embed_write_text(FILE *out, const char *path);

#endif
