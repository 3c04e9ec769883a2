/* Owns converting a text file to a string literal. */
#include "tools/embed_text.h"

#include <stdlib.h>

void embed_fail(const char *path, const char *what)
{
        fprintf(stderr, "embed: %s: %s\n", path, what);
        exit(1);
}

static void write_char(FILE *out, int c, const char *path)
{
        if (c == '\n') {
                fputs("\\n\"\n        \"", out);
        } else if (c == '"' || c == '\\' || c == '?') {
                fprintf(out, "\\%c", c);
        } else if (c == '\t') {
                fputs("\\t", out);
        } else if (c >= 0x80) {
                fprintf(out, "\\%03o", (unsigned)c); /* UTF-8, byte by byte; three digits end the escape */
        } else if (c >= 0x20 && c < 0x7f) {
                fputc(c, out);
        } else {
                embed_fail(path, "has control characters");
        }
}

void embed_write_text(FILE *out, const char *path)
{
        FILE *in = fopen(path, "rb");
        int c;

        if (in == NULL) {
                embed_fail(path, "cannot be read");
        }
        fputc('"', out);
        while ((c = fgetc(in)) != EOF) {
                write_char(out, c, path);
        }
        if (ferror(in)) {
                embed_fail(path, "cannot be read");
        }
        fclose(in);
        fputc('"', out);
}
