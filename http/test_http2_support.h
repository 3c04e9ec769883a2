/* For tests of HTTP/2: hand-made frames (RFC 9113, 4.1), which may be malformed, and a reader for the responses.
 * Header fields are literals without Huffman coding (RFC 7541, 6.2.2). */
#ifndef HTTP_TEST_HTTP2_SUPPORT_H
#define HTTP_TEST_HTTP2_SUPPORT_H

#include <nghttp2/nghttp2.h>
#include "base/buf.h"
#include "http/test_support.h"

/* Builders, starting from an empty buffer. */
void h2_begin(struct buf *b); /* preface and SETTINGS */
void h2_frame(struct buf *b, int type, int flags, uint32_t stream, const void *payload, size_t len);
void h2_field(struct buf *block, const char *name, const char *value); /* appended to a header block */
void h2_get(struct buf *block, const char *path);                      /* the four pseudo-headers of a GET */
void h2_headers(struct buf *b, int flags, uint32_t stream, const struct buf *block);
/* A complete GET: HEADERS with END_STREAM and END_HEADERS. */
void h2_request(struct buf *b, uint32_t stream, const char *path);
void h2_number(struct buf *b, uint32_t number); /* four bytes */

extern const char *h2_case; /* shown when the server does not respond */

struct h2_frame {
        int type, flags;
        uint32_t stream, code; /* code: of RST_STREAM and GOAWAY */
        size_t len;
        unsigned char payload[17000];
};

/* The next frame; false at the end of the connection. */
bool h2_read(int fd, struct h2_frame *frame);
/* Skips frames until one of this type; fails the test if the connection ends first. */
void h2_read_until(int fd, int type, struct h2_frame *frame);
/* Reads to the end of the connection: the code of its GOAWAY, or -1 without one. */
int h2_read_goaway(int fd);
/* Reads the response on a stream to its end and returns the status; -1 - code if it is reset, -1000 - code on
 * GOAWAY. */
int h2_read_status(int fd, uint32_t stream);
int h2_open(const struct fixture *f); /* connects and sends nothing */
void h2_send(int fd, struct buf *b);  /* and frees it */

#endif
