/* Streaming parser for multipart/form-data (RFC 7578; RFC 2046, 5.1), in bounded memory. Strict: nothing before the
 * first delimiter, only a line end after the last, no padding, no transfer encodings, no nested parts. Independent
 * of what fields and files mean. */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include "base/str.h"

enum {
        MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046, 5.1.1 */
        MULTIPART_LINE_MAX = 1024,
        MULTIPART_NAME_MAX = 64,
        MULTIPART_FILE_NAME_MAX = 255,
        MULTIPART_TYPE_MAX = 127,
};

/* The headers of a part. */
struct multipart_part {
        char name[MULTIPART_NAME_MAX + 1];
        bool has_name, has_file_name;
        char file_name[MULTIPART_FILE_NAME_MAX + 1]; /* its end, if it is longer */
        char type[MULTIPART_TYPE_MAX + 1];           /* "" if missing or not printable */
};

/* Returning false stops parsing; the handler keeps the reason. */
struct multipart_handlers {
        bool (*begin)(void *context, const struct multipart_part *part);
        bool (*bytes)(void *context, struct str piece);
        bool (*end)(void *context);
        void *context;
};

struct multipart {
        struct multipart_handlers handlers;
        char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* "\r\n--" and the boundary */
        size_t delimiter_len;
        size_t matched; /* bytes of it matched so far */
        int state;
        struct multipart_part part;
        char line[MULTIPART_LINE_MAX];
        size_t line_len;
        int lines; /* header lines of the part */
        int after; /* bytes after the end */
};

/* The boundary in a Content-Type; false if it is not multipart/form-data or the boundary is invalid. */
bool multipart_boundary(struct str content_type, struct str *boundary);
void multipart_init(struct multipart *m, struct str boundary, const struct multipart_handlers *handlers);

enum multipart_result {
        MULTIPART_MORE,
        MULTIPART_STOPPED, /* a handler returned false */
        MULTIPART_MALFORMED,
};
enum multipart_result multipart_take(struct multipart *m, struct str bytes);
bool multipart_is_whole(const struct multipart *m); /* the last delimiter was seen */

#endif
