/* Bytes from a client → a form. Parsed as a whole and a byte at a time, the result must be the same, and no part may be
 * longer than the input. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
        size_t parts, bytes;
        uint64_t hash;
        enum multipart_result result;
        bool whole;
};

static bool begin(void *context, const struct multipart_part *part)
{
        struct seen *seen = context;
        MUST(part->has_name && strlen(part->name) <= MULTIPART_NAME_MAX);
        seen->parts++;
        for (const char *p = part->file_name; *p != '\0'; p++) {
                seen->hash = (seen->hash ^ (unsigned char)*p) * 1099511628211u;
        }
        return true;
}

static bool take(void *context, struct str piece)
{
        struct seen *seen = context;
        seen->bytes += piece.len;
        for (size_t i = 0; i < piece.len; i++) {
                seen->hash = (seen->hash ^ (unsigned char)piece.ptr[i]) * 1099511628211u;
        }
        return true;
}

static bool end(void *context)
{
        (void)context;
        return true;
}

static struct seen read_form(const uint8_t *data, size_t size, size_t step)
{
        struct seen seen = {.result = MULTIPART_MORE};
        struct multipart m;
        multipart_init(&m, STR("B"), &(struct multipart_handlers){begin, take, end, &seen});
        for (size_t at = 0; at < size && seen.result == MULTIPART_MORE; at += step) {
                seen.result =
                    multipart_take(&m, (struct str){(const char *)data + at, size - at < step ? size - at : step});
        }
        seen.whole = seen.result == MULTIPART_MORE && multipart_is_whole(&m);
        return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen whole = read_form(data, size, size == 0 ? 1 : size), bytes = read_form(data, size, 1);
        struct str boundary;
        MUST(whole.parts == bytes.parts && whole.bytes == bytes.bytes && whole.hash == bytes.hash);
        MUST(whole.result == bytes.result && whole.whole == bytes.whole && whole.bytes <= size);
        if (multipart_boundary((struct str){(const char *)data, size}, &boundary)) {
                MUST(boundary.len > 0 && boundary.len <= MULTIPART_BOUNDARY_MAX);
        }
        return 0;
}
