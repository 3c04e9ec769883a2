/* For the tests of HTTP/2: frames made by hand (RFC 9113, 4.1), so that they can be wrong, and a reader of what comes
 * back. Header fields are literals without Huffman (RFC 7541, 6.2.2). */
#ifndef HTTP_TEST_HTTP2_SUPPORT_H
#define HTTP_TEST_HTTP2_SUPPORT_H

#include <nghttp2/nghttp2.h>
#include "base/buf.h"
#include "http/test_support.h"

/* What is sent: begins with nothing. */
void h2_begin(struct buf *b); /* preface and SETTINGS */
void h2_frame(struct buf *b, int type, int flags, uint32_t stream, const void *payload, size_t len);
void h2_field(struct buf *block, const char *name, const char *value); /* into a header block */
void h2_get(struct buf *block, const char *path);                      /* the four pseudo-headers of a GET */
void h2_headers(struct buf *b, int flags, uint32_t stream, const struct buf *block);
/* A whole GET: HEADERS with END_STREAM and END_HEADERS. */
void h2_request(struct buf *b, uint32_t stream, const char *path);
void h2_number(struct buf *b, uint32_t number); /* four bytes */

extern const char *h2_case; /* named when the server says nothing */

struct h2_frame {
        int type, flags;
        uint32_t stream, code; /* code: of RST_STREAM and GOAWAY */
        size_t len;
        unsigned char payload[17000];
};

/* The next frame; false at the end of the connection. */
bool h2_read(int fd, struct h2_frame *frame);
/* Passes over frames until one of this type; fails the test when the connection ends first. */
void h2_read_until(int fd, int type, struct h2_frame *frame);
/* Until the end of the connection: the code of its GOAWAY, or -1 when there was none. */
int h2_read_goaway(int fd);
/* The status of the answer on a stream, which is read to its end; -1 - code when it is reset,
 * -1000 - code at a GOAWAY. */
int h2_read_status(int fd, uint32_t stream);
int h2_open(const struct fixture *f); /* connected, nothing said */
void h2_send(int fd, struct buf *b);  /* and frees it */

#endif
