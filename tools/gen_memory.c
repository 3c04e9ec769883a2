/* Memory of the generator: all allocations are on a list and freed together at the end, so that leak checkers report
 * nothing. */
#include "tools/gen.h"

#include <stdarg.h>
#include <stdlib.h>

struct piece {
        struct piece *next;
        max_align_t bytes[];
};

static struct piece *pieces;

void *gen_alloc(size_t bytes)
{
        struct piece *piece = calloc(1, sizeof(*piece) + bytes);
        if (piece == NULL) {
                fputs("protoc-gen-sonet: out of memory\n", stderr);
                exit(1);
        }
        piece->next = pieces;
        pieces = piece;
        return piece->bytes;
}

char *gen_printf(const char *format, ...)
{
        va_list args;
        va_start(args, format);
        int len = vsnprintf(NULL, 0, format, args);
        va_end(args);
        char *text = gen_alloc((size_t)len + 1);
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
        return text;
}

void gen_release(void)
{
        while (pieces != NULL) {
                struct piece *next = pieces->next;
                free(pieces);
                pieces = next;
        }
}
