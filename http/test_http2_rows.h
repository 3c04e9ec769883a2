/* Rows of wrong bytes over HTTP/2, each with the error that the server gives for it. */
#ifndef HTTP_TEST_HTTP2_ROWS_H
#define HTTP_TEST_HTTP2_ROWS_H

#include "http/test_http2_support.h"

enum { END_STREAM = NGHTTP2_FLAG_END_STREAM, END_HEADERS = NGHTTP2_FLAG_END_HEADERS, WHOLE = END_STREAM | END_HEADERS };

/* The stream that is answered, or: */
enum expected { GOAWAY = 0, ANSWER = 1, ANSWER_OF_3 = 3, ANSWER_OF_7 = 7, RESET_OF_1 };

/* What follows preface and SETTINGS, and what comes back. */
struct h2_row {
        const char *name; /* begins with the section that says so */
        void (*make)(struct buf *b);
        enum expected expected;
        int code; /* of the error, or the status */
};

#define ROW(name_) static void name_(struct buf *b)
#define FRAME(type, flags, stream, payload)                                                                            \
        h2_frame(b, NGHTTP2_##type, (flags), (stream), (payload), sizeof(payload) - 1)
/* The header block of a GET, with these flags. */
void h2_get_frame(struct buf *b, uint32_t stream, int flags);

/* Sends each over a connection of its own; fails the test with all that were answered otherwise. */
void h2_check_rows(const struct fixture *fixture, const struct h2_row *rows, size_t n);

#endif
