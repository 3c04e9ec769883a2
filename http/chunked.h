/* Decoder for chunked bodies (RFC 9112, 7.1); uses no socket and no memory of its own. Extensions and trailers are
 * bounded and dropped, unless the caller wants the trailers. The result does not depend on how the bytes are split. */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "http/head.h"

struct http_chunked {
        int state;
        uint64_t left;   /* bytes of the current chunk not yet read */
        unsigned digits; /* of its size, without leading zeros */
        bool has_size;
        struct buf *trailers; /* gets the trailer lines verbatim; NULL: they are dropped */
        size_t overhead;      /* bytes of extensions, trailers and leading zeros so far, in the whole body */
        /* with HTTP_PARSE_REFUSED */
        int status;
        const char *detail;
};

void http_chunked_init(struct http_chunked *d);
/* Consumes bytes from the front of *in. HTTP_PARSE_MORE: *data is the next piece of the body (a part of what was
 * consumed; empty only when *in is used up); call again with the rest of *in, or with more. HTTP_PARSE_DONE: what is
 * left of *in follows the body. */
enum http_parse http_chunked_next(struct http_chunked *d, struct str *in, struct str *data);

#endif
