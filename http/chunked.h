/* A body in chunks, from bytes (RFC 9112 7.1): no socket, no memory of its own. Extensions are read, bounded and
 * dropped, and so are trailers, unless somebody wants them. The result does not depend on how the bytes were cut into
 * pieces. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "http/head.h"

struct http_chunked {
        int state;
        uint64_t left;   /* bytes of the current chunk that are still to come */
        unsigned digits; /* of its size, without leading zeros */
        bool has_size;
        struct buf *trailers; /* takes the lines behind the last chunk as they are; NULL: they are dropped */
        size_t overhead;      /* bytes of extensions, trailers and leading zeros so far, in the whole body */
        /* with HTTP_PARSE_REFUSED */
        int status;
        const char *detail;
};

void http_chunked_init(struct http_chunked *d);
/* Takes bytes from the front of *in. HTTP_PARSE_MORE: *data is the next piece of the body (it lies in what was taken;
 * empty only when *in is used up); call again for what is left of *in, or with more. HTTP_PARSE_DONE: what is left of
 * *in stands behind the body. */
enum http_parse http_chunked_next(struct http_chunked *d, struct str *in, struct str *data);

#endif
