/* Malformed messages and header blocks, one row each, named by the section of RFC 9113 (or of RFC 7541, HPACK): the
 * cases of h2spec. */
#include <string.h>
#include <unistd.h>
#include "http/test_http2_rows.h"

static struct fixture fixture;

/* A request that is complete except for its error: pseudo-headers as pairs, then others. */
static void request_of(struct buf *b, const char *const *pairs)
{
        struct buf block;
        buf_init(&block, 1 << 20);
        for (size_t i = 0; pairs[i] != NULL; i += 2) {
                h2_field(&block, pairs[i], pairs[i + 1]);
        }
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
#define REQUEST(...) request_of(b, (const char *const[]){__VA_ARGS__, NULL})
#define GOOD         ":method", "GET", ":scheme", "http", ":authority", "localhost", ":path", "/echo"

static void block_of(struct buf *b, const char *bytes, size_t len)
{
        struct buf block;
        h2_get(&block, "/echo");
        buf_append(&block, bytes, len);
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
#define BLOCK(bytes) block_of(b, (bytes), sizeof(bytes) - 1)

static void post_of(struct buf *b, const char *length, const char *body)
{
        struct buf block;
        buf_init(&block, 10000);
        h2_field(&block, ":method", "POST");
        h2_field(&block, ":scheme", "http");
        h2_field(&block, ":authority", "localhost");
        h2_field(&block, ":path", "/echo");
        h2_field(&block, "content-length", length);
        h2_headers(b, END_HEADERS, 1, &block);
        h2_frame(b, NGHTTP2_DATA, END_STREAM, 1, body, strlen(body));
        buf_free(&block);
}

/* ---- Rows that take more than a line ---- */

ROW(push_promise)
{
        FRAME(PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2\x82");
}
ROW(second_headers_without_end)
{
        h2_get_frame(b, 1, END_HEADERS);
        h2_get_frame(b, 1, END_HEADERS);
}
ROW(trailers_with_pseudo)
{
        h2_get_frame(b, 1, END_HEADERS);
        h2_get_frame(b, 1, WHOLE);
}
ROW(trailers)
{
        struct buf block;
        post_of(b, "4", "text");
        buf_init(&block, 1000);
        b->data[b->len - 4 - 5] = 0; /* DATA does not end the stream */
        h2_field(&block, "x-trailer", "yes");
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
ROW(length_too_small)
{
        post_of(b, "1", "text");
}
ROW(length_too_large)
{
        post_of(b, "5", "text");
}
ROW(length_no_number)
{
        post_of(b, "four", "text");
}
ROW(length_right)
{
        post_of(b, "4", "text");
}
ROW(uppercase_name)
{
        REQUEST(GOOD, "X-Test", "1");
}
ROW(header_with_newline)
{
        REQUEST(GOOD, "x-test", "a\r\nb: c");
}
ROW(header_with_space_around)
{
        REQUEST(GOOD, "x-test", " a");
}
ROW(connection_header)
{
        REQUEST(GOOD, "connection", "keep-alive");
}
ROW(transfer_encoding)
{
        REQUEST(GOOD, "transfer-encoding", "chunked");
}
ROW(te)
{
        REQUEST(GOOD, "te", "trailers, deflate");
}
ROW(te_trailers)
{
        REQUEST(GOOD, "te", "trailers");
}
ROW(unknown_pseudo)
{
        REQUEST(GOOD, ":test", "ok");
}
ROW(response_pseudo)
{
        REQUEST(GOOD, ":status", "200");
}
ROW(pseudo_after_header)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h", "x-test", "1", ":path", "/echo");
}
ROW(no_method)
{
        REQUEST(":scheme", "http", ":authority", "h", ":path", "/echo");
}
ROW(no_scheme)
{
        REQUEST(":method", "GET", ":authority", "h", ":path", "/echo");
}
ROW(no_path)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h");
}
ROW(empty_path)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "");
}
ROW(double_method)
{
        REQUEST(GOOD, ":method", "GET");
}
ROW(double_path)
{
        REQUEST(GOOD, ":path", "/echo");
}
ROW(other_host)
{
        REQUEST(":method", "GET", ":scheme", "http", ":path", "/echo", "host", "a", "host", "b");
}
ROW(index_0)
{
        BLOCK("\x80");
}
ROW(index_beyond)
{
        BLOCK("\xc6");
}
ROW(table_size_after_field)
{
        BLOCK("\x20");
}
ROW(table_size_beyond)
{
        FRAME(HEADERS, WHOLE, 1, "\x3f\xe1\x7f\x82\x86\x84\x41\x01h");
}
ROW(huffman_padding_too_long)
{
        BLOCK("\x00\x81\xff\x01h");
}
ROW(huffman_end_of_string)
{
        BLOCK("\x00\x85\x25\xa8\x49\xff\xff\x01h");
}

static const struct h2_row rows[] = {
    {"8.1 HEADERS that do not end the stream", second_headers_without_end, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1 trailers with pseudo-headers", trailers_with_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1 trailers are passed over", trailers, ANSWER, 200},
    {"8.1.1 more body than Content-Length", length_too_small, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 less body than Content-Length", length_too_large, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 Content-Length that is no number", length_no_number, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 Content-Length that is right", length_right, ANSWER, 200},
    {"8.2 a name in uppercase", uppercase_name, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.1 a value with a line break", header_with_newline, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.1 a value that begins with a space", header_with_space_around, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 Connection", connection_header, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 Transfer-Encoding", transfer_encoding, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 TE with more than trailers", te, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 TE: trailers", te_trailers, ANSWER, 200},
    {"8.3 an unknown pseudo-header", unknown_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3 a pseudo-header of answers", response_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3 a pseudo-header after others", pseudo_after_header, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :method", no_method, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :scheme", no_scheme, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :path", no_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 an empty :path", empty_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 :method twice", double_method, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 :path twice", double_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 Host twice", other_host, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.4 PUSH_PROMISE by a client", push_promise, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"HPACK 6.1 index 0", index_0, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 2.3.3 an index beyond the tables", index_beyond, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 4.2 a table size after a field", table_size_after_field, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 6.3 a table larger than agreed", table_size_beyond, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 5.2 padding of more than 7 bits", huffman_padding_too_long, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 5.2 the end of the string within it", huffman_end_of_string, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
};

static void every_malformed_message_has_its_error(void **state)
{
        h2_check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
}

static int setup(void **state)
{
        fixture_start(&fixture, NULL);
        return 0;
}

static int teardown(void **state)
{
        fixture_stop(&fixture);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_malformed_message_has_its_error),
        };

        return cmocka_run_group_tests_name("http2 fields", tests, setup, teardown);
}
