/* Malformed HTTP/2 input, one case per row, with the error that the server must respond with. */
#ifndef HTTP_TEST_HTTP2_ROWS_H
#define HTTP_TEST_HTTP2_ROWS_H

#include "http/test_http2_support.h"

enum { END_STREAM = NGHTTP2_FLAG_END_STREAM, END_HEADERS = NGHTTP2_FLAG_END_HEADERS, WHOLE = END_STREAM | END_HEADERS };

/* The stream that gets a response, or: */
enum expected { GOAWAY = 0, ANSWER = 1, ANSWER_OF_3 = 3, ANSWER_OF_7 = 7, RESET_OF_1 };

/* The bytes after preface and SETTINGS, and the expected result. */
struct h2_row {
        const char *name; /* starts with the section of the RFC */
        void (*make)(struct buf *b);
        enum expected expected;
        int code; /* of the error, or the status */
};

#define ROW(name_) static void name_(struct buf *b)
#define FRAME(type, flags, stream, payload)                                                                            \
        h2_frame(b, NGHTTP2_##type, (flags), (stream), (payload), sizeof(payload) - 1)
/* The header block of a GET, with the given flags. */
void h2_get_frame(struct buf *b, uint32_t stream, int flags);

/* Sends each row over its own connection; fails the test listing all rows with another result. */
void h2_check_rows(const struct fixture *fixture, const struct h2_row *rows, size_t n);

#endif
