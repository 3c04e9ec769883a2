/* multipart/form-data (RFC 7578, 2046 5.1), as its bytes come and in memory that is bounded. Strict: nothing before the
 * first delimiter, nothing but a line end behind the last, no padding, no transfer encoding, no part in a part. Knows
 * nothing of fields and files. */
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

/* The heads of a part, as the client says them. */
struct multipart_part {
        char name[MULTIPART_NAME_MAX + 1];
        bool has_name, has_file_name;
        char file_name[MULTIPART_FILE_NAME_MAX + 1]; /* its end, when it is longer */
        char type[MULTIPART_TYPE_MAX + 1];           /* "" when it has none that can be shown */
};

/* Each false ends the reading with what the owner has said elsewhere. */
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
        size_t matched; /* bytes of it that have come */
        int state;
        struct multipart_part part;
        char line[MULTIPART_LINE_MAX];
        size_t line_len;
        int lines; /* of the part's heads */
        int after; /* bytes behind the end */
};

/* The boundary of a Content-Type; false when that is no multipart/form-data, or its boundary is not valid. */
bool multipart_boundary(struct str content_type, struct str *boundary);
void multipart_init(struct multipart *m, struct str boundary, const struct multipart_handlers *handlers);

enum multipart_result {
        MULTIPART_MORE,
        MULTIPART_STOPPED, /* a handler said false */
        MULTIPART_MALFORMED,
};
enum multipart_result multipart_take(struct multipart *m, struct str bytes);
bool multipart_is_whole(const struct multipart *m); /* the last delimiter has come */

#endif
